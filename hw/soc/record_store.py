"""The records on the chip: the store, and the pass that sends its records through the trainer."""

from typing import Any, NamedTuple

from amaranth import ClockSignal, Instance, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.datapath.fanout import FanOutTree
from hw.fpga.resources import MemoryShape, Storage
from hw.fpga.technology import Technology


def record_memory(*, width: int, rows: int, row_words: int, technology: Technology) -> MemoryShape:
    """Those of a store."""
    storage = Storage.SINGLE_PORT if technology.spram else Storage.BLOCK
    return MemoryShape(name="records", width=width, depth=rows, storage=storage, count=row_words)


class RecordStore(wiring.Component):
    """`rows` of `row_words` words, both powers of two: a row read and a word written a cycle.

    In block RAM neither disturbs the other. A single-port RAM does one of them in a cycle, the read first.

    Attributes:
        read, row: read this row; `row_data` has it `latency` cycles later.
        write, address, data: write this word, numbered across rows; done in the cycle in which `written`.
    """

    def __init__(self, *, width: int, rows: int, row_words: int, technology: Technology):
        self.width, self.rows, self.row_words, self.technology = width, rows, row_words, technology
        super().__init__(
            {
                "read": In(1),
                "row": In(range(rows)),
                "row_data": Out(data.ArrayLayout(unsigned(width), row_words)),
                "write": In(1),
                "address": In(range(rows * row_words)),
                "data": In(width),
                "written": Out(1),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from a row's number to its data."""
        return 1 if self.technology.spram else self.technology.memory_latency + self.technology.long_way

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.written.eq(self.write & ~(self.read & self.technology.spram))
        access = _Access(self.read, self.row, self.written, self.address, self.data)
        trees = [FanOutTree(m, signal) for signal in access] if self.technology.fine_stages else []
        bank = self._single_port_ram if self.technology.spram and platform is not None else self._block_ram
        for index in range(self.row_words):
            found = bank(m, index, _Access(*(tree.register() for tree in trees)) if trees else access)
            for _ in range(self.technology.memory_latency - 1):
                later = Signal(self.width, reset_less=True)
                m.d.sync += later.eq(found)
                found = later
            m.d.comb += self.row_data[index].eq(found)
        return m

    def _block_ram(self, m: Module, index: int, access: "_Access") -> Value:
        shape = record_memory(width=self.width, rows=self.rows, row_words=self.row_words, technology=self.technology)
        m.submodules[f"bank{index}"] = bank = Memory(
            shape=unsigned(shape.width), depth=shape.depth, init=[], attrs=shape.attributes
        )
        read_port, write_port = bank.read_port(), bank.write_port()
        m.d.comb += [
            read_port.addr.eq(access.row),
            read_port.en.eq(access.read),
            write_port.addr.eq(access.address // self.row_words),
            write_port.data.eq(access.data),
            write_port.en.eq(access.write & (access.address % self.row_words == index)),
        ]
        return read_port.data

    def _single_port_ram(self, m: Module, index: int, access: "_Access") -> Value:
        assert self.technology.single_port_ram is not None
        depth, bits = self.technology.single_port_ram
        if self.rows > depth or self.width > bits:
            raise ValueError(f"{self.rows} rows of {self.width} bits a bank; a single-port RAM has {depth} of {bits}")
        address, found = Signal(range(depth)), Signal(bits)
        m.d.comb += address.eq(Mux(access.read, access.row, access.address // self.row_words))
        m.submodules[f"bank{index}"] = Instance(
            "SB_SPRAM256KA",
            i_CLOCK=ClockSignal(),
            i_ADDRESS=address,
            i_DATAIN=access.data,
            i_MASKWREN=0b1111,
            i_WREN=access.write & (access.address % self.row_words == index),
            i_CHIPSELECT=1,
            i_STANDBY=0,
            i_SLEEP=0,
            i_POWEROFF=1,
            o_DATAOUT=found,
        )
        return found[: self.width]


class _Access(NamedTuple):
    """Of a store in a cycle: the row that is read, and the word that is written."""

    read: Signal
    row: Signal
    write: Signal
    address: Signal
    data: Signal


def share(m: Module, store: RecordStore, first: Any, second: Any) -> None:
    """Lead two users to the store, `first` before `second`, which must not read while `first` does."""
    m.d.comb += [
        store.read.eq(first.read | second.read),
        store.row.eq(Mux(first.read, first.row, second.row)),
        store.write.eq(first.write | second.write),
        store.address.eq(Mux(first.write, first.address, second.address)),
        store.data.eq(Mux(first.write, first.data, second.data)),
        first.row_data.eq(store.row_data),
        second.row_data.eq(store.row_data),
        first.written.eq(store.written & first.write),
        second.written.eq(store.written & ~first.write),
    ]
