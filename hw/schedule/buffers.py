"""How deep each buffer of a trainer must be."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from hw.fpga.resources import MemoryShape
from hw.fpga.technology import Technology
from hw.schedule.schedule import Schedule
from hw.schedule.slot_order import SlotOrder
from sw.spec.addresses import Folding
from sw.spec.network import Network


@dataclass(frozen=True)
class Buffers:
    """What a trainer keeps until it is needed: the arguments of each layer until the update, targets until there is a
    result, and residuals until their group's turn in the update (None without groups)."""

    arguments: tuple[MemoryShape, ...]
    targets: MemoryShape
    residuals: MemoryShape | None

    @classmethod
    def of(
        cls,
        network: Network,
        foldings: Sequence[Folding],
        slot_orders: Sequence[SlotOrder],
        schedule: Schedule,
        *,
        technology: Technology,
        pretraining: int,
    ) -> Self:
        def queue(name: str, width: int, depth: int) -> MemoryShape:
            return MemoryShape(name=name, width=width, depth=depth, storage=technology.storage(depth))

        arguments = tuple(
            queue(
                f"arguments of layer {index}",
                form.argument_bits * folding.taps,
                schedule.records_in_flight * slot_order.unit.input_groups,
            )
            for index, (form, folding, slot_order) in enumerate(
                zip(network.formats, foldings, slot_orders, strict=True)
            )
        )
        targets = queue("targets", network.width * network.outputs + 1, schedule.records_awaiting_results)
        residuals = None
        if pretraining:
            # Those of all groups, and more in the pause.
            turn = pretraining // foldings[-1].taps * slot_orders[-1].period
            depth = network.layers[-1].inputs // pretraining + schedule.pause // turn
            residuals = queue("residuals", network.width * foldings[-1].lanes, depth)
        return cls(arguments, targets, residuals)

    @property
    def memories(self) -> list[MemoryShape]:
        return [*self.arguments, self.targets, *([self.residuals] if self.residuals else [])]
