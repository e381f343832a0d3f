"""A core as files that other people's tools take: Verilog, its description, and a test bench with the oracle's vectors.

Belongs here: what is written to the folder of an export. Does not: the cores (`hw.core`). Begin with `folder`.
"""
