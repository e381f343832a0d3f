"""The target of the bus in the tests of the link."""

from collections.abc import Callable, Container

from sw.spec.protocol import Space


class BusMemory:
    """A word at each address of each space, 0 at first, and a log of the writes.

    Attributes
    ----------
    words : dict
        Word by (space, address), of those that were written.
    written : list of (space, address, word)
        Every write that was obeyed, in order: a write that is obeyed twice is there twice.
    busy : container of Space
        Spaces whose transfers are refused.
    missing : Callable[[int, int], bool]
        Whether there is no word at (space, address).
    """

    def __init__(
        self, *, busy: Container[int] = (), missing: Callable[[int, int], bool] = lambda space, address: False
    ) -> None:
        self.words: dict[tuple[int, int], int] = {}
        self.written: list[tuple[int, int, int]] = []
        self.busy = busy
        self.missing = missing

    def transfer(self, *, write: bool, space: int, address: int, word: int) -> tuple[int, bool, bool]:
        """Make one transfer of the bus; return the word read, and whether it is refused and a fault."""
        refused, fault = space in self.busy, self.missing(space, address)
        if write and not refused and not fault:
            self.words[space, address] = word
            self.written.append((space, address, word))
        return self.words.get((space, address), 0), refused, fault

    @property
    def records(self) -> list[tuple[int, int]]:
        """Address and word of every write to the space RECORDS, in order."""
        return [(address, word) for space, address, word in self.written if space == Space.RECORDS]
