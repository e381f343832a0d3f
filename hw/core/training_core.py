"""A trainer with streams: records and targets in, predictions out, and a port for its registers and nodes."""

from collections.abc import Sequence

import numpy as np
from amaranth import Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.core.prediction_queue import PredictionLayout, PredictionQueue
from hw.datapath.ports import word_array
from hw.datapath.trainer import TrainerCore
from hw.link.bus import BusSignature
from hw.schedule.trainer_plan import TrainerPlan
from hw.soc.bus_targets import NodeTarget, connect_targets
from hw.soc.register_file import RegisterFile, connect_rates
from sw.spec.back_windows import check_rates
from sw.spec.network import Network
from sw.spec.protocol import Space
from sw.spec.registers import STATISTICS, Register, RegisterTable, rate_registers, rate_values
from sw.spec.schedule import Rates

CLEAR = Register("clear", 1, "w", "a write zeroes the statistics")


def core_registers(layers: int) -> RegisterTable:
    """Return the registers of a core with so many layers: statistics, `CLEAR` and the rates."""
    return RegisterTable(*STATISTICS, CLEAR, *rate_registers(layers))


class FeaturesLayout(data.StructLayout):
    """The layout of a record on its way into a core.

    Parameters
    ----------
    network : Network
        The network.
    trains : bool
        Whether the core trains; then a bit says whether the record has a target, on which it is trained.
    """

    def __init__(self, network: Network, *, trains: bool):
        codes = data.ArrayLayout(unsigned(network.formats[0].argument_bits), network.features)
        super().__init__({"arguments": codes, **({"train": 1} if trains else {}), "last": 1})


class TrainingCore(wiring.Component):
    """A trainer that takes records and targets as they come, and gives a prediction for each record.

    A prediction is made before the record's own update. A record with `train` set starts together with the next word of
    `targets`; one without only predicts, and takes no target. Records start in order, at most one every initiation
    interval. With the exact schedule each sees all updates before it, whenever it comes. With the delayed one it misses
    as many updates as the schedule's staleness says while records come without a gap, and fewer after a gap.

    If predictions are not taken, records wait.

    Parameters
    ----------
    plan : TrainerPlan
        Foldings and schedule of the trainer, of one context and without pre-training.
    rates : Rates
        The learning rates after a reset.
    nodes : sequence of ndarray, optional
        The nodes of each layer when the device starts; zeros otherwise. A reset does not bring them back.

    Attributes
    ----------
    records : stream of FeaturesLayout, in
        Argument codes, `train`, and `last`, which comes back with the record's prediction.
    targets : stream of words, in
        The targets of the records that have `train` set, in their order.
    predictions : stream of PredictionLayout, out
        Result words, and `last`.
    enable : in, 1
        Records may start. While it is low and `idle` is high, registers can be written and nodes accessed.
    idle : out, 1
        `enable` is low and no record is in flight.
    bus : in, BusSignature
        Space 0 has the registers of `core_registers`, space 2 the nodes, by the addresses of `sw.spec.addresses` with
        the number of the layer above them. Until the core is idle, nodes, and writes of registers, are refused.

    Raises
    ------
    ValueError
        For a plan with contexts or pre-training, and for rates that it does not have.
    """

    def __init__(self, plan: TrainerPlan, *, rates: Rates, nodes: Sequence[np.ndarray] | None = None):
        if plan.contexts > 1 or plan.pretraining:
            raise ValueError("a core has neither contexts nor pre-training, which are for passes over stored records")
        check_rates(plan.network, plan.back_windows, rates)
        self.plan, self.network, self.rates = plan, plan.network, rates
        self.trainer = TrainerCore(plan)
        if nodes is not None:
            self.trainer.preload(nodes)
        self.registers = core_registers(len(plan.network.layers))
        self.queue = PredictionQueue(
            plan.network, depth=plan.schedule.records_awaiting_results + PredictionQueue.latency
        )
        self.word_bits = 8 * max(2, -(-plan.network.width // 8))
        network = plan.network
        super().__init__(
            {
                "records": In(stream.Signature(FeaturesLayout(network, trains=True))),
                "targets": In(stream.Signature(word_array(network.width, network.outputs))),
                "predictions": Out(stream.Signature(PredictionLayout(network))),
                "enable": In(1),
                "idle": Out(1),
                "bus": In(BusSignature(self.word_bits)),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from the start of a record until its prediction can be taken."""
        return self.plan.schedule.result_latency + PredictionQueue.latency

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        m = Module()
        m.submodules.trainer = trainer = self.trainer
        m.submodules.queue = queue = self.queue
        m.submodules.registers = registers = RegisterFile(
            self.registers, counters=(), word_bits=self.word_bits, first=rate_values(self.rates)
        )
        m.submodules.nodes = nodes = NodeTarget(
            width=self.network.width, latency=trainer.access_latency, word_bits=self.word_bits
        )
        connect_targets(m, self.bus, {Space.REGISTERS: registers.bus, Space.PARAMETERS: nodes.bus})
        wiring.connect(m, nodes.access, trainer.access)
        connect_rates(m, registers.control, trainer)
        m.d.comb += [
            self.idle.eq(~self.enable & trainer.idle),
            registers.locked.eq(~self.idle),
            nodes.busy.eq(~self.idle),
            trainer.clear.eq(registers.strobes.clear),
        ]
        for register in STATISTICS:
            m.d.comb += registers.status[register.name].eq(trainer.statistics[register.name])
        self._start(m, trainer, queue)
        wiring.connect(m, wiring.flipped(self.predictions), queue.predictions)
        return m

    def _start(self, m: Module, trainer: TrainerCore, queue: PredictionQueue) -> None:
        """Let a record start when its target is there, its prediction has a place, and no access is under way."""
        records, targets, taken = self.records, self.targets, trainer.records
        waited = Signal(range(trainer.access_latency + 2))  # since `enable`: until accesses have left the memories
        allowed = waited == trainer.access_latency + 1
        m.d.sync += waited.eq(Mux(self.enable, waited + ~allowed, 0))
        train = records.payload.train
        may_start = self.enable & allowed & queue.free
        start = Signal()
        m.d.comb += [
            taken.valid.eq(may_start & records.valid & (targets.valid | ~train)),
            start.eq(taken.valid & taken.ready),
            records.ready.eq(may_start & taken.ready & (targets.valid | ~train)),
            targets.ready.eq(start & train),
            taken.payload.arguments.eq(records.payload.arguments),
            taken.payload.targets.eq(targets.payload),
            taken.payload.train.eq(train),
            queue.start.eq(start),
            queue.last.eq(records.payload.last),
            queue.results_valid.eq(trainer.results_valid),
            queue.results.eq(trainer.results),
        ]
