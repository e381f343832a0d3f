"""Kernels are kept on disk for the sources that they were compiled from, and can be compiled ahead."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sw import cache
from sw.engine.compiled import CompiledFixed, CompiledTrainer, CompiledUnquantised
from sw.engine.kernels.compiling import compile_for, is_compiled, kernel
from sw.engine.kernels.fixed import passes as fixed
from sw.engine.kernels.floating import passes as floating
from sw.spec.network import Network
from tests.caches import UNWRITABLE, unwritable
from tests.cases import RATES, ordinary

ROOT = Path(__file__).resolve().parents[3]
NETWORK = Network.two_layer(3, 12, (4, 8))


def double(values):
    for index in range(len(values)):
        values[index] *= 2


def test_a_kernel_is_compiled_without_running_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    integers, numbers = np.arange(3), np.arange(3.0)
    function = kernel(double)
    assert not is_compiled(function, integers)
    compile_for(function, integers)
    assert is_compiled(function, integers) and not is_compiled(function, numbers)
    assert integers.tolist() == [0, 1, 2]
    function(integers)
    assert integers.tolist() == [0, 2, 4] and len(function.signatures) == 1


def test_another_process_finds_it_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    compile_for(kernel(double), np.arange(3))
    other = kernel(double)  # knows no more than another process
    assert is_compiled(other, np.arange(3)) and not other.signatures
    compile_for(other, np.arange(3))
    assert sum(other.stats.cache_hits.values()) == 1 and not other.stats.cache_misses


@pytest.mark.parametrize("arithmetic", ["fixed16", "float32"])
def test_preparing_a_trainer_compiles_all_that_training_needs(arithmetic: str) -> None:
    nodes, records = ordinary(NETWORK, 20)
    trainers: list[CompiledTrainer] = [
        CompiledFixed(NETWORK, nodes) if arithmetic == "fixed16" else CompiledUnquantised(NETWORK, nodes)
        for _ in range(2)
    ]
    prepared, other = trainers
    before = [array.copy() for array in prepared.nodes]
    prepared.prepare()
    assert prepared.ready and other.ready
    assert all(map(np.array_equal, prepared.nodes, before))
    kernels = [module.train for module in (fixed, floating)] + [module.predict for module in (fixed, floating)]
    compiled = [len(each.signatures) for each in kernels]
    for trainer in trainers:
        trainer.train(records, RATES)
        trainer.predict(records.arguments)
    assert [len(each.signatures) for each in kernels] == compiled
    assert all(map(np.array_equal, prepared.nodes, other.nodes))


WITHOUT_CACHE = """
import numpy as np
from sw.engine.kernels.compiling import is_compiled, kernel
from tests.sw.engine.test_compiling import double
for function in map(kernel, (double, double)):
    values = np.arange(3)
    assert not is_compiled(function, values)
    function(values)
    print(values.tolist())
"""


@pytest.mark.parametrize("name", UNWRITABLE)
def test_without_a_cache_kernels_run_and_a_line_says_so(name: str, tmp_path: Path) -> None:
    done = run(WITHOUT_CACHE, ROOT, unwritable(name, tmp_path))
    assert done.stdout == "[0, 2, 4]\n" * 2, done.stderr
    assert done.stderr.count("\n") == 1 and "compiled without a cache" in done.stderr


TRAINING = """
import numpy as np
from sw.engine.compiled import CompiledFixed
from sw.spec.network import Network
from sw.spec.nodes import random_nodes
from sw.spec.records import Records
from sw.spec.trainer import Rates
network, rng = Network.two_layer(3, 12, (4, 8)), np.random.default_rng(0)
trainer = CompiledFixed(network, random_nodes(network, rng))
trainer.train(Records(rng.integers(0, 1 << 10, (20, 3)), rng.integers(-5000, 5000, (20, 1))), Rates((2,), (13,)))
print([nodes.tolist() for nodes in trainer.nodes])
"""


def test_an_operation_of_another_file_is_part_of_a_kernel(tmp_path: Path) -> None:
    """Swap a subtraction for an addition in the vector operations, train; and back. No cache is cleared."""
    shutil.copytree(ROOT / "sw", tmp_path / "sw", ignore=shutil.ignore_patterns("__pycache__"))
    operations = tmp_path / "sw" / "engine" / "simd" / "arithmetic.py"
    right = operations.read_text()
    wrong = right.replace("builder.sub(x, y)", "builder.add(x, y)")
    assert right.count("builder.sub(x, y)") == 1
    results = []
    for source in (right, wrong, right):
        operations.write_text(source)
        done = run(TRAINING, tmp_path, os.environ | {"PYTHONDONTWRITEBYTECODE": "1"})
        assert done.returncode == 0, done.stderr
        results.append(done.stdout)
    assert results[0] == results[2] != results[1]


def run(program: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
