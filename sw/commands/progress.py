"""How a command tells its user what it is doing: bars at a terminal, otherwise a line every ten seconds.

Progress goes to the standard error, so that results can be piped.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from sw.spec.printable import printable

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.progress import Progress, TaskID
    from rich.segment import Segment

LINE_SECONDS = 10.0  # between lines, where there is no terminal

PIPED_WIDTH = 240  # columns, so that tables are not folded where there is no terminal


class TerminalReporter:
    """The `sw.spec.reporter.Reporter` of a command line.

    Parameters
    ----------
    program : str
        The words that start the command line here.
    quiet : bool
        Show results only.
    verbose : bool
        Write a line when a step begins and when it ends, with its time.
    line_seconds : float
        Between lines, where the standard error is no terminal.
    """

    def __init__(
        self, program: str, *, quiet: bool = False, verbose: bool = False, line_seconds: float = LINE_SECONDS
    ) -> None:
        self.program, self.quiet, self.verbose = program, quiet, verbose
        self._line_seconds = line_seconds
        self._steps: list[TerminalStep] = []
        self._bars: Progress | None = None
        self._ended = Event()

    def show(self, *results: Any) -> None:
        """Write results to the standard output.

        Parameters
        ----------
        *results : str or rich renderable
            A line or a table each.
        """
        results = tuple(_safe(result) for result in results)
        if self._bars and sys.stdout.isatty():
            self._bars.console.print(*results, sep="\n", markup=False, highlight=False, soft_wrap=True)
        elif all(isinstance(result, str) for result in results):
            print(*results, sep="\n", flush=True)
        else:
            from rich.console import Console

            width = None if sys.stdout.isatty() else PIPED_WIDTH
            console = Console(highlight=False, markup=False, soft_wrap=True, width=width)
            console.print(*results, sep="\n")

    def note(self, text: str) -> None:
        """Write a remark to the standard output, unless the user wants quiet.

        Parameters
        ----------
        text : str
            One line or more.
        """
        if not self.quiet:
            self.show(text)

    def aside(self, text: str) -> None:
        """Write a remark to the standard error, unless the user wants quiet: where results go to the standard output.

        Parameters
        ----------
        text : str
            One line or more.
        """
        if not self.quiet:
            self._line(text)

    def detail(self, text: str) -> None:
        """Write a line to the standard error, if the user wants details.

        Parameters
        ----------
        text : str
            The line.
        """
        if self.verbose and not self.quiet:
            self._line(text)

    @contextmanager
    def step(self, what: str, total: float | None = None, unit: str = "") -> Iterator[TerminalStep]:
        """Show progress while a `with` block runs; steps may be nested.

        Parameters
        ----------
        what : str
            What is being done, such as "planning".
        total : float, optional
            Units in all, if they are known.
        unit : str
            Their name in the plural.

        Yields
        ------
        TerminalStep
            To be told how far the work is.
        """
        step = TerminalStep(self, what, total, unit)
        if self.quiet:
            yield step
            return
        self._begin(step)
        try:
            yield step
        finally:
            self._end(step)

    def changed(self, step: TerminalStep) -> None:
        """Show a step anew.

        Parameters
        ----------
        step : TerminalStep
            One that was told something.
        """
        if self._bars and step.task is not None:
            self._bars.update(
                step.task, description=step.what, completed=step.done, total=step.total, text=step.describe()
            )

    def _begin(self, step: TerminalStep) -> None:
        self.detail(f"{step.what} ...")
        self._steps.append(step)
        if not sys.stderr.isatty():
            if len(self._steps) == 1:
                self._ended = Event()
                Thread(target=self._write_lines, args=(self._ended,), daemon=True).start()
            return
        if self._bars is None:
            self._bars = _bars()
            self._bars.start()
        step.task = self._bars.add_task(step.what, total=step.total, text="")

    def _end(self, step: TerminalStep) -> None:
        self._steps.remove(step)
        if self._bars and step.task is not None:
            self._bars.remove_task(step.task)
        if not self._steps:
            self._ended.set()
            if self._bars:
                self._bars.stop()
                self._bars = None
        self.detail(f"{step.what}: done in {step.seconds:.1f} s")

    def _write_lines(self, ended: Event) -> None:
        while not ended.wait(self._line_seconds):
            for step in self._steps[-1:]:
                self._line(f"{step.what}: {', '.join(filter(None, (step.describe(), f'{step.seconds:.0f} s')))}")

    def _line(self, text: str) -> None:
        text = printable(text)
        if self._bars:
            self._bars.console.print(text, markup=False, highlight=False)
        else:
            print(text, file=sys.stderr, flush=True)


class TerminalStep:
    """A piece of work that is shown while it lasts.

    Parameters
    ----------
    reporter : TerminalReporter
        It shows the step.
    what : str
        What is being done.
    total : float or None
        Units in all, if they are known.
    unit : str
        Their name in the plural.
    """

    def __init__(self, reporter: TerminalReporter, what: str, total: float | None, unit: str) -> None:
        self.what, self.total, self.unit = printable(what), total, unit
        self.done, self.note = 0.0, ""
        self.task: TaskID | None = None
        self._reporter = reporter
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """The time since the step began."""
        return time.monotonic() - self._began

    def update(
        self,
        done: float | None = None,
        *,
        what: str | None = None,
        note: str | None = None,
        total: float | None = None,
    ) -> None:
        """Say how far the work is.

        Parameters
        ----------
        done : float, optional
            Units that are done, of `total`.
        what : str, optional
            What is being done now.
        note : str, optional
            Something to show beside it.
        total : float, optional
            Units in all.
        """
        self.done = self.done if done is None else done
        self.what = self.what if what is None else printable(what)
        self.note = self.note if note is None else printable(note)
        self.total = self.total if total is None else total
        self._reporter.changed(self)

    def describe(self) -> str:
        """Return how far the work is, in words."""
        parts = []
        if self.total:
            share = f"{self.done / self.total:.0%}"
            parts.append(f"{share} of {self.total:,.0f} {self.unit}" if self.unit else share)
        return ", ".join([*parts, self.note] if self.note else parts)


class _SafeTable:
    """A table, or another renderable of Rich, whose texts are safe for a terminal."""

    def __init__(self, renderable: Any) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        from rich.segment import Segment

        for segment in console.render(self._renderable, options):
            safe = Segment(printable(segment.text, lines=True), segment.style)
            yield segment if segment.control else safe


def _safe(result: Any) -> Any:
    """Make a result safe for a terminal: its names come from files."""
    return printable(result, lines=True) if isinstance(result, str) else _SafeTable(result)


def _bars() -> Progress:
    """Make the bars of a terminal, which vanish in the end."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(16),
        TextColumn("{task.fields[text]}", markup=False),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
    )
