"""A network's geometry: its layers, their grids and their number formats."""

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
