"""Places of arguments on the grids of a layer's functions: what both oracles share of interpolation."""

from typing import NamedTuple

import numpy as np


class Places(NamedTuple):
    """Places of a layer's arguments on their grids.

    Attributes
    ----------
    segment : ndarray of int, shape (..., inputs)
        The segment that each argument falls in; its left node has the same number.
    offset : ndarray of shape (..., inputs)
        The distance from the left node: an integer of `offset_bits` in fixed point, a share of the segment in
        floating point.
    """

    segment: np.ndarray
    offset: np.ndarray


def end_nodes(nodes: np.ndarray, segment: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Look up the nodes at both ends of segments.

    Parameters
    ----------
    nodes : ndarray of shape (inputs, nodes, outputs)
        The nodes of a layer.
    segment : ndarray of int, shape (..., inputs)
        One segment for each input.

    Returns
    -------
    left, right : ndarray of shape (..., inputs, outputs)
        Copies of the nodes.
    """
    inputs = np.arange(segment.shape[-1])
    return nodes[inputs, segment], nodes[inputs, segment + 1]
