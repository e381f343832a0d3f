"""From a command line to an exit status: parsing, running a verb, and saying in one line what is wrong.

Exit status 0 is success, 1 an error, 2 a command line that is wrong, 130 a command that was stopped.
"""

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from textwrap import fill
from typing import Any, NoReturn

from sw.commands import interrupts
from sw.commands.verbs import VERBS, Verb, extra_of
from sw.spec.printable import printable

DESCRIPTION = "Kolmogorov-Arnold networks: trained on this computer, on a virtual board, and on a small FPGA."
EXAMPLES = ("train det4", "info det4.npz", "plan --board ulx3s --network det4", "simulate", "devices")
WIDTH = 80  # columns of a description
SHELLS = ("bash", "zsh", "tcsh")

OURS = ("boards", "hw", "kanloom", "scripts", "sim", "sw")
"""Packages whose exceptions have messages for the user."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and whose help keeps the lines of its epilog."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        options |= {"formatter_class": argparse.RawDescriptionHelpFormatter, "allow_abbrev": False}
        super().__init__(*arguments, **options)

    def error(self, message: str) -> NoReturn:
        """Exit with status 2.

        Parameters
        ----------
        message : str
            What is wrong.
        """
        self.exit(2, f"error: {one_line(message)}; {self.prog} --help shows the usage\n")


class VerbsParser(Parser):
    """The parser of all verbs, which shows them by group."""

    def format_help(self) -> str:
        """Return the help text."""
        verbs = next(action for action in self._actions if isinstance(action, argparse._SubParsersAction))
        shown = {action.dest: action for action in verbs._get_subactions()}
        formatter = self._get_formatter()
        formatter.add_usage(self.usage, self._actions, self._mutually_exclusive_groups)
        formatter.add_text(self.description)
        for group in dict.fromkeys(verb.group for verb in VERBS):
            formatter.start_section(group)
            formatter.add_arguments([shown[verb.name] for verb in VERBS if verb.group == group])
            formatter.end_section()
        formatter.start_section("options")
        formatter.add_arguments([action for action in self._actions if action is not verbs])
        formatter.end_section()
        formatter.add_text(self.epilog)
        return formatter.format_help()


class _Version(argparse.Action):
    """Print the version of the package."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        try:
            found = version("kanloom")
        except PackageNotFoundError:
            found = "(not installed)"
        print(f"kanloom {found}")
        parser.exit()


class _Completion(argparse.Action):
    """Print what makes a shell complete verbs, options and files."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: object, shell: Any, *_: Any) -> NoReturn:
        import shtab

        complete = verbs_parser("kanloom", VERBS)
        verbs = next(action for action in complete._actions if isinstance(action, argparse._SubParsersAction))
        for verb in verbs.choices.values():
            for action in verb._actions:
                if action.type is Path:
                    action.complete = shtab.FILE
        print(shtab.complete(complete, shell))
        parser.exit()


def verbs_parser(program: str, declared: Sequence[Verb]) -> VerbsParser:
    """Make the parser of all verbs.

    Parameters
    ----------
    program : str
        The words that start the command line.
    declared : sequence of Verb
        The verbs whose options are declared, which imports their modules.

    Returns
    -------
    VerbsParser
        It sets `verb`, the name of the verb.
    """
    examples = "\n".join(f"  {program} {example}" for example in EXAMPLES)
    parser = VerbsParser(prog=program, description=DESCRIPTION, epilog=f"examples:\n{examples}")
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    parser.add_argument(
        "--print-completion",
        action=_Completion,
        choices=SHELLS,
        metavar="SHELL",
        help=f"print what completes verbs and options in a shell: {', '.join(SHELLS)}",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Parser)
    for verb in VERBS:
        command = verbs.add_parser(verb.name, help=summary(verb))
        if verb in declared:
            declare(command, verb)
    return parser


def declare(parser: argparse.ArgumentParser, verb: Verb) -> None:
    """Add a verb's description, options and examples.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    verb : Verb
        It is imported.
    """
    module = import_module(verb.module)
    parser.description = f"{verb.summary[0].upper()}{verb.summary[1:]}."
    module.declare(parser)
    parser.description = fill(parser.description, WIDTH)
    if parser._subparsers is None:  # whose own parsers have these options
        output = parser.add_argument_group("messages").add_mutually_exclusive_group()
        output.add_argument(
            "-q", "--quiet", action="store_true", help="only results and errors: no progress and no notes"
        )
        output.add_argument(
            "-v", "--verbose", action="store_true", help="each step and its time, and where an error arose"
        )
    examples = "\n".join(f"  %(prog)s {example}".rstrip() for example in getattr(module, "EXAMPLES", ()))
    parser.epilog = f"examples:\n{examples}" if examples else None


def run(arguments: Sequence[str], *, program: str = "kanloom", verb: Verb | None = None) -> int:
    """Run a command line.

    Parameters
    ----------
    arguments : sequence of str
        A verb and its arguments; the verb's arguments alone if `verb` is given.
    program : str
        The words before them.
    verb : Verb, optional
        The verb, where the program stands for it.

    Returns
    -------
    int
        The exit status. A wrong command line raises SystemExit, as argparse does.
    """
    verbose, starts = False, program
    try:
        if verb:
            parser: Parser = Parser(prog=program)
            declare(parser, verb)
            starts = "python -m sw"
        else:
            named = [each for each in VERBS if list(arguments[:1]) == [each.name]]
            verb = named[0] if named else None
            parser = verbs_parser(program, named)
        options = parser.parse_args(arguments)
        assert verb  # or the parser has refused the command line
        verbose = options.verbose
        from sw.commands.progress import TerminalReporter

        with interrupts.working():
            reporter = TerminalReporter(starts, quiet=options.quiet, verbose=verbose)
            return import_module(verb.module).run(options, reporter)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains when it leaves
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return interrupts.INTERRUPTED
    except argparse.ArgumentTypeError as error:
        print(f"error: {one_line(str(error))}", file=sys.stderr)
        return 2
    except Exception as error:
        if interrupts.received():
            return interrupts.INTERRUPTED
        if verbose:
            print(printable(traceback.format_exc(), lines=True), end="", file=sys.stderr)
        print(f"error: {message(error, verb)}", file=sys.stderr)
        return 1


def needs(extra: str | None) -> str:
    """Return the command that installs an extra.

    Parameters
    ----------
    extra : str or None
        Its name, None for the package alone.
    """
    return f'pip install "kanloom[{extra}]"' if extra else "pip install kanloom"


def summary(verb: Verb) -> str:
    """Return what a verb does, and what installs it if it is not.

    Parameters
    ----------
    verb : Verb
        Any.
    """
    return verb.summary if verb.installed else f"{verb.summary} ({needs(verb.extra)})"


def one_line(text: str) -> str:
    """Join the lines of a text, and make it safe for a terminal.

    Parameters
    ----------
    text : str
        A message, which may quote a file.
    """
    return printable(" ".join(text.split()))


def message(error: Exception, verb: Verb | None = None) -> str:
    """Say what is wrong in one line.

    Parameters
    ----------
    error : Exception
        What was raised.
    verb : Verb, optional
        The verb that raised it.

    Returns
    -------
    str
        A text for the user.
    """
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.partition(".")[0] not in OURS:
        needed = needs(extra_of(error.name) or (verb.extra if verb else None))
        return f"{verb.name if verb else 'this command'} needs {error.name}, which is not installed: {needed}"
    if isinstance(error, OSError) and error.filename and error.strerror:
        return one_line(f"{error.filename}: {error.strerror}")
    text = one_line(str(error))
    if isinstance(error, MemoryError):
        return f"there is not enough memory{f': {text}' if text else ''}"
    if isinstance(error, ValueError | OSError) or type(error).__module__.partition(".")[0] in OURS:
        return text
    return f"{type(error).__name__}: {text}; this is a fault of kanloom, --verbose shows where it arose"
