"""The system on a chip: link, registers, record store, pass engine and trainer around one bus."""

from amaranth import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.datapath.strobes import delayed
from hw.datapath.trainer import TrainerCore
from hw.design.design import Design
from hw.link.endpoint import LinkEndpoint
from hw.soc.bus_targets import NodeTarget, RecordTarget, TextTarget, connect_targets
from hw.soc.pass_engine import PassEngine
from hw.soc.record_store import RecordStore, arbitrate
from hw.soc.register_file import RegisterFile, connect_rates
from sw.spec.protocol import Mode, Space
from sw.spec.registers import CHANCE, LINK_COUNTERS, SET_CHANCE, STATISTICS


class Soc(wiring.Component):
    """A design behind a serial line; the clock domain `sync` runs at the board's frequency.

    Parameters
    ----------
    design : Design
        The board, the network, and how the network's training is laid out on the board.

    Attributes
    ----------
    rx : In(1)
        Line from the host, asynchronous, high when idle.
    tx : Out(1)
        Line to the host, high when idle.
    """

    def __init__(self, design: Design):
        design.check_store()
        self.design = design
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        design, configuration = self.design, self.design.configuration
        word_bits = configuration.word_bits
        m.submodules.link = link = LinkEndpoint(
            clocks_per_bit=design.board.clocks_per_bit,
            word_bytes=configuration.word_bytes,
            digest=configuration.digest,
        )
        m.submodules.trainer = trainer = TrainerCore(design.plan, logic_products=design.logic_products)
        m.submodules.runner = runner = self._pass_engine()
        m.submodules.store = store = runner.storage
        m.submodules.registers = registers = RegisterFile(design.registers, counters=LINK_COUNTERS, word_bits=word_bits)
        m.submodules.records = records = RecordTarget(store, word_bits=word_bits)
        m.submodules.nodes = nodes = NodeTarget(
            width=design.network.width,
            latency=max(trainer.access_latency, design.contexts),
            word_bits=word_bits,
        )
        m.submodules.text = text = TextTarget(configuration.text, word_bits=word_bits)

        m.d.comb += [link.rx.eq(self.rx), self.tx.eq(link.tx)]
        connect_targets(
            m,
            link.bus,
            {
                Space.REGISTERS: registers.bus,
                Space.RECORDS: records.bus,
                Space.PARAMETERS: nodes.bus,
                Space.CONFIGURATION: text.bus,
            },
        )

        wiring.connect(m, runner.records, trainer.records)
        wiring.connect(m, nodes.access, trainer.access)
        m.d.comb += [
            runner.predicted.eq(trainer.results),
            runner.predicted_valid.eq(trainer.results_valid),
            runner.trainer_idle.eq(trainer.idle),
            trainer.clear.eq(runner.start),
        ]
        busy = self._merge(m, runner, trainer) if design.contexts > 1 else runner.busy
        m.d.comb += [signal.eq(busy) for signal in (registers.locked, registers.status.busy, records.busy, nodes.busy)]
        arbitrate(m, store, runner.store, records.store)
        self._control(m, registers, runner, trainer)
        self._status(m, registers, link, runner, trainer)
        self._pass_number(m, registers, runner, nodes)
        return m

    def _pass_engine(self) -> PassEngine:
        design = self.design
        store = RecordStore(
            width=design.network.width,
            rows=design.store_rows,
            row_words=design.row_words,
            technology=design.board.technology,
        )
        return PassEngine(design.network, store, initiation_interval=design.plan.schedule.initiation_interval)

    def _merge(self, m: Module, runner: PassEngine, trainer: TrainerCore) -> Value:
        """Merge the contexts after each pass that trains; return whether the board is busy, with a merge, too."""
        ended = delayed(m, runner.busy, 1) & ~runner.busy
        m.d.comb += trainer.merge.eq(ended & (runner.mode != Mode.PREDICT))
        return runner.busy | ended | ~trainer.idle

    def _control(self, m: Module, registers: RegisterFile, runner: PassEngine, trainer: TrainerCore) -> None:
        """Connect the registers that the host writes."""
        control = registers.control
        m.d.comb += [
            runner.start.eq(registers.strobes.start),
            runner.mode.eq(control.start),
            runner.first.eq(control.first),
            runner.count.eq(control.count),
            runner.results.eq(control.results),
        ]
        if self.design.pretraining:
            m.d.comb += trainer.pretrain.eq(runner.mode == Mode.PRETRAIN)
        connect_rates(m, control, trainer)

    def _status(
        self, m: Module, registers: RegisterFile, link: LinkEndpoint, runner: PassEngine, trainer: TrainerCore
    ) -> None:
        """Connect the registers that the host reads, and those of chance; count underruns."""
        status = registers.status
        m.d.comb += registers.events.eq(link.events)
        for register in STATISTICS:
            m.d.comb += status[register.name].eq(trainer.statistics[register.name])
        if self.design.network.fine:
            m.d.comb += [
                status[CHANCE.name].eq(trainer.chance.word),
                trainer.chance.set.eq(registers.strobes[SET_CHANCE.name]),
                trainer.chance.value.eq(registers.control[SET_CHANCE.name]),
            ]
        underruns = Signal(16)
        m.d.comb += status.underruns.eq(underruns)
        with m.If(runner.start):
            m.d.sync += underruns.eq(0)
        with m.Elif(runner.underrun):
            m.d.sync += underruns.eq(underruns + 1)

    def _pass_number(self, m: Module, registers: RegisterFile, runner: PassEngine, nodes: NodeTarget) -> None:
        """Tell the host the number of the last pass, unless its result has been overwritten since."""
        trained, overwritten = Signal(), nodes.access.write
        if self.design.network.fine:
            overwritten |= registers.strobes[SET_CHANCE.name]
        with m.If(overwritten):
            m.d.sync += trained.eq(0)
        with m.Elif(runner.start & (runner.mode != Mode.PREDICT)):
            m.d.sync += trained.eq(1)
        m.d.comb += registers.status["pass"].eq(Mux(trained, registers.control.set_pass, 0))
