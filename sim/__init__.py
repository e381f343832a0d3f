"""Simulation of the gateware: virtual boards, the trainer in Amaranth's simulator, cocotb benches, netlists.

Belongs here: running gateware without a board. Does not: gateware (`hw`). Begin with `virtual_board`.
"""
