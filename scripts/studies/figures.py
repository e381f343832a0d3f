"""The files that studies write, by the rule of `sw.outputs`."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from sw.outputs import FIGURES, Output, OutputError, add_force, check


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a file for all figures, and let files be replaced."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    add_force(parser)


def check_known(parser: argparse.ArgumentParser, names: Iterable[str], known: Iterable[str]) -> None:
    """Exit, as for a wrong command line, if a name is not one of those that a study has."""
    for name in names:
        if name not in known:
            parser.error(f"{name!r} is not one of {', '.join(known)}")


def check_outputs(parser: argparse.ArgumentParser, options: argparse.Namespace, *others: Output) -> None:
    """Exit, as for a wrong command line, if files cannot be written or must not be."""
    try:
        check(Output(options.json, FIGURES, "--json"), *others, force=options.force)
    except OutputError as error:
        parser.error(str(error))
