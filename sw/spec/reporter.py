"""What a command tells its user with, at a terminal or into a pipe; commands of the gateware are given one, too."""

from contextlib import AbstractContextManager
from typing import Any, Protocol


class Step(Protocol):
    """A piece of work that takes a while."""

    def update(self, done: float | None = None, *, what: str | None = None, note: str | None = None) -> None:
        """Say how far the work is.

        Parameters
        ----------
        done : float, optional
            Units that are done, of the step's total.
        what : str, optional
            What is being done now.
        note : str, optional
            Something to show beside it.
        """


class Reporter(Protocol):
    """Results, remarks and progress of a command.

    Attributes
    ----------
    program : str
        The words that start the command line here, such as `kanloom` or `python -m sw`.
    """

    program: str

    def show(self, *results: Any) -> None:
        """Write results to the standard output.

        Parameters
        ----------
        *results : str or rich renderable
            A line or a table each.
        """

    def note(self, text: str) -> None:
        """Write a remark to the standard output, unless the user wants quiet.

        Parameters
        ----------
        text : str
            One line or more.
        """

    def step(self, what: str, total: float | None = None, unit: str = "") -> AbstractContextManager[Step]:
        """Show progress while a `with` block runs.

        Parameters
        ----------
        what : str
            What is being done, such as "planning".
        total : float, optional
            Units in all, if they are known.
        unit : str
            Their name in the plural.

        Returns
        -------
        context manager
            It gives the `Step` to report to.
        """
