"""The record store: the memory of the records on the chip, and who uses it in a cycle."""

from typing import Any, NamedTuple

from amaranth import Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.datapath.fanout import FanOutTree
from hw.fpga.resources import MemoryShape, Storage
from hw.fpga.technology import Technology


def record_memory(*, width: int, rows: int, row_words: int, technology: Technology) -> MemoryShape:
    """Return the shape of a store's memories, one for each word of a row."""
    storage = Storage.SINGLE_PORT if technology.spram else Storage.BLOCK
    return MemoryShape(name="records", width=width, depth=rows, storage=storage, count=row_words)


class RecordStore(wiring.Component):
    """A memory from which a whole row is read, and to which a single word is written.

    In block RAM a read and a write can be done in each cycle. A single-port RAM does one of them in a cycle; a read
    goes before a write, which then waits.

    Parameters
    ----------
    width : int
        Bits of a word.
    rows : int
        Number of rows, a power of two.
    row_words : int
        Words in a row, a power of two.
    technology : Technology
        The FPGA family, which decides between block RAM and single-port RAM and has the latency of memories.

    Attributes
    ----------
    read : In(1)
        Read a row.
    row : In(range(rows))
        The row that is read; sampled with `read`.
    row_data : Out(ArrayLayout(unsigned(width), row_words))
        The words of the row, `latency` cycles after `read`.
    write : In(1)
        Write a word; held, with `address` and `data`, until `written`.
    address : In(range(rows * row_words))
        The word that is written: row * row_words + word.
    data : In(width)
        The word's new value.
    written : Out(1)
        The word is written in this cycle.

    Raises
    ------
    ValueError
        On elaboration, if rows or words do not fit a single-port RAM.
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
        """Cycles from `read` to `row_data`."""
        return 1 if self.technology.spram else self.technology.memory_latency + self.technology.long_way

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        m.d.comb += self.written.eq(self.write & ~(self.read & self.technology.spram))
        access = _Access(self.read, self.row, self.written, self.address, self.data)
        trees = [FanOutTree(m, signal) for signal in access] if self.technology.fine_stages else []
        bank = self._single_port_ram if self.technology.spram and platform is not None else self._block_ram
        for index in range(self.row_words):
            word = bank(m, index, _Access(*(tree.register() for tree in trees)) if trees else access)
            for _ in range(self.technology.memory_latency - 1):
                later = Signal(self.width, reset_less=True)
                m.d.sync += later.eq(word)
                word = later
            m.d.comb += self.row_data[index].eq(word)
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
        ram = self.technology.single_port_ram
        assert ram is not None
        if self.rows > ram.words or self.width > ram.bits:
            raise ValueError(
                f"{self.rows} rows of {self.width} bits a bank; a single-port RAM has {ram.words} of {ram.bits}"
            )
        address, found = Signal(range(ram.words)), Signal(ram.bits)
        m.d.comb += address.eq(Mux(access.read, access.row, access.address // self.row_words))
        write = access.write & (access.address % self.row_words == index)
        m.submodules[f"bank{index}"] = ram.cell(address, access.data, write, found)
        return found[: self.width]


class _Access(NamedTuple):
    """The signals of the read and the write that a store does in a cycle."""

    read: Signal
    row: Signal
    write: Signal
    address: Signal
    data: Signal


def arbitrate(m: Module, store: RecordStore, first: Any, second: Any) -> None:
    """Connect two users to the store's ports; in a cycle in which both write, `first` does.

    Parameters
    ----------
    m : Module
        The module that contains the store and its users.
    store : RecordStore
        The store.
    first, second : wiring.PureInterface
        The users, each with all ports of the store. `second` must not read in a cycle in which `first` does.
    """
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
