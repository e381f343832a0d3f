"""Gateware: what a board runs, and how it comes to be a bitstream.

Belongs here: everything that makes or measures gateware. Does not: arithmetic rules, networks, the protocol
(`sw.spec`). Floors from the top: `build`, `plan`, `core` and `flow`, `soc`, `design`, `datapath` and `link`,
`schedule`, `fpga`; a room imports only from rooms below it. Begin with `hw.datapath.trainer`.
"""

from importlib.util import find_spec

if find_spec("amaranth") is None:
    raise ModuleNotFoundError("gateware needs Amaranth: pip install 'kanloom[gateware]'", name="amaranth")
