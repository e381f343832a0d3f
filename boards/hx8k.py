"""iCE40-HX8K-B-EVN: iCE40 HX8K, 12 MHz oscillator, FT2232H serial port (any divisor of 12 Mbaud, in eighths)."""

from amaranth_boards.ice40_hx8k_b_evn import ICE40HX8KBEVNPlatform

from hw.fpga.board import Board
from hw.fpga.ice40 import ICE40HX8K, Ice40CorePll
from hw.fpga.resources import Resources

BOARD = Board(
    name="hx8k",
    technology=ICE40HX8K,
    platform=ICE40HX8KBEVNPlatform,
    pll=Ice40CorePll,
    clock_hz=72_000_000,
    baud=3_000_000,
    # FPGA-DS-02029, section 2
    budget=Resources(logic=7680, block_ram=32),
    flash="iceprog {bitstream}",
)
