"""The pass engine: it sends the records of the store through the trainer, one pass at a time."""

from amaranth import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.datapath.ports import RecordLayout, word_array
from hw.datapath.strobes import delayed
from hw.soc.record_store import RecordStore
from sw.spec.configuration import rows_of_record
from sw.spec.network import Network
from sw.spec.protocol import Mode


class PassEngine(wiring.Component):
    """Sends consecutive records of the store through the trainer, one pass at a time.

    A record is whole rows: features, targets, padding. Its rows are read ahead, so that there is a record every
    `initiation_interval` cycles, just when the trainer takes it: no record waits for another, and none needs a buffer.
    The first record is offered once its rows have been read. In a pass that only predicts, records come every
    `prediction_interval` cycles, so that each prediction is written before the next one comes. A pass that predicts and
    trains keeps the trainer's pace; where `prediction_interval` is longer, it loses predictions and says so. Since a
    prediction comes after the rows of its record have been read, predictions may overwrite the pass's own records.

    Parameters
    ----------
    network : Network
        The network whose records are sent.
    store : RecordStore
        The store that holds the records.
    initiation_interval : int
        Cycles between two records that the trainer takes, at least the rows of a record.

    Attributes
    ----------
    storage : RecordStore
        The parameter `store`.
    record_rows : int
        Rows of a record in the store.
    start : In(1)
        High for one cycle to begin a pass.
    first : In(range(rows))
        Row of the pass's first record. Held during the pass, as are `count`, `mode` and `results`.
    count : In(range(rows + 1))
        Number of records in the pass.
    mode : In(Mode)
        Whether the pass trains, predicts, or does both.
    results : In(range(rows * row_words))
        Word of the store to which a pass that predicts writes its first prediction; the others follow.
    busy : Out(1)
        A pass is under way; high from the cycle after `start`.
    underrun : Out(1)
        High in a cycle in which the trainer takes a record that is not there, a record is there that the trainer
        does not take, or a prediction is lost.
    records : Out(stream.Signature(RecordLayout(network)))
        To the trainer. A record is replaced by the next one even if it has not been taken.
    predicted : In(word_array(width, outputs))
        From the trainer: a prediction.
    predicted_valid : In(1)
        From the trainer: `predicted` is a prediction in this cycle.
    trainer_idle : In(1)
        From the trainer: no record is in flight.
    store : Out(signature of a store's user)
        To the store's ports. Reads and writes of this user must go before those of any other.
    """

    def __init__(self, network: Network, store: RecordStore, *, initiation_interval: int):
        self.network, self.storage, self.initiation_interval = network, store, initiation_interval
        self.record_rows = rows_of_record(network, store.row_words)
        super().__init__(
            {
                "start": In(1),
                "first": In(range(store.rows)),
                "count": In(range(store.rows + 1)),
                "mode": In(Mode),
                "results": In(range(store.rows * store.row_words)),
                "busy": Out(1),
                "underrun": Out(1),
                "records": Out(stream.Signature(RecordLayout(network))),
                "predicted": In(word_array(network.width, network.outputs)),
                "predicted_valid": In(1),
                "trainer_idle": In(1),
                "store": Out(store.signature.flip()),
            }
        )

    @property
    def prediction_interval(self) -> int:
        """Cycles between the records of a pass that only predicts.

        A multiple of `initiation_interval` in which the results of one record can be written and, with a single-port
        RAM, the rows of another be read.
        """
        reads = self.record_rows if self.storage.technology.spram else 0
        return self.initiation_interval * -(-(reads + self.network.outputs) // self.initiation_interval)

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        coming, out_of_step = self._fetch(m)
        pending, lost = self._store_predictions(m)
        m.d.comb += self.underrun.eq(out_of_step | lost)
        with m.If(self.start):
            m.d.sync += self.busy.eq(1)
        with m.Elif(~coming & ~self.records.valid & ~pending & self.trainer_idle):
            m.d.sync += self.busy.eq(0)
        return m

    def _fetch(self, m: Module) -> tuple[Value, Value]:
        """Read the records and give them to the trainer; return whether there are more, and if one is out of step."""
        network, store = self.network, self.storage
        predicts = self.mode == Mode.PREDICT
        active = Signal()
        left = Signal.like(self.count)  # records after the one being read
        row = Signal.like(self.first, name="next_row")
        cycle = Signal(range(self.prediction_interval))  # since the record's first row was read
        last = Signal()
        m.d.comb += [
            self.store.read.eq(active & (cycle < self.record_rows)),
            self.store.row.eq(row),
            last.eq(cycle == Mux(predicts, self.prediction_interval - 1, self.initiation_interval - 1)),
        ]
        with m.If(self.start):
            m.d.sync += [active.eq(self.count != 0), left.eq(self.count - 1), row.eq(self.first), cycle.eq(0)]
        with m.Elif(active):
            m.d.sync += [row.eq(row + self.store.read), cycle.eq(Mux(last, 0, cycle + 1))]
            with m.If(last):
                m.d.sync += [active.eq(left != 0), left.eq(left - 1)]

        arriving, whole, coming = self.store.read, active & (cycle == self.record_rows - 1), active
        for _ in range(store.latency):
            arriving, whole = delayed(m, arriving, 1), delayed(m, whole, 1)
            coming |= arriving
        rows = Signal(data.ArrayLayout(unsigned(store.width), self.record_rows * store.row_words))
        with m.If(arriving):
            bits = len(self.store.row_data.as_value())
            m.d.sync += rows.as_value().eq(Cat(rows.as_value()[bits:], self.store.row_data))

        record, valid, ready = self.records.payload, self.records.valid, self.records.ready
        values = [rows[index] for index in range(network.features + network.outputs)]
        for target, value in zip((*record.arguments, *record.targets), values, strict=True):
            m.d.comb += target.eq(value[: len(target)])
        m.d.comb += record.train.eq(~predicts)
        with m.If(whole | ready):
            m.d.sync += valid.eq(whole)
        begun = Signal()  # the pass's first record has left
        with m.If(self.start):
            m.d.sync += begun.eq(0)
        with m.Elif(valid):
            m.d.sync += begun.eq(1)
        return coming, Mux(valid, ~ready, ready & begun & coming & ~predicts)

    def _store_predictions(self, m: Module) -> tuple[Value, Value]:
        """Write predictions to the store, word by word; return whether there are more to write, and if one is lost."""
        prediction = Signal(word_array(self.network.width, self.network.outputs))
        pending = Signal(range(self.network.outputs + 1))
        address = Signal(range(self.storage.rows * self.storage.row_words))
        m.d.comb += [
            self.store.write.eq(pending != 0),
            self.store.address.eq(address),
            self.store.data.eq(prediction[0]),
        ]
        with m.If(self.start):
            m.d.sync += address.eq(self.results)
        with m.Elif(self.store.written):
            m.d.sync += address.eq(address + 1)
        predicted = Signal()
        predicts = self.mode.matches(Mode.PREDICT, Mode.PREDICT_AND_TRAIN)
        m.d.comb += predicted.eq(self.predicted_valid & predicts)
        with m.If(predicted):
            m.d.sync += [prediction.eq(self.predicted), pending.eq(self.network.outputs)]
        with m.Elif(self.store.written):
            m.d.sync += [
                prediction.as_value().eq(prediction.as_value() >> self.network.width),
                pending.eq(pending - 1),
            ]
        may_lose = self.prediction_interval > self.initiation_interval
        last = (pending == 1) & self.store.written
        return self.store.write, predicted & self.store.write & ~last if may_lose else Const(0)
