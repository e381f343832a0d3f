"""The command line: `kanloom VERB`, or `python -m sw VERB`.

Nothing is imported before Ctrl-C is caught.
"""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sw.commands.verbs import Verb


def main(verb: Verb | str | None = None, program: str | None = None) -> int:
    """Run the command line that this process was started with.

    Parameters
    ----------
    verb : Verb or str, optional
        The verb that `program` stands for, or its name; without it, the verb is the first argument.
    program : str, optional
        The words that started this process; without them, `kanloom` or `python -m sw`.

    Returns
    -------
    int
        The exit status.
    """
    from sw.commands import interrupts

    interrupts.catch()
    warnings.formatwarning = lambda message, *_, **__: f"warning: {message}\n"
    # Amaranth says so of a design that an error or Ctrl-C has left unfinished.
    warnings.filterwarnings("ignore", message=".* created but never used")
    from sw.commands import command_line, verbs

    program = program or ("python -m sw" if sys.argv[0].endswith("__main__.py") else "kanloom")
    verb = verbs.find(verb) if isinstance(verb, str) else verb
    return command_line.run(sys.argv[1:], program=program, verb=verb)


if __name__ == "__main__":
    sys.exit(main())
