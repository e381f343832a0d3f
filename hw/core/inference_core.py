"""A network that only predicts: records in, predictions out, its nodes in read-only memories."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from amaranth import Cat, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.core.prediction_queue import PredictionLayout, PredictionQueue
from hw.core.training_core import FeaturesLayout
from hw.datapath.fixed_point import code_of
from hw.datapath.inference_layer import InferenceLayer
from hw.datapath.sequencer import ForwardSequencer
from hw.datapath.strobes import collect_groups
from hw.datapath.trainer import PlanMismatchError
from hw.schedule.slot_order import slots_of
from hw.schedule.trainer_plan import TrainerPlan
from sw.spec.addresses import addresses_of


class InferenceCore(wiring.Component):
    """The forward pass of a trainer, with the same latencies, folding and bits.

    Records start in order, at most one every initiation interval: as many cycles as the layer with the most slots has.
    If predictions are not taken, records wait.

    Parameters
    ----------
    plan : TrainerPlan
        Foldings and latencies.
    nodes : sequence of ndarray
        The nodes of each layer.

    Attributes
    ----------
    records : stream of FeaturesLayout, in
        Argument codes, and `last`, which comes back with the record's prediction.
    predictions : stream of PredictionLayout, out
        Result words, and `last`.

    Raises
    ------
    PlanMismatchError
        When elaborated, if a layer is built with another latency than its plan's.
    """

    def __init__(self, plan: TrainerPlan, nodes: Sequence[np.ndarray]):
        self.plan, self.network = plan, plan.network
        self.layers = [
            InferenceLayer(form, addresses, values, technology=plan.technology, first=not index)
            for index, (form, addresses, values) in enumerate(
                zip(plan.network.formats, addresses_of(plan.network, plan.foldings), nodes, strict=True)
            )
        ]
        depth = self.latency // self.initiation_interval + 2
        self.queue = PredictionQueue(plan.network, depth=depth)
        super().__init__(
            {
                "records": In(stream.Signature(FeaturesLayout(plan.network, trains=False))),
                "predictions": Out(stream.Signature(PredictionLayout(plan.network))),
            }
        )

    @property
    def initiation_interval(self) -> int:
        """Cycles from the start of a record to the start of the next one."""
        return max(layer.slots for layer in self.layers)

    @property
    def latency(self) -> int:
        """Cycles from the start of a record until its prediction can be taken."""
        last_slots = slots_of(self.plan.slot_orders)[0][-1]
        return int(last_slots.max()) + self.plan.layers[-1].timing.result + PredictionQueue.latency

    def elaborate(self, platform: object) -> Module:
        """Build the gateware, if its layers have the latencies of the plan."""
        m = Module()
        for index, (layer, planned) in enumerate(zip(self.layers, self.plan.layers, strict=True)):
            if layer.latency != planned.timing.result:
                raise PlanMismatchError(
                    f"layer {index} was built with a latency of {layer.latency}; its plan has {planned.timing.result}"
                )
        stages = [
            ForwardSequencer(layer, order) for layer, order in zip(self.layers, self.plan.slot_orders, strict=True)
        ]
        for index, stage in enumerate(stages):
            m.submodules[f"layer{index}"] = stage
        m.submodules.queue = queue = self.queue
        start = self._start(m, queue.free)
        m.d.comb += [stages[0].inputs.valid.eq(start), stages[0].inputs.codes.eq(self.records.payload.arguments)]
        for stage, after in pairwise(stages):
            results = stage.unit.results
            m.d.comb += [
                after.inputs.valid.eq(results.valid),
                after.inputs.codes.eq(Cat(code_of(value) for value in results.values)),
            ]
        results = self.layers[-1].results
        complete, words = collect_groups(
            m, "results", results.valid, results.values.as_value(), self.layers[-1].output_groups
        )
        m.d.comb += [
            queue.start.eq(start),
            queue.last.eq(self.records.payload.last),
            queue.results_valid.eq(complete),
            queue.results.eq(words),
        ]
        wiring.connect(m, wiring.flipped(self.predictions), queue.predictions)
        return m

    def _start(self, m: Module, free: Value) -> Value:
        """Let a record start every initiation interval; return the strobe of its start."""
        interval = self.initiation_interval
        wait, start = Signal(range(interval)), Signal()
        m.d.comb += [
            self.records.ready.eq(free & (wait == 0)),
            start.eq(self.records.valid & self.records.ready),
        ]
        with m.If(start):
            m.d.sync += wait.eq(interval - 1)
        with m.Elif(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        return start
