"""Nexys A7-100T (also sold as Nexys 4 DDR): Artix-7, 100 MHz oscillator, FT2232H serial port.

The port runs at any divisor of 12 Mbaud, in eighths.
"""

from amaranth_boards.nexys4ddr import Nexys4DDRPlatform

from hw.fpga.artix7 import ARTIX7, Artix7Pll
from hw.fpga.board import Board
from hw.fpga.resources import Resources

BOARD = Board(
    name="nexys-a7",
    technology=ARTIX7,
    platform=Nexys4DDRPlatform,
    pll=Artix7Pll,
    clock_hz=90_000_000,
    baud=3_000_000,
    # DS180, table of Artix-7 devices: XC7A100T
    budget=Resources(logic=63400, block_ram=270, multipliers=240),
    flash="openFPGALoader -b nexys_a7_100 {bitstream}",
)
