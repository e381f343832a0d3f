"""`kanloom export`: a model or a trainer as source text for other tools; each form of it has options of its own."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

from sw.commands import command_line
from sw.commands.progress import TerminalReporter
from sw.commands.verbs import BOARDS, DATA, Verb

FORMS = (
    Verb("c", "write a trained model as a C header, for microcontrollers", DATA, "sw.commands.export_c"),
    Verb("verilog", "write a trainer, or a trained model, as Verilog", BOARDS, "sim.export.command", "gateware"),
)
"""The forms; they are declared like verbs."""

EXAMPLES = ("c table.npz", "verilog --network 2-8-1 --segments 4,32", "verilog table.npz --inference")


class _FormParser(command_line.Parser):
    """The parser of a form, whose module is imported when it parses: no form needs the extra of another."""

    form: Verb | None = None

    def parse_known_args(self, *arguments: Any, **options: Any) -> Any:
        form, self.form = self.form, None
        if form:
            command_line.declare(self, form)
        return super().parse_known_args(*arguments, **options)


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the forms.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    """
    forms = parser.add_subparsers(dest="form", required=True, metavar="FORM", parser_class=_FormParser)
    for form in FORMS:
        forms.add_parser(form.name, help=command_line.summary(form)).form = form


def run(options: argparse.Namespace, reporter: TerminalReporter) -> int:
    """Export in the form that is asked for.

    Parameters
    ----------
    options : argparse.Namespace
        The form's.
    reporter : TerminalReporter
        For progress.

    Returns
    -------
    int
        The exit status.
    """
    form = next(each for each in FORMS if each.name == options.form)
    status: int = import_module(form.module).run(options, reporter)
    return status
