"""One bank of nodes: a memory that the forward pass reads, and that an update reads, adds to and writes."""

from dataclasses import dataclass
from typing import Any

from amaranth import Cat, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.datapath.fixed_point import saturate
from hw.datapath.pipeline import Pipeline, Timed
from hw.datapath.ports import word_array
from hw.fpga.resources import MemoryShape
from hw.fpga.technology import Technology


def node_memory(*, rows: int, width: int, lanes: int, technology: Technology) -> MemoryShape:
    """That of a bank."""
    depth = max(rows, 2)
    return MemoryShape(name="nodes", width=width * lanes, depth=depth, storage=technology.storage(depth), read_ports=2)


@dataclass(frozen=True)
class _Updates:
    """What is known of each update: its row, whether it is enabled, and the nodes that it writes."""

    row: Timed
    enable: Timed
    result: Timed

    def same(self, pipe: Pipeline, row: Timed, distance: int) -> Timed:
        """Whether the update that came `distance` cycles before changes this row."""
        other, enable = (pipe.at(value, row.cycle + distance) for value in (self.row, self.enable))
        return pipe.wire(lambda row: (row == other) & enable, row)


class NodeBank(wiring.Component):
    """`rows` rows of `lanes` nodes, of which one is read for the forward pass and one updated every clock.

    The memory promises nothing about a row that is read and written in one clock, and an update is written
    `turnaround` clocks after its read. So if a row may be updated again after `revisit` clocks, and these are no more
    than `turnaround`, the bank forwards: each update adds to what those before it left, though it is not written yet,
    and the forward pass is given what is written in the clock of its read. Otherwise the schedule keeps reads and
    writes of a row apart.

    Attributes:
        forward: a row in, its nodes out `read_latency` cycles later.
        update: a row in, and whether it is changed (`enable`); `read_latency` cycles later its nodes out, and what is
            added to them in. The cycle after that, the sums are written, and `saturated` marks those that were cut to a
            word.
        access: write a node; only while there are no updates.
        read_stage: cycles from a row to the read of the memory.
        read_latency: cycles from a row to its nodes.
        write_stage: cycles from an update's row to the write of the memory.
    """

    read_stage = 1

    def __init__(self, *, rows: int, width: int, lanes: int, technology: Technology, revisit: int | None):
        """`revisit`: None where updates of a row never come close to each other."""
        self.rows, self.width, self.lanes, self.technology = rows, width, lanes, technology
        self._forwarded = range(0) if revisit is None else range(revisit, self.turnaround + 1)
        row, nodes = range(max(rows, 2)), word_array(width, lanes)
        access = {"write": Out(1), "row": Out(row), "lane": Out(range(max(lanes, 2))), "node": Out(signed(width))}
        super().__init__(
            {
                "forward": In(wiring.Signature({"row": Out(row), "nodes": In(nodes)})),
                "update": In(
                    wiring.Signature(
                        {
                            "row": Out(row),
                            "enable": Out(1),
                            "nodes": In(nodes),
                            "changes": Out(nodes),
                            "saturated": In(lanes),
                        }
                    )
                ),
                "access": In(wiring.Signature(access)),
            }
        )

    @property
    def read_latency(self) -> int:
        return self.read_stage + self.technology.memory_latency

    @property
    def write_stage(self) -> int:
        return self.read_latency + 1

    @property
    def turnaround(self) -> int:
        """Clocks from an update's read to its write."""
        return self.write_stage - self.read_stage

    @property
    def forwarding(self) -> bool:
        return len(self._forwarded) > 0

    def elaborate(self, platform: object) -> Module:
        m = Module()
        pipe = Pipeline(m, self.technology)
        shape = node_memory(rows=self.rows, width=self.width, lanes=self.lanes, technology=self.technology)
        m.submodules.memory = memory = Memory(
            shape=unsigned(shape.width), depth=shape.depth, init=[], attrs=shape.attributes
        )
        write_port = memory.write_port(granularity=self.width)
        forward, update, access = self.forward, self.update, self.access
        forward_row, update_row = (pipe.near(pipe.input(port.row), self.read_stage) for port in (forward, update))
        result = Signal(memory.shape, reset_less=True)
        updates = _Updates(update_row, pipe.input(update.enable), Timed(result, self.write_stage))
        in_time = range(self.turnaround, self.turnaround + 1) if self.forwarding else range(0)
        for port, row, forwarded in ((forward, forward_row, in_time), (update, update_row, self._forwarded)):
            m.d.comb += port.nodes.eq(self._read(pipe, memory.read_port(), row, updates, forwarded))

        enable = pipe.at(updates.enable, self.write_stage)
        for lane, (node, change) in enumerate(zip(update.nodes, update.changes, strict=True)):
            sum_, cut = saturate(node + change, self.width)
            saturated = pipe.register(lambda cut: cut, pipe.input(cut))
            pipe.m.d.sync += result.word_select(lane, self.width).eq(sum_)
            m.d.comb += update.saturated[lane].eq(saturated.value & enable)
        # One register drives the address of all blocks of the memory, if the clock is fast.
        early = self.write_stage - self.technology.fine_stages
        given, row, node = (pipe.input(value, early) for value in (access.write, access.row, access.node))
        lanes = pipe.input((access.write << access.lane)[: self.lanes], early)
        address = pipe.stage(lambda given, row, own: Mux(given, row, own), given, row, update_row)
        written = pipe.stage(lambda lanes, own: lanes | own.replicate(self.lanes), lanes, updates.enable)
        data = pipe.wire(
            lambda given, node, own: Mux(given, node.replicate(self.lanes), own), given, node, updates.result
        )
        m.d.comb += [
            write_port.addr.eq(address.value),
            write_port.data.eq(data.value),
            write_port.en.eq(written.value),
        ]
        return m

    def _read(self, pipe: Pipeline, port: Any, row: Timed, updates: _Updates, forwarded: range) -> Value:
        """The nodes of a row, or what the latest of the updates `forwarded` cycles before makes of them."""
        pipe.m.d.comb += port.addr.eq(row.value)
        found, others = Timed(port.data, row.cycle + 1), forwarded
        for later in range(self.technology.memory_latency):
            if later:
                found = pipe.register(lambda found: found, found)
            # Each as soon as there is a result, so that little is left for the cycle of the adder.
            there = range(max(others.start, updates.result.cycle - found.cycle), others.stop)
            for distance in reversed(there):
                result, same = pipe.at(updates.result, found.cycle + distance), updates.same(pipe, row, distance)
                same_lanes = Cat(pipe.near(same, found.cycle).value.replicate(self.width) for _ in range(self.lanes))
                found = Timed((result & same_lanes) | (found.value & ~same_lanes), found.cycle)
            others = range(others.start, min(there.start, others.stop))
        return found.value
