"""The vector operations that kernels are written in.

Belongs here: operations on SIMD registers, as Numba intrinsics. Does not: anything of networks."""
