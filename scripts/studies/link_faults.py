"""Faults on the link: what becomes of loading, reading, training, predicting and online passes on a bad line.

    python scripts/studies/link_faults.py
    python scripts/studies/link_faults.py --all --json faults.json --plot faults.png

Each trial opens a virtual board, writes and reads nodes, trains on blocks that are streamed, predicts, and makes an
online pass, while its line has faults of one kind at one rate. It ends *exact*, with all results and nodes of the
oracle, or with an error that has a name, within its time-out. Anything else is a failure, and the exit status is 1.

Faults of bytes are made at the port, faults of the line in the simulation (`sim/virtual_board.cpp`). Faults are counted
where they are made, and compared with what the counters of board and host say.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

import boards
from hw.design.design import Design
from hw.flow.tools import emit_verilog
from hw.link.uart import MIN_CLOCKS_PER_BIT
from hw.soc.soc import Soc
from scripts.studies.figures import add_json, check_outputs
from sim.faulty_port import FaultRates, FaultyPort
from sim.virtual_board import LineRates, VirtualBoard
from sw.device.errors import BoardError, LinkError
from sw.device.recovery import LastingClient
from sw.device.serial_port import open_port
from sw.figures.picture import save
from sw.oracle.contexts import ContextReference
from sw.outputs import PICTURE, Output, write_json
from sw.spec.bounds import TRIALS
from sw.spec.network import Network
from sw.spec.nodes import random_nodes
from sw.spec.options import whole
from sw.spec.records import Records
from sw.spec.schedule import Rates

RATES = Rates((2,), (13,))
TIMEOUT = 5.0  # of an access
RECONNECT = 20.0
TRIAL_SECONDS = 20 * (TIMEOUT + RECONNECT)  # the most that a trial may take: as many losses as a client endures

Fault = Callable[[float, int], FaultRates | LineRates | None]

KINDS: dict[str, tuple[tuple[float, ...], Fault]] = {
    "flipped bits": ((1e-4, 1e-3, 3e-3, 1e-2), lambda rate, seed: FaultRates(flip=rate)),
    "dropped bytes": ((1e-4, 1e-3, 3e-3, 1e-2), lambda rate, seed: FaultRates(drop=rate)),
    "repeated bytes": ((1e-4, 1e-3, 3e-3, 1e-2), lambda rate, seed: FaultRates(duplicate=rate)),
    "inserted bytes": ((1e-4, 1e-3, 3e-3, 1e-2), lambda rate, seed: FaultRates(insert=rate)),
    "all of these": (
        (1e-4, 1e-3, 3e-3, 1e-2),
        lambda rate, seed: FaultRates(flip=rate, drop=rate, duplicate=rate, insert=rate),
    ),
    "bursts": ((1e-4, 1e-3), lambda rate, seed: FaultRates(burst=rate)),
    "lost replies": ((0.03, 0.3), lambda rate, seed: FaultRates(lose=rate)),
    "late replies": ((0.03, 0.3), lambda rate, seed: FaultRates(hold=rate)),
    "stop bits": ((1e-3, 1e-2), lambda rate, seed: LineRates(stop=rate, seed=seed)),
    "pauses": ((1e-3, 1e-2), lambda rate, seed: LineRates(pause=rate, seed=seed)),
    "breaks": ((1e-5, 1e-4), lambda rate, seed: LineRates(line_break=rate, seed=seed)),
    "floating line": ((1e-5, 1e-4, 1e-3), lambda rate, seed: LineRates(floating=rate, seed=seed)),
    "short pulses": ((1e-3, 1e-2), lambda rate, seed: LineRates(noise=rate, seed=seed)),
    "slower host": ((0.02, 0.04, 0.05), lambda rate, seed: LineRates(skew=rate, seed=seed)),
    "faster host": ((0.02, 0.04, 0.05), lambda rate, seed: LineRates(skew=-rate, seed=seed)),
    "resets": ((0.3, 1.0), lambda rate, seed: None),
}
"""Rates and faults by name: probabilities of a byte, a read or a bit time; shares of the baud rate; resets a second."""

FEW = {
    "all of these": (1e-3,),
    "floating line": (1e-4,),
    "stop bits": (1e-3,),
    "slower host": (0.05,),
    "resets": (1.0,),
}


@dataclass
class Row:
    """The trials of a kind at a rate.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    rate : float
        The rate.
    ends : Counter
        How many trials ended in which way: "exact", the name of an error, or what failed.
    faults, board, host : Counter
        Faults that were made, and what board and host counted.
    line_share : float
        Record bytes of the training by all bytes that the host sent meanwhile, mean of the exact trials.
    seconds : float
        The longest trial.
    """

    kind: str
    rate: float
    ends: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    board: Counter[str] = field(default_factory=Counter)
    host: Counter[str] = field(default_factory=Counter)
    line_share: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def plain(self) -> dict[str, Any]:
        """Return the row as plain data."""
        return {name: dict(each) if isinstance(each, Counter) else each for name, each in vars(self).items()}

    @property
    def failed(self) -> bool:
        """Whether a trial ended in neither the oracle's bits nor a named error in time."""
        return any(end.startswith("WRONG") for end in self.ends)


def small_design() -> Design:
    """Return a design with a small store, and as many baud as the gateware can take."""
    board = boards.find("icebreaker")
    board = replace(board, baud=board.clock_hz // MIN_CLOCKS_PER_BIT)
    return Design(board=board, network=Network.two_layer(3, 4, (4, 8), outputs=2), taps=3, store_words=256)


def cases(network: Network, count: int, seed: int) -> tuple[list[np.ndarray], Records]:
    """Draw nodes and records."""
    rng = np.random.default_rng(seed)
    arguments = rng.integers(0, 1 << network.formats[0].argument_bits, (count, network.features))
    reach = network.word.maximum // 4
    return random_nodes(network, rng), Records(arguments, rng.integers(-reach, reach, (count, network.outputs)))


@contextmanager
def resets(virtual: VirtualBoard, a_second: float, seed: int, faults: Counter[str]) -> Iterator[None]:
    """Reset a board at random times in a `with` block."""
    rng, ended = np.random.default_rng(seed), Event()

    def run() -> None:
        while not ended.wait(rng.exponential(1 / a_second)):
            virtual.reset()
            faults["resets"] += 1

    thread = Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def trial(verilog: str, design: Design, row: Row, seed: int) -> None:
    """Run a trial, and count how it ended."""
    fault = KINDS[row.kind][1](row.rate, seed)
    begun = time.monotonic()
    ports: list[FaultyPort] = []
    with VirtualBoard(verilog, clocks_per_bit=design.board.clocks_per_bit) as virtual:

        def reopen() -> FaultyPort:
            rates = fault if isinstance(fault, FaultRates) else FaultRates()
            ports.append(FaultyPort(open_port(virtual.port), rates, seed=1000 * seed + len(ports)))
            return ports[-1]

        if isinstance(fault, LineRates):
            virtual.disturb(fault)
        client: LastingClient | None = None
        try:
            client = LastingClient(reopen, timeout=TIMEOUT, reconnect=RECONNECT, keep_seconds=2.0)
            if fault is None:
                with resets(virtual, row.rate, seed, row.faults):
                    row.ends[use(client, ports, row, seed)] += 1
            else:
                row.ends[use(client, ports, row, seed)] += 1
        except (LinkError, BoardError) as error:
            row.ends[type(error).__name__] += 1
        except Exception as error:
            row.ends[f"WRONG {type(error).__name__}: {error}"] += 1
        row.faults.update({name: count for name, count in asdict(virtual.faults).items() if count})
        virtual.disturb(LineRates())
        for port in ports:
            port.enabled = False
            for name, count in (Counter(asdict(port.sent)) + Counter(asdict(port.received))).items():
                row.faults[name] += count
        if client:
            row.host.update(asdict(client.link.statistics) | {"losses": client.losses})
            try:
                row.board.update(client.counters())
            except (LinkError, BoardError) as error:
                row.ends[f"WRONG {type(error).__name__} on a line that is good again"] += 1
            client.link.close()
    row.seconds = max(row.seconds, time.monotonic() - begun)
    if time.monotonic() - begun > TRIAL_SECONDS:
        row.ends["WRONG time"] += 1


def use(client: LastingClient, ports: list[FaultyPort], row: Row, seed: int) -> str:
    """Load, read, train, predict, and predict and train; return "exact" if all is as the oracle has it."""
    configuration = client.configuration
    nodes, records = cases(client.network, 2 * configuration.block + 3, seed)
    oracle = ContextReference.of(configuration, nodes)
    client.nodes = nodes
    if not all(map(np.array_equal, client.nodes, nodes)):
        return "WRONG nodes read back"
    before = sum(port.written for port in ports)
    if client.train(records, RATES) != oracle.train(records, RATES):
        return "WRONG statistics"
    sent = sum(port.written for port in ports) - before
    few = Records(records.arguments[:20], records.targets[:20])
    if not np.array_equal(client.predict(few.arguments), oracle.predict(few.arguments)):
        return "WRONG predictions"
    (results, counts), (expected, right) = (each.predict_and_train(few, RATES) for each in (client, oracle))
    if not np.array_equal(results, expected) or counts != right:
        return "WRONG online pass"
    if not all(map(np.array_equal, client.nodes, oracle.nodes)):
        return "WRONG nodes"
    size = configuration.record_rows * configuration.row_words * configuration.word_bytes
    if sent:
        row.line_share.append(len(records) * size / sent)
    return "exact"


def two_hosts(verilog: str, design: Design) -> str:
    """Let a second host ask for a port that is taken, and a program without manners write to it and read from it."""
    with VirtualBoard(verilog, clocks_per_bit=design.board.clocks_per_bit) as virtual:
        client = LastingClient(lambda: open_port(virtual.port), timeout=TIMEOUT, reconnect=RECONNECT)
        try:
            open_port(virtual.port)
            return "WRONG a port was opened twice"
        except LinkError:
            pass
        stranger = os.open(virtual.port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        ended = Event()

        def meddle() -> None:
            rng = np.random.default_rng(0)
            while not ended.wait(0.05):
                os.write(stranger, rng.bytes(20))
                try:
                    os.read(stranger, 50)
                except BlockingIOError:
                    pass

        thread = Thread(target=meddle)
        thread.start()
        row = Row("two hosts", 0.0)
        try:
            return use(client, [], row, 0)
        except (LinkError, BoardError) as error:
            return type(error).__name__
        finally:
            ended.set()
            thread.join()
            os.close(stranger)
            client.link.close()


def table_of(rows: list[Row]) -> Table:
    """Make the table of all rows."""
    table = Table(title="Trials on a bad line", title_justify="left")
    for column in ("faults", "rate", "made", "ends", "counted by the board", "resent", "losses", "records of the line"):
        table.add_column(column, justify="left" if column in ("faults", "ends", "counted by the board") else "right")
    for row in rows:
        share = f"{np.mean(row.line_share):.0%}" if row.line_share else ""
        ends = ", ".join(f"{count} {end}" for end, count in row.ends.items())
        counted = ", ".join(f"{count:,} {name}" for name, count in row.board.items() if count)
        made = f"{sum(row.faults.values()):,}"
        table.add_row(
            row.kind, f"{row.rate:g}", made, ends, counted, f"{row.host['resent']:,}", f"{row.host['losses']:,}", share
        )
    return table


def plot(rows: list[Row]) -> Figure:
    """Draw what share of the line's bytes are records, over the rate of faults of bytes."""
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    for kind in dict.fromkeys(row.kind for row in rows):
        points = [(row.rate, float(np.mean(row.line_share))) for row in rows if row.kind == kind and row.line_share]
        if len(points) > 2:
            axes.plot(*zip(*points, strict=True), marker="o", label=kind)
    axes.set(
        xscale="log", ylim=(0, 1), xlabel="faults of each kind a byte", ylabel="records, of all bytes that were sent"
    )
    if axes.lines:
        axes.legend()
    axes.grid(alpha=0.3)
    return figure


def main(arguments: list[str] | None = None) -> int:
    """Run the trials, and show them."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--all", action="store_true", help="all kinds and rates, not a few")
    parser.add_argument("--trials", type=whole(*TRIALS), default=1, metavar="N", help="of each kind at each rate")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="draw the share of records over the rate, .png or .svg"
    )
    add_json(parser)
    options = parser.parse_args(arguments)
    check_outputs(parser, options, Output(options.plot, PICTURE, "--plot"))

    design = small_design()
    verilog = emit_verilog(Soc(design))
    chosen = {kind: rates for kind, (rates, _) in KINDS.items()} if options.all else FEW
    rows = []
    for kind, rates in chosen.items():
        for rate in rates:
            rows.append(Row(kind, rate))
            for seed in range(options.trials):
                trial(verilog, design, rows[-1], seed)
            print(f"{kind} {rate:g}: {dict(rows[-1].ends)}, {rows[-1].seconds:.0f} s", file=sys.stderr, flush=True)
    hosts = two_hosts(verilog, design)
    Console(width=180).print(table_of(rows))
    total = sum(sum(row.faults.values()) for row in rows)
    ends = sum((row.ends for row in rows), Counter())
    edges = sum(row.faults["edges"] for row in rows)
    said = ", ".join(f"{count} {end}" for end, count in ends.items())
    print(f"{total:,} faults, {edges:,} of them edges of a line that nothing drives, in {ends.total()} trials: {said}.")
    print(f"Two programs on one port: {hosts}.")
    if options.plot:
        save(plot(rows), options.plot, dpi=150)
    figures: dict[str, Any] = {
        "faults": total,
        "edges": edges,
        "ends": dict(ends),
        "two_hosts": hosts,
        "rows": [row.plain() for row in rows],
    }
    write_json(options.json, figures)
    return int(any(row.failed for row in rows) or hosts.startswith("WRONG"))


if __name__ == "__main__":
    sys.exit(main())
