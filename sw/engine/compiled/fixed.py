"""The compiled trainer in fixed point."""

import numpy as np

from sw.engine.compiled.trainer import CompiledTrainer
from sw.engine.encoded import Encoded
from sw.engine.kernels.fixed import memory as fixed
from sw.engine.kernels.fixed import passes
from sw.engine.kernels.layout import arena
from sw.spec.chance import CHANCE_BITS
from sw.spec.network import Network
from sw.spec.nodes import check_nodes, groups_of
from sw.spec.records import Records
from sw.spec.schedule import Rates, shifted_layers
from sw.spec.trainer import Statistics

NO_WORDS = np.zeros(0, np.int64)


class CompiledFixed(CompiledTrainer):
    """`sw.oracle.fixed.FixedReference`, compiled: the same bits. Words of 16 bits are the fast case.

    Parameters
    ----------
    network : Network
        The network to train.
    nodes : list of ndarray
        First nodes, one array of `Layer.shape` a layer.
    staleness : tuple of int, optional
        As in `FixedReference`.
    block : int, optional
        As in `FixedReference`.
    groups : tuple of int, optional
        First addends of the groups that are trained alone in every pass.
    counting : bool, default=True
        Count saturations, clips and zero steps, which takes a sixth more time; otherwise the statistics say 0.
    pretraining : int, default=0
        Addends of a group that `pretrain` trains alone.

    Raises
    ------
    ValueError
        For nodes or groups that do not fit the network.
    """

    _kernels, _result_type = passes, np.int64

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
                "inside": (layout.kept, wide),
                "turns": (layout.kept if network.fine else 0, wide),
                "arguments": (slots, word),
                "places": (slots, wide),
                "weights": (slots, wide),
                "fractions": (slots, wide),
                "found": (2 * slots, word),
                "totals": (slots, wide),
                "back": (slots, word),
                "errors": (slots, wide),
                "steps": (slots, wide),
                "chances": (slots if network.fine else 0, wide),
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
            self._memory.inside[place.inputs_at : place.inputs_at + place.inputs] = -1
            if network.fine:
                inputs = slice(place.inputs_at, place.inputs_at + place.padded)
                first = network.layers[index].first_input
                self._memory.turns[inputs] = (first + np.arange(place.padded)) % CHANCE_BITS
        self.nodes = nodes

    @property
    def nodes(self) -> list[np.ndarray]:
        """A copy of the nodes, one int64 array of `Layer.shape` a layer."""
        return [view.astype(np.int64) for view in self._views]

    @nodes.setter
    def nodes(self, nodes: list[np.ndarray]) -> None:
        check_nodes(self.network, nodes)
        for view, values in zip(self._views, nodes, strict=True):
            view[:] = values

    def _pass(self, records: Records, rates: Rates, results: np.ndarray | None = None) -> Statistics:
        statistics, done = Statistics(), 0
        for block in records.blocks(self.block or max(1, len(records))):
            own = None if results is None else results[done : done + len(block)]
            statistics += self.run(self.encode(block), rates, own)
            done += len(block)
        return statistics

    def _pretrain(self, records: Records, rates: Rates) -> Statistics:
        groups = tuple(start for start, _ in groups_of(self.network, self.pretraining))
        grouped = CompiledFixed(self.network, self.nodes, self.staleness, self.block, groups=groups)
        grouped.chance, grouped.chance_stride = self.chance, self.chance_stride
        statistics = grouped.train(records, rates)
        self.nodes, self.chance = grouped.nodes, grouped.chance
        return statistics

    def set_rates(self, rates: Rates) -> None:
        """Set the learning rates; as `CompiledTrainer.set_rates`."""
        layers, places = len(self.network.layers), fixed.LayerFields._fields
        self._fields[shifted_layers(layers), places.index("update_shift")] = rates.update
        self._fields[1:, places.index("back_shift")] = rates.back

    def run(self, records: Encoded, rates: Rates, results: np.ndarray | None = None) -> Statistics:
        """Make one pass over records that are encoded for the kernels; as `CompiledTrainer.run`."""
        self.set_rates(rates)
        self._statistics[:] = 0
        words = self._next_chances(len(records))
        self._kernels.train(*self._training(records, results, words | words << CHANCE_BITS))
        return Statistics(*self._statistics.tolist())

    def _training(self, records: Encoded, results: np.ndarray | None = None, words: np.ndarray = NO_WORDS) -> tuple:
        return (
            self._memory,
            self._layers,
            self._layout.size,
            self._layout.slot,
            records.arguments.flat,
            records.targets,
            self.groups,
            (0,) * self.network.fine,
            words,
            self.network.word.maximum,
            self._counting,
            self._statistics,
            self._checked(results, records),
        )
