"""The command lines of studies, and the files that they write, by the rule of `sw.outputs`."""

import argparse
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from sw.outputs import FIGURES, Output, OutputError, add_force, check
from sw.spec.bounds import SEEDS
from sw.spec.options import whole


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


def comparison(
    description: str | None, noun: str, known: Collection[str], arguments: Sequence[str] | None, *, seeds: int = 6
) -> argparse.Namespace:
    """Parse the command line of a study that compares estimators: `names`, `seeds`, and the options of `add_json`.

    Parameters
    ----------
    description : str or None
        The study's docstring.
    noun : str
        What each of the names is.
    known : collection of str
        All names, which are the default.
    arguments : sequence of str or None
        The command line; None for the program's own.
    seeds : int, default=6
        Splits of each, by default.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar=noun.upper(), help=f"of: {'; '.join(known)} (default: all)")
    parser.add_argument("--seeds", type=whole(*SEEDS), default=seeds, help="splits of each (default: %(default)s)")
    add_json(parser)
    options = parser.parse_args(arguments)
    check_outputs(parser, options)
    check_known(parser, options.names, known)
    options.names = options.names or list(known)
    return options
