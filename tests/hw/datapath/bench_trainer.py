"""cocotb bench of `hw.datapath.trainer.TrainerCore`, against the oracles."""

import random
from typing import Any

import cocotb
import numpy as np

from sim.cocotb_bench.ports import begin, load_nodes, pack, play, rate_ports, store_nodes, unpack
from sim.cocotb_bench.runner import bench_parameters
from sw.oracle.fixed import FixedReference
from sw.oracle.floating import UnquantisedTrainer
from sw.spec.addresses import LAYER_ADDRESS_BITS, Folding, NodeAddresses
from sw.spec.network import Network
from sw.spec.records import Records
from sw.spec.registers import STATISTICS
from sw.spec.schedule import Rates, shifted_layers
from sw.spec.trainer import Statistics
from tests.bounds import forward_bounds, update_bounds
from tests.cases import KINDS, ordinary

OUTPUTS = ["records__ready", "results_valid", "results", "idle", "statistics"]


class TrainerBench:
    """A trainer in a bench: passes of records, and the access to its nodes.

    Attributes
    ----------
    cycles : int
        Clocks with a record in flight, in the last pass.
    """

    def __init__(self, dut: Any) -> None:
        parameters = bench_parameters()
        self.dut = dut
        self.network = Network.from_description(parameters["network"])
        self.initiation_interval: int = parameters["initiation_interval"]
        self.latency: int = parameters["latency"]
        self.settling: int = parameters["settling"]
        self.staleness = tuple(parameters["staleness"])
        layers = len(self.network.layers)
        past = layers - 1
        self.back_windows: list[int] = parameters["back_windows"]
        self.rates = Rates(
            (2, 1, 3)[: len(shifted_layers(layers))],
            (self.network.width - 3, self.network.width - 2, self.network.width - 4)[:past],
        )
        self.cycles = 0
        self._access_latency: int = parameters["access_latency"]
        foldings = [Folding(**folding) for folding in parameters["foldings"]]
        tables = [NodeAddresses(*pair).table() for pair in zip(self.network.layers, foldings, strict=True)]
        self._addresses = [
            {"access__address": address | index << LAYER_ADDRESS_BITS}
            for index, table in enumerate(tables)
            for address in table.ravel().tolist()
        ]

    async def store(self, nodes: list[np.ndarray]) -> None:
        """Write all nodes."""
        await store_nodes(self.dut, self._addresses, np.concatenate([layer.ravel() for layer in nodes]))

    async def load(self) -> list[np.ndarray]:
        """Return all nodes."""
        flat = np.array(await load_nodes(self.dut, self._addresses, self.network.width, self._access_latency))
        return self.network.layered(flat)

    async def run(self, records: Records, train: np.ndarray) -> tuple[np.ndarray, Statistics]:
        """Do as `sw.oracle.fixed.FixedReference.run`; check when records are taken, and when the trainer is idle."""
        count, width = len(records), self.network.width
        inputs: list[dict[str, int]] = [
            {"clear": 1, **rate_ports(self.network.word, self.rates, self.back_windows)},
            {"clear": 0},
        ]
        pauses: list[dict[str, int]] = [{}] * (self.initiation_interval - 1)
        for record in zip(records.arguments, records.targets, train, strict=True):
            inputs += [{"records__payload": self._payload(*record), "records__valid": 1}, *pauses]
        inputs[len(inputs) - self.initiation_interval + 1 :] = [
            {"records__valid": 0},
            *[{}] * (self.latency + self.settling),
        ]
        sampled = await play(self.dut, inputs, OUTPUTS)
        end = 2 + (count - 1) * self.initiation_interval
        assert [index for index in range(2, end + 1) if sampled["records__ready"][index]] == [
            *range(2, end + 1, self.initiation_interval)
        ]
        assert sampled["idle"].index(1, 3) == end + self.latency + 1 + self.settling
        results = [
            unpack(bits, width, self.network.outputs)
            for valid, bits in zip(sampled["results_valid"], sampled["results"], strict=True)
            if valid
        ]
        return np.array(results), self._statistics(sampled["statistics"][-1])

    def _payload(self, arguments: np.ndarray, targets: np.ndarray, train: bool) -> int:
        code_bits, width = self.network.formats[0].argument_bits, self.network.width
        above = pack(targets, width) | int(train) << width * len(targets)
        return pack(arguments, code_bits) | above << code_bits * len(arguments)

    def _statistics(self, bits: int) -> Statistics:
        counters = {}
        for register in STATISTICS:
            counters[register.name] = bits & ((1 << register.bits) - 1)
            bits >>= register.bits
        self.cycles = counters.pop("cycles")
        return Statistics(**counters)


@cocotb.test
@cocotb.parametrize(kind=list(KINDS))
async def passes_equal_the_fixed_point_oracle(dut: Any, kind: str) -> None:
    """Train and infer mixed, one pass after the other: results, statistics, cycles and every node."""
    bench = TrainerBench(dut)
    await begin(dut)
    nodes, records = KINDS[kind](bench.network, 50, seed=random.randrange(2**32))
    oracle = FixedReference(bench.network, nodes, bench.staleness)
    await bench.store(nodes)
    for _ in range(2):
        train = np.random.default_rng(random.randrange(2**32)).random(len(records)) < 0.8
        results, statistics = await bench.run(records, train)
        expected, expected_statistics = oracle.run(records, train, bench.rates)
        assert np.array_equal(results, expected)
        assert statistics == expected_statistics
        assert bench.cycles == (len(records) - 1) * bench.initiation_interval + bench.latency
        assert all(map(np.array_equal, await bench.load(), oracle.nodes))
    hidden = len(bench.network.layers) > 1
    assert kind != "extreme" or (statistics.saturations and bool(statistics.clips) == hidden)


@cocotb.test
async def inference_follows_the_unquantised_model(dut: Any) -> None:
    """Within the bound of the number format; and no node changes."""
    bench = TrainerBench(dut)
    await begin(dut)
    nodes, records = ordinary(bench.network, 50, seed=random.randrange(2**32))
    await bench.store(nodes)
    results, _ = await bench.run(records, np.zeros(len(records), dtype=bool))
    unquantised = UnquantisedTrainer(bench.network, nodes)
    expected = unquantised.result_scale * unquantised.predict(records.arguments)
    bound = forward_bounds(bench.network, nodes)[-1]
    assert expected.std() > 20 * bound  # so that it means something
    assert np.abs(results - expected).max() <= bound
    assert all(map(np.array_equal, await bench.load(), nodes))


@cocotb.test
async def one_update_follows_the_unquantised_model(dut: Any) -> None:
    """Each node within the bound of the number format, for one record after another on fresh nodes."""
    bench = TrainerBench(dut)
    await begin(dut)
    moved = [0.0] * len(bench.network.layers)
    for _ in range(4):
        nodes, records = ordinary(bench.network, 1, seed=random.randrange(2**32))
        await bench.store(nodes)
        _, statistics = await bench.run(records, np.ones(1, dtype=bool))
        unquantised = UnquantisedTrainer(bench.network, nodes)
        unquantised.train(records, bench.rates)
        bounds = update_bounds(bench.network, nodes, bench.rates, statistics.absolute_residual)
        for index, (before, ours, theirs) in enumerate(zip(nodes, await bench.load(), unquantised.nodes, strict=True)):
            moved[index] = max(moved[index], np.abs(theirs - before).max() / bounds[index])
            assert np.abs(ours - theirs).max() <= bounds[index]
    assert min(moved) > 5  # so that the bounds mean something
