"""The RTLIL count of a design: bits of its operators by kind, from which its logic is estimated before synthesis."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from amaranth.back import rtlil
from amaranth.lib import wiring

from hw.datapath.fanout import FANOUT
from hw.flow.memory_contents import quick_memory_contents

Parameters = dict[str, int]
"""The parameters of a cell of RTLIL, by name."""

Bits = Callable[[Parameters], int]
"""From the parameters of a cell to bits."""

KINDS: dict[str, dict[str, Bits]] = {
    "choices": {
        "$mux": lambda of: of["WIDTH"],
        "$shift": lambda of: of["A_WIDTH"],
        "$or": lambda of: of["Y_WIDTH"] if of["Y_WIDTH"] > 1 else 0,
    },
    "registers": {"$dff": lambda of: of["WIDTH"]},
    "sums": dict.fromkeys(("$add", "$sub", "$neg"), lambda of: of["Y_WIDTH"]),
}
"""Functions from the parameters of a cell to the bits that it counts for, by the kind of operator.

Choices are also made by the bitwise or of words of which all but one are zero, and by assignments inside processes,
except for resets, which flip-flops have. Products and memories are counted elsewhere (`hw.plan.memories`). Shifts and
gates are not counted. Sums cost nothing where a register follows each of them: the registers alone estimate such a
design better.
"""

CELL = re.compile(r"\s*cell (\$\w+) ")
PARAMETER = re.compile(r"\s*parameter \\(\w+) (\d+)$")
CONNECTION = re.compile(r"\s*connect \\(\w+) (.+)$")
NET = re.compile(r"[\\$]\S+")
FANOUT_LINE = f"attribute \\{FANOUT} 1"
RESET = "switch \\rst [0]"
ASSIGNED = re.compile(r"\s*assign \S+ \[(\d+)(?::(\d+))?\]")


def rtlil_count(component: wiring.Component) -> Counter[str]:
    """Return the bits of each of `KINDS` in a component and everything inside it.

    Equal cells with equal operands count once, as synthesis merges them, except fan-out registers
    (`hw.datapath.fanout`).

    Parameters
    ----------
    component : wiring.Component
        The design or a part of its hierarchy; it is elaborated.
    """
    bits: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
    with quick_memory_contents():
        lines = iter(rtlil.convert(component, emit_src=False).splitlines())
    module = _Module()
    switches: list[bool] = []  # those that enclose the line, in a process: whether each is more than a reset
    for line in lines:
        word = line.split(maxsplit=1)[0] if line.strip() else ""
        if word == "module":
            module = _Module()
        elif line.strip() == FANOUT_LINE:
            module.fanout_registers.add(next(lines).split()[-1])
        elif match := CELL.match(line):
            cell = _Cell.read(match[1], lines)
            if module.is_new(cell):
                bits.update(cell.bits)
        elif word == "switch":
            switches.append(line.strip() != RESET)
        elif word == "end" and switches:
            switches.pop()
        elif any(switches) and (match := ASSIGNED.match(line)):
            high, low = int(match[1]), int(match[2] or match[1])
            bits["choices"] += high - low + 1
    return bits


@dataclass(frozen=True)
class _Cell:
    """A cell of RTLIL: its kind, its parameters (widths and constants), its operands and its result."""

    kind: str
    parameters: Parameters
    operands: dict[str, str]
    result: str | None

    @classmethod
    def read(cls, kind: str, lines: Iterator[str]) -> "_Cell":
        """Return the cell whose first line was the last one read from `lines`."""
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
        """Bits of the cell by kind of operator."""
        return {name: cells[self.kind](self.parameters) for name, cells in KINDS.items() if self.kind in cells}


@dataclass
class _Module:
    """The cells of a module that have been read.

    Attributes
    ----------
    names : dict
        From the result of each cell to the result of the first cell that is equal to it.
    results : dict
        The result of the first cell of its kind with these parameters and operands.
    fanout_registers : set of str
        Results of registers that synthesis does not merge.
    """

    names: dict[str, str] = field(default_factory=dict)
    results: dict[tuple, str] = field(default_factory=dict)
    fanout_registers: set[str] = field(default_factory=set)

    def is_new(self, cell: _Cell) -> bool:
        """Return whether synthesis keeps the cell beside those that were read before; remember its result."""
        if cell.result is None or cell.result in self.fanout_registers:
            return True
        named = (NET.sub(lambda net: self.names.get(net[0], net[0]), net) for net in cell.operands.values())
        key = (cell.kind, *sorted(cell.parameters.items()), *zip(cell.operands, named, strict=True))
        self.names[cell.result] = self.results.setdefault(key, cell.result)
        return self.names[cell.result] == cell.result
