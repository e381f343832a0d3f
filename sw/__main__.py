"""Kolmogorov-Arnold networks on this machine: `python -m sw COMMAND`."""

import argparse
import os
import sys
from importlib import import_module

from sw.commands.options import INTERRUPTED
from sw.model import ModelFileError

COMMANDS = {
    "train": "train a network on a data set or a file",
    "predict": "predict the rows of a file",
    "info": "say what a model file holds",
    "plot": "draw a network, how it was trained, or what it predicts",
    "bench": "measure how fast this machine trains",
}


def main(arguments: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="python -m sw", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{summary.capitalize()}.")
        if arguments[:1] == [name]:
            # Only the command that was asked for: Numba and Matplotlib take longer to import than `info` to run.
            module = import_module(f"sw.commands.{name}")
            module.declare(command)
            command.set_defaults(run=module.run)
    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains when it leaves
        return 1
    except (ModelFileError, ValueError, OSError) as error:
        print(f"error: {_message(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return INTERRUPTED


def _message(error: Exception) -> str:
    """One line."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split())


if __name__ == "__main__":
    sys.exit(main())
