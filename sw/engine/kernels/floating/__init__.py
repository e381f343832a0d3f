"""Newton-Kaczmarz training in floating point, compiled: the rules of `sw.oracle.floating`, within rounding.

Belongs here: the floating-point kernels. Does not: the trainer's interface (`sw.engine.compiled`). Begin with `passes`.

The kernels are built as those in `sw.engine.kernels.fixed`, whose paragraph explains rows, pairs and the parameters.
They differ in four ways: the domains of hidden functions grow, learning rates are numbers, there are no limits, and
each record follows the one before without staleness.
"""
