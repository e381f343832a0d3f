"""The records on the chip: a single-port store, and the pass that sends its records through the trainer."""

from amaranth import Cat, ClockSignal, Instance, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.bank import words
from hw.technology import Technology
from hw.trainer import RecordLayout
from sw.network import Network
from sw.protocol import Mode


def store_latency(technology: Technology) -> int:
    """Cycles from a row's number to its data."""
    return 1 if technology.single_port_ram else technology.memory_latency


def fetch_cycles(record_rows: int, technology: Technology) -> int:
    """Cycles from one record's departure to the next one's being there; no longer than the schedule's interval."""
    return record_rows + store_latency(technology) + 1


class RecordStore(wiring.Component):
    """`rows` of `row_words` words; one row read or one word written a cycle, the read first.

    Attributes:
        read, row: read this row; `row_data` has it `latency` cycles later.
        write, address, data: write this word, numbered across rows; done in the cycles in which `written`.
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
        return store_latency(self.technology)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        row = Signal(range(self.rows))
        lane = self.address % self.row_words
        m.d.comb += [
            self.written.eq(self.write & ~self.read),
            row.eq(Mux(self.read, self.row, self.address // self.row_words)),
        ]
        for index in range(self.row_words):
            write = self.written & (lane == index)
            bank = self._single_port_ram if self.technology.single_port_ram and platform is not None else self._memory
            found = bank(m, index, row, write)
            for _ in range(self.latency - 1):
                later = Signal(self.width, reset_less=True)
                m.d.sync += later.eq(found)
                found = later
            m.d.comb += self.row_data[index].eq(found)
        return m

    def _memory(self, m: Module, index: int, row: Value, write: Value) -> Value:
        m.submodules[f"bank{index}"] = bank = Memory(shape=unsigned(self.width), depth=self.rows, init=[])
        read_port, write_port = bank.read_port(), bank.write_port()
        m.d.comb += [
            read_port.addr.eq(row),
            read_port.en.eq(~write),
            write_port.addr.eq(row),
            write_port.data.eq(self.data),
            write_port.en.eq(write),
        ]
        return read_port.data

    def _single_port_ram(self, m: Module, index: int, row: Value, write: Value) -> Value:
        assert self.technology.single_port_ram is not None
        depth, bits = self.technology.single_port_ram
        if self.rows > depth or self.width > bits:
            raise ValueError(f"{self.rows} rows of {self.width} bits a bank; a single-port RAM has {depth} of {bits}")
        found = Signal(bits)
        m.submodules[f"bank{index}"] = Instance(
            "SB_SPRAM256KA",
            i_CLOCK=ClockSignal(),
            i_ADDRESS=Cat(row, 0)[:14],
            i_DATAIN=self.data,
            i_MASKWREN=0b1111,
            i_WREN=write,
            i_CHIPSELECT=1,
            i_STANDBY=0,
            i_SLEEP=0,
            i_POWEROFF=1,
            o_DATAOUT=found,
        )
        return found[: self.width]


class Pass(wiring.Component):
    """One pass over consecutive records of the store, through the trainer.

    A record is whole rows: features, targets, padding. It is fetched once the one before has left, in `fetch_cycles`.

    Attributes:
        start: begin a pass of `count` records from the first row, in `mode`; predictions go to word `results` and on.
        busy: a pass is under way, from the cycle after `start`.
        underrun: a record came too late, in this cycle.
        records: to the trainer. `predicted`, `predicted_valid`, `trainer_idle`: from the trainer.
        read, row, row_data, write, address, data, written: to the store.
    """

    def __init__(self, network: Network, store: RecordStore):
        self.network, self.storage = network, store
        self.record_rows = -(-(network.features + network.outputs) // store.row_words)
        super().__init__(
            {
                "start": In(1),
                "count": In(range(store.rows + 1)),
                "mode": In(Mode),
                "results": In(range(store.rows * store.row_words)),
                "busy": Out(1),
                "underrun": Out(1),
                "records": Out(stream.Signature(RecordLayout(network))),
                "predicted": In(words(network.width, network.outputs)),
                "predicted_valid": In(1),
                "trainer_idle": In(1),
                "store": Out(store.signature.flip()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._fetch(m)
        self._keep_predictions(m)
        return m

    def _fetch(self, m: Module) -> None:
        network, store = self.network, self.storage
        left = Signal.like(self.count)  # records to fetch
        rows_left = Signal(range(self.record_rows + 1))  # of the record being fetched
        begun = Signal()  # the pass's first record has left
        arriving = Signal(store.latency)  # rows on their way out of the store, the oldest first
        missing = Signal(range(self.record_rows + 1))  # rows that have not arrived yet
        rows = Signal(data.ArrayLayout(unsigned(store.width), self.record_rows * store.row_words))

        m.d.comb += [self.store.read.eq(rows_left != 0), self.store.row.eq(self._row(m))]
        m.d.sync += arriving.eq(Cat(arriving[1:], self.store.read))
        with m.If(self.store.read):
            m.d.sync += rows_left.eq(rows_left - 1)
        with m.If(arriving[0]):
            bits = len(self.store.row_data.as_value())
            m.d.sync += [
                rows.as_value().eq(Cat(rows.as_value()[bits:], self.store.row_data)),
                missing.eq(missing - 1),
            ]

        record = self.records.payload
        values = [rows[index] for index in range(network.features + network.outputs)]
        for target, value in zip((*record.arguments, *record.targets), values, strict=True):
            m.d.comb += target.eq(value[: len(target)])
        active = Signal()
        taken = self.records.valid & self.records.ready
        m.d.comb += [
            record.train.eq(self.mode != Mode.PREDICT),
            self.records.valid.eq(active & (missing == 0)),
            self.underrun.eq(active & begun & self.records.ready & ~self.records.valid),
        ]
        next_record = [rows_left.eq(self.record_rows), missing.eq(self.record_rows)]
        with m.If(self.start & (self.count != 0)):
            m.d.sync += [active.eq(1), begun.eq(0), left.eq(self.count - 1), *next_record]
        with m.Elif(taken):
            m.d.sync += begun.eq(1)
            with m.If(left == 0):
                m.d.sync += active.eq(0)
            with m.Else():
                m.d.sync += [left.eq(left - 1), *next_record]
        self._active = active

    def _row(self, m: Module) -> Signal:
        row = Signal(range(self.storage.rows), name="next_row")
        with m.If(self.start):
            m.d.sync += row.eq(0)
        with m.Elif(self.store.read):
            m.d.sync += row.eq(row + 1)
        return row

    def _keep_predictions(self, m: Module) -> None:
        """Write predictions to the store, word by word, in the cycles that the fetch leaves free."""
        kept = Signal(words(self.network.width, self.network.outputs))
        pending = Signal(range(self.network.outputs + 1))
        address = Signal(range(self.storage.rows * self.storage.row_words))
        m.d.comb += [
            self.store.write.eq(pending != 0),
            self.store.address.eq(address),
            self.store.data.eq(kept[0]),
        ]
        with m.If(self.start):
            m.d.sync += self.busy.eq(1)
        with m.Elif(~self._active & self.trainer_idle & (pending == 0)):
            m.d.sync += self.busy.eq(0)
        with m.If(self.start):
            m.d.sync += address.eq(self.results)
        with m.Elif(self.store.written):
            m.d.sync += address.eq(address + 1)
        with m.If(self.predicted_valid & (self.mode == Mode.PREDICT)):
            m.d.sync += [kept.eq(self.predicted), pending.eq(self.network.outputs)]
        with m.Elif(self.store.written):
            m.d.sync += [
                kept.as_value().eq(kept.as_value() >> self.network.width),
                pending.eq(pending - 1),
            ]
