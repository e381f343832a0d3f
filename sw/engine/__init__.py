"""Training on a CPU: compiled kernels, and the strategies that use them.

Belongs here: what makes training fast, long or concurrent. Does not: what the right bits are (`sw.oracle`). Begin with
`training`."""
