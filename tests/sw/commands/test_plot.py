"""`kanloom plot`: pictures."""

import numpy as np
import pytest

from sw.commands.command_line import run
from sw.engine.prediction import Predictor
from sw.engine.training import Training
from sw.model import Model
from tests.sw.commands.running import SMALL, sw


@pytest.mark.parametrize(
    ("kind", "suffix"), [("network", ".png"), ("network", ".svg"), ("convergence", ".png"), ("predictions", ".svg")]
)
def test_plots_are_drawn(folder, tmp_path, kind, suffix):
    output = tmp_path / f"plot{suffix}"
    sw("plot", folder / "model.npz", "norm2", *SMALL, "--kind", kind, "--output", output)
    content = output.read_bytes()
    assert len(content) > 5000 and (content.startswith(b"\x89PNG") or b"<svg" in content)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output", "x.gif"], "x.gif does not end in .png, .svg"),
        (["--kind", "predictions", "--output", "x.png"], "predictions are of a data set's hold-out: python -m sw plot"),
    ],
)
def test_what_cannot_be_drawn_is_said(folder, arguments, message):
    assert message in sw("plot", folder / "model.npz", *arguments, code=1)


def test_the_holdout_is_the_one_of_the_training(folder, tmp_path):
    arguments = ("plot", folder / "model.npz", "norm2", "--kind", "predictions", "--output", tmp_path / "a.png")
    selection = Model.load(folder / "model.npz").selection
    assert selection is not None
    said = f"the hold-out of {selection.holdout:,} records by seed {selection.seed} is the one of the training"
    assert said in sw(*arguments)
    assert "is not the one of the training" in sw(*arguments, "--seed", selection.seed + 1)


def test_records_that_were_trained_on_are_not_drawn(folder, tmp_path, monkeypatch):
    """Those of a file, whatever the seed of the training was, and with the same columns left out."""
    model, trained, drawn = tmp_path / "model.npz", [], []
    files = "--output", str(tmp_path / "a.png"), "--kind", "predictions"
    shape = "--network", "2-8-1", "--segments", "4,32", "--epochs", "1", "--output", str(model)
    prepare = Training.__init__

    def noted(training, first, source, *rest, **options):
        trained.extend(np.concatenate([shard.features for shard in source.shards("train", 1000)]).tolist())
        prepare(training, first, source, *rest, **options)

    monkeypatch.setattr(Training, "__init__", noted)
    assert run(["train", str(folder / "norm.csv"), "--seed", "3", *shape]) == 0
    predict = Predictor.predict

    def predicted(predictor, rows):
        drawn.extend(rows.tolist())
        return predict(predictor, rows)

    monkeypatch.setattr(Predictor, "predict", predicted)
    assert run(["plot", str(model), str(folder / "norm.csv"), *files]) == 0
    assert (len(trained), len(drawn)) == (320, 80)
    assert not {tuple(row) for row in trained} & {tuple(row) for row in drawn}
