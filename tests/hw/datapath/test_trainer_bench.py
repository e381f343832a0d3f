"""The trainer under cocotb and Verilator: random networks, both technologies and schedules, slots from one up."""

import random
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from hw.datapath.trainer import TrainerCore
from hw.design.trainer_planning import plan_trainer
from hw.fpga.ecp5 import ECP5
from hw.fpga.ice40 import ICE40UP5K
from hw.schedule.folding import chain
from sim.cocotb_bench.runner import run_bench
from sw.spec.network import Network
from tests.slow import slow


def random_trainer(seed: int) -> TrainerCore:
    """Any small trainer; the seed's bits choose the technology, the schedule, the fine bits, and one layer or more."""
    generator = random.Random(seed)
    layers = 1 if seed & 32 else generator.randint(2, 4)
    taps, *lanes = (generator.randint(1, 2) for _ in range(layers + 1))
    sizes = [folded * generator.randint(1, 2) for folded in (taps, *lanes)]
    segments = [generator.choice([2, 4, 8, 16]) for _ in range(layers)]
    network = Network.chain(sizes, segments, width=generator.choice([12, 16, 18]))
    network = replace(network, fine=seed & 4)
    # Each window holds the rates of the bench.
    windows = tuple(generator.randint(network.word.back_shifts.start, network.width - 4) for _ in range(layers - 1))
    technology, exact = (ICE40UP5K, ECP5)[seed & 1], bool(seed & 2)
    return TrainerCore(
        plan_trainer(network, chain(taps, lanes), technology=technology, exact=exact, back_windows=windows)
    )


@pytest.mark.parametrize("seed", [14, *map(slow, (1, 12, 13, 16, 24, 27, 31, 39))])
def test_a_random_trainer_equals_the_oracles(seed: int, waves: Path | None) -> None:
    """Each run compiles an exact schedule; boards that train with stale updates are compiled for other tests."""
    trainer = random_trainer(seed)
    parameters = {
        "network": trainer.network.describe(),
        "foldings": [asdict(layer.folding) for layer in trainer.addresses],
        "initiation_interval": trainer.plan.schedule.initiation_interval,
        "latency": trainer.plan.schedule.latency,
        "settling": trainer.settling,
        "back_windows": trainer.plan.back_windows,
        "staleness": trainer.plan.schedule.staleness,
        "access_latency": trainer.access_latency,
    }
    run_bench(trainer, "tests.hw.datapath.bench_trainer", parameters=parameters, seed=seed, waves=waves)
