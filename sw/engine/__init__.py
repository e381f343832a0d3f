"""Training on a CPU: compiled kernels, and the strategies that use them.

Belongs here: what makes training fast, long or concurrent. Does not: what the right bits are (`sw.oracle`), and the
loop over a schedule, which all trainers share (`sw.spec.schedule`). Begin with `training`; `order` says in which order
records are trained on.
"""
