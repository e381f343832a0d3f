"""Compiled kernels: Newton-Kaczmarz training in fixed and in floating point, equal to `sw.oracle.fixed`."""
