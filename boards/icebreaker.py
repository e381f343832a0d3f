"""iCEBreaker: iCE40 UP5K, 12 MHz oscillator, FT2232H serial port (any divisor of 12 Mbaud, in eighths)."""

from amaranth_boards.icebreaker import ICEBreakerPlatform

from hw.fpga.board import Board
from hw.fpga.ice40 import ICE40UP5K, Ice40Pll
from hw.fpga.resources import Resources

BOARD = Board(
    name="icebreaker",
    technology=ICE40UP5K,
    platform=ICEBreakerPlatform,
    pll=Ice40Pll,
    clock_hz=36_000_000,
    baud=3_000_000,
    # FPGA-DS-02008, table 2.1
    budget=Resources(logic=5280, block_ram=30, multipliers=8, single_port_ram=4),
    flash="iceprog {bitstream}",
)
