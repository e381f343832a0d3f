"""A network's geometry: its layers, their grids and their number formats."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from math import prod

import numpy as np

from sw.spec.bounds import GAIN, LAYERS, PARAMETERS, SEGMENTS, SIZE, check_whole, counted, whole_number
from sw.spec.numerics import WIDTHS, LayerFormat, WordFormat, layer_formats

HIDDEN_GAIN = 1  # hidden sums are kept at twice their mean: a mean of many functions would leave most segments unused


@dataclass(frozen=True)
class Layer:
    """A layer: each output is the mean of one piecewise-linear function of each input, on a uniform grid.

    Attributes
    ----------
    inputs, outputs : int
        Arguments that the layer takes and means that it gives; there are inputs * outputs functions.
    segments : int
        Segments of each function's grid, a power of two.
    gain : int
        The mean is multiplied by 2**gain before it becomes the next layer's argument (fixed point only).
    mean_of : int or None
        Number of inputs that the mean is over, if this layer is a slice of a larger one; None for `inputs`.
    first_input : int
        Number of its first input in the larger layer, if this layer is a slice of one.
    """

    inputs: int
    outputs: int
    segments: int
    gain: int = HIDDEN_GAIN
    mean_of: int | None = None
    first_input: int = 0

    def __post_init__(self) -> None:
        for name in ("inputs", "outputs"):
            check_whole(f"layer {name}", getattr(self, name), *SIZE)
        check_whole("gain", self.gain, *GAIN)
        if self.mean_of is not None:
            check_whole("mean_of", self.mean_of, self.inputs, SIZE[1])
            check_whole("first_input", self.first_input, 0, self.mean_of - self.inputs)
        segments, (least, most) = whole_number(self.segments), SEGMENTS
        if segments is None or not least <= segments <= most or segments & (segments - 1):
            raise ValueError(f"{self.segments!r} segments: must be a power of two from {least} to {most}")

    @property
    def nodes(self) -> int:
        """Nodes of a function: the ends of its segments."""
        return self.segments + 1

    @property
    def divisor(self) -> int:
        """What a sum of the layer's functions is divided by to give the mean."""
        return self.mean_of or self.inputs

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the layer's node array, (inputs, nodes, outputs): one row of all functions per input and node."""
        return self.inputs, self.nodes, self.outputs


@dataclass(frozen=True)
class Network:
    """Layers in order, and the word width of their fixed-point form.

    Attributes
    ----------
    layers : tuple of Layer
        One layer or more; the outputs of each are the inputs of the next one. A network of one is an additive model.
    width : int
        Bits of a word, one of `sw.spec.numerics.WIDTHS`.
    fine : int
        Bits of a step below a node's, which are rounded by chance; one of `sw.spec.chance.FINE`.
    """

    layers: tuple[Layer, ...]
    width: int = 16
    fine: int = 0

    def __post_init__(self) -> None:
        if not LAYERS[0] <= len(self.layers) <= LAYERS[1]:
            raise ValueError(
                f"a Kolmogorov-Arnold network has {LAYERS[0]} to {LAYERS[1]} layers, not {len(self.layers)}"
            )
        check_whole("word width", self.width, WIDTHS.start, WIDTHS.stop - 1)
        if self.parameters > PARAMETERS[1]:
            raise ValueError(f"the network {self} has {self.parameters:,} nodes; {PARAMETERS[1]:,} at most")
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
        """Make the paper's network: one inner function per feature and addend, one outer per addend and output.

        Parameters
        ----------
        features, addends, outputs : int
            Sizes of the network.
        segments : (int, int)
            Segments of the inner and of the outer functions.
        width : int
            Bits of a word.
        gain : int
            Gain of the hidden sums, in bits.
        """
        return cls.chain((features, addends, outputs), segments, width=width, gain=gain)

    @classmethod
    def chain(
        cls, sizes: Sequence[int], segments: Sequence[int], *, width: int = 16, gain: int = HIDDEN_GAIN
    ) -> "Network":
        """Make a network of any depth.

        Parameters
        ----------
        sizes : sequence of int
            The features, the outputs of each hidden layer, the outputs.
        segments : sequence of int
            Segments of the functions of each layer: one number fewer than `sizes`.
        width : int
            Bits of a word.
        gain : int
            Gain of the hidden sums, in bits; outputs have none.

        Raises
        ------
        ValueError
            If there are not as many `segments` as layers, or a layer or the network is not legal.
        """
        if len(segments) != len(sizes) - 1:
            raise ValueError(
                f"{counted(len(sizes) - 1, 'layer')} between {counted(len(sizes), 'size')}, but segments for "
                f"{len(segments)}"
            )
        gains = [gain] * (len(segments) - 1) + [0]
        return cls(tuple(map(Layer, sizes[:-1], sizes[1:], segments, gains)), width)

    def addend_slice(self, start: int, stop: int) -> "Network":
        """Take some addends of a two-layer network alone, their sum divided as if all addends were there.

        Parameters
        ----------
        start, stop : int
            The first addend of the smaller network, and the one behind its last.

        Returns
        -------
        Network
            The smaller network.

        Raises
        ------
        ValueError
            For another number of layers: a single layer has no addends, and those of a deeper network share the
            layers before.
        """
        if len(self.layers) != 2:
            raise ValueError(
                f"{self} has {counted(len(self.layers), 'layer')}; only a network of 2 has addends that can be trained "
                "alone"
            )
        inner, outer = self.layers
        slice_of_outer = replace(
            outer, inputs=stop - start, mean_of=outer.divisor, first_input=outer.first_input + start
        )
        return replace(self, layers=(replace(inner, outputs=stop - start), slice_of_outer))

    @property
    def features(self) -> int:
        """Features of a record: inputs of the first layer."""
        return self.layers[0].inputs

    @property
    def outputs(self) -> int:
        """Targets of a record: outputs of the last layer."""
        return self.layers[-1].outputs

    def check_columns(self, features: int, targets: int, source: str, owner: str = "the network") -> None:
        """Check that a source of records has as many features and targets as the network.

        Parameters
        ----------
        features, targets : int
            Columns of the source.
        source : str
            Its name in a message.
        owner : str
            What the network is called in a message.

        Raises
        ------
        ValueError
            If it has not.
        """
        if (features, targets) != (self.features, self.outputs):
            raise ValueError(
                f"{source} has {counted(features, 'feature')} and {counted(targets, 'target')}; {owner} {self} takes "
                f"{self.features} and gives {self.outputs}"
            )

    @property
    def record_words(self) -> int:
        """Words of a record on a board: one for each feature and each target."""
        return self.features + self.outputs

    @property
    def word(self) -> WordFormat:
        """Format of nodes, errors and targets."""
        return WordFormat(self.width, self.fine)

    @cached_property
    def formats(self) -> tuple[LayerFormat, ...]:
        """Bit fields of each layer."""
        return layer_formats(self.word, [(layer.divisor, layer.segments, layer.gain) for layer in self.layers])

    @property
    def parameters(self) -> int:
        """Number of nodes."""
        return sum(prod(layer.shape) for layer in self.layers)

    def layered(self, flat: np.ndarray) -> list[np.ndarray]:
        """Split nodes into an array for each layer.

        Parameters
        ----------
        flat : ndarray of shape (parameters,)
            Nodes of all layers, each layer flattened, one after the other.

        Returns
        -------
        list of ndarray
            One view of `Layer.shape` for each layer.
        """
        ends = np.cumsum([np.prod(layer.shape) for layer in self.layers])[:-1]
        return [part.reshape(layer.shape) for part, layer in zip(np.split(flat, ends), self.layers, strict=True)]

    @property
    def products(self) -> int:
        """Products that training on a record takes.

        Each function has one in the forward pass and one in the update; past the first layer, one more for its slope.
        """
        functions = [layer.inputs * layer.outputs for layer in self.layers]
        return 2 * functions[0] + 3 * sum(functions[1:])

    def describe(self) -> dict:
        """Give plain data, for JSON, from which `from_description` makes an equal network.

        Fine bits and first inputs are left out where they are 0, so that a network without them has the description
        that files and boards have of it.
        """
        layers = [asdict(layer) for layer in self.layers]
        for layer in layers:
            if not layer["first_input"]:
                del layer["first_input"]
        return {"width": self.width, "layers": layers, **({"fine": self.fine} if self.fine else {})}

    @classmethod
    def from_description(cls, description: dict) -> "Network":
        """Make the network that `describe` described.

        Raises
        ------
        ValueError
            For any other description.
        """
        try:
            layers = tuple(Layer(**layer) for layer in description["layers"])
            return cls(layers, description["width"], description.get("fine", 0))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("a description of a network has its width and its layers") from error

    def __str__(self) -> str:
        sizes = "-".join(str(size) for size in (self.features, *(layer.outputs for layer in self.layers)))
        fine = f", {self.fine} fine" if self.fine else ""
        return f"{sizes} ({'/'.join(str(layer.segments) for layer in self.layers)} segments, {self.width} bit{fine})"
