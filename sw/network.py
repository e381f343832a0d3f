"""A network's geometry, and a model: its parameters and the user's units. One versioned .npz file holds a model."""

import json
import zipfile
import zlib
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from sw.numerics import LayerFormat, WordFormat, layer_formats

FILE_FORMAT = "kanloom-model"
FILE_VERSION = 1
HIDDEN_GAIN = 1  # hidden sums are kept at twice their mean: a mean of many functions would leave most segments unused


class ModelFileError(Exception):
    """A file that is no model of this program, or a damaged one."""


@dataclass(frozen=True)
class Layer:
    """`outputs` means of `inputs` piecewise-linear functions on uniform grids of `segments` segments.

    `gain`: the mean is multiplied by 2**gain before it becomes the next layer's argument (fixed point only).
    """

    inputs: int
    outputs: int
    segments: int
    gain: int = HIDDEN_GAIN

    def __post_init__(self) -> None:
        for name in ("inputs", "outputs"):
            if getattr(self, name) < 1:
                raise ValueError(f"layer {name} {getattr(self, name)} must be 1 or more")
        if self.segments < 2 or self.segments & (self.segments - 1):
            raise ValueError(f"{self.segments} segments: must be a power of two, 2 or more")

    @property
    def nodes(self) -> int:
        return self.segments + 1

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the layer's node array, (inputs, nodes, outputs): one row of all functions per input and node."""
        return self.inputs, self.nodes, self.outputs


@dataclass(frozen=True)
class Network:
    """Layers in order, and the word width of their fixed-point form."""

    layers: tuple[Layer, ...]
    width: int = 16

    def __post_init__(self) -> None:
        if len(self.layers) < 2:
            raise ValueError(f"a Kolmogorov-Arnold network has 2 layers or more, not {len(self.layers)}")
        for before, after in zip(self.layers, self.layers[1:], strict=False):
            if before.outputs != after.inputs:
                raise ValueError(f"a layer of {before.outputs} outputs cannot feed one of {after.inputs} inputs")
        for index, form in enumerate(self.formats):
            if form.offset_bits < 1:
                layer = self.layers[index]
                raise ValueError(
                    f"layer {index}: {layer.segments} segments and {layer.inputs} inputs leave no offset bits in a "
                    f"word of {self.width}; use a wider word or a smaller layer"
                )

    @classmethod
    def two_layer(
        cls,
        features: int,
        addends: int,
        segments: tuple[int, int],
        *,
        outputs: int = 1,
        width: int = 16,
        gain: int = HIDDEN_GAIN,
    ) -> "Network":
        """The paper's network: `addends` inner functions per feature, one outer function per addend and output."""
        inner, outer = segments
        return cls((Layer(features, addends, inner, gain), Layer(addends, outputs, outer, gain=0)), width)

    @property
    def features(self) -> int:
        return self.layers[0].inputs

    @property
    def outputs(self) -> int:
        return self.layers[-1].outputs

    @property
    def word(self) -> WordFormat:
        return WordFormat(self.width)

    @cached_property
    def formats(self) -> tuple[LayerFormat, ...]:
        return layer_formats(self.word, [(layer.inputs, layer.segments, layer.gain) for layer in self.layers])

    @property
    def parameters(self) -> int:
        """Number of nodes."""
        return sum(int(np.prod(layer.shape)) for layer in self.layers)

    @property
    def products(self) -> int:
        """Products of one training record: each function forward and in the update, each past the first layer in the
        slope."""
        functions = [layer.inputs * layer.outputs for layer in self.layers]
        return 2 * functions[0] + 3 * sum(functions[1:])

    def describe(self) -> dict:
        """Plain data from which `from_description` makes an equal network."""
        return {"width": self.width, "layers": [asdict(layer) for layer in self.layers]}

    @classmethod
    def from_description(cls, description: dict) -> "Network":
        return cls(tuple(Layer(**layer) for layer in description["layers"]), description["width"])

    def __str__(self) -> str:
        sizes = "-".join(str(size) for size in (self.features, *(layer.outputs for layer in self.layers)))
        return f"{sizes} ({'/'.join(str(layer.segments) for layer in self.layers)} segments, {self.width} bit)"


@dataclass(frozen=True)
class Scaling:
    """The user's units: features to [0, 1] by their range, targets to [-1, 1]; all arrays one value a column."""

    feature_low: np.ndarray
    feature_high: np.ndarray
    target_low: np.ndarray
    target_high: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray, targets: np.ndarray) -> "Scaling":
        """The ranges seen in the training records, (n, features) and (n, outputs)."""
        return cls(features.min(axis=0), features.max(axis=0), targets.min(axis=0), targets.max(axis=0))

    def unit_features(self, features: np.ndarray) -> np.ndarray:
        """In [0, 1]; values beyond the training range are clipped, a constant column becomes 0."""
        span = np.where(self.feature_high > self.feature_low, self.feature_high - self.feature_low, 1.0)
        return np.clip((features - self.feature_low) / span, 0.0, 1.0)

    @property
    def _target_centre(self) -> np.ndarray:
        return self.target_low + (self.target_high - self.target_low) / 2

    @property
    def _target_reach(self) -> np.ndarray:
        reach = (self.target_high - self.target_low) / 2
        return np.where(reach > 0, reach, 1.0)

    def unit_targets(self, targets: np.ndarray) -> np.ndarray:
        return (targets - self._target_centre) / self._target_reach

    def user_targets(self, unit: np.ndarray) -> np.ndarray:
        return unit * self._target_reach + self._target_centre


@dataclass(frozen=True)
class Records:
    """Records as a machine takes them: arguments (n, features) and targets (n, outputs).

    Unit floats for the floating-point machines; argument codes and words, both int64, for the fixed-point ones.
    """

    arguments: np.ndarray
    targets: np.ndarray

    def __post_init__(self) -> None:
        if self.arguments.ndim != 2 or self.targets.ndim != 2 or len(self.arguments) != len(self.targets):
            raise ValueError(
                f"records of arguments {self.arguments.shape} and targets {self.targets.shape}: "
                "both must be tables with the same number of rows"
            )

    def __len__(self) -> int:
        return len(self.arguments)

    def check(self, network: Network) -> None:
        """Raise ValueError unless they have the network's features and outputs, and integers its codes and words."""
        shape, needed = (self.arguments.shape[1], self.targets.shape[1]), (network.features, network.outputs)
        if shape != needed:
            raise ValueError(
                f"records of {shape[0]} features and {shape[1]} targets; the network {network} takes {needed[0]} and "
                f"gives {needed[1]}"
            )
        if not len(self) or not np.issubdtype(self.arguments.dtype, np.integer):
            return
        word, codes = network.word, 1 << network.formats[0].argument_bits
        for name, values, low, high in (
            ("argument codes", self.arguments, 0, codes - 1),
            ("targets", self.targets, word.minimum, word.maximum),
        ):
            if values.min() < low or values.max() > high:
                raise ValueError(f"{name} from {values.min()} to {values.max()}; the legal ones are {low} to {high}")

    def blocks(self, size: int) -> list["Records"]:
        """The records in order, in blocks of `size` and a rest; themselves if they are no more."""
        if len(self) <= size:
            return [self]
        starts = range(0, len(self), size)
        return [Records(self.arguments[start : start + size], self.targets[start : start + size]) for start in starts]


@dataclass(frozen=True)
class Units:
    """How unit values become integers: targets of +-1 are +-2**(W - 1 - headroom), the rest is headroom."""

    network: Network
    headroom: int = 2

    @property
    def target_scale(self) -> int:
        return 1 << (self.network.width - 1 - self.headroom)

    def encode(self, unit_features: np.ndarray, unit_targets: np.ndarray) -> Records:
        top = (1 << self.network.formats[0].argument_bits) - 1
        arguments = np.rint(unit_features * top).astype(np.int64)
        targets = self.network.word.limit(np.rint(unit_targets * self.target_scale)).astype(np.int64)
        return Records(arguments, targets)

    def decode(self, results: np.ndarray) -> np.ndarray:
        """Unit targets of the words that a fixed-point machine predicted."""
        return np.asarray(results) / self.target_scale


@dataclass
class Model:
    """A network with fixed-point parameters and the units of the data it was made for.

    `nodes`: one int64 array per layer, of `Layer.shape`.
    """

    network: Network
    scaling: Scaling
    nodes: list[np.ndarray]
    headroom: int = 2
    feature_names: tuple[str, ...] = field(default=())
    target_names: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        check_nodes(self.network, self.nodes)

    @property
    def units(self) -> Units:
        return Units(self.network, self.headroom)

    def encode(self, features: np.ndarray, targets: np.ndarray) -> Records:
        """Records in the model's integers from (n, features) and (n, outputs) in the user's units."""
        return self.units.encode(self.scaling.unit_features(features), self.scaling.unit_targets(targets))

    def decode(self, results: np.ndarray) -> np.ndarray:
        """Predictions in the user's units from a fixed-point machine's words, (n, outputs)."""
        return self.scaling.user_targets(self.units.decode(results))

    def save(self, path: str | Path) -> None:
        header = {
            "format": FILE_FORMAT,
            "version": FILE_VERSION,
            "network": self.network.describe(),
            "headroom": self.headroom,
            "feature_names": self.feature_names,
            "target_names": self.target_names,
        }
        arrays = {f"nodes_{index}": nodes for index, nodes in enumerate(self.nodes)} | asdict(self.scaling)
        with open(path, "wb") as file:
            np.savez_compressed(file, allow_pickle=False, header=np.array(json.dumps(header)), **arrays)

    @classmethod
    def load(cls, path: str | Path) -> "Model":
        """Raises `ModelFileError` for a file that is damaged, of another program, or of a later version."""
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        except FileNotFoundError:
            raise
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise ModelFileError(f"{path} is damaged or no .npz file: {error}") from error
        try:
            header = json.loads(str(arrays.pop("header")))
            if header["format"] != FILE_FORMAT:
                raise ModelFileError(f"{path} is of format {header['format']!r}, not {FILE_FORMAT!r}")
            if header["version"] != FILE_VERSION:
                raise ModelFileError(f"{path} is of version {header['version']}; this program reads {FILE_VERSION}")
            network = Network.from_description(header["network"])
            scaling = Scaling(*(arrays[name] for name in Scaling.__dataclass_fields__))
            nodes = [arrays[f"nodes_{index}"] for index in range(len(network.layers))]
            return cls(
                network,
                scaling,
                nodes,
                header["headroom"],
                tuple(header["feature_names"]),
                tuple(header["target_names"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(f"{path} is no kanloom model: {error!r}") from error


def check_nodes(network: Network, nodes: list[np.ndarray]) -> None:
    """Raise ValueError unless there is one node array of the right shape per layer, within the word."""
    shapes = [array.shape for array in nodes]
    if shapes != [layer.shape for layer in network.layers]:
        raise ValueError(
            f"node arrays of shapes {shapes}; the network needs {[layer.shape for layer in network.layers]}"
        )
    word = network.word
    for index, array in enumerate(nodes):
        if array.min() < word.minimum or array.max() > word.maximum:
            raise ValueError(f"nodes of layer {index} lie outside {word.minimum}..{word.maximum}")


def random_nodes(network: Network, rng: np.random.Generator, spread: float = 0.25) -> list[np.ndarray]:
    """Nodes drawn uniformly from +-`spread` of the word's range."""
    reach = int(spread * network.word.maximum)
    return [rng.integers(-reach, reach + 1, layer.shape) for layer in network.layers]


def first_nodes(network: Network, rng: np.random.Generator, spreads: tuple[float, ...]) -> list[np.ndarray]:
    """Nodes to start training from: straight lines of random slope, and random nodes in the last layer.

    `spreads`: their reach in each layer, as a share of the word's range. Lines make each addend a random direction,
    where random nodes would make it noise.
    """
    nodes = []
    for layer, spread in zip(network.layers[:-1], spreads, strict=False):
        slopes = rng.uniform(-1, 1, (layer.inputs, 1, layer.outputs))
        line = np.linspace(-1, 1, layer.nodes)[None, :, None]
        nodes.append(np.rint(spread * network.word.maximum * line * slopes).astype(np.int64))
    last = network.layers[-1]
    return [*nodes, np.rint(spreads[-1] * network.word.maximum * rng.uniform(-1, 1, last.shape)).astype(np.int64)]
