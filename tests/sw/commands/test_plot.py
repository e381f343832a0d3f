"""`kanloom plot`: pictures."""

import pytest

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
