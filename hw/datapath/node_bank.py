"""One bank of nodes: a memory that the forward pass reads, and that an update reads, adds to and writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from amaranth import Cat, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory, ReadPort
from amaranth.lib.wiring import In, Out

from hw.datapath.fixed_point import saturate
from hw.datapath.pipeline import Pipeline, Timed
from hw.datapath.ports import word_array
from hw.fpga.resources import MemoryShape, Storage
from hw.fpga.technology import Technology

SUM_OPERATIONS = 2
"""Operations on a change in a bank: it is added to a node, and the sum is limited."""


@dataclass(frozen=True)
class NodeRead:
    """When a memory of nodes is read.

    Attributes
    ----------
    stage : int
        Cycles from a row to the read.
    latency : int
        Cycles from a row to its nodes.
    at_once : bool
        Whether the memory gives the nodes in the clock of the read; `stage` and `latency` are 0 then.
    """

    stage: int
    latency: int
    at_once: bool = False

    @classmethod
    def of(cls, rows: int, technology: Technology) -> Self:
        """Return when a memory of so many rows is read; where operations are combined, in the clock of its row."""
        if not technology.combines_operations:
            return cls(1, 1 + technology.memory_latency)
        if technology.storage(max(rows, 2)) is Storage.LOGIC:
            return cls(0, 0, at_once=True)
        return cls(0, technology.memory_latency)

    def port(self, memory: Memory) -> ReadPort:
        """Add a read port to a memory."""
        return memory.read_port(domain="comb" if self.at_once else "sync")

    def nodes(self, pipe: Pipeline, port: ReadPort, row: Timed) -> Timed:
        """Connect a port to a row in the cycle of the read; return the word, for `latency - stage` cycles at most."""
        pipe.m.d.comb += port.addr.eq(row.value)
        return Timed(port.data, row.cycle + (not self.at_once))


def bank_memory(*, rows: int, width: int, lanes: int, technology: Technology) -> MemoryShape:
    """Return the shape of the memory of a bank of `rows` rows of `lanes` nodes of `width` bits."""
    depth = max(rows, 2)
    return MemoryShape(name="nodes", width=width * lanes, depth=depth, storage=technology.storage(depth), read_ports=2)


def row_words(rows: np.ndarray, width: int) -> list[int]:
    """Return the memory words of rows of signed nodes, an array (rows, lanes); lane 0 is lowest."""
    mask = (1 << width) - 1
    return [sum((node & mask) << lane * width for lane, node in enumerate(row)) for row in rows.tolist()]


@dataclass(frozen=True)
class _Updates:
    """The updates of a bank: their rows, whether they are enabled, and the nodes that they write."""

    row: Timed
    enable: Timed
    result: Timed

    def changes(self, pipe: Pipeline, row: Timed, distance: int) -> Timed:
        """Return whether the update that came `distance` cycles earlier changes this row."""
        other, enable = (pipe.at(value, row.cycle + distance) for value in (self.row, self.enable))
        return pipe.wire(lambda row: (row == other) & enable, row)


class NodeBank(wiring.Component):
    """Rows of nodes, of which one is read for the forward pass and one is updated every clock.

    A row's nodes are valid `read.latency` cycles after the row, and an updated row is written `write_stage` cycles
    after it. The memory promises nothing about a row that is read and written in one clock. So if a row may be updated
    again before the last update is written, the bank forwards: an update adds to the nodes that the updates before it
    leave, and the forward pass gets the nodes that are written in the clock of its read. Otherwise the schedule must
    never read and write a row in one clock.

    Parameters
    ----------
    rows, lanes : int
        Rows of the bank, and nodes of a row.
    width : int
        Bits of a node.
    technology : Technology
        The FPGA family.
    read : NodeRead
        When the memory is read.
    revisit : int or None
        Clocks after which a row may be updated again; None where updates of a row never come close to each other. The
        bank forwards if they are no more than `turnaround`.

    Attributes
    ----------
    forward : in
        `row`; its `nodes` (out) are valid `read.latency` cycles later.
    update : in
        `row`, and whether it is changed (`enable`). `read.latency` cycles later its `nodes` (out) are valid, and `hold`
        cycles after that the `changes` to add to them are taken. The sums are written in the cycle after that, or in
        the same one where operations are combined. In the cycle after the changes, `saturated` (out) marks sums that
        were limited to a word.
    access : in
        Write `node` to a `lane` of a `row` where `write`; only while there are no updates.
    hold : int
        Cycles from the nodes of an update to its changes; 0 if the bank forwards. Set before elaboration.
    first_rows : sequence of int
        What the memory holds when the device starts, as `row_words` gives them; zeros where there are fewer.
    """

    def __init__(
        self, *, rows: int, width: int, lanes: int, technology: Technology, read: NodeRead, revisit: int | None
    ):
        self.rows, self.width, self.lanes, self.technology, self.read = rows, width, lanes, technology, read
        self.first_rows: Sequence[int] = ()
        self.hold = 0
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
    def write_stage(self) -> int:
        """Cycles from the row of an update to the write of the memory."""
        return self.read.latency + self.hold + (not self.technology.combines_operations)

    @property
    def turnaround(self) -> int:
        """Clocks from the read of an update to its write."""
        return self.write_stage - self.read.stage

    @property
    def forwarding(self) -> bool:
        """Whether the bank forwards."""
        return len(self._forwarded) > 0

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        pipe = Pipeline(m, self.technology)
        shape = bank_memory(rows=self.rows, width=self.width, lanes=self.lanes, technology=self.technology)
        m.submodules.memory = memory = Memory(
            shape=unsigned(shape.width), depth=shape.depth, init=self.first_rows, attrs=shape.attributes
        )
        write_port = memory.write_port(granularity=self.width)
        forward, update, access = self.forward, self.update, self.access
        forward_row, update_row = (pipe.fan_out(pipe.input(port.row), self.read.stage) for port in (forward, update))
        result = Signal(memory.shape, reset_less=True)
        updates = _Updates(update_row, pipe.input(update.enable), Timed(result, self.write_stage))
        written_now = range(self.turnaround, self.turnaround + 1) if self.forwarding else range(0)
        for port, row, forwarded in ((forward, forward_row, written_now), (update, update_row, self._forwarded)):
            m.d.comb += port.nodes.eq(self._read(pipe, self.read.port(memory), row, updates, forwarded))

        changed, combines = self.read.latency + self.hold, self.technology.combines_operations
        enable = pipe.at(updates.enable, changed + 1)
        for lane, (node, change) in enumerate(zip(update.nodes, update.changes, strict=True)):
            held = pipe.at(pipe.input(node, self.read.latency), changed)
            sum_, limited = saturate(held + change, self.width)
            saturated = pipe.register(lambda limited: limited, pipe.input(limited))
            pipe.m.d["comb" if combines else "sync"] += result.word_select(lane, self.width).eq(sum_)
            m.d.comb += update.saturated[lane].eq(saturated.value & enable)
        # One register drives the address of all blocks of the memory, if the clock is fast.
        early = self.write_stage - self.technology.fine_stages
        host, host_row, host_node = (pipe.input(value, early) for value in (access.write, access.row, access.node))
        host_lanes = pipe.input((access.write << access.lane)[: self.lanes], early)
        address = pipe.stage(Mux, host, host_row, update_row)
        written = pipe.stage(lambda lanes, enable: lanes | enable.replicate(self.lanes), host_lanes, updates.enable)
        data = pipe.wire(
            lambda host, node, result: Mux(host, node.replicate(self.lanes), result), host, host_node, updates.result
        )
        m.d.comb += [
            write_port.addr.eq(address.value),
            write_port.data.eq(data.value),
            write_port.en.eq(written.value),
        ]
        return m

    def _read(self, pipe: Pipeline, port: Any, row: Timed, updates: _Updates, forwarded: range) -> Value:
        """Return the nodes of a row, as the latest update leaves them that came one of `forwarded` cycles earlier."""
        nodes, distances = self.read.nodes(pipe, port, row), forwarded
        for cycle in range(nodes.cycle, self.read.latency + 1):
            if cycle > nodes.cycle:
                nodes = pipe.register(lambda nodes: nodes, nodes)
            # Each update as soon as its result is valid, so that little is left for the cycle of the adder.
            valid = range(max(distances.start, updates.result.cycle - nodes.cycle), distances.stop)
            for distance in reversed(valid):
                result, changed = pipe.at(updates.result, nodes.cycle + distance), updates.changes(pipe, row, distance)
                mask = Cat(pipe.fan_out(changed, nodes.cycle).value.replicate(self.width) for _ in range(self.lanes))
                nodes = Timed((result & mask) | (nodes.value & ~mask), nodes.cycle)
            distances = range(distances.start, min(valid.start, distances.stop))
        return nodes.value
