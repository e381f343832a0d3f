"""What nextpnr's router2 says while it routes, and whether it gets anywhere: it goes on for ever where it does not."""

import re
from dataclasses import dataclass
from typing import Self

ROUND = re.compile(r"iter=\d+ wires=(\d+) overused=(\d+)")
MANY = 1e-3  # of the wires
PATIENCE, PATIENCE_WITH_MANY = 40, 8  # rounds


@dataclass(frozen=True)
class Routing:
    """Wires in use after the last round, and after each round, those of them that more than one signal wants."""

    wires: int
    conflicts: tuple[int, ...]

    @classmethod
    def of(cls, log: str) -> Self | None:
        """From nextpnr's log so far; None before the first round, or with another router."""
        rounds = [(int(wires), int(conflicts)) for wires, conflicts in ROUND.findall(log)]
        return cls(rounds[-1][0], tuple(conflicts for _, conflicts in rounds)) if rounds else None

    def __str__(self) -> str:
        return f"{self.conflicts[-1]} of {self.wires} wires in conflict after {len(self.conflicts)} rounds"

    @property
    def stuck(self) -> bool:
        """Whether the conflicts have not become fewer for long. Of those that came to an end, none took more than 32
        rounds for that, and less than 8 while one wire of a thousand was in conflict."""
        least = min(self.conflicts)
        vain = len(self.conflicts) - 1 - self.conflicts.index(least)
        return vain >= (PATIENCE_WITH_MANY if least > MANY * self.wires else PATIENCE)
