import subprocess
import sys
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from river import checks

from kanloom import NKStreamRegressor
from sw.online.beginning import first_learner
from sw.presets.by_size import default_preset
from sw.presets.preset import shaped

ROOT = Path(__file__).resolve().parents[3]
MODEL = NKStreamRegressor(hidden_layer_sizes=(16,))
FEATURES = np.random.default_rng(2).uniform(-1, 1, (300, 3))
TARGETS = FEATURES[:, 0] * FEATURES[:, 2]


@pytest.mark.parametrize("check", list(checks.yield_checks(MODEL)), ids=lambda check: check.__name__)
def test_river_checks(check):
    check(MODEL.clone())


@pytest.mark.parametrize(("hidden", "segments"), [((16,), (2, 16)), ((), (16,))], ids=["two layers", "one"])
def test_it_is_the_learner_of_the_same_stream(hidden, segments):
    ours = NKStreamRegressor(hidden_layer_sizes=hidden, segments=segments, drift="adwin", seed=3)
    preset = shaped(default_preset(3, 1, 10_000), (3, *hidden, 1), segments)
    learner = first_learner(preset, seed=3, detector="adwin")
    right = learner.predict_then_learn(FEATURES, TARGETS[:, None])[:, 0]
    for features, target, prediction in zip(FEATURES, TARGETS, right, strict=True):
        x: dict[Hashable, Any] = dict(zip("cab", features[[2, 0, 1]], strict=True))  # any order
        assert ours.predict_one(x) == prediction
        ours.learn_one(x, target)
    without_a = ours.predict_one({"b": 0.5, "c": -0.5, "d": 9.0})
    assert without_a == ours.predict_one({"a": FEATURES[-1, 0], "b": 0.5, "c": -0.5})


def test_without_river_the_extra_is_named():
    program = "import sys; sys.modules['river'] = None; import kanloom; kanloom.NKRegressor; kanloom.NKStreamRegressor"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    last = done.stderr.splitlines()[-1]
    assert last.endswith('NKStreamRegressor needs river, which is not installed: pip install "kanloom[online]"')
