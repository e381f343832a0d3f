"""The compiled trainers: the kernels behind the interface of `sw.spec.trainer`, one file an arithmetic.

Belongs here: what feeds a kernel and keeps its memory. Does not: the kernels (`sw.engine.kernels`), schedules and
threads (`sw.engine.training`). Begin with `trainer`.
"""

from sw.engine.compiled.fixed import CompiledFixed
from sw.engine.compiled.floating import CompiledFloat, CompiledUnquantised
from sw.engine.compiled.trainer import CompiledTrainer

__all__ = ["CompiledFixed", "CompiledFloat", "CompiledTrainer", "CompiledUnquantised"]
