"""`kanloom bench`: figures of every trainer that is measured."""

import json

import numpy as np
import pytest

from tests.sw.commands.running import SMALL, sw


def test_bench_measures_and_compares(tmp_path):
    source, figures = tmp_path / "baseline.c", tmp_path / "bench.json"
    source.write_text(
        r"""#include <stdio.h>
        int main(int n, char **arguments) {
            printf("{\"ns_per_update\": 50, \"pearson\": 0.9%s}", arguments[1]);
            return 0;
        }
        """
    )
    bench = ("bench", "norm2", *SMALL, "--epochs", 2, "--seeds", 2, "--trials", 3, "--json", figures)
    sw(*bench, "--threads", 1, "--baseline", source)
    report = json.loads(figures.read_text())
    assert (report["threads"], report["records"], report["epochs"], report["arithmetic"]) == (1, 2000, 2, "fixed16")
    assert report["pearson"] == pytest.approx(np.mean(report["pearson_of_seeds"])) and report["pearson"] > 0.97
    assert 1 < report["ns_per_update"] < 1e6
    assert report["ratio"] == pytest.approx(report["ns_per_update"] / 50) and len(report["ratios"]) == 3
    assert report["baseline_pearson"] == pytest.approx(0.92)


def test_bench_of_threads_says_what_the_machine_could_do(tmp_path):
    figures = tmp_path / "bench.json"
    sw("bench", "norm2", *SMALL, "--epochs", 2, "--seeds", 1, "--trials", 2, "--threads", 2, "--json", figures)
    report = json.loads(figures.read_text())
    assert report["models"] == report["threads"] == 2
    assert report["speedup"] > 0 and 0 < report["speedup_of_processes"]


def test_a_baseline_that_is_not_there_is_named():
    assert "none.c: there is no such file" in sw("bench", "norm2", *SMALL, "--baseline", "none.c", code=1)
