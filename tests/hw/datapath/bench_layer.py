"""cocotb bench of `hw.datapath.layer.LayerUnit`: one layer alone, against `LayerModel`."""

import random
from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np

from sim.cocotb_bench.ports import begin, load_nodes, pack, play, store_nodes, unpack
from sim.cocotb_bench.runner import bench_parameters
from sw.spec.addresses import Folding, NodeAddresses
from sw.spec.network import Layer, Network
from sw.spec.numerics import LayerFormat, rounding_shift
from tests.cases import RATES, edge_codes

RESULTS = ["results__valid", "results__values", "results__clips"]
ERRORS = ["errors__valid", "errors__train", "errors__values"]
(UPDATE_SHIFT,), (BACK_SHIFT,) = RATES.update, RATES.back
BACK_START = BACK_SHIFT - 3  # of the window of back shifts


@dataclass
class LayerModel:
    """One layer by the rules of `sw.spec.numerics`, in fixed point or without rounding.

    It is written independently of `sw.oracle`, on purpose: the same mistake in the oracle and the gateware would show.
    `test_layer` holds it to the oracle, which has no layer alone. The arguments `inputs` and `outputs` of its methods
    choose the functions of a slot.

    Attributes
    ----------
    form : LayerFormat
        Bit fields.
    nodes : ndarray
        Of `Layer.shape`; `update` changes them.
    first : bool
        Whether it is a first layer.
    rounded : bool
        Whether results are rounded; if not, codes may have fractions.
    saturations : int
        Nodes that updates limited to the word.
    """

    form: LayerFormat
    nodes: np.ndarray
    first: bool
    rounded: bool = True
    saturations: int = 0

    def shift(self, value: Any, bits: int) -> Any:
        """Return the value divided by 2**bits, rounded or not."""
        return rounding_shift(value, bits) if self.rounded else value / 2**bits

    def forward(self, codes: np.ndarray, outputs: slice) -> tuple[np.ndarray, int]:
        """Return the results, and how many of them were limited to their domain."""
        left, right, _, offset = self._at(codes, slice(None), outputs)
        mean = self.shift(
            np.sum(left * 2**self.form.offset_bits + (right - left) * offset, axis=0), self.form.sum_shift
        )
        result = np.clip(mean, *self.form.result_limits)
        return result, int(np.count_nonzero(result != mean))

    def update(
        self, codes: np.ndarray, errors: np.ndarray, inputs: slice, outputs: slice, *, train: bool
    ) -> np.ndarray:
        """Update the nodes if `train`; return the errors of the inputs, from the nodes before."""
        form, word = self.form, self.form.word
        left, right, segment, offset = self._at(codes, inputs, outputs)
        step = errors if self.first else self.shift(errors, UPDATE_SHIFT)
        change = self.shift(step * (offset * 2 ** (word.width - 1 - form.offset_bits)), word.width - 1)
        indices = np.arange(len(self.nodes))[inputs]
        for node, value in ((segment + 1, right + change), (segment, left + step - change)):
            if train:
                self.nodes[indices, node, outputs] = word.saturate(value)
                self.saturations += int(np.count_nonzero(word.saturate(value) != value))
        passed = word.limit(np.sum(self.shift(errors * (right - left), BACK_SHIFT), axis=1))
        last = 2**form.argument_bits - 1
        outward = ((codes == 0) & (passed < 0)) | ((codes == last) & (passed > 0))
        return np.where(outward, 0, passed)

    def _at(self, codes: np.ndarray, inputs: slice, outputs: slice) -> tuple[np.ndarray, ...]:
        """Return left and right nodes, segments, and offsets that broadcast with nodes."""
        segment, offset = (codes // 2**self.form.offset_bits).astype(int), codes % 2**self.form.offset_bits
        indices = np.arange(len(self.nodes))[inputs]
        return (
            self.nodes[indices, segment, outputs],
            self.nodes[indices, segment + 1, outputs],
            segment,
            offset[:, None],
        )


class LayerBench:
    """A layer unit in a bench: the functions of its slots, and the access to its nodes."""

    def __init__(self, dut: Any) -> None:
        parameters = bench_parameters()
        network, index = Network.from_description(parameters["network"]), parameters["layer"]
        self.dut = dut
        self.layer: Layer = network.layers[index]
        self.form, self.first = network.formats[index], index == 0
        self.folding = Folding(**parameters["folding"])
        self.timing: dict[str, int] = parameters["timing"]
        self.access_latency: int = parameters["access_latency"]
        self.copies: int = parameters["error_copies"]
        self.groups = self.layer.inputs // self.folding.taps
        self.slots = self.groups * (self.layer.outputs // self.folding.lanes)
        self.initiation_interval = max(self.slots, self.timing["write"] - self.timing["update_read"] + 1)
        addresses = NodeAddresses(self.layer, self.folding)
        self._positions = [self._position(addresses, address) for address in addresses.table().ravel().tolist()]

    def functions(self, slot: int) -> tuple[slice, slice]:
        """Return the inputs and the outputs of a slot."""
        group, taps = slot % self.groups, self.folding.taps
        output, lanes = slot // self.groups, self.folding.lanes
        return slice(group * taps, (group + 1) * taps), slice(output * lanes, (output + 1) * lanes)

    async def store(self, nodes: np.ndarray) -> None:
        """Write all nodes."""
        await store_nodes(self.dut, self._positions, nodes.ravel())

    async def load(self) -> np.ndarray:
        """Return all nodes."""
        nodes = await load_nodes(self.dut, self._positions, self.form.word.width, self.access_latency)
        return np.array(nodes).reshape(self.layer.shape)

    def random_nodes(self, spread: float) -> np.ndarray:
        """Return nodes drawn uniformly from +-`spread` of the word's range."""
        largest = int(spread * self.form.word.maximum)
        return np.random.default_rng(random.randrange(2**32)).integers(-largest, largest + 1, self.layer.shape)

    def random_codes(self) -> np.ndarray:
        """Return a code for each input; half of them lie at an end of the domain or of a segment."""
        top, edges = (1 << self.form.argument_bits) - 1, edge_codes(self.form)
        codes = [
            random.choice(edges) if random.random() < 0.5 else random.randint(0, top) for _ in range(self.layer.inputs)
        ]
        return np.array(codes)

    def forward_slot(self, codes: np.ndarray, slot: int) -> dict[str, int]:
        """Return the port values of a slot of the forward pass, from the codes of all inputs."""
        group = slot % self.groups
        return {
            **self._slot("forward", codes, slot),
            "forward__first": group == 0,
            "forward__last": group == self.groups - 1,
        }

    def update_slot(self, codes: np.ndarray, errors: np.ndarray, slot: int, train: bool) -> dict[str, int]:
        """Return the port values of a slot of the update, from all codes and the errors of all outputs."""
        _, outputs = self.functions(slot)
        first, last = slot < self.groups, slot >= self.slots - self.groups
        return {
            **self._slot("update", codes, slot),
            "update__train": train,
            "update__errors": pack(np.tile(errors[outputs], self.copies), self.form.word.width),
            **({} if self.first else {"update__first": first, "update__last": last}),
        }

    def input_groups(self) -> list[tuple[slice, range]]:
        """Return the inputs of each input group, and its slots."""
        return [(self.functions(group)[0], range(group, self.slots, self.groups)) for group in range(self.groups)]

    def rates(self) -> dict[str, int]:
        """Return the port values of the learning rates; a first layer has none."""
        word = self.form.word
        shifts = word.update_shifts.index(UPDATE_SHIFT), BACK_SHIFT - BACK_START
        return {} if self.first else dict(zip(("update_shift", "back_shift"), shifts, strict=True))

    def _slot(self, port: str, codes: np.ndarray, slot: int) -> dict[str, int]:
        inputs, _ = self.functions(slot)
        return {
            f"{port}__valid": 1,
            f"{port}__slot": slot,
            f"{port}__arguments": pack(codes[inputs], self.form.argument_bits),
        }

    def _position(self, addresses: NodeAddresses, address: int) -> dict[str, int]:
        """Return the port values that select a node, from its address in the layer."""
        position = {}
        for name, bits in addresses.fields.items():
            position["access_tap" if name == "tap" else f"access__{name}"] = address & ((1 << bits) - 1)
            address >>= bits
        return position


@cocotb.test
@cocotb.parametrize(spread=[0.25, 1.0])
async def results_are_the_sum_rules(dut: Any, spread: float) -> None:
    """Bit for bit, half a unit from the unquantised model, `timing.result` cycles after a group's last slot."""
    bench = LayerBench(dut)
    await begin(dut)
    nodes = bench.random_nodes(spread)
    await bench.store(nodes)
    model, unquantised = (LayerModel(bench.form, nodes, bench.first, rounded) for rounded in (True, False))
    inputs: list[dict[str, int]] = []
    expected = {}
    for _ in range(40):
        codes = bench.random_codes()
        for slot in range(bench.slots):
            inputs += [{"forward__valid": 0}] * random.choice([0, 0, 0, 1, 3])
            inputs.append(bench.forward_slot(codes, slot))
            if inputs[-1]["forward__last"]:
                _, outputs = bench.functions(slot)
                expected[len(inputs) - 1 + bench.timing["result"]] = codes, outputs
    inputs += [{"forward__valid": 0}] * (bench.timing["result"] + 1)
    sampled = await play(dut, inputs, RESULTS)
    assert [cycle for cycle, valid in enumerate(sampled["results__valid"]) if valid] == list(expected)
    for cycle, (codes, outputs) in expected.items():
        results = unpack(sampled["results__values"][cycle], bench.form.result_bits, bench.folding.lanes)
        right, clips = model.forward(codes, outputs)
        assert (results, sampled["results__clips"][cycle]) == (right.tolist(), clips)
        assert np.abs(results - unquantised.forward(codes, outputs)[0]).max() <= 0.5


@cocotb.test
@cocotb.parametrize(spread=[0.25, 1.0])
async def updates_are_the_rules(dut: Any, spread: float) -> None:
    """Nodes, saturations and errors of the inputs, record after record as close as the memory allows."""
    bench = LayerBench(dut)
    await begin(dut)
    nodes, maximum = bench.random_nodes(spread), bench.form.word.maximum
    await bench.store(nodes)
    model = LayerModel(bench.form, nodes.copy(), bench.first)
    inputs: list[dict[str, int]] = []
    expected = {}
    for _ in range(40):
        codes, train = bench.random_codes(), random.random() < 0.8
        for own, slots in bench.input_groups():
            choices = [maximum, -maximum, 0, 1, -1, *(random.randint(-maximum, maximum) for _ in range(5))]
            errors = np.array(random.choices(choices, k=bench.layer.outputs))
            for slot in slots:
                inputs += [{"update__valid": 0}] * random.choice([0, 0, 0, 2])
                inputs.append(bench.update_slot(codes, errors, slot, train))
            arrival = len(inputs) - 1 + (bench.timing["error"] or 0)
            expected[arrival] = train, model.update(codes[own], errors, own, slice(None), train=train).tolist()
        inputs += [{"update__valid": 0}] * (bench.initiation_interval - bench.slots)
    inputs[0] |= bench.rates()
    inputs += [{"update__valid": 0}] * (max(bench.timing["counted"], bench.timing["error"] or 0) + 1)
    sampled = await play(dut, inputs, ["saturations", *([] if bench.first else ERRORS)])
    assert np.array_equal(await bench.load(), model.nodes) and not np.array_equal(nodes, model.nodes)
    assert sum(sampled["saturations"]) == model.saturations
    assert model.saturations or spread < 1
    if not bench.first:
        assert [cycle for cycle, valid in enumerate(sampled["errors__valid"]) if valid] == list(expected)
        for cycle, (trained, errors) in expected.items():
            width, taps = bench.form.word.width, bench.folding.taps
            assert unpack(sampled["errors__values"][cycle], width, taps) == errors
            assert sampled["errors__train"][cycle] == trained


@cocotb.test
async def one_update_follows_the_unquantised_model(dut: Any) -> None:
    """Allow a node half a unit for the product, half for the step unless that is the error; an error half an output."""
    bench = LayerBench(dut)
    await begin(dut)
    nodes = bench.random_nodes(0.25)
    await bench.store(nodes)
    unquantised = LayerModel(bench.form, nodes.astype(float), bench.first, rounded=False)
    codes = bench.random_codes()
    inputs, expected = [bench.rates()], {}
    for own, slots in bench.input_groups():
        errors = np.array([random.randint(-8000, 8000) for _ in range(bench.layer.outputs)])
        inputs += [bench.update_slot(codes, errors, slot, True) for slot in slots]
        arrival = len(inputs) - 1 + (bench.timing["error"] or 0)
        expected[arrival] = unquantised.update(codes[own], errors, own, slice(None), train=True)
    inputs += [{"update__valid": 0}] * (max(bench.timing["counted"], bench.timing["error"] or 0) + 1)
    sampled = await play(dut, inputs, [] if bench.first else ERRORS)
    assert np.abs(unquantised.nodes - nodes).max() > 100  # so that the bound means something
    assert np.abs(await bench.load() - unquantised.nodes).max() <= (0.5 if bench.first else 1.0)
    if not bench.first:
        for cycle, errors in expected.items():
            ours = unpack(sampled["errors__values"][cycle], bench.form.word.width, bench.folding.taps)
            assert np.abs(ours - errors).max() <= 0.5 * bench.layer.outputs


@cocotb.test
async def updates_are_seen_when_the_timing_says(dut: Any) -> None:
    """By a forward pass `write - forward_read + 1` cycles later, by another update `write - update_read + 1` later."""
    bench = LayerBench(dut)
    timing, word = bench.timing, bench.form.word
    await begin(dut)
    nodes = np.zeros(bench.layer.shape, dtype=np.int64)
    codes = np.full(bench.layer.inputs, 1 << (bench.form.offset_bits - 1))
    own, outputs = bench.functions(0)
    errors = np.full(bench.layer.outputs, word.maximum // 4)
    update, idle = bench.update_slot(codes, errors, 0, True), {"update__valid": 0}
    # The slot alone, as if it were a whole output group: a mean of its taps.
    probe = bench.forward_slot(codes, 0) | {"forward__first": 1, "forward__last": 1}
    for late in (0, 1):
        gap = timing["write"] - timing["update_read"] + late
        model = LayerModel(bench.form, nodes.copy(), bench.first)
        await bench.store(nodes)
        inputs = [update | probe | bench.rates(), *[idle] * (gap - 1), update, *[idle] * 40]
        sampled = await play(dut, inputs, RESULTS)
        dut.forward__valid.value = 0
        seen = [index for index, bits in enumerate(sampled["results__values"]) if bits and index >= timing["result"]]
        assert seen[0] == timing["result"] + timing["write"] - timing["forward_read"] + 1
        for _ in range(1 + late):  # too early, the second update finds the nodes before the first, which is lost
            model.update(codes[own], errors[outputs], own, outputs, train=True)
        assert np.array_equal(await bench.load(), model.nodes)
