"""A board's registers by name."""

from collections.abc import Mapping, Sequence

from sw.device.transport import HostLink
from sw.spec.protocol import Space
from sw.spec.registers import RegisterTable


class RegisterClient:
    """Reads and writes registers, each time in one request.

    Parameters
    ----------
    link : HostLink
        The board is at its other end.
    table : RegisterTable
        The board's registers.

    Raises
    ------
    KeyError
        By every method, for a name that is not in the table.
    ValueError
        By every method, for registers that cannot be read or written, or that do not follow each other in the table.
    """

    def __init__(self, link: HostLink, table: RegisterTable) -> None:
        self._link = link
        self._table = table

    def read(self, *names: str) -> dict[str, int]:
        """Return the unsigned values of registers that follow each other in the table; the first is read first."""
        words = map(int, self._link.read(Space.REGISTERS, *self._span(names, "r")))
        bits = self._word_bits
        return {name: sum(next(words) << bits * place for place in range(self._table[name].words)) for name in names}

    def write(self, values: Mapping[str, int]) -> None:
        """Set registers that follow each other in the table to unsigned values; the first is written first."""
        address, _ = self._span(list(values), "w")
        bits = self._word_bits
        words = []
        for name, value in values.items():
            register = self._table[name]
            if not 0 <= value < 1 << register.bits:
                raise ValueError(f"register {name!r} has {register.bits} bits; {value} does not fit")
            words += [value >> bits * place & (1 << bits) - 1 for place in range(register.words)]
        self._link.write(Space.REGISTERS, address, words)

    def _span(self, names: Sequence[str], access: str) -> tuple[int, int]:
        """Return the address of registers that follow each other, and the number of their words."""
        begin = end = self._table.address(names[0])
        for name in names:
            if self._table[name].access != access:
                raise ValueError(f"register {name!r} cannot be {'read' if access == 'r' else 'written'}")
            if self._table.address(name) != end:
                raise ValueError(f"register {name!r} does not follow the one before it in {', '.join(names)}")
            end += self._table[name].words
        return begin, end - begin

    @property
    def _word_bits(self) -> int:
        return 8 * self._link.word_bytes
