"""How the parts of a kernel are compiled."""

from collections.abc import Callable

import numba

# Nobody calls a part from Python or C: without the wrappers for it, a kernel is compiled in little more than half the
# time, to the same instructions.
PART = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def inlined(function: Callable) -> Callable:
    """Compile a function as a part of kernels: its body is put where it is called."""
    return numba.njit(nogil=True, error_model="numpy", forceinline=True, **PART)(function)
