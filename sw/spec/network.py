"""A network's geometry, its records and its nodes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property

import numpy as np

from sw.spec.numerics import LayerFormat, WordFormat, layer_formats

HIDDEN_GAIN = 1  # hidden sums are kept at twice their mean: a mean of many functions would leave most segments unused


@dataclass(frozen=True)
class Layer:
    """`outputs` means of `inputs` piecewise-linear functions on uniform grids of `segments` segments.

    `gain`: the mean is multiplied by 2**gain before it becomes the next layer's argument (fixed point only).
    `mean_of`: how many inputs the mean is over, if this layer is a part of one that has more.
    """

    inputs: int
    outputs: int
    segments: int
    gain: int = HIDDEN_GAIN
    mean_of: int | None = None

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
    def divisor(self) -> int:
        """Sums of the layer's functions are divided by this."""
        return self.mean_of or self.inputs

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
        return cls.chain((features, addends, outputs), segments, width=width, gain=gain)

    @classmethod
    def chain(
        cls, sizes: Sequence[int], segments: Sequence[int], *, width: int = 16, gain: int = HIDDEN_GAIN
    ) -> "Network":
        """Layers from each of `sizes`, features first and outputs last, to the next one: `segments` names each one's.
        Hidden sums have a `gain`, outputs have none."""
        if len(segments) != len(sizes) - 1:
            raise ValueError(f"{len(sizes) - 1} layers between {len(sizes)} sizes, but segments for {len(segments)}")
        gains = [gain] * (len(segments) - 1) + [0]
        return cls(tuple(map(Layer, sizes[:-1], sizes[1:], segments, gains)), width)

    def part(self, addends: int) -> "Network":
        """So many addends of a two-layer network alone: what they give is divided as if all the others were there.

        Raises ValueError for a deeper network, whose addends share the layers before.
        """
        if len(self.layers) != 2:
            raise ValueError(
                f"{self} has {len(self.layers)} layers; only a network of 2 is the sum of addends that can be trained "
                "apart"
            )
        inner, outer = self.layers
        layers = replace(inner, outputs=addends), replace(outer, inputs=addends, mean_of=outer.divisor)
        return replace(self, layers=layers)

    @property
    def features(self) -> int:
        return self.layers[0].inputs

    @property
    def outputs(self) -> int:
        return self.layers[-1].outputs

    @property
    def record_words(self) -> int:
        """Words of a record on a board: an argument or a target each."""
        return self.features + self.outputs

    @property
    def word(self) -> WordFormat:
        return WordFormat(self.width)

    @cached_property
    def formats(self) -> tuple[LayerFormat, ...]:
        return layer_formats(self.word, [(layer.divisor, layer.segments, layer.gain) for layer in self.layers])

    @property
    def parameters(self) -> int:
        """Number of nodes."""
        return sum(int(np.prod(layer.shape)) for layer in self.layers)

    def layered(self, flat: np.ndarray) -> list[np.ndarray]:
        """Nodes, all layers flattened one after the other, as an array of `Layer.shape` a layer."""
        ends = np.cumsum([np.prod(layer.shape) for layer in self.layers])[:-1]
        return [part.reshape(layer.shape) for part, layer in zip(np.split(flat, ends), self.layers, strict=True)]

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


def check_nodes(network: Network, nodes: list[np.ndarray], *, fixed: bool = True) -> None:
    """Raise ValueError unless there is one node array of the right shape per layer; if `fixed`, within the word."""
    shapes = [array.shape for array in nodes]
    if shapes != [layer.shape for layer in network.layers]:
        raise ValueError(
            f"node arrays of shapes {shapes}; the network needs {[layer.shape for layer in network.layers]}"
        )
    word = network.word
    for index, array in enumerate(nodes if fixed else ()):
        if array.min() < word.minimum or array.max() > word.maximum:
            raise ValueError(f"nodes of layer {index} lie outside {word.minimum}..{word.maximum}")


def groups_of(network: Network, addends: int) -> list[tuple[int, int]]:
    """The first addend of each group of so many, and that behind its last; the last group has the rest, if there is
    one. Raises ValueError for a network or a group that is not legal."""
    count = network.layers[-1].inputs
    network.part(count)
    if not 1 <= addends < count:
        raise ValueError(f"groups of {addends} addends: a network of {count} addends has groups of 1 to {count - 1}")
    starts = range(0, count, addends)
    return list(zip(starts, (*starts[1:], count), strict=True))


def part_of_nodes(nodes: list[np.ndarray], start: int, stop: int) -> list[np.ndarray]:
    """Those of addends `start` up to `stop` of a network of two layers: views."""
    inner, outer = nodes
    return [inner[:, :, start:stop], outer[start:stop]]


def joined_nodes(parts: Sequence[list[np.ndarray]]) -> list[np.ndarray]:
    """The inverse of `part_of_nodes`, of all parts in order."""
    inner, outer = zip(*parts, strict=True)
    return [np.concatenate(inner, axis=2), np.concatenate(outer)]


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
