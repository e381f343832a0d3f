"""How the parts of a kernel are compiled."""

from collections.abc import Callable

import numba

# Nobody calls a part from Python or C: without the wrappers for it, a kernel is compiled in little more than half the
# time, to the same instructions. No part allocates memory, so none counts references to arrays: in a large kernel,
# Numba would leave much of that in.
PART = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "_nrt": False}


def inlined(function: Callable) -> Callable:
    """Compile a function as a part of kernels: its body is put where it is called."""
    return numba.njit(nogil=True, error_model="numpy", forceinline=True, **PART)(function)
