"""ULX3S with an ECP5 LFE5U-85F: 25 MHz oscillator, FT231X serial port (3 Mbaud at most, then 2, then 3/n)."""

from amaranth_boards.ulx3s import ULX3S_85F_Platform

from hw.fpga.board import Board
from hw.fpga.ecp5 import ECP5, Ecp5Pll
from hw.fpga.resources import Resources

BOARD = Board(
    name="ulx3s",
    technology=ECP5,
    platform=ULX3S_85F_Platform,
    pll=Ecp5Pll,
    clock_hz=90_000_000,
    low_latency_hz=45_000_000,
    baud=3_000_000,
    # FPGA-DS-02012, table of devices: LFE5U-85; logic as nextpnr counts it
    budget=Resources(logic=83640, block_ram=208, multipliers=156),
    flash="openFPGALoader -b ulx3s {bitstream}",
)
