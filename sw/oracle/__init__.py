"""The law: training in plain NumPy, fixed and floating point, to be read beside the paper.

Belongs here: what everything faster is tested against. Does not: speed. Begin with `fixed`."""
