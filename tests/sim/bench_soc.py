"""cocotb bench of `hw.soc.soc.Soc`: the host's own client trains the board through its pins, against the oracles."""

from typing import Any

import cocotb
import numpy as np
from cocotb.task import bridge

from sim.cocotb_bench.ports import PERIOD_NS, begin
from sim.cocotb_bench.runner import bench_parameters
from sim.cocotb_bench.uart_driver import UartPort
from sw import datasets
from sw.device.client import BoardClient
from sw.device.transport import HostLink
from sw.experiment import Experiment
from sw.oracle.contexts import ContextReference
from sw.oracle.floating import UnquantisedTrainer
from sw.presets.preset import Preset, schedule
from sw.spec.configuration import Configuration
from sw.spec.network import Network
from sw.spec.protocol import ENCODED_BYTES, MAX_PAYLOAD
from sw.spec.records import Records
from sw.spec.trainer import Phase, Rates
from tests.bounds import forward_bounds, update_bounds
from tests.cases import KINDS, RATES, ordinary

PHASES = [Phase(2, RATES), Phase(1, Rates((3,), (14,)))]


class SocBench:
    """A board in a bench. The host runs in a thread of its own, in which `open` is called."""

    def __init__(self, dut: Any) -> None:
        parameters = bench_parameters()
        self.configuration = Configuration.from_text(parameters["configuration"])
        bit_ns = parameters["clocks_per_bit"] * PERIOD_NS
        self.bit_seconds = 1e-9 * bit_ns
        self._port = UartPort(dut.rx, dut.tx, bit_ns)
        self.clock = self._port.clock

    @property
    def network(self) -> Network:
        return self.configuration.network

    def open(self) -> BoardClient:
        return BoardClient(HostLink(self._port, timeout=0.02, resend_after=2e-3, clock=self.clock))

    def oracle(self, nodes: list[np.ndarray]) -> ContextReference:
        return ContextReference.of(self.configuration, nodes)


@cocotb.test
async def the_board_equals_the_fixed_point_oracle(dut: Any) -> None:
    """Their configurations are equal and, for all kinds of records, each epoch's statistics, nodes and predictions."""
    bench = SocBench(dut)
    await begin(dut)

    def host() -> None:
        board = bench.open()
        assert board.configuration == bench.configuration
        for kind in KINDS.values():
            nodes, records = kind(bench.network, 40)
            oracle, epochs = bench.oracle(nodes), []
            board.nodes = nodes
            for trainer in (board, oracle):
                seen: list[Any] = []
                trainer.fit(records, PHASES, lambda *epoch, seen=seen: seen.append(epoch))
                epochs.append(seen)
            assert epochs[0] == epochs[1]
            assert all(map(np.array_equal, board.nodes, oracle.nodes))
            assert np.array_equal(board.predict(records.arguments), oracle.predict(records.arguments))
            assert all(map(np.array_equal, board.nodes, oracle.nodes))
        assert not any(board.counters().values())

    await bridge(host)()


@cocotb.test
async def the_board_follows_the_unquantised_model(dut: Any) -> None:
    """Predictions, and the nodes after one update, agree within the bounds of the number format."""
    bench = SocBench(dut)
    await begin(dut)

    def host() -> None:
        board, network = bench.open(), bench.network
        nodes, records = ordinary(network, 40, seed=1)
        board.nodes, unquantised = nodes, UnquantisedTrainer(network, nodes)
        expected = unquantised.result_scale * unquantised.predict(records.arguments)
        assert np.abs(board.predict(records.arguments) - expected).max() <= forward_bounds(network, nodes)[-1]
        one = Records(records.arguments[:1], records.targets[:1])
        unquantised.train(one, RATES)
        bounds = update_bounds(network, nodes, RATES, board.train(one, RATES).absolute_residual)
        for before, ours, theirs, bound in zip(nodes, board.nodes, unquantised.nodes, bounds, strict=True):
            assert np.abs(theirs - before).max() > 5 * bound
            assert np.abs(ours - theirs).max() <= bound

    await bridge(host)()


@cocotb.test
async def streaming_fills_the_wire(dut: Any) -> None:
    """Words of records come at more than nine tenths of the rate of a wire full of the longest frames."""
    bench = SocBench(dut)
    await begin(dut)

    def host() -> None:
        board, configuration = bench.open(), bench.configuration
        nodes, records = ordinary(bench.network, 4 * configuration.block)
        board.nodes, oracle = nodes, bench.oracle(nodes)
        begun = bench.clock()
        assert board.train(records, RATES) == oracle.train(records, RATES)
        seconds = bench.clock() - begun
        size = configuration.record_rows * configuration.row_words * configuration.word_bytes
        frames = len(records) * size * ENCODED_BYTES / MAX_PAYLOAD
        assert frames * 10 * bench.bit_seconds > 0.9 * seconds, f"{seconds} s for {frames} bytes"
        assert all(map(np.array_equal, board.nodes, oracle.nodes))

    await bridge(host)()


@cocotb.test
async def training_is_as_accurate_as_floating_point(dut: Any) -> None:
    """The mean RMSE on unseen records is within 1.1 times float NK's; single runs differ by a factor of 2."""
    bench = SocBench(dut)
    await begin(dut)
    board = await bridge(bench.open)()
    preset = Preset(bench.network, schedule((6, 2, 11), (3, 3, 12), (3, 4, 13)), headroom=3, spreads=(0.25, 0.125))
    errors, float_errors = [], []
    for seed in range(3):
        experiment = Experiment.begin(preset, datasets.load("norm2", records=512, holdout=128, seed=seed), seed=seed)
        ours = await bridge(experiment.run)(board, preset.phases)
        oracle = experiment.run(bench.oracle(experiment.model.nodes), preset.phases)
        assert all(map(np.array_equal, ours.model.nodes, oracle.model.nodes))
        assert np.array_equal(ours.predicted, oracle.predicted)
        errors.append(ours.rmse)
        float_errors.append(experiment.run_float(12, seed=seed)[1])
    assert np.mean(errors) <= 1.1 * np.mean(float_errors), f"{errors}, in float {float_errors}"
