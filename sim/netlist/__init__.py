"""Netlists after synthesis, made ready for simulation.

Belongs here: models of a family's cells and what has to change in them. Begin with `verilog`.
"""
