"""The plan of a trainer, made once: foldings, sharings, latencies, slot orders, schedule, buffers.

`hw.design.trainer_planning.plan_trainer` makes it. The gateware is generated from it and refuses to be built with other
latencies; the configuration that the host reads, the cost model and the charts read the same plan.
"""

from dataclasses import dataclass
from functools import cached_property

from hw.fpga.resources import MemoryShape
from hw.fpga.technology import Technology
from hw.schedule.folding import revisit_of
from hw.schedule.schedule import Schedule
from hw.schedule.slot_order import LayerPlan, SlotOrder, slot_orders_of
from sw.spec.addresses import Folding
from sw.spec.network import Network


@dataclass(frozen=True, kw_only=True)
class TrainerPlan:
    """What a trainer is generated from.

    Attributes
    ----------
    network : Network
        The network that it trains.
    foldings : tuple of Folding
        Taps and lanes of each layer.
    technology : Technology
        The FPGA family.
    exact : bool
        Whether a record waits until it sees every update of those before it.
    pretraining : int
        Addends of a group that can be trained alone; 0 if none can.
    contexts : int
        Interleaved models, each with records of its own, that are merged after each pass.
    back_windows : tuple of int
        First shift of the window of back shifts of each layer past the first, as `sw.spec.back_windows` has them.
    layers : tuple of LayerPlan
        Latencies and sharing of each layer.
    schedule : Schedule
        When records start, pause and end.
    """

    network: Network
    foldings: tuple[Folding, ...]
    technology: Technology
    exact: bool
    pretraining: int = 0
    contexts: int = 1
    back_windows: tuple[int, ...]
    layers: tuple[LayerPlan, ...]
    schedule: Schedule

    @cached_property
    def slot_orders(self) -> tuple[SlotOrder, ...]:
        """The slot order of each layer."""
        return slot_orders_of(self.layers)

    @property
    def back_shifts(self) -> tuple[range, ...]:
        """The back shifts of each layer past the first that the gateware can make."""
        return tuple(map(self.network.word.back_window, self.back_windows))

    @property
    def revisit(self) -> int | None:
        """Clocks after which a row of a node bank may be updated again; None where updates never come close."""
        return revisit_of(self.network, self.foldings, exact=self.exact, contexts=self.contexts)

    @property
    def pretraining_slots(self) -> int:
        """Slots of the last layer that a group of addends takes in pre-training; 0 without groups."""
        return self.pretraining // self.foldings[-1].taps

    @property
    def functions(self) -> tuple[int, ...]:
        """Functions of each layer that are evaluated in one clock."""
        return tuple(folding.taps * folding.lanes for folding in self.foldings)

    @property
    def multipliers(self) -> int:
        """Multipliers of all layers: one a product, less those that are shared."""
        return sum(
            functions * layer.sharing.multipliers(first=layer.first)
            for functions, layer in zip(self.functions, self.layers, strict=True)
        )

    @cached_property
    def buffers(self) -> "Buffers":
        """The FIFOs between the layers and around the residual."""
        schedule = self.schedule
        arguments = tuple(
            self._fifo(
                f"arguments of layer {index}",
                form.argument_bits * folding.taps,
                schedule.records_in_flight * layer.input_groups,
            )
            for index, (form, folding, layer) in enumerate(
                zip(self.network.formats, self.foldings, self.layers, strict=True)
            )
        )
        width, outputs = self.network.width, self.network.outputs
        targets = self._fifo("targets", width * outputs + 1, schedule.records_awaiting_results)
        residuals = None
        if self.pretraining:
            # The residuals of all groups of a record, and those of the records that pause.
            group_cycles = self.pretraining_slots * self.slot_orders[-1].period
            depth = self.network.layers[-1].inputs // self.pretraining + schedule.pause // group_cycles
            residuals = self._fifo("residuals", width * self.foldings[-1].lanes, depth)
        return Buffers(arguments, targets, residuals)

    def _fifo(self, name: str, width: int, depth: int) -> MemoryShape:
        return MemoryShape(name=name, width=width, depth=depth, storage=self.technology.storage(depth))


@dataclass(frozen=True)
class Buffers:
    """The memories of a trainer's FIFOs.

    Attributes
    ----------
    arguments : tuple of MemoryShape
        Of each layer: the arguments of a record, from its forward pass to its update.
    targets : MemoryShape
        The targets of a record until its results are complete, and whether it is trained on.
    residuals : MemoryShape or None
        The residuals of the groups of addends until their turn in the update; None without pre-training.
    """

    arguments: tuple[MemoryShape, ...]
    targets: MemoryShape
    residuals: MemoryShape | None

    @property
    def memories(self) -> list[MemoryShape]:
        """All of them."""
        return [*self.arguments, self.targets, *([self.residuals] if self.residuals else [])]
