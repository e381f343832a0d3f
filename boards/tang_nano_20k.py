"""Tang Nano 20K: Gowin GW2AR-18, 27 MHz oscillator, BL616 serial port."""

from typing import ClassVar

from amaranth.build import Attrs, Clock, Connector, Pins, Resource
from amaranth_boards.resources import UARTResource

from hw.fpga.board import Board
from hw.fpga.gowin import GW2A, GowinPll, HimbaechelPlatform
from hw.fpga.resources import Resources


class TangNano20kPlatform(HimbaechelPlatform):
    """The board's pins, of those that are used."""

    part = "GW2AR-LV18QN88C8/I7"
    family = "GW2AR-18C"
    default_clk = "clk27"
    resources: ClassVar[list[Resource]] = [
        Resource("clk27", 0, Pins("4", dir="i"), Clock(27e6), Attrs(IO_TYPE="LVCMOS33")),
        UARTResource(0, rx="70", tx="69", attrs=Attrs(IO_TYPE="LVCMOS33", PULL_MODE="UP")),
    ]
    connectors: ClassVar[list[Connector]] = []


BOARD = Board(
    name="tang-nano-20k",
    technology=GW2A,
    platform=TangNano20kPlatform,
    pll=GowinPll,
    clock_hz=81_000_000,
    baud=3_000_000,
    budget=Resources(logic=20736, block_ram=46, multipliers=48),
    flash="openFPGALoader -b tangnano20k {bitstream}",
)
