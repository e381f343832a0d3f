"""A network's nodes: the values of its functions, their first values, and the split into groups of addends."""

from collections.abc import Sequence

import numpy as np

from sw.spec.bounds import whole_number
from sw.spec.network import Network


def check_nodes(network: Network, nodes: list[np.ndarray], *, fixed: bool = True) -> None:
    """Check the nodes of a network.

    Parameters
    ----------
    network : Network
        Geometry of the layers.
    nodes : list of ndarray
        One array for each layer.
    fixed : bool
        Whether the nodes are words, which have a range.

    Raises
    ------
    ValueError
        If there is not one array of `Layer.shape` for each layer, or if a word is out of range.
    """
    shapes = [array.shape for array in nodes]
    if shapes != [layer.shape for layer in network.layers]:
        raise ValueError(
            f"node arrays of shapes {shapes}; the network needs {[layer.shape for layer in network.layers]}"
        )
    word = network.word
    for index, array in enumerate(nodes if fixed else ()):
        if array.min() < word.minimum or array.max() > word.maximum:
            raise ValueError(f"nodes of layer {index} lie outside {word.minimum}..{word.maximum}")


def check_finite(name: str, values: np.ndarray) -> None:
    """Check that all numbers of an array are finite.

    Parameters
    ----------
    name : str
        What the array is, for the message.
    values : ndarray
        Numbers of any type, or rows of named numbers.

    Raises
    ------
    ValueError
        If one is not.
    """
    columns = [values[each] for each in values.dtype.names] if values.dtype.names else [values]
    if not all(np.isfinite(column).all() for column in columns):
        raise ValueError(f"{name} has a number that is not finite")


def groups_of(network: Network, addends: int) -> list[tuple[int, int]]:
    """Split the addends of a two-layer network into groups for pre-training.

    Parameters
    ----------
    network : Network
        A network of two layers.
    addends : int
        Addends of a group; the last group may have fewer.

    Returns
    -------
    list of (int, int)
        For each group its first addend, and the one behind its last.

    Raises
    ------
    ValueError
        If the network is deeper, or if there would be fewer than two groups.
    """
    count = network.layers[-1].inputs
    network.addend_slice(0, count)
    if whole_number(addends) is None or not 1 <= addends < count:
        raise ValueError(f"groups of {addends} addends: a network of {count} addends has groups of 1 to {count - 1}")
    starts = range(0, count, addends)
    return list(zip(starts, (*starts[1:], count), strict=True))


def addend_nodes(nodes: list[np.ndarray], start: int, stop: int) -> list[np.ndarray]:
    """View the nodes of some addends of a network of two layers.

    Parameters
    ----------
    nodes : list of ndarray
        One array of `Layer.shape` for each layer.
    start, stop : int
        The first addend, and the one behind the last.

    Returns
    -------
    list of ndarray
        Views of shapes (features, nodes, stop - start) and (stop - start, nodes, outputs).
    """
    inner, outer = nodes
    return [inner[:, :, start:stop], outer[start:stop]]


def joined_nodes(parts: Sequence[list[np.ndarray]]) -> list[np.ndarray]:
    """Join the nodes of all groups of addends: the inverse of `addend_nodes`.

    Parameters
    ----------
    parts : sequence of list of ndarray
        What `addend_nodes` gave for each group, in order.

    Returns
    -------
    list of ndarray
        One array of `Layer.shape` for each layer of the whole network.
    """
    inner, outer = zip(*parts, strict=True)
    return [np.concatenate(inner, axis=2), np.concatenate(outer)]


def random_nodes(network: Network, rng: np.random.Generator, spread: float = 0.25) -> list[np.ndarray]:
    """Draw nodes uniformly, as words.

    Parameters
    ----------
    network : Network
        Geometry of the layers.
    rng : numpy.random.Generator
        Source of the nodes.
    spread : float
        Largest magnitude of a node, as a share of the word's range.

    Returns
    -------
    list of ndarray of int64
        One array of `Layer.shape` for each layer.
    """
    reach = int(spread * network.word.maximum)
    return [rng.integers(-reach, reach + 1, layer.shape) for layer in network.layers]


def first_nodes(network: Network, rng: np.random.Generator, spreads: tuple[float, ...]) -> list[np.ndarray]:
    """Draw nodes to start training from: straight lines of random slope, and random nodes in the last layer.

    Straight lines make each addend a random direction in the space of the features; random nodes would make it noise.

    Parameters
    ----------
    network : Network
        Geometry of the layers.
    rng : numpy.random.Generator
        Source of slopes and nodes.
    spreads : tuple of float
        For each layer the largest magnitude of a node, as a share of the word's range.

    Returns
    -------
    list of ndarray of int64
        One array of `Layer.shape` for each layer.
    """
    nodes = []
    for layer, spread in zip(network.layers[:-1], spreads, strict=False):
        slopes = rng.uniform(-1, 1, (layer.inputs, 1, layer.outputs))
        line = np.linspace(-1, 1, layer.nodes)[None, :, None]
        nodes.append(np.rint(spread * network.word.maximum * line * slopes).astype(np.int64))
    last = network.layers[-1]
    return [*nodes, np.rint(spreads[-1] * network.word.maximum * rng.uniform(-1, 1, last.shape)).astype(np.int64)]
