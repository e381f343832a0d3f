"""iCEBreaker: iCE40 UP5K, 12 MHz oscillator, FT2232H serial port (any divisor of 12 Mbaud, in eighths)."""

from amaranth_boards.icebreaker import ICEBreakerPlatform

from boards import Board
from hw.clocking import Ice40Pll
from hw.technology import ICE40UP5K, Resources

CLOCK_HZ = 36_000_000

BOARD = Board(
    name="icebreaker",
    technology=ICE40UP5K,
    platform=ICEBreakerPlatform,
    pll=Ice40Pll,
    clock_hz=CLOCK_HZ,
    baud=CLOCK_HZ // 12,
    budget=Resources(logic=5280, block_ram=30, multipliers=8, single_port_ram=4),
    flash="iceprog {bitstream}",
)
