"""`kanloom data`: a named data set in a file."""

import argparse
from pathlib import Path

from sw.commands.options import check_suffix
from sw.commands.progress import TerminalReporter
from sw.datasets import NAMES, generate, write
from sw.datasets.files import FORMATS
from sw.outputs import TABLE, Output, add_force, check
from sw.spec.bounds import RECORDS, SEED
from sw.spec.options import whole

EXAMPLES = ("triangle", "det4 --records 20000 --output det4.parquet")


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    """
    parser.description = f"{parser.description} The targets are the last columns."
    parser.add_argument("name", choices=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--records", type=whole(*RECORDS), default=10_240, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--seed", type=whole(*SEED), default=0, metavar="N", help="of the records (default: %(default)s)"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help=f"{', '.join(FORMATS)} (default: NAME.csv)")
    add_force(parser)


def run(options: argparse.Namespace, reporter: TerminalReporter) -> int:
    """Write the data set.

    Parameters
    ----------
    options : argparse.Namespace
        The verb's.
    reporter : TerminalReporter
        For progress.

    Returns
    -------
    int
        The exit status.
    """
    output = options.output or Path(f"{options.name}.csv")
    check_suffix(output, tuple(FORMATS))
    check(Output(output, TABLE), force=options.force)
    with reporter.step(f"writing {options.records:,} records"):
        dataset = generate(options.name, options.records, seed=options.seed)
        write(dataset, output)
    reporter.note(f"{output}: {len(dataset)} records; targets {', '.join(dataset.target_names)}")
    return 0
