"""What nextpnr's routers say while they route; router2 may never end by itself, which its conflicts show."""

import re
from dataclasses import dataclass
from typing import Self

ROUND = re.compile(r"iter=\d+ wires=(\d+) overused=(\d+)")  # of router2
ARCS = re.compile(r"^Info:\s+\d+ \|[^|]*\|[^|]*\|\s*(\d+)\|", re.MULTILINE)  # of router1, and how many remain
MANY = 1e-3  # of the wires
PATIENCE, PATIENCE_WITH_MANY = 40, 8  # rounds


def activity(log: str) -> str:
    """Say what place and route is doing, by nextpnr's log so far."""
    if routing := Routing.of(log):
        return f"routing, {routing}"
    if remaining := ARCS.findall(log):
        return f"routing, {int(remaining[-1]):,} arcs remain"
    return "placing"


@dataclass(frozen=True)
class Routing:
    """Progress of the router.

    Attributes
    ----------
    wires : int
        Wires in use after the last round.
    conflicts : tuple of int
        After each round, how many wires more than one signal is routed through.
    """

    wires: int
    conflicts: tuple[int, ...]

    @classmethod
    def of(cls, log: str) -> Self | None:
        """Read nextpnr's log so far; None before the first round, or with another router."""
        rounds = [(int(wires), int(conflicts)) for wires, conflicts in ROUND.findall(log)]
        return cls(rounds[-1][0], tuple(conflicts for _, conflicts in rounds)) if rounds else None

    def __str__(self) -> str:
        return f"{self.conflicts[-1]} of {self.wires} wires in conflict after {len(self.conflicts)} rounds"

    @property
    def stuck(self) -> bool:
        """Whether the conflicts have not become fewer for long.

        Of the designs that were routed, none took more than 32 rounds to get to fewer conflicts, and none took 8 while
        more than one wire of a thousand was in conflict.
        """
        least = min(self.conflicts)
        vain = len(self.conflicts) - 1 - self.conflicts.index(least)
        return vain >= (PATIENCE_WITH_MANY if least > MANY * self.wires else PATIENCE)
