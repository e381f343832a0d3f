"""A layer of piecewise-linear functions that trains: its forward path, its update path, and the host's access."""

from functools import cached_property
from typing import Any

from amaranth import Const, Module, Mux, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.datapath.chance_register import ChanceRegister, ChanceSignature
from hw.datapath.context_average import ContextAverage
from hw.datapath.fanout import MAX_FANOUT
from hw.datapath.forward_path import ForwardPath
from hw.datapath.node_bank import NodeRead
from hw.datapath.node_memory import BankAccessSignature, NodeMemory
from hw.datapath.pipeline import Pipeline, residual_latency
from hw.datapath.ports import word_array
from hw.datapath.shared_multiplier import SharedMultiplier
from hw.datapath.tile import FunctionMultipliers, Tile
from hw.datapath.update_path import UpdatePath
from hw.fpga.technology import Technology
from hw.schedule.timing import INDEPENDENT, LayerTiming, Sharing
from sw.spec.numerics import LayerFormat


class LayerUnit(wiring.Component):
    """The functions of a layer, of which a tile of `taps` inputs and `lanes` outputs is evaluated each clock.

    The tiles of one record are its slots, numbered output group by output group; the slots of a context follow those of
    the context before. The forward path and the update path take a slot every clock each, and there is no
    back-pressure. In the forward pass the slots of an output group follow each other, since their terms are summed; in
    the update those of an input group do, except in a first layer. `timing` has the latencies.

    Parameters
    ----------
    form : LayerFormat
        Bit fields.
    inputs, outputs : int
        Of the layer.
    taps, lanes : int
        Inputs and outputs of a tile; they divide `inputs` and `outputs`.
    technology : Technology
        The FPGA family.
    back_shifts : range
        The window of back shifts; empty for a first layer, which gives no errors itself.
    shifts_steps : bool
        Whether the update shifts errors to make steps; a first layer of several takes errors for steps.
    revisit : int or None
        As for a `hw.datapath.node_bank.NodeBank`.
    contexts : int
        Interleaved models, each with nodes of its own.
    sharing : Sharing
        How the products of a function share multipliers.
    read : NodeRead, optional
        When the node memories are read; default: as their rows allow.

    Attributes
    ----------
    forward : in
        A slot and its argument codes, one a tap; `first` and `last` mark the ends of an output group.
    results : out
        The signed results of an output group, one a lane; `clips` of them were limited to their domain.
    update : in
        A slot, its argument codes, and the errors of its outputs: where the clock is fast, a copy for every
        `hw.datapath.fanout.MAX_FANOUT` taps. Nodes change only where `train`. `first` and `last` mark the ends of an
        input group (absent in a first layer).
    errors : out, absent in a first layer
        The errors of an input group, and whether the record is trained on.
    update_shift : in, absent without `shifts_steps`
        Learning rate of the nodes, as a position in the word's range of update shifts; stable while a record is in
        flight.
    back_shift : in, absent in a first layer
        Learning rate of the errors, as a position in the window of back shifts; stable while a record is in flight.
    saturations : out
        Nodes that an update limited to the word, in the cycle `timing.counted`.
    access, access_tap : in
        One node of this tap, for the host, `access_latency` cycles after its position is stable. A write must be
        stable for as many cycles as there are contexts, and goes to all of them.
    chance : in and out, absent without fine bits
        `word`, `set` and `value` as of a `hw.datapath.chance_register.ChanceRegister`.
    merge : in, 1, absent with one context
        Replace the nodes of all contexts by their mean.
    merging : out, 1, absent with one context
        Set while that goes on, from the cycle after `merge`.
    memories : list of NodeMemory
        The node memory of each tap.
    forwarding : bool
        As for a `hw.datapath.node_memory.NodeMemory`.
    """

    def __init__(
        self,
        form: LayerFormat,
        *,
        inputs: int,
        outputs: int,
        taps: int,
        lanes: int,
        technology: Technology,
        back_shifts: range,
        shifts_steps: bool,
        revisit: int | None,
        contexts: int = 1,
        sharing: Sharing = INDEPENDENT,
        read: NodeRead | None = None,
    ):
        self.form, self.taps, self.lanes, self.technology, self.back_shifts = form, taps, lanes, technology, back_shifts
        self.first = first = not back_shifts
        self.shifts_steps = shifts_steps
        self.contexts = contexts
        self.sharing = sharing
        self.input_groups, self.output_groups = inputs // taps, outputs // lanes
        self.slots = self.input_groups * self.output_groups
        word = form.word.width
        slots = contexts * self.slots
        self.memories = [
            NodeMemory(form, slots=slots, lanes=lanes, technology=technology, revisit=revisit, read=read)
            for _ in range(taps)
        ]
        self.forwarding = self.memories[0].forwarding
        # The error goes back as soon as it can, if no other update can come between the read and the write.
        self._slope_first = technology.combines_operations and not first and revisit is None
        slot = {"valid": Out(1), "slot": Out(range(max(slots, 2)))}
        codes = {"arguments": Out(data.ArrayLayout(unsigned(form.argument_bits), taps))}
        ends = {"first": Out(1), "last": Out(1)}
        copies = -(-taps // MAX_FANOUT) if technology.fine_stages else 1
        errors = {"train": Out(1), "errors": Out(data.ArrayLayout(word_array(word, lanes), copies))}
        results = {
            "valid": Out(1),
            "values": Out(word_array(form.result_bits, lanes)),
            "clips": Out(range(lanes + 1)),
        }
        ports = {
            "forward": In(wiring.Signature({**slot, **codes, **ends})),
            "results": Out(wiring.Signature(results)),
            "update": In(wiring.Signature({**slot, **codes, **errors, **({} if first else ends)})),
            "saturations": Out(range(2 * taps * lanes + 1)),
            "access": In(BankAccessSignature(rows=self.memories[0].even_rows // contexts, width=word, lanes=lanes)),
            "access_tap": In(range(max(taps, 2))),
        }
        self.chance_register = None
        if form.word.fine:
            self.chance_register = ChanceRegister(
                taps=taps, input_groups=self.input_groups, output_groups=self.output_groups, first=first
            )
            ports["chance"] = Out(ChanceSignature())
        if contexts > 1:
            self.merger = ContextAverage(self.memories[0], contexts=contexts, taps=taps, latency=self._node_latency)
            ports |= {"merge": In(1), "merging": Out(1)}
        if shifts_steps:
            ports["update_shift"] = In(range(len(form.word.update_shifts)))
        if back_shifts:
            ports |= {
                "errors": Out(
                    wiring.Signature({"valid": Out(1), "train": Out(1), "values": Out(word_array(word, taps))})
                ),
                "back_shift": In(range(len(back_shifts))),
            }
        super().__init__(ports)

    @property
    def entry(self) -> int:
        """Cycles on the path to all of its taps: one before the walk over the slots begins, one from slots to reads.

        Only a first layer has them, if the clock is fast: nothing waits for its inputs.
        """
        return int(self.first and self.technology.fine_stages)

    @property
    def walk(self) -> int:
        """Cycles from what starts a walk over its slots to the first one; 0 if nothing waits in registers for it."""
        return 0 if self.technology.combines_operations and self.slots == 1 else 1

    @property
    def _node_latency(self) -> int:
        """Cycles from a position to its node in each of the taps."""
        return self.memories[0].access_latency + self.technology.long_way

    @property
    def access_latency(self) -> int:
        """Cycles from a stable position on `access` to its node."""
        return self._node_latency + self.technology.long_way

    @property
    def timing(self) -> LayerTiming:
        """Its latencies in cycles, as built."""
        return self._built[1]

    @property
    def multipliers(self) -> list[SharedMultiplier]:
        """The multipliers of all functions of a tile."""
        return self._built[2]

    def elaborate(self, platform: object) -> Module:
        """Build the gateware."""
        return self._built[0]

    @cached_property
    def _built(self) -> tuple[Module, LayerTiming, list[SharedMultiplier]]:
        """The gateware, its latencies and its multipliers."""
        m = Module()
        for tap, memory in enumerate(self.memories):
            m.submodules[f"tap{tap}"] = memory
        pipe, word = Pipeline(m, self.technology), self.form.word.width
        functions = [
            [
                FunctionMultipliers(
                    pipe, word=word, offset=self.form.offset_bits, first=self.first, sharing=self.sharing
                )
                for _ in range(self.lanes)
            ]
            for _ in range(self.taps)
        ]
        tile = Tile(m, pipe, self.form, self.lanes, self.memories, functions)
        forward = self._build_forward(tile)
        update = self._build_update(tile)
        self._build_access(m, pipe)
        memory = self.memories[0]
        interpolation, *others = (use.cycle for use in functions[0][0].interpolation.uses)
        timing = LayerTiming(
            entry=self.entry,
            walk=self.walk,
            forward_read=self.entry + memory.read.stage,
            result=forward.cycle,
            update_read=update.read_cycle + memory.read.stage,
            write=update.read_cycle + memory.write_stage,
            counted=update.saturations.cycle,
            error=update.error_cycle,
            residual=residual_latency(self.technology),
            forward_use=interpolation,
            update_uses=tuple(others),
        )
        return m, timing, [one for lanes in functions for function in lanes for one in function.distinct]

    def _build_forward(self, tile: Tile) -> ForwardPath:
        """Add the forward path and connect its results."""
        m, pipe = tile.m, tile.pipe
        path = ForwardPath(tile, self.forward, input_groups=self.input_groups, entry=self.entry)
        for lane, result in enumerate(path.results):
            m.d.comb += self.results.values[lane].eq(result.value)
        m.d.comb += [
            self.results.valid.eq(pipe.at(path.present, path.cycle)),
            self.results.clips.eq(sum(path.clips.value)),
        ]
        return path

    def _build_update(self, tile: Tile) -> UpdatePath:
        """Add the update path and connect its errors."""
        m, pipe = tile.m, tile.pipe
        path = UpdatePath(
            tile,
            self.update,
            output_groups=self.output_groups,
            update_shift=self.update_shift if self.shifts_steps else None,
            back_shift=Const(0) if self.first else self.back_shift,
            back_shifts=self.back_shifts,
            slope_first=self._slope_first,
            slope_wait=self.sharing.wait,
            chance=self.chance_register,
        )
        if self.chance_register:
            m.submodules.chance = register = self.chance_register
            m.d.comb += [
                self.chance.word.eq(register.word),
                register.set.eq(self.chance.set),
                register.value.eq(self.chance.value),
            ]
        m.d.comb += self.saturations.eq(path.saturations.value)
        if path.error_cycle is not None:
            m.d.comb += [
                self.errors.valid.eq(pipe.at(path.present, path.error_cycle)),
                self.errors.train.eq(pipe.at(path.train, path.error_cycle)),
                *(self.errors.values[tap].eq(error.value) for tap, error in enumerate(path.errors)),
            ]
        return path

    def _build_access(self, m: Module, pipe: Pipeline) -> None:
        """Connect the host, or the walk that merges contexts, to the node memories."""
        position: Any = self.access
        node = pipe.input(self.access.data_write)
        if self.contexts > 1:
            m.submodules.merger = merger = self.merger
            position = merger.position
            m.d.comb += [merger.start.eq(self.merge), self.merging.eq(merger.busy)]
            m.d.comb += [
                getattr(merger.host, name).eq(getattr(self.access, name)) for name in merger.host.signature.members
            ]
        common = {name: pipe.input(getattr(position, name)) for name in ("select", "odd", "row", "lane")}
        nodes_read = []
        for tap, memory in enumerate(self.memories):
            writes = reads = self.access_tap == tap
            if self.contexts > 1:
                m.d.comb += merger.nodes[tap].eq(memory.access.data_read)
                writes = merger.busy | reads
                node = pipe.input(Mux(merger.busy, merger.means[tap], self.access.data_write))
            port = {**common, "write": pipe.input(position.write & writes), "data_write": node}
            for name, value in port.items():
                m.d.comb += getattr(memory.access, name).eq(pipe.fan_out(value, self.technology.long_way).value)
            nodes_read.append(Mux(reads, memory.access.data_read, 0))
        m.d.comb += self.access.data_read.eq(pipe.fan_in(nodes_read))
