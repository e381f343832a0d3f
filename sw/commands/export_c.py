"""`kanloom export c`: a trained model as a C header."""

from __future__ import annotations

import argparse
from pathlib import Path

from sw.commands.options import check_suffix, load_model
from sw.commands.progress import TerminalReporter
from sw.outputs import Output, add_force, check, head_kind, whole

HEADER = head_kind("a C header that kanloom wrote", rb"\A/\* Written by kanloom export c")
EXAMPLES = ("table.npz", "table.npz --output src/model.h")


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the form's options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The form's parser.
    """
    parser.description = (
        f"{parser.description} It is C99 in one file, and includes <stdint.h> only. The model is in fixed point, with "
        "words of at most 16 bits; the header's identifiers begin with the name of its file."
    )
    parser.add_argument("model", type=Path, help="model file, .npz")
    parser.add_argument("--output", type=Path, metavar="FILE", help="a .h file (default: the model's, ending in .h)")
    add_force(parser)


def run(options: argparse.Namespace, reporter: TerminalReporter) -> int:
    """Write the header.

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
    output = options.output or options.model.with_suffix(".h")
    check_suffix(output, (".h",))
    check(Output(output, HEADER), inputs=[options.model], force=options.force)
    model = load_model(options.model)
    from sw.export.c_header import CHeader

    header = CHeader.of(model, options.model.stem)
    with whole(output) as file:
        file.write(header.text.encode())
    reporter.note(
        f"{output}: {header.table_bytes:,} bytes of tables; include it, and call {header.prefix}_predict with "
        f"{model.network.features} numbers of type {header.units.c_type}"
    )
    return 0
