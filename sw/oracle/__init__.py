"""The law: training in plain NumPy, fixed and floating point, to be read beside the paper.

Belongs here: what everything faster is tested against, with interpolation and update written once in each
arithmetic (`fixed.interpolate` and `fixed.update`, `floating.interpolate` and `floating.update`). Does not: speed.
Begin with `fixed`.
"""
