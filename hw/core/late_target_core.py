"""A training core whose targets come after the predictions: a tag says to which record a target belongs."""

from typing import Any

from amaranth import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.core.training_core import TrainingCore
from hw.datapath.ports import word_array
from hw.schedule.trainer_plan import TrainerPlan


class LateTargetCore(wiring.Component):
    """A training core that predicts each record at once, and trains on it when its target comes.

    The argument codes of a record are kept in a memory, at its tag. A target sends those of its tag through the core
    once more, with training; the residual is that of this second forward pass, which sees the updates since the
    prediction, and its result is dropped. A target can be offered from the clock after its record is taken, and goes
    before records that wait; it belongs to the last record of its tag. A record whose target never comes is only
    predicted: the next record of the same tag takes its place. A target whose tag has no record, or has had its target,
    is taken and dropped.

    The core makes two starts of a record that is trained on, in the order in which records and targets are taken; its
    bits are those of `sw.oracle.fixed.FixedReference.run` over these starts.

    Parameters
    ----------
    core : TrainingCore
        The core. Its own `records`, `targets` and `predictions` are inside.
    tag_bits : int
        Bits of a tag, at least 1; 2 ** tag_bits records can wait for their targets.

    Attributes
    ----------
    records : stream of arguments and tag, in
        Argument codes and the tag of each record.
    targets : stream of values and tag, in
        Target words, and the tag of their record.
    predictions : stream of results and tag, out
        Result words, and the tag of their record; in the order of the records.
    enable, idle, bus
        As those of the core, which is inside.

    Raises
    ------
    ValueError
        For fewer tag bits than 1.
    """

    def __init__(self, core: TrainingCore, *, tag_bits: int):
        if tag_bits < 1:
            raise ValueError(f"tag_bits is {tag_bits}; it must be at least 1")
        self.core, self.network, self.tag_bits = core, core.network, tag_bits
        form, words = core.network.formats[0], word_array(core.network.width, core.network.outputs)
        codes = data.ArrayLayout(unsigned(form.argument_bits), core.network.features)

        def tagged(name: str, shape: Any) -> stream.Signature:
            return stream.Signature(data.StructLayout({name: shape, "tag": tag_bits}))

        super().__init__(
            {
                "records": In(tagged("arguments", codes)),
                "targets": In(tagged("values", words)),
                "predictions": Out(tagged("results", words)),
                "enable": In(1),
                "idle": Out(1),
                "bus": In(core.bus.signature.flip()),
            }
        )

    @property
    def plan(self) -> TrainerPlan:
        """The plan of the core inside."""
        return self.core.plan

    @property
    def latency(self) -> int:
        """Cycles from the start of a record until its prediction can be taken."""
        return self.core.latency

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        m.submodules.core = core = self.core
        wiring.connect(m, wiring.flipped(self.bus), core.bus)
        m.d.comb += [core.enable.eq(self.enable), self.idle.eq(core.idle)]
        start, codes, fetched = self._kept_records(m)
        training = self.targets.valid
        known = codes[-1]
        m.d.comb += [
            core.records.valid.eq(Mux(training, fetched & known, self.records.valid)),
            core.records.payload.arguments.as_value().eq(
                Mux(training, codes[:-1], self.records.payload.arguments.as_value())
            ),
            core.records.payload.train.eq(training),
            core.targets.valid.eq(training & fetched & known),
            core.targets.payload.eq(self.targets.payload.values),
            start.eq(core.records.valid & core.records.ready),
            self.records.ready.eq(~training & core.records.ready),
            self.targets.ready.eq(fetched & (~known | core.records.ready)),
        ]
        self._give_predictions(m, start)
        return m

    def _kept_records(self, m: Module) -> tuple[Signal, Any, Signal]:
        """Keep the codes of records, with a bit that says so until their target has come.

        Returns
        -------
        start : Signal
            To be driven: a record starts, or starts again.
        codes : Value
            What is kept at the tag of the target; its last bit says that a target is awaited.
        fetched : Signal
            `codes` is of the target that is offered.
        """
        records, targets = self.records, self.targets
        start, fetched = Signal(), Signal()
        codes = records.payload.arguments.as_value()
        m.submodules.kept = kept = Memory(shape=unsigned(len(codes) + 1), depth=1 << self.tag_bits, init=[])
        write = kept.write_port()
        read = kept.read_port()
        m.d.comb += [
            write.en.eq(start),
            write.addr.eq(Mux(targets.valid, targets.payload.tag, records.payload.tag)),
            write.data.eq(Mux(targets.valid, 0, Cat(codes, 1))),
            read.addr.eq(targets.payload.tag),
        ]
        m.d.sync += fetched.eq(targets.valid & ~targets.ready)
        return start, read.data, fetched

    def _give_predictions(self, m: Module, start: Signal) -> None:
        """Give the results of first starts with their tags, and drop those of second starts."""
        core, predictions = self.core, self.predictions
        m.submodules.tags = tags = SyncFIFO(width=self.tag_bits + 1, depth=core.queue.depth)
        drop = tags.r_data[-1]
        m.d.comb += [
            tags.w_en.eq(start),
            tags.w_data.eq(Cat(self.records.payload.tag, self.targets.valid)),
            predictions.payload.results.eq(core.predictions.payload.results),
            predictions.payload.tag.eq(tags.r_data[:-1]),
            predictions.valid.eq(core.predictions.valid & ~drop),
            core.predictions.ready.eq(drop | predictions.ready),
            tags.r_en.eq(core.predictions.valid & core.predictions.ready),
        ]
