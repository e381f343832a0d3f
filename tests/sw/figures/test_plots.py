"""Pictures of names from files, of several targets, and of more than can be drawn."""

import io
import itertools
import warnings

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from sw.figures.lettering import LONGEST, shown
from sw.figures.network_diagram import diagram
from sw.figures.plots import convergence, predictions
from sw.model import HISTORY, Model
from sw.scaling import Scaling
from sw.spec.network import Network
from sw.spec.nodes import random_nodes

NAMES = "$\\frac{1$", "_hidden", "面積", "\x1b[31mred", "a\nb", "x" * 200


def texts(figure: Figure) -> list[str]:
    """Draw a figure, without a warning, and return all its texts."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(io.BytesIO(), format="png")
    return [each.get_text() for each in figure.findobj(Text) if isinstance(each, Text)]


def model(features: int, addends: int, targets: int, names: tuple[str, ...] = ()) -> Model:
    rng = np.random.default_rng(0)
    network = Network.two_layer(features, addends, (4, 8), outputs=targets)
    scaling = Scaling.of(rng.normal(size=(9, features)), rng.normal(size=(9, targets)))
    return Model(
        network, scaling, random_nodes(network, rng), feature_names=names[:features], target_names=names[:targets]
    )


def history(rmse: list[float]) -> np.ndarray:
    rows = [(100 * (index + 1), 0.1, 0.9, error, False) for index, error in enumerate(rmse)]
    return np.array(rows, HISTORY)


@pytest.mark.parametrize("targets", [1, len(NAMES)])
def test_names_are_drawn_literally(targets: int) -> None:
    drawn = texts(diagram(model(len(NAMES), 3, targets, NAMES), f"{shown('$x')}: title"))
    assert {"$\\frac{1$", "_hidden", "\\x1b[31mred", "a\\nb", "$x: title"} <= set(drawn)
    values = np.random.default_rng(0).normal(size=(20, targets))
    assert "true $\\frac{1$" in texts(predictions(values, values, NAMES[:targets]))
    scores = np.ones((3, targets, 2)) if targets > 1 else None
    drawn = texts(convergence(history([3, 2, 1]), scores, NAMES[:targets]))
    assert "units of $\\frac{1$" in "".join(drawn) if targets == 1 else {*map(shown, NAMES)} <= set(drawn)


def test_a_name_is_shown_or_its_code_points_are() -> None:
    assert shown("面積") in ("面積", "U+9762U+7A4D")
    assert shown("größe $x_1$") == "größe $x_1$"
    assert len(shown("x" * 200)) == LONGEST


def test_what_is_left_out_is_counted() -> None:
    drawn = texts(diagram(model(60, 40, 30), "large"))
    assert {"and 32 more", "and 6 more"} <= set(drawn)
    assert any("24 of 2,400 functions" in text for text in drawn)
    assert "and 8 more targets" in texts(predictions(np.zeros((5, 20)), np.zeros((5, 20)), tuple(map(str, range(20)))))


@pytest.mark.parametrize("rmse", [[1.0], [0.02, 0.009, 0.0015], [6000, 5900, 400], [1e6, 1e-6], [2.0, 1.9], [0.0, 0.0]])
def test_labels_of_ticks_do_not_overlap(rmse: list[float]) -> None:
    figure = convergence(history(rmse), names=("y",))
    figure.savefig(io.BytesIO(), format="png")
    for axes in figure.axes:
        boxes = [
            label.get_window_extent()
            for label in axes.get_yticklabels(which="both")
            if label.get_text()
            and axes.get_window_extent().y0 <= label.get_window_extent().y0 <= axes.get_window_extent().y1
        ]
        boxes.sort(key=lambda box: box.y0)
        assert all(below.y1 <= above.y0 for below, above in itertools.pairwise(boxes))
