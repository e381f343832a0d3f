"""A network as a diagram: its units in columns, and on each edge the function that it learned."""

from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, PathPatch
from matplotlib.path import Path

from sw.figures.learned_functions import Functions, functions
from sw.figures.lettering import letter, shown, width
from sw.figures.plots import FAINT, INK
from sw.model import Model
from sw.oracle.floating import Unquantised

UNITS, CURVES = 8, 24
"""Most units of a hidden layer, and functions of a layer, that are drawn: those of the largest extent."""

# In inches.
BOX = 0.62, 0.30
PITCH = 0.36
GAP = 0.5  # between the functions of one unit and those of the next, in pitches
RADIUS = 0.15
STEP = 2.6
MARGIN = 0.8
LEGEND = 0.75  # below the diagram
LEAST_WIDTH = 7.0  # which the legend takes
CURVE = 0.8  # height of a box that the largest extent of a layer's functions takes
LETTER = 0.085

READING = (
    "A box is a learned function. Across: its feature's range in training, or the middle 99 % of a unit's sum.\n"
    "Up: what it adds; all boxes of a layer have the scale below them. The darker, the larger."
)

COLOURS = ("#4c78a8", "#e4812f", "#54a24b", "#d1495b", "#3a9d9d", "#8d6bb3", "#9d755d", "#b8930b")


@dataclass(frozen=True)
class Edge:
    """A function that is drawn.

    Attributes
    ----------
    start, end : int
        The function's input and output.
    strength : float
        The function's extent, as a share of the largest in the layer.
    """

    start: int
    end: int
    strength: float


@dataclass(frozen=True)
class Column:
    """Units that are drawn one above the other.

    Attributes
    ----------
    x : float
        Place of the column from the left, in inches.
    places : dict of int to float
        Height of each unit, in inches, by its number.
    colours : dict of int to str
        Colour of each unit, by its number.
    """

    x: float
    places: dict[int, float]
    colours: dict[int, str]

    @classmethod
    def of(cls, x: float, places: dict[int, float], *, hidden: bool) -> "Column":
        """Colour the units: hidden ones in turn, features and targets in ink."""
        cycle = COLOURS if hidden else (INK,)
        return cls(x, places, {unit: cycle[index % len(cycle)] for index, unit in enumerate(places)})


def diagram(model: Model, title: str) -> Figure:
    """Draw a network, features on the left and targets on the right.

    A curve is darker, and steeper, the larger the extent of its function is.

    Parameters
    ----------
    model : Model
        The network, its nodes and the names of features and targets.
    title : str
        What is written above the diagram.

    Returns
    -------
    Figure
        The diagram.
    """
    layers = functions(model)
    network = model.network
    units = [np.arange(network.features), *map(strongest, layers[1:]), last_units(layers[-1])]
    edges = [edges_of(layer, *ends) for layer, ends in zip(layers, pairwise(units), strict=True)]
    if len(units[0]) > CURVES:
        units[0] = np.unique([edge.start for edge in edges[0]])
    rows = [len(drawn) + GAP * len(ends) for drawn, ends in zip(edges, units[1:], strict=True)]
    height, across = PITCH * max(*rows, 1.4 * len(units[0])), STEP * len(layers)
    features, targets = (
        tuple(map(shown, names or map(str, range(count))))
        for names, count in ((model.feature_names, network.features), (model.target_names, network.outputs))
    )
    left, right = (MARGIN + LETTER * max(map(width, names)) for names in (features, targets))
    beside = max(0.0, LEAST_WIDTH - left - across - right) / 2
    left, right = left + beside, right + beside
    below = MARGIN + LEGEND
    figure = Figure(figsize=(left + across + right, height + MARGIN + below))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-left, across + right), ylim=(-below, height + MARGIN))
    axes.set_axis_off()
    letter(axes, across / 2, height + 0.45, title, ha="center", va="center", fontsize=12, color=INK)
    axes.text(across / 2, 0.2 - below, READING, ha="center", va="bottom", fontsize=8, color=INK)

    column = Column.of(0, dict(zip(units[0].tolist(), spread(len(units[0]), height), strict=True)), hidden=False)
    name_units(axes, column, features, side=-1)
    name_others(axes, column, network.features)
    for index, (layer, drawn) in enumerate(zip(layers, edges, strict=True), start=1):
        boxes, last = box_places(drawn, height), index == len(layers)
        places = {
            end: float(np.mean([boxes[edge] for edge in drawn if edge.end == end])) for end in units[index].tolist()
        }
        following = Column.of(STEP * index, places, hidden=not last)
        draw_others(axes, column, following, {(edge.start, edge.end) for edge in drawn})
        for edge in drawn:
            colour = column.colours[edge.start] if last else following.colours[edge.end]
            draw_edge(axes, column, following, edge, boxes[edge], layer, colour)
        draw_units(axes, column)
        name_others(axes, following, network.layers[index - 1].outputs)
        draw_scale(axes, (column.x + following.x) / 2, len(drawn), layer, share_of(model, index - 1, layer))
        if not last:
            name_units(axes, following, tuple(map(str, range(model.network.layers[index - 1].outputs))), side=0)
        column = following
    draw_units(axes, column)
    name_units(axes, column, targets, side=1)
    return figure


def share_of(model: Model, index: int, layer: Functions) -> str:
    """Say how much the function of the largest extent can change what it is added to.

    Parameters
    ----------
    model : Model
        The network.
    index : int
        Number of the layer.
    layer : Functions
        The layer's functions.
    """
    change, unquantised = float(layer.extent.max()) / model.network.layers[index].divisor, Unquantised(model.network)
    if index == len(model.network.layers) - 1:
        change, whole = change * unquantised.result_scale, 2.0 * model.units.target_scale
        if len(model.target_names) == 1:
            low, high = model.scaling.target_low[0], model.scaling.target_high[0]
            return f"{change / whole * (high - low):.4g} {shown(model.target_names[0])}"
        return f"{change / whole:.2g} of a target's range"
    domains = model.domains or unquantised.domains
    return f"{change / float(np.ptp(domains[index + 1], axis=1).max()):.2g} of a unit's range"


def last_units(layer: Functions) -> np.ndarray:
    """Choose the outputs that are drawn: all, or those whose functions have the largest extent."""
    order = np.argsort(-layer.extent.max(axis=0), kind="stable")
    return np.sort(order[:CURVES])


def strongest(layer: Functions) -> np.ndarray:
    """Choose the inputs of a layer whose functions have the largest extent."""
    order = np.argsort(-layer.extent.max(axis=1), kind="stable")
    return np.sort(order[:UNITS])


def edges_of(layer: Functions, starts: np.ndarray, ends: np.ndarray) -> list[Edge]:
    """Choose the strongest functions of each end, the same number for each, in the order of ends and starts."""
    strength, each = layer.extent / (layer.extent.max() or 1.0), max(1, CURVES // len(ends))
    edges = []
    for end in ends.tolist():
        order = starts[np.argsort(-strength[starts, end], kind="stable")[:each]]
        edges += [Edge(start, end, float(strength[start, end])) for start in np.sort(order).tolist()]
    return edges


def spread(count: int, height: float) -> list[float]:
    """Give the middles of so many equal slices of the height, from above."""
    return [height * (1 - (index + 0.5) / count) for index in range(count)]


def box_places(edges: list[Edge], height: float) -> dict[Edge, float]:
    """Place the functions' boxes evenly over the height, with a gap between those of one end and the next."""
    groups = len({edge.end for edge in edges})
    gap = GAP if groups > 1 else 0
    pitch = height / (len(edges) + gap * groups)
    places, y, before = {}, height + (0.5 - gap / 2) * pitch, edges[0].end
    for edge in edges:
        y -= pitch * (1 + gap * (edge.end != before))
        places[edge], before = y, edge.end
    return places


def draw_edge(
    axes: Axes, before: Column, after: Column, edge: Edge, middle: float, layer: Functions, colour: str
) -> None:
    """Draw a function in its box, and the lines from its input and to its output."""
    centre, (width, height) = (before.x + after.x) / 2, BOX
    alpha = 0.25 + 0.75 * edge.strength
    for line in (
        smooth(before.x + RADIUS, before.places[edge.start], centre - width / 2, middle),
        smooth(centre + width / 2, middle, after.x - RADIUS, after.places[edge.end]),
    ):
        axes.add_patch(PathPatch(line, fill=False, edgecolor=colour, alpha=0.8 * alpha, linewidth=1.1, zorder=2))
    axes.add_patch(
        FancyBboxPatch(
            (centre - width / 2, middle - height / 2),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.05",
            facecolor="white",
            edgecolor=FAINT,
            linewidth=0.8,
            zorder=3,
        )
    )
    curve = layer.curves[:, edge.start, edge.end]
    level = (curve - (curve.max() + curve.min()) / 2) / (layer.extent.max() or 1)
    across = np.linspace(centre - 0.44 * width, centre + 0.44 * width, len(curve))
    axes.plot(across, middle + CURVE * height * level, color=colour, alpha=alpha, linewidth=1.5, zorder=4)


def draw_others(axes: Axes, before: Column, after: Column, drawn: set[tuple[int, int]]) -> None:
    """Draw the edges between units that are drawn, for functions that are not."""
    for start, end in product(before.places, after.places):
        if (start, end) not in drawn:
            line = smooth(before.x + RADIUS, before.places[start], after.x - RADIUS, after.places[end])
            axes.add_patch(PathPatch(line, fill=False, edgecolor=FAINT, alpha=0.35, linewidth=0.5, zorder=1))


def draw_units(axes: Axes, column: Column) -> None:
    """Draw the units of a column as circles."""
    for unit, y in column.places.items():
        colour = column.colours[unit]
        axes.add_patch(Circle((column.x, y), RADIUS, facecolor="white", edgecolor=colour, linewidth=1.4, zorder=5))


def draw_scale(axes: Axes, x: float, drawn: int, layer: Functions, share: str) -> None:
    """Draw a bar as high as the largest function of a layer, with what that is, and count the functions."""
    bottom, high = -0.52, CURVE * BOX[1]
    axes.plot([x - 0.5 * BOX[0]] * 2, [bottom, bottom + high], color=INK, linewidth=1.2, marker="_", markersize=5)
    text = f"{share}\n{drawn:,} of {layer.extent.size:,} functions"
    letter(axes, x - 0.5 * BOX[0] + 0.1, bottom + high / 2, text, ha="left", va="center", fontsize=7.5, color=INK)


def name_others(axes: Axes, column: Column, count: int) -> None:
    """Say below a column how many of its units are left out."""
    if more := count - len(column.places):
        axes.text(column.x, -0.16, f"and {more:,} more", ha="center", va="center", fontsize=9, color=INK)


def name_units(axes: Axes, column: Column, names: tuple[str, ...], side: int) -> None:
    """Write the names of a column's units: on the left of them (`side` -1), inside (0), or on the right (1)."""
    align, size = ("right", "center", "left")[side + 1], 9 if side else 7.5
    for unit, y in column.places.items():
        place = column.x + 0.25 * side
        letter(axes, place, y, names[unit], ha=align, va="center", fontsize=size, color=INK, zorder=6)


def smooth(x0: float, y0: float, x1: float, y1: float) -> Path:
    """Make a curve from one point to another that begins and ends level."""
    middle = (x0 + x1) / 2
    return Path([(x0, y0), (middle, y0), (middle, y1), (x1, y1)], [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
