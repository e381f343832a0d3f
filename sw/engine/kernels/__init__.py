"""Compiled kernels: Newton-Kaczmarz training and prediction, equal to `sw.oracle`.

Belongs here: loops over records, in the vector operations of `sw.engine.simd`, and how they are compiled and kept. Does
not: trainers (`sw.engine.compiled`). A kernel takes constants from these two rooms only, since the digest of their
sources tells whether machine code is stale. Begin with `layout`, then `fixed`; `compiling` says when kernels are
compiled.
"""
