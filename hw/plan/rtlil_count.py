"""What a design is made of before synthesis: bits of its operators by kind, from which its logic is estimated."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from amaranth.back import rtlil
from amaranth.lib import wiring

from hw.datapath.fanout import FANOUT

Parameters = dict[str, int]
Bits = Callable[[Parameters], int]

KINDS: dict[str, dict[str, Bits]] = {
    "choices": {
        "$mux": lambda of: of["WIDTH"],
        "$shift": lambda of: of["A_WIDTH"],
        "$or": lambda of: of["Y_WIDTH"] if of["Y_WIDTH"] > 1 else 0,
    },
    "registers": {"$dff": lambda of: of["WIDTH"]},
}
"""Bits of a cell by its parameters. Choices are made in processes, too, but for resets, which flip-flops have; and by
an "or" of words, of which all but one are zero. Products and memories are counted elsewhere. Sums, shifts and gates are
not counted: behind each there is a register, which is, and by these alone designs are estimated better."""

CELL = re.compile(r"\s*cell (\$\w+) ")
PARAMETER = re.compile(r"\s*parameter \\(\w+) (\d+)$")
CONNECTION = re.compile(r"\s*connect \\(\w+) (.+)$")
NET = re.compile(r"[\\$]\S+")
KEPT = f"attribute \\{FANOUT} 1"
RESET = "switch \\rst [0]"
ASSIGNED = re.compile(r"\s*assign \S+ \[(\d+)(?::(\d+))?\]")


def rtlil_count(component: wiring.Component) -> Counter[str]:
    """Bits of each of `KINDS` in a component with all that is in it. Equal cells with equal operands count once, as
    synthesis merges them, unless they are to lie near their use (`hw.datapath.fanout`)."""
    bits: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
    lines = iter(rtlil.convert(component, emit_src=False).splitlines())
    module = _Module()
    decisions: list[bool] = []  # nested ones, inside a process: whether each is more than a reset
    for line in lines:
        word = line.split(maxsplit=1)[0] if line.strip() else ""
        if word == "module":
            module = _Module()
        elif line.strip() == KEPT:
            module.kept.add(next(lines).split()[-1])
        elif match := CELL.match(line):
            cell = _Cell.read(match[1], lines)
            if module.is_new(cell):
                bits.update(cell.bits)
        elif word == "switch":
            decisions.append(line.strip() != RESET)
        elif word == "end" and decisions:
            decisions.pop()
        elif any(decisions) and (match := ASSIGNED.match(line)):
            high, low = int(match[1]), int(match[2] or match[1])
            bits["choices"] += high - low + 1
    return bits


@dataclass(frozen=True)
class _Cell:
    """A cell of RTLIL: its kind, the widths and constants that it is made with, its operands and its result."""

    kind: str
    parameters: Parameters
    operands: dict[str, str]
    result: str | None

    @classmethod
    def read(cls, kind: str, lines: Iterator[str]) -> "_Cell":
        parameters: Parameters = {}
        operands: dict[str, str] = {}
        for line in lines:
            if line.strip() == "end":
                break
            if match := PARAMETER.match(line):
                parameters[match[1]] = int(match[2])
            elif match := CONNECTION.match(line):
                operands[match[1]] = match[2]
        result = NET.match(operands.pop("Y", operands.pop("Q", "")))
        return cls(kind, parameters, operands, result[0] if result else None)

    @property
    def bits(self) -> dict[str, int]:
        return {name: cells[self.kind](self.parameters) for name, cells in KINDS.items() if self.kind in cells}


@dataclass
class _Module:
    """The cells of a module: each result under the name of the first one that is equal to it."""

    names: dict[str, str] = field(default_factory=dict)
    first: dict[tuple, str] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)  # as they are, however many are equal

    def is_new(self, cell: _Cell) -> bool:
        if cell.result is None or cell.result in self.kept:
            return True
        named = (NET.sub(lambda net: self.names.get(net[0], net[0]), net) for net in cell.operands.values())
        key = (cell.kind, *sorted(cell.parameters.items()), *zip(cell.operands, named, strict=True))
        self.names[cell.result] = self.first.setdefault(key, cell.result)
        return self.names[cell.result] == cell.result
