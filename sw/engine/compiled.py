"""The compiled machines: the kernels behind the interface of `sw.spec.trainer`, and behind that of
`sw.engine.training`."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sw.engine.kernels.compiling import compile_for, is_compiled
from sw.engine.kernels.fixed import memory as fixed
from sw.engine.kernels.fixed import passes as fixed_passes
from sw.engine.kernels.floating import memory as floating
from sw.engine.kernels.floating import passes as floating_passes
from sw.engine.kernels.layout import MemoryLayout, arena
from sw.engine.simd.rows import REGISTER_BYTES
from sw.oracle.floating import DOMAIN_MARGIN, Unquantised
from sw.spec.network import Network
from sw.spec.nodes import check_nodes, groups_of
from sw.spec.records import Records
from sw.spec.trainer import Rates, Statistics, Trainer


@dataclass(frozen=True, eq=False)
class Encoded:
    """Records as a kernel reads them.

    arguments: flat, (n, features) and a register more, since whole registers are read. targets: (n, outputs).
    """

    arguments: np.ndarray
    targets: np.ndarray

    @classmethod
    def of(cls, arguments: np.ndarray, targets: np.ndarray, word: type) -> "Encoded":
        flat: np.ndarray = np.zeros(arguments.size + REGISTER_BYTES // np.dtype(word).itemsize, word)
        flat[: arguments.size].reshape(arguments.shape)[:] = arguments
        return cls(flat, np.ascontiguousarray(targets, word))

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def nbytes(self) -> int:
        return self.arguments.nbytes + self.targets.nbytes

    def _part(self, start: int, stop: int, features: int) -> "Encoded":
        return Encoded(self.arguments[start * features :], self.targets[start:stop])

    def rounds(self, size: int, features: int) -> Iterator["Encoded"]:
        """The records in order, `size` at a time and a rest; views."""
        for start in range(0, len(self), size):
            yield self._part(start, min(start + size, len(self)), features)

    def take(self, rows: np.ndarray, features: int) -> "Encoded":
        """The records of these row numbers, copied, in their order."""
        arguments = self.arguments[: len(self) * features].reshape(-1, features)
        return Encoded.of(arguments[rows], self.targets[rows], self.targets.dtype.type)

    def split(self, parts: int, features: int) -> Iterator["Encoded"]:
        """The records in order, in so many parts as equal as can be; views."""
        for index in range(parts):
            yield self._part(len(self) * index // parts, len(self) * (index + 1) // parts, features)


class CompiledTrainer(Trainer):
    """What fixed and floating point have in common.

    Attributes:
        parameters: what training changes and merging takes the mean of, in one array where the kernels have it.
        groups: first addends of the groups that each have a residual of their own, as in pre-training, and the number
            of addends; only that, if there are no groups.
        result_scale: encoded targets, and residuals of statistics, times this are words.
    """

    word: type
    parameters: np.ndarray
    result_scale = 1.0

    def __init__(self, network: Network, groups: tuple[int, ...], word: type, row: tuple[int, ...]):
        self.network, self.word = network, word
        addends = network.layers[-1].inputs
        self.groups = np.array([*groups, addends])
        if groups:
            network.part(addends)  # raises, unless there are groups of addends
        self._layout = MemoryLayout(network, word, row, grouped=bool(groups))

    @property
    def _views(self) -> list[np.ndarray]:
        return self._layout.views(self._memory.rows, self._memory.pairs)

    _memory: Any
    _layers: np.ndarray
    _kernels: Any  # module with `train` and `predict`
    _result_type: type  # of what `predict` stores

    def _train(self, records: Records, rates: Rates) -> Statistics:
        return self.run(self.encode(records), rates)

    def _predict(self, records: Records) -> np.ndarray:
        return self.results(self.encode(records))

    def encode(self, records: Records) -> Encoded:
        return Encoded.of(records.arguments, records.targets, self.word)

    @abstractmethod
    def run(self, records: Encoded, rates: Rates) -> Statistics:
        """One pass, as `train`, over records that are ready for it."""

    def results(self, records: Encoded) -> np.ndarray:
        """As `predict`."""
        arguments = self._prediction(records)
        self._kernels.predict(*arguments)
        return arguments[-1]

    @property
    def ready(self) -> bool:
        """Whether the kernels that the trainer needs are compiled, in this process or on disk."""
        return all(is_compiled(*call) for call in self._calls())

    def prepare(self) -> None:
        """Compile the kernels that the trainer needs, or load them from disk, without running them.

        The first `run` and the first `results` do it otherwise. It takes seconds if they are not `ready`.
        """
        for call in self._calls():
            compile_for(*call)

    def _calls(self) -> list[tuple]:
        """The kernels, each with arguments of the types that it is called with."""
        records = Encoded.of(np.zeros((0, self.network.features)), np.zeros((0, self.network.outputs)), self.word)
        return [(self._kernels.train, *self._training(records)), (self._kernels.predict, *self._prediction(records))]

    @abstractmethod
    def _training(self, records: Encoded) -> tuple:
        """Arguments of the training kernel."""

    def _prediction(self, records: Encoded) -> tuple:
        """Arguments of the predicting kernel, the array for the results last."""
        results: np.ndarray = np.zeros(records.targets.shape, self._result_type)
        return self._memory, self._layers, self._layout.size, records.arguments, results


class CompiledFixed(CompiledTrainer):
    """`sw.oracle.fixed.FixedReference`, compiled: the same bits. Words of 16 bits are the fast case.

    `counting`: count saturations and clips, which takes a sixth more time; otherwise the statistics say 0 of both.
    `pretraining`: addends of a group that `pretrain` trains alone, where `groups` are so trained in every pass.
    """

    _kernels, _result_type = fixed_passes, np.int64

    def __init__(
        self,
        network: Network,
        nodes: list[np.ndarray],
        staleness: tuple[int, ...] = (),
        block: int | None = None,
        *,
        groups: tuple[int, ...] = (),
        counting: bool = True,
        pretraining: int = 0,
    ):
        super().__init__(network, groups, np.int16 if network.width == 16 else np.int32, fixed.ROW)
        self.block, self.pretraining = block, pretraining
        self.staleness = staleness or (0,) * len(network.layers)
        self._counting = (0,) if counting else ()
        layout, word, wide = self._layout, self.word, np.int32 if network.width == 16 else np.int64
        slots = layout.slot * (self.staleness[0] + 2)
        memory = arena(
            {
                "statistics": (fixed.STATISTICS, np.int64),
                "layers": (len(network.layers) * len(fixed.FIELDS), np.int64),
                "starts": (layout.kept, wide),
                "places": (slots, wide),
                "weights": (slots, wide),
                "errors": (slots, wide),
                "found": (2 * slots, word),
                "totals": (slots, wide),
                "back": (slots, word),
                "arguments": (layout.kept, word),
                "parameters": (layout.rows + layout.pairs, word),
            }
        )
        self._statistics, self._layers = memory.pop("statistics"), memory.pop("layers")
        self.parameters = memory.pop("parameters")
        rows, pairs = np.split(self.parameters, [layout.rows])
        self._memory = fixed.FixedMemory(rows=rows, pairs=pairs, **memory)
        self._memory.starts[:] = layout.starts
        self._fields = self._layers.reshape(len(network.layers), -1)
        biases = [0, *(form.result_bias for form in network.formats)]
        for index, (place, form) in enumerate(zip(layout.places, network.formats, strict=True)):
            hidden = index < len(network.layers) - 1
            self._fields[index] = fixed.layer_of(
                place, form, bias=biases[index], staleness=self.staleness[index], hidden=hidden
            )
        self.nodes = nodes

    @property
    def nodes(self) -> list[np.ndarray]:
        return [view.astype(np.int64) for view in self._views]

    @nodes.setter
    def nodes(self, nodes: list[np.ndarray]) -> None:
        check_nodes(self.network, nodes)
        for view, values in zip(self._views, nodes, strict=True):
            view[:] = values

    def _train(self, records: Records, rates: Rates) -> Statistics:
        blocks = records.blocks(self.block or max(1, len(records)))
        return sum((self.run(self.encode(block), rates) for block in blocks), Statistics())

    def _pretrain(self, records: Records, rates: Rates) -> Statistics:
        groups = tuple(start for start, _ in groups_of(self.network, self.pretraining))
        apart = CompiledFixed(self.network, self.nodes, self.staleness, self.block, groups=groups)
        statistics = apart.train(records, rates)
        self.nodes = apart.nodes
        return statistics

    def run(self, records: Encoded, rates: Rates) -> Statistics:
        for name, shifts in (("update_shift", rates.update), ("back_shift", rates.back)):
            self._fields[1:, fixed.LayerFields._fields.index(name)] = shifts
        self._statistics[:] = 0
        self._kernels.train(*self._training(records))
        return Statistics(*self._statistics.tolist())

    def _training(self, records: Encoded) -> tuple:
        return (
            self._memory,
            self._layers,
            self._layout.size,
            self._layout.slot,
            records.arguments,
            records.targets,
            self.groups,
            self.network.word.maximum,
            self._counting,
            self._statistics,
        )


class CompiledFloat(CompiledTrainer):
    """`sw.oracle.floating.FloatReference`, compiled: equal to it within the rounding of `word`, float32 or float64."""

    _kernels, _result_type = floating_passes, np.float64

    def __init__(
        self,
        network: Network,
        nodes: list[np.ndarray],
        domains: list[np.ndarray],
        learning_rates: tuple[float, ...] | None = None,
        *,
        groups: tuple[int, ...] = (),
        word: type = np.float32,
    ):
        super().__init__(network, groups, word, floating.ROW)
        layout, integer = self._layout, np.int32 if word == np.float32 else np.int64
        slots = 2 * layout.slot
        memory = arena(
            {
                "statistics": (floating.STATISTICS, np.float64),
                "layers": (len(network.layers) * len(floating.FIELDS), np.int64),
                "rates": (len(network.layers), word),
                "starts": (layout.kept, integer),
                "places": (slots, integer),
                "offsets": (slots, word),
                "remainders": (slots, word),
                "errors": (slots, word),
                "found": (2 * slots, word),
                "back": (slots, word),
                "arguments": (layout.kept, word),
                "scale": (layout.kept, word),
                "parameters": (layout.rows + layout.pairs + 2 * layout.kept, word),
            }
        )
        self._statistics, self._layers = memory.pop("statistics"), memory.pop("layers")
        self.parameters = memory.pop("parameters")
        rows, pairs, low, high = np.split(self.parameters, np.cumsum([layout.rows, layout.pairs, layout.kept]))
        self._memory = floating.FloatMemory(rows=rows, pairs=pairs, low=low, high=high, **memory)
        self._memory.starts[:] = layout.starts
        self._memory.high[:] = 1
        self._layers.reshape(len(network.layers), -1)[:] = layout.places
        self.learning_rates = learning_rates
        self.domains = domains
        self.nodes = nodes

    @property
    def nodes(self) -> list[np.ndarray]:
        return [view.astype(float) for view in self._views]

    @nodes.setter
    def nodes(self, nodes: list[np.ndarray]) -> None:
        for view, values in zip(self._views, nodes, strict=True):
            view[:] = values

    @property
    def domains(self) -> list[np.ndarray]:
        """Per layer (inputs, 2): the limits of each input's grid."""
        limits = np.stack([self._memory.low, self._memory.high], axis=1).astype(float)
        return [limits[place.inputs_at :][: place.inputs] for place in self._layout.places]

    @domains.setter
    def domains(self, domains: list[np.ndarray]) -> None:
        for place, limits in zip(self._layout.places, domains, strict=True):
            inputs = slice(place.inputs_at, place.inputs_at + place.inputs)
            self._memory.low[inputs], self._memory.high[inputs] = limits.T

    def _rescale(self) -> None:
        """The widths of the domains, which merging may have changed."""
        for place in self._layout.places:
            inputs = slice(place.inputs_at, place.inputs_at + place.padded)
            width = self._memory.high[inputs] - self._memory.low[inputs]
            self._memory.scale[inputs] = (place.nodes - 1) / width

    def _rates(self, rates: Rates) -> tuple[float, ...]:
        """The learning rates of a pass."""
        assert self.learning_rates is not None
        return self.learning_rates

    def run(self, records: Encoded, rates: Rates) -> Statistics:
        self._rescale()
        self._memory.rates[:] = self._rates(rates)
        self._statistics[:] = 0
        self._kernels.train(*self._training(records))
        count, residual = self._statistics.tolist()
        return Statistics(int(count), residual)

    def results(self, records: Encoded) -> np.ndarray:
        self._rescale()
        return super().results(records)

    def _training(self, records: Encoded) -> tuple:
        return (
            self._memory,
            self._layers,
            self._layout.size,
            self._layout.slot,
            records.arguments,
            records.targets,
            self.groups,
            DOMAIN_MARGIN,
            self._statistics,
        )


class CompiledUnquantised(CompiledFloat):
    """`sw.oracle.floating.UnquantisedTrainer`, compiled; but its results are in the units of its targets."""

    def __init__(
        self,
        network: Network,
        nodes: list[np.ndarray],
        domains: list[np.ndarray] | None = None,
        *,
        groups: tuple[int, ...] = (),
        word: type = np.float32,
    ):
        self._twin = Unquantised(network)
        self.result_scale = self._twin.result_scale
        super().__init__(network, nodes, domains or self._twin.domains, groups=groups, word=word)

    def encode(self, records: Records) -> Encoded:
        return Encoded.of(records.arguments, records.targets / self.result_scale, self.word)

    def _rates(self, rates: Rates) -> tuple[float, ...]:
        return self._twin.learning_rates(rates)

    def results(self, records: Encoded) -> np.ndarray:
        return super().results(records) * self.result_scale
