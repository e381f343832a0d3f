"""How the parts of a kernel are compiled."""

from collections.abc import Callable

import numba


def inlined(function: Callable) -> Callable:
    """Compile a function as a part of kernels: its body is put where it is called."""
    return numba.njit(nogil=True, error_model="numpy", forceinline=True)(function)
