"""Values on their way from one place of the pipeline to another, in order, where the schedule knows when."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from amaranth import Module, Mux, Signal, Value, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.datapath.fanout import near
from hw.fpga.technology import MemoryShape, Storage, Technology
from hw.schedule.schedule import Course, Schedule
from sw.spec.configuration import Folding
from sw.spec.network import Network

LOGIC_BITS = 16  # that one place's number leads to, in logic cells: more of them lie too far apart


class Queue(wiring.Component):
    """A ring of values in a memory, which lies in logic cells or in block RAM.

    It has no flags: it must never be written when the memory is full, and the reader must know that a value is
    there, which is so `latency` cycles after it was written, if it is the oldest one.

    Attributes:
        write, value: take this value in.
        first: the oldest value. read: done with it, the next one is there in the next cycle.
        again, done (absent without `repeats`), in a `read`: the next value is the oldest that is not done with; all
            up to this one are.
    """

    latency = 2

    def __init__(self, memory: MemoryShape, *, repeats: bool = False):
        self.memory, self.repeats = memory, repeats
        super().__init__(
            {
                "write": In(1),
                "value": In(memory.width),
                "read": In(1),
                "first": Out(memory.width),
                **({"again": In(1), "done": In(1)} if repeats else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        memory, in_logic = self.memory, self.memory.storage is Storage.LOGIC
        places = range(memory.depth)
        head, next_head, tail, next_tail = Signal(places), Signal(places), Signal(places), Signal(places)
        onward = self._after(head)
        if self.repeats:
            oldest = Signal(places)
            with m.If(self.done):
                m.d.sync += oldest.eq(onward)
            onward = Mux(self.again, oldest, onward)
        m.d.comb += [
            next_head.eq(Mux(self.read, onward, head)),
            next_tail.eq(Mux(self.write, self._after(tail), tail)),
        ]
        m.d.sync += [head.eq(next_head), tail.eq(next_tail)]
        bits = LOGIC_BITS if in_logic else memory.width
        for start in range(0, memory.width, bits):
            part = slice(start, min(start + bits, memory.width))
            m.submodules[f"ring{start}"] = ring = Memory(
                shape=unsigned(part.stop - start), depth=memory.depth, init=[], attrs=memory.attributes
            )
            writer = ring.write_port()
            reader = ring.read_port(domain="comb" if in_logic else "sync")
            m.d.comb += [
                writer.addr.eq(near(m, next_tail) if in_logic else tail),
                writer.data.eq(self.value[part]),
                writer.en.eq(self.write),
                reader.addr.eq(near(m, next_head) if in_logic else next_head),
                self.first[part].eq(reader.data),
            ]
        return m

    def _after(self, place: Value) -> Value:
        return Mux(place == self.memory.depth - 1, 0, place + 1)


@dataclass(frozen=True)
class Queues:
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
        courses: Sequence[Course],
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
                schedule.flights * course.unit.input_groups,
            )
            for index, (form, folding, course) in enumerate(zip(network.formats, foldings, courses, strict=True))
        )
        targets = queue("targets", network.width * network.outputs + 1, schedule.unjudged)
        residuals = None
        if pretraining:
            # Those of all groups, and more in the pause.
            turn = pretraining // foldings[-1].taps * courses[-1].period
            depth = network.layers[-1].inputs // pretraining + schedule.pause // turn
            residuals = queue("residuals", network.width * foldings[-1].lanes, depth)
        return cls(arguments, targets, residuals)

    @property
    def memories(self) -> list[MemoryShape]:
        return [*self.arguments, self.targets, *([self.residuals] if self.residuals else [])]
