"""Proofs about gateware, for all inputs at once, by the SAT solver of Yosys: no other solver is needed.

A `Claims` is a module around a component. What it assumes of the inputs and claims of the rest is proven by induction:
the claims hold in the first clocks after a reset, and if they hold in so many clocks in a row, whatever the registers
hold, they hold in the next. An induction that does not close wants claims about the inside of the component, which
are proven along with the others. `bounded` proofs are of all runs of so many clocks after a reset, and no more.
"""

import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from amaranth.back import rtlil
from amaranth.hdl import (
    Assert,
    Assume,
    Cat,
    ClockDomain,
    Const,
    Fragment,
    Module,
    ShapeLike,
    Signal,
    Value,
)
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.flow.tools import run_tool
from hw.link.bus import BusSignature

PREPARATION = (
    "read_rtlil top.il",
    "hierarchy -top top",
    "proc",
    "flatten",
    "memory -nomap",
)


class RefutedError(AssertionError):
    """A claim does not hold; the message has the clocks that show it."""


class UndecidedError(AssertionError):
    """The claims hold as long as was looked, but no induction shows that they hold for ever."""


class Claims:
    """A component, what is assumed of its inputs, and what is claimed of it.

    Parameters
    ----------
    *components : wiring.Component
        What the claims are about. Input ports that nothing drives have any value in each clock.

    Attributes
    ----------
    m : Module
        Where inputs are driven, and where what the claims need is added.
    inside : dict of str to Signal
        What the components drive, by names such as "memory.start": the path of the submodule, and the signal. The
        second of a name has "#1" behind it.
    """

    def __init__(self, *components: wiring.Component):
        self.m = Module()
        self._clock = ClockDomain("sync", reset_less=True)
        self.m.domains += self._clock
        self._ports: dict[str, Value] = {}
        self._texts: list[str] = []
        self.inside: dict[str, Signal] = {}
        for number, component in enumerate(components):
            fragment = Fragment.get(component, None)
            self.m.submodules[f"component{number or ''}"] = fragment
            for name, signal in _driven(fragment):
                alike = [other for other in self.inside.values() if other.name == signal.name]
                if not any(other is signal for other in alike):
                    number_of_name = sum(known.partition("#")[0] == name for known in self.inside)
                    self.inside[f"{name}#{number_of_name}" if number_of_name else name] = signal
            for path, member, value in component.signature.flatten(component):
                if member.flow is In and not isinstance(signal := Value.cast(value), Const):
                    self._ports["__".join(map(str, (*path, number)))] = signal

    def input(self, shape: ShapeLike, name: str) -> Any:
        """Return a signal that has any value in each clock."""
        signal = Signal(shape, name=name)
        self._ports[name] = Value.cast(signal)
        return signal

    def constant(self, shape: ShapeLike, name: str) -> Any:
        """Return a signal that has any value, the same in all clocks: what is claimed of it holds of each value."""
        signal = self.input(shape, name)
        value, before, begun = Value.cast(signal), Signal.like(Value.cast(signal)), Signal()
        self.m.d.sync += [before.eq(value), begun.eq(1)]
        self.assume(~begun | (value == before))
        return signal

    def assume(self, condition: Value) -> None:
        """Look only at runs in which a condition holds in each clock."""
        self.m.d.comb += Assume(condition)

    def claim(self, condition: Any, text: str) -> None:
        """Claim that a condition holds in each clock."""
        claim = Signal(name=f"claim{len(self._texts)}")
        self._texts.append(text)
        self.m.d.comb += [claim.eq(Value.cast(condition).bool()), Assert(claim)]

    def before(self, value: Value) -> Signal:
        """Return a value of the last clock; 0 in the first one."""
        later = Signal.like(value, init=0)
        self.m.d.sync += later.eq(value)
        return later

    def lawful(self, component: wiring.Component) -> None:
        """Assume the contract of each stream and bus that goes into a component, and claim it of each that comes out.

        What is offered is offered until it is taken. A bus is a stream of requests.
        """
        for name, offers, valid, ready, held in streams_of(component):
            waiting, last = self.before(valid & ~ready), self.before(held)
            condition = ~waiting | (valid & (held == last))
            if offers:
                self.claim(condition, f"{name} is offered until it is taken")
            else:
                self.assume(condition)

    def prove(self, *, least: int = 1, most: int = 4, anywhere: bool = False, contents: bool = True) -> None:
        """Prove the claims by induction.

        Parameters
        ----------
        least, most : int
            Clocks of the induction, which begins with the least.
        contents : bool
            Whether memories give what was written; otherwise they give any value, which is proven sooner.
        anywhere : bool
            Whether the runs begin with any value in each register of the components; otherwise they begin as after a
            reset.

        Raises
        ------
        RefutedError
            If a claim does not hold.
        UndecidedError
            If no induction of so many clocks closes.
        """
        log = self._solve(
            f"-tempinduct -initsteps {least} -maxsteps {max(least + 1, most)}", anywhere=anywhere, contents=contents
        )
        if "Induction step proven: SUCCESS!" not in log:
            raise UndecidedError(
                f"no induction of {max(least + 1, most)} clocks closes; the last one failed after\n{self._run(log)}"
            )

    def bounded(self, clocks: int, *, contents: bool = True) -> None:
        """Prove the claims for all runs of so many clocks after a reset; `contents` as for `prove`.

        Raises
        ------
        RefutedError
            If a claim does not hold.
        """
        log = self._solve(f"-tempinduct-baseonly -maxsteps {clocks}", anywhere=False, contents=contents)
        if f"Base case for induction length {clocks} proven." not in log:
            raise UndecidedError(log[-2000:])

    def _solve(self, options: str, *, anywhere: bool, contents: bool) -> str:
        """Run the solver; return its log, unless it found a run that refutes a claim."""
        ports = [self._clock.clk, *self._ports.values()]
        text = rtlil.convert(self.m, name="top", ports=ports, emit_src=False)
        memories = "memory_map" if contents else "delete t:$mem_v2"
        free = ["setattr -unset init w:component*"] if anywhere else []
        possible, solving = "sat -set-assumes -seq 4", f"sat {options} -prove-asserts -set-assumes -show-public"
        script = [*PREPARATION, memories, "async2sync", "chformal -lower", "opt_clean -purge", *free, possible, solving]
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory)
            (path / "top.il").write_text(text)
            (path / "script.ys").write_text("\n".join(script))
            run_tool(["yosys", "-q", "-l", "log", "-s", "script.ys"], path, log="log")
            log = (path / "log").read_text()
        if "SAT solving finished - model found:" not in log:
            raise UndecidedError("no run is as it is assumed to be")
        if "proof finished - model found: FAIL!" in log or "model found for base case: FAIL!" in log:
            raise RefutedError(self._run(log))
        return log

    def _run(self, log: str) -> str:
        """Show the last run in a log: what changes in each clock, and the claims that do not hold in the last."""
        run: dict[str, dict[str, str]] = {}
        for clock, name, value in re.findall(
            r"^ *(init|\d+) \\(\S+) +(\S+) ", log[log.rfind("Time Signal Name") :], re.M
        ):
            run.setdefault(clock, {})[name] = value
        lines, last = [], run.get(max(run, key=lambda clock: clock.isdigit() and int(clock)), {}) if run else {}
        failed = [text for number, text in enumerate(self._texts) if last.get(f"claim{number}") == "0"]
        seen: dict[str, str] = {}
        for clock, values in run.items():
            changed = {name: value for name, value in values.items() if seen.get(name) != value and "$" not in name}
            seen |= changed
            lines.append(f"  clock {clock}: {' '.join(f'{name}={value}' for name, value in changed.items())}")
        return "\n".join([*(f"not so: {text}" for text in failed or ["an assertion of the component"]), *lines])


def streams_of(component: wiring.Component) -> Iterator[tuple[str, bool, Value, Value, Value]]:
    """Yield the streams and buses of a component: name, whether it offers them, valid, ready, and what is offered."""
    for name, member in component.signature.members.items():
        if not member.is_signature or not {"valid", "ready"} <= set(member.signature.members):
            continue
        port = getattr(component, name)
        bus = isinstance(member.signature, BusSignature) or "write_data" in member.signature.members
        held = Cat(port.write, port.space, port.address, port.write_data) if bus else Value.cast(port.payload)
        yield name, member.flow is Out, port.valid, Value.cast(port.ready), held


def counted(m: Module, up: Value, down: Value, most: int, name: str) -> Signal:
    """Return a counter that begins with 0: `up` adds one, `down` takes one away."""
    count = Signal(range(most + 1), name=name)
    m.d.sync += count.eq(count + up - down)
    return count


def _driven(fragment: Any, path: str = "") -> Iterable[tuple[str, Signal]]:
    """Yield the signals that a fragment and those below it drive, by name."""
    for statements in fragment.statements.values():
        for statement in statements:
            for signal in statement._lhs_signals():
                yield path + signal.name, signal
    for inner, name, *_ in fragment.subfragments:
        if type(inner) is Fragment:
            yield from _driven(inner, f"{path}{name}.")
