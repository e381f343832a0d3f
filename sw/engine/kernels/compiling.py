"""How kernels are compiled: kept on disk by the digest of all their sources, and ahead of their first call.

A kernel is compiled once for each combination of its arguments' types. What these types differ in:

- the word: int16 or int32 in fixed point, float32 or float64;
- the size of the first layer's rows, 1 to `layout.MOST_REGISTERS` registers: it follows from the first layer's outputs,
  so that parts of a model, as in pre-training by threads, may need another size than the whole;
- in training, whether the results are kept; in fixed point, whether saturations are counted, and the fine bits.

Depth, staleness, groups of addends, rates and the numbers of records are values, and share their compiled code. A
trainer needs two kernels, one to train and one to predict; one that keeps its results in training needs a third.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba._dispatcher import compute_fingerprint
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator

from sw import cache
from sw.engine import simd


def _digest() -> str:
    """Digest of the sources of all kernels and vector operations, and of the versions of the compiler."""
    digest = hashlib.sha256(f"{numba.__version__} {llvmlite.__version__}".encode())
    for folder in (Path(__file__).parent, *map(Path, simd.__path__)):
        for source in sorted(folder.rglob("*.py")):
            digest.update(str(source.relative_to(folder)).encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


_DIGEST = _digest()  # at import: a source that is edited later does not belong to the code of this process

# A kernel may allocate memory, even where a part calls it, which may not and would hand that down.
KERNEL: dict[str, Any] = {"_nrt": True}


class _Locator(_CacheLocator):
    """Where Numba keeps a kernel: in a directory for each state of the sources of all kernels.

    Numba's own locators look at the file of the kernel only, and would miss a change of what it is made of. Numba tells
    processors apart by itself.
    """

    def __init__(self, function: Callable, file: str):
        self._py_file, self._module = file, function.__module__
        self._path = cache.root() / "kernels" / _DIGEST

    @classmethod
    def from_function(cls, function: Callable, file: str) -> "_Locator":
        return cls(function, file)

    def get_cache_path(self) -> str:
        return str(self._path)

    def get_source_stamp(self) -> str:
        return _DIGEST

    def get_disambiguator(self) -> str:
        return self._module

    def ensure_cache_path(self) -> None:
        parent = cache.directory("kernels")
        if not self._path.is_dir():
            cache.remove_unused(parent)
            self._path.mkdir(exist_ok=True)


class _KernelCacheImpl(CompileResultCacheImpl):
    _locator_classes: list[type[object]] = [_Locator]  # noqa: RUF012 (an instance variable to Numba's types)


class _KernelCache(FunctionCache):
    """Numba's cache of a kernel. Where it cannot be used, kernels are compiled without it."""

    _impl_class = _KernelCacheImpl

    @contextmanager
    def _disabled_by_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.disable()
            cache.warn(error)

    def holds(self, signature: tuple, target: Any) -> bool:
        with self._disabled_by_errors():
            return self._enabled and self._index_key(signature, target.codegen()) in self._cache_file._load_index()
        return False

    def load_overload(self, signature: tuple, target: Any) -> Any:
        with self._disabled_by_errors():
            loaded = super().load_overload(signature, target)
            if loaded is None:
                self._impl.locator.ensure_cache_path()  # raises before the compiler is at work, not after it
            else:
                cache.mark_used(Path(self.cache_path))
            return loaded

    def save_overload(self, signature: tuple, compiled: Any) -> None:
        with self._disabled_by_errors():
            super().save_overload(signature, compiled)


def kernel(function: Callable) -> Any:
    """Compile a function as a kernel: at its first call, kept on disk; it runs beside other threads."""
    dispatcher: Any = numba.njit(nogil=True, error_model="numpy", **KERNEL)(function)
    dispatcher._cache = _KernelCache(function)
    return dispatcher


def _signature(function: Any, arguments: tuple) -> tuple:
    return tuple(map(function.typeof_pyval, arguments))


def is_compiled(function: Any, *arguments: Any) -> bool:
    """Whether a kernel is compiled for arguments of these types, in this process or on disk.

    Parameters
    ----------
    function
        A kernel.
    arguments
        As in a call of it; only their types matter.
    """
    signature = _signature(function, arguments)
    return signature in function.overloads or function._cache.holds(signature, function.targetctx)


def compile_for(function: Any, *arguments: Any) -> None:
    """Compile a kernel for arguments of these types, or load it from disk, without running it.

    Parameters
    ----------
    function
        A kernel.
    arguments
        As in a call of it; only their types matter.
    """
    function.compile(_signature(function, arguments))


_entry_points: dict[tuple[Any, bytes], Callable] = {}  # by kernel, and fingerprint of the arguments' types


def entry_point(function: Any, *arguments: Any) -> Callable:
    """Compile a kernel for arguments of these types, and return what runs it without looking at them again.

    A call of a kernel spends most of its time finding out the types of its arguments, where there is little else to do.

    Parameters
    ----------
    function
        A kernel.
    arguments
        As in every call; only their types matter.
    """
    key = function, compute_fingerprint(arguments)
    if key not in _entry_points:
        compile_for(function, *arguments)
        _entry_points[key] = function.overloads[_signature(function, arguments)].entry_point
    return _entry_points[key]
