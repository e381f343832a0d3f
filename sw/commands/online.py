"""`kanloom online`: learn from a stream of records, each of which is predicted before it is learnt."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sw.commands.board import add_port, open_lasting
from sw.commands.following import LATELY, Following, start_of
from sw.commands.incoming import SOCKET, batches, opened
from sw.commands.interrupts import INTERRUPTED, stopping
from sw.commands.keeping import keep
from sw.commands.load import check_network
from sw.commands.options import add_json, refuse_own
from sw.commands.progress import TerminalReporter
from sw.outputs import FIGURES, TABLE, Output, add_force, check, same_file, whole, write_json
from sw.presets.selection import add_network, refuse_network
from sw.spec.bounds import SEED
from sw.spec.options import whole as whole_number

DETECTORS = ("page-hinkley", "adwin")  # as in `sw.online.forgetting`, whose import is slow; a test compares

EXAMPLES = (
    "readings.csv --target pressure",
    "- --drift page-hinkley --output predictions.csv",
    "tcp://localhost:5000 --resume online.npz",
    "readings.csv --port /dev/ttyUSB1",
)


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    """
    parser.description = (
        f"{parser.description} Records are lines of numbers, under a header that names them. A line with an empty "
        "target is only predicted. Ranges need not be known: they are learnt, and widen when the stream leaves them. "
        "At the end of the stream, and after Ctrl-C, the model is saved. With --port, a board does it, with "
        "the network that it has."
    )
    parser.add_argument("stream", help=f"a file, - for standard input, or {SOCKET}HOST:PORT to connect to")
    group = parser.add_argument_group("columns")
    group.add_argument("--target", metavar="COLUMN", help="to predict (default: the last, or the model's)")
    group.add_argument("--ignore", nargs="+", default=(), metavar="COLUMN", help="not to use")
    add_network(parser.add_argument_group("network"), "by the number of columns, or the board's")
    group = parser.add_argument_group("learning")
    group.add_argument(
        "--drift",
        choices=DETECTORS,
        help="watch the error by a detector of River; an alarm is told, and what has changed is learnt faster "
        "(default: steady rates)",
    )
    group.add_argument(
        "--seed", type=whole_number(*SEED), default=0, metavar="N", help="of first nodes (default: %(default)s)"
    )
    add_port(parser, required=False, lasting=True)
    group = parser.add_argument_group("files")
    group.add_argument("--resume", type=Path, metavar="MODEL", help="model to go on from (default: begin anew)")
    group.add_argument(
        "--save",
        type=Path,
        metavar="FILE",
        help="where the model goes (default: that of --resume, else online.npz); if another model is there, a number "
        "is added to the name",
    )
    group.add_argument("--output", type=Path, metavar="FILE", help="write a table of predictions, .csv")
    add_json(parser)
    add_force(parser)


def run(options: argparse.Namespace, reporter: TerminalReporter) -> int:
    """Follow the stream, and save the model.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's.
    reporter : TerminalReporter
        For progress and the conclusion.

    Returns
    -------
    int
        The exit status.
    """
    save = options.save or options.resume or Path("online.npz")
    check_files(options, save)
    start = start_of(options.resume, options.port) if options.resume else None
    if not options.port:
        return follow(Following(options, reporter, start), options, reporter, save)
    with open_lasting(options, reporter) as board:
        if start:
            check_network(board, start, options.resume, options.port)
        return follow(Following(options, reporter, start, board), options, reporter, save)


def follow(follower: Following, options: argparse.Namespace, reporter: TerminalReporter, save: Path) -> int:
    """Follow the stream to its end, and save the model.

    Parameters
    ----------
    follower : Following
        It has taken no lines.
    options : argparse.Namespace
        The verb's.
    reporter : TerminalReporter
        For progress and the conclusion.
    save : Path
        Where the model goes.

    Returns
    -------
    int
        The exit status.
    """
    force = options.force or (options.resume is not None and same_file(options.resume, save))
    try:
        with stopping("these records") as stop, opened(options.stream) as descriptor, table(options.output) as write:
            with reporter.step("waiting for records") as step:
                for lines in batches(descriptor, stop.is_set):
                    write(follower.take(lines, step))
        figures = follower.figures() | {"stopped": stop.is_set(), "model": None}
        model = follower.model if follower.learnt else None
    except BaseException:
        if rescued := follower.rescued:
            saved, remark = keep(rescued[0], save, None, force=force)
            print(f"the model after {rescued[1]:,} records is in {saved}. {remark}".rstrip(), file=sys.stderr)
        raise
    try:
        if model:
            saved, remark = keep(model, save, None, force=force)
            figures["model"] = str(saved)
            reporter.show(conclusion(figures), " ".join(filter(None, (remark, f"The model is in {saved}."))))
        else:
            reporter.show("No record was learnt, and no model is saved.")
    finally:
        write_json(options.json, figures)
    return INTERRUPTED if stop.is_set() else 0


def check_files(options: argparse.Namespace, save: Path) -> None:
    """Refuse files that must not be written, or cannot be, and options that exclude each other.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's.
    save : Path
        Where the model goes.
    """
    from sw.model import MODEL_FILE

    if options.baud and not options.port:
        raise argparse.ArgumentTypeError("--baud N is the speed of a board's line; name the board by --port")
    if options.resume and (options.target or options.ignore):
        raise argparse.ArgumentTypeError("--resume MODEL brings its own columns; leave out --target and --ignore")
    for owner, given in (("--resume MODEL", options.resume), ("--port PORT", options.port)):
        if given:
            refuse_network(options, owner)
    file = None if options.stream == "-" or options.stream.startswith(SOCKET) else Path(options.stream)
    if file:
        refuse_own(file)
    goes_back = options.resume is not None and same_file(options.resume, save)
    check(
        Output(save, MODEL_FILE),
        Output(options.output, TABLE, "--output"),
        Output(options.json, FIGURES, "--json"),
        inputs=[file, None if goes_back else options.resume],
        force=options.force,
    )


@contextmanager
def table(path: Path | None) -> Iterator[Any]:
    """Open a table of predictions; gives what writes rows to it.

    Parameters
    ----------
    path : Path or None
        The file; None for no table.
    """
    if path is None:
        yield lambda rows: None
        return
    with whole(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")

        def write(rows: list[list[Any]]) -> None:
            writer.writerows(rows)
            text.flush()  # a pipe's reader waits for them

        yield write
        text.detach()


def conclusion(figures: dict[str, Any]) -> str:
    """Say how good the predictions were.

    Parameters
    ----------
    figures : dict
        Of `Following.figures`.
    """
    skipped = f", {figures['skipped']:,} lines left out" if figures["skipped"] else ""
    alarms = f" Drift alarms: {len(figures['alarms'])}." if figures["drift"] else ""
    board = (
        f" The board trained for {figures['cycles']:,} clocks, {figures['board_ms']:.1f} ms at its clock."
        if "board" in figures
        else ""
    )
    return (
        f"{figures['records']:,} records, {figures['learnt']:,} of them learnt{skipped}. Each predicted before it was "
        f"learnt: mean |error| {figures['mean_absolute_error']:.5g} in all, "
        f"{figures['mean_absolute_error_lately']:.5g} of the last {min(LATELY, figures['learnt']):,}; R2 "
        f"{figures['r2']:.5f}.{alarms} {figures['us_a_record']:.2f} us a record.{board}"
    )
