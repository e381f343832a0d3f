"""Crashes of host, cable and board in a training: it goes on, or starts again from the last snapshot, to the same bits.

    python scripts/studies/link_crashes.py
    python scripts/studies/link_crashes.py --incidents 200 --json crashes.json

`kanloom stream --checkpoint` trains a virtual board on norm2. At random times the host is killed or suspended, the
cable is pulled, or the board is reset, suspended, or loses its power. A host that was killed is started again. Each
training has to end with the nodes of the oracle; at the first that does not, the study ends with status 1.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np

import boards
from hw.design.design import Design
from hw.flow.tools import emit_verilog
from hw.plan.search import search
from hw.soc.soc import Soc
from scripts.studies.figures import add_json, check_outputs
from sim.virtual_board import VirtualBoard
from sw.__main__ import main as kanloom
from sw.commands.stream import schedule_for
from sw.commands.training_options import scheduled
from sw.datasets import MemorySource, load
from sw.experiment import Experiment
from sw.model import Model
from sw.oracle.contexts import ContextReference
from sw.outputs import write_json
from sw.presets.catalogue import PRESETS
from sw.spec.bounds import EPOCHS, TRIALS
from sw.spec.options import whole

RECORDS, HOLDOUT = 200, 50
STALL_SECONDS = 6.0  # of host or board: longer than the time-out of an access
KEEP_SECONDS = 0.5
INCIDENTS = {
    "host killed": 0.3,
    "host suspended": 0.08,
    "cable pulled": 0.22,
    "board reset": 0.22,
    "board suspended": 0.08,
    "board without power": 0.1,
}
"""What happens, and how often, of 1."""


class Bench:
    """A virtual board whose port has a name that stays, as udev's links do.

    Parameters
    ----------
    design : Design
        The board's design.
    folder : Path
        Where the link to the port is.
    """

    def __init__(self, design: Design, folder: Path) -> None:
        self._verilog, self._clocks = emit_verilog(Soc(design)), design.board.clocks_per_bit
        self.port = folder / "board"
        self._board = self._begun()

    def _begun(self) -> VirtualBoard:
        board = VirtualBoard(self._verilog, clocks_per_bit=self._clocks)
        board.__enter__()
        self._link(board)
        return board

    def _link(self, board: VirtualBoard) -> None:
        new = self.port.with_suffix(".new")
        new.symlink_to(board.port)
        new.replace(self.port)

    def happen(self, incident: str) -> None:
        """Let something happen to the board."""
        if incident == "board reset":
            self._board.reset()
        elif incident == "cable pulled":
            self._board.unplug()
            self._link(self._board)
        elif incident == "board without power":
            self._board.stop()
            self._board = self._begun()
        elif incident == "board suspended":
            assert self._board._process is not None
            os.kill(self._board._process.pid, signal.SIGSTOP)
            time.sleep(STALL_SECONDS)
            os.kill(self._board._process.pid, signal.SIGCONT)

    def stop(self) -> None:
        """End the board."""
        self._board.stop()


def oracles_nodes(design: Design, epochs: int) -> list[np.ndarray]:
    """Train the oracle as the board is trained."""
    split = load("norm2", records=RECORDS, holdout=HOLDOUT)
    preset, _ = schedule_for(MemorySource(split), None, design.network)
    chosen = scheduled(preset, epochs, None)
    experiment = Experiment.begin(chosen, split, seed=0, network=design.network)
    oracle = ContextReference.of(design.configuration, experiment.model.nodes)
    return experiment.run(oracle, chosen.all_phases(pretraining=False)).model.nodes


def host(port: Path, folder: Path, epochs: int) -> None:
    """Run the command line, in a process of its own."""
    with open(folder / "said", "a") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    words = ["stream", "norm2", "--port", port, "--records", RECORDS, "--holdout", HOLDOUT, "--epochs", epochs]
    words += ["--output", folder / "model.npz", "--force", "--checkpoint", folder / "nodes"]
    words += ["--checkpoint-seconds", KEEP_SECONDS]
    sys.argv[1:] = map(str, words)
    os._exit(kanloom())


def training(
    bench: Bench,
    folder: Path,
    epochs: int,
    rng: np.random.Generator,
    left: int,
    seen: Counter[str],
    errors: Counter[str],
) -> tuple[str, int]:
    """Train to the end, with up to `left` incidents; return how it ended, and the number of incidents.

    A host that ends with a named error after an incident, such as one that was just opening the port, is started again.
    """
    context, happened = get_context("fork"), 0

    def started() -> BaseProcess:
        process = context.Process(target=host, args=(bench.port, folder, epochs))
        process.start()
        return process

    process, at_start = started(), 0
    while True:
        process.join(rng.uniform(0.1, 2.5) if happened < left else None)
        if process.exitcode == 0:
            return "ended", happened
        if process.exitcode is not None:
            said = (folder / "said").read_text().splitlines()[-1]
            if process.exitcode != 1 or not said.startswith("error: ") or happened == at_start:
                return f"status {process.exitcode}: {said}", happened
            errors[said.partition(":")[2][:60]] += 1
            process, at_start = started(), happened
            continue
        incident = str(rng.choice(list(INCIDENTS), p=list(INCIDENTS.values())))
        if incident == "host killed":
            process.kill()
            process.join()
            process, at_start = started(), happened
        elif incident == "host suspended":
            assert process.pid is not None
            os.kill(process.pid, signal.SIGSTOP)
            time.sleep(STALL_SECONDS)
            os.kill(process.pid, signal.SIGCONT)
        else:
            bench.happen(incident)
        happened += 1
        seen[incident] += 1


def main(arguments: list[str] | None = None) -> int:
    """Run trainings until enough has happened, and say how they ended."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--incidents", type=whole(*TRIALS), default=5, metavar="N", help="that happen in all")
    parser.add_argument("--epochs", type=whole(*EPOCHS), default=60, metavar="N", help="of each training")
    parser.add_argument("--seed", type=int, default=0, help="of what happens, and when")
    add_json(parser)
    options = parser.parse_args(arguments)
    check_outputs(parser, options)

    design = search(boards.find("icebreaker"), PRESETS["norm2"].network, taps=2).design
    expected = oracles_nodes(design, options.epochs)
    rng, seen = np.random.default_rng(options.seed), Counter[str]()
    ends, errors, wrong = Counter[str](), Counter[str](), list[str]()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(design, Path(name))
        while seen.total() < options.incidents and not wrong:
            folder = Path(name) / str(ends.total())
            folder.mkdir()
            end, _ = training(bench, folder, options.epochs, rng, options.incidents - seen.total(), seen, errors)
            if end == "ended":
                exact = all(map(np.array_equal, Model.load(folder / "model.npz").nodes, expected))
                end = "the oracle's nodes" if exact else "other nodes"
            ends[end] += 1
            wrong += [end] if end != "the oracle's nodes" else []
            print(f"{seen.total()} of {options.incidents} incidents: {end}", file=sys.stderr, flush=True)
        bench.stop()
    happened = ", ".join(f"{count} times {incident}" for incident, count in seen.items())
    print(f"{seen.total()} incidents in {ends.total()} trainings of {options.epochs} epochs: {happened}.")
    print(f"They ended with {', '.join(f'{end}: {count}' for end, count in ends.items())}.")
    if errors:
        print(f"{errors.total()} times the host ended with an error, and was started again: {', '.join(errors)}.")
    figures: dict[str, Any] = {
        "incidents": dict(seen),
        "ends": dict(ends),
        "errors": dict(errors),
        "seconds": time.monotonic() - begun,
    }
    write_json(options.json, figures)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
