"""The host's client for a board, real or virtual: a trainer like the oracle, at the other end of a serial line."""

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Self

import numpy as np

from sw.device.errors import BoardError, BoardTakenError, WrongDeviceError
from sw.device.line_hints import hints
from sw.device.passes import Pass, PassOutcome, number_of
from sw.device.register_client import RegisterClient
from sw.device.serial_port import open_port
from sw.device.transport import HostLink
from sw.spec.addresses import node_addresses
from sw.spec.back_windows import check_rates
from sw.spec.bounds import DEFAULT_BAUD
from sw.spec.chance import FIRST_CHANCE, chance_after, check_chance, next_chance
from sw.spec.configuration import Configuration, digest_of
from sw.spec.nodes import check_nodes
from sw.spec.protocol import Mode, Space
from sw.spec.records import Records
from sw.spec.registers import (
    CHANCE,
    COUNTER_BITS,
    LINK_COUNTERS,
    PASS_BITS,
    SET_CHANCE,
    STATISTICS,
    rate_values,
    register_table,
)
from sw.spec.schedule import Phase, Rates
from sw.spec.text_words import content_words, unpack_text
from sw.spec.trainer import Progress, Statistics, Trainer

BLOCKS_ON_BOARD = 2
STALL_SECONDS = 10.0  # time without a single record done, after which a pass is given up

Transfer = Callable[[int, int], None]
"""Called while records are sent, with the number of words on the board so far and the number of words in all."""


class BoardClient(Trainer):
    """A trainer on a board, which tells the host what network it trains; a context manager that closes the link.

    Records are trained on in blocks of `configuration.block`, each in a pass of its own. The board holds two blocks:
    while a pass runs over one of them, the next block is sent. Records of up to two blocks stay on the board between
    passes; larger sets of records are sent anew for each pass, and so are records after `predict_and_train`.

    Parameters
    ----------
    link : HostLink
        The board is at its other end.
    transfer : Transfer, optional
        Initial value of the attribute.

    Attributes
    ----------
    configuration : Configuration
        The board's description of itself.
    cycles : int
        Clocks that all training passes so far took on the board.
    link : HostLink
        The link, with its statistics.
    registers : RegisterClient
        The board's registers.
    transfer : Transfer
        Called with the progress of records on the wire.

    Raises
    ------
    sw.device.errors.LinkError
        By every method, if the board cannot be reached or is not the one that is meant.
    sw.device.errors.BoardError
        By `train`, `predict_and_train`, `pretrain` and `predict`, if a pass does not do what it should.
    """

    def __init__(self, link: HostLink, transfer: Transfer | None = None):
        self.link = link
        self.transfer = transfer or (lambda done, total: None)
        self.cycles = 0
        self._transferred = 0
        self._started = self._ended = secrets.randbits(PASS_BITS)  # counts of training passes, from a random number on
        self._holder: Records | None = None  # whose blocks the store holds, sent in one link session
        self._held: list[int | None] = []
        self._held_since = 0
        self._forget_records()
        self.configuration = self._read_configuration()
        self.network = self.configuration.network
        self.pretraining = self.configuration.pretraining
        self.registers = RegisterClient(link, register_table(self.network))
        self._counted = BoardClient.counters(self)

    @classmethod
    def open(cls, path: str, *, baud: int = DEFAULT_BAUD, transfer: Transfer | None = None) -> Self:
        """Make a client for the board at a serial port or pseudo-terminal.

        Parameters
        ----------
        path : str
            Such as `/dev/ttyUSB1`.
        baud : int
            Bits per second.
        transfer : Transfer, optional
            Called with the progress of records on the wire.
        """
        port = open_port(path, baud)
        try:
            return cls(HostLink(port), transfer)
        except BaseException:
            port.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.link.close()

    @property
    def nodes(self) -> list[np.ndarray]:
        """The nodes on the board, one array of `Layer.shape` a layer; reading and setting them uses the link."""
        return self._read_nodes()

    @nodes.setter
    def nodes(self, nodes: list[np.ndarray]) -> None:
        check_nodes(self.network, nodes)
        self._write_nodes(nodes)

    def _read_nodes(self) -> list[np.ndarray]:
        addresses = node_addresses(self.configuration.addresses)
        order = np.argsort(addresses)
        flat = np.empty(len(addresses), dtype=np.int64)
        for run in _runs(addresses[order]):
            positions = order[run]
            flat[positions] = self._signed(
                self.link.read(Space.PARAMETERS, int(addresses[positions[0]]), len(positions))
            )
        return self.network.layered(flat)

    def _write_nodes(self, nodes: list[np.ndarray]) -> None:
        addresses = node_addresses(self.configuration.addresses)
        flat = np.concatenate([layer.ravel() for layer in nodes])
        order = np.argsort(addresses)
        for run in _runs(addresses[order]):
            self.link.write(Space.PARAMETERS, int(addresses[order[run]][0]), flat[order[run]])

    @property
    def chance(self) -> int:
        """The chance word of the last record that was trained on; reading and setting it uses the link.

        A board without fine bits has none: it is the first one, whatever is set.
        """
        return self._read_chance()

    @chance.setter
    def chance(self, word: int) -> None:
        check_chance(word)
        self._write_chance(word)

    def _read_chance(self) -> int:
        if not self.network.fine:
            return FIRST_CHANCE
        return chance_after(self.registers.read(CHANCE.name)[CHANCE.name], -1)

    def _write_chance(self, word: int) -> None:
        if self.network.fine:
            self.registers.write({SET_CHANCE.name: next_chance(word)})

    def check_rates(self, rates: Rates) -> None:
        """Check that the board was built for these rates; as `Trainer.check_rates`."""
        check_rates(self.network, self.configuration.back_windows, rates)

    def fit(
        self, records: Records, phases: Sequence[Phase], progress: Progress | None = None, *, done: int = 0
    ) -> Statistics:
        """Train by a schedule, as `Trainer.fit`; refuse rates that the board was not built for before any training.

        `done` may end between two blocks; the statistics of that epoch are of the blocks that followed.
        """
        for phase in phases:
            self.check_rates(phase.rates)
        return super().fit(records, phases, progress, done=done)

    def _rest_of_epoch(self, records: Records, phase: Phase, done: int) -> Statistics:
        """Train on the blocks of an epoch behind the first `done` records."""
        block = self.configuration.block
        if done % block:
            raise ValueError(f"{done} records of an epoch are no whole blocks of {block}")
        mode = Mode.PRETRAIN if phase.pretraining else Mode.TRAIN
        return self._run_training(mode, records, phase.rates, done // block)[1]

    def _train(self, records: Records, rates: Rates) -> Statistics:
        return self._run_training(Mode.TRAIN, records, rates)[1]

    def _predict_and_train(self, records: Records, rates: Rates) -> tuple[np.ndarray, Statistics]:
        return self._run_training(Mode.PREDICT_AND_TRAIN, records, rates)

    def _pretrain(self, records: Records, rates: Rates) -> Statistics:
        return self._run_training(Mode.PRETRAIN, records, rates)[1]

    def _run_training(
        self, mode: Mode, records: Records, rates: Rates, first: int = 0
    ) -> tuple[np.ndarray, Statistics]:
        """Run one pass over each block from number `first` on, while the next block is sent.

        Returns the results, if it predicts, and the statistics.
        """
        self._transferred = 0
        self._set_rates(rates)
        passes = self._passes(mode, records, rates)[first:]
        results, statistics = [np.zeros((0, self.network.outputs), np.int64)], Statistics()
        for each, following in zip(passes, [*passes[1:], None], strict=True):
            outcome = self._run_pass(each, following)
            results.append(outcome.results)
            statistics += outcome.statistics
            self.cycles += outcome.cycles
        return np.concatenate(results), statistics

    def _set_rates(self, rates: Rates) -> None:
        self.registers.write(rate_values(rates))

    def _passes(self, mode: Mode, records: Records, rates: Rates) -> list[Pass]:
        """List the passes of an epoch; blocks lie in the two halves of the store in turn."""
        blocks = records.blocks(self.configuration.block)
        half = len(blocks[0]) * self.configuration.record_rows
        return [
            Pass(mode, records, index, block, index % BLOCKS_ON_BOARD, index % BLOCKS_ON_BOARD * half, rates)
            for index, block in enumerate(blocks)
        ]

    def _run_pass(self, each: Pass, following: Pass | None) -> PassOutcome:
        """Run a pass, and send the block of the following one meanwhile."""
        self._load(each)
        self._begin(each)
        if following:
            self._load(following)
        return self._end(each)

    def _load(self, each: Pass) -> None:
        """Send the block of a pass, unless the store holds it."""
        if self._holder is not each.records or self._held_since != self.link.sessions:
            self._forget_records()
        if self._held[each.half] != each.index:
            self._held[each.half] = None
            self._send_records(each.row, np.hstack([each.block.arguments, each.block.targets]), len(each.records))
            self._held[each.half], self._holder = each.index, each.records

    def _forget_records(self) -> None:
        """Take note that the store holds no block that was sent in this link session."""
        self._held_since = self.link.sessions
        self._holder = None
        self._held = [None] * BLOCKS_ON_BOARD

    def _begin(self, each: Pass) -> None:
        """Start a training pass, under a number that no other pass had."""
        self._started += 1
        controls = {"set_pass": number_of(self._started), "results": each.row * self.configuration.row_words}
        self.registers.write(controls | {"first": each.row, "count": len(each.block), "start": each.mode})

    def _end(self, each: Pass) -> PassOutcome:
        """Wait for a training pass; its results take the place of its records in the store."""
        statistics, cycles = self._finish(len(each.block), number_of(self._started))
        results = np.zeros((0, self.network.outputs), np.int64)
        if each.mode == Mode.PREDICT_AND_TRAIN:
            self._held[each.half] = None
            results = self._results(each.row * self.configuration.row_words, len(each.block))
        self._ended = self._started
        return PassOutcome(results, statistics, cycles)

    def _predict(self, arguments: np.ndarray) -> np.ndarray:
        configuration = self.configuration
        most = configuration.store_rows * configuration.row_words // (self._record_size + self.network.outputs)
        blocks = [arguments[start : start + most] for start in range(0, len(arguments), most)]
        results = [np.zeros((0, self.network.outputs), np.int64)]
        self._transferred = 0
        for block in blocks:
            results.append(self._predict_block(block, len(arguments)))
        return np.concatenate(results)

    def _predict_block(self, arguments: np.ndarray, total: int) -> np.ndarray:
        """Predict what fits the store; nodes and the number of the last pass stay as they are."""
        self._forget_records()
        self._send_records(0, arguments, total)
        address = len(arguments) * self._record_size
        self.registers.write({"results": address, "first": 0, "count": len(arguments), "start": Mode.PREDICT})
        self._finish(len(arguments))
        return self._results(address, len(arguments))

    def _results(self, address: int, count: int) -> np.ndarray:
        """Read the results of `count` records, from word `address` of the record store on."""
        words = self.link.read(Space.RECORDS, address, count * self.network.outputs)
        return self._signed(words).reshape(count, self.network.outputs)

    def counters(self) -> dict[str, int]:
        """Return the link's error counters on the board, by name."""
        return self.registers.read(*(register.name for register in LINK_COUNTERS))

    def hints(self) -> list[str]:
        """Say what is wrong with the line, if anything is, by the counters since this client began."""
        counted = self.counters()
        wrap = (1 << COUNTER_BITS) - 1
        return hints(self.link.statistics, {name: counted[name] - self._counted[name] & wrap for name in counted})

    @property
    def _record_size(self) -> int:
        """Words of the record store that a record takes."""
        return self.configuration.record_rows * self.configuration.row_words

    def _send_records(self, row: int, table: np.ndarray, total: int) -> None:
        """Send records to a row of the store: arguments, and targets if there are any.

        `total`: records that are to be sent, with those that were sent before.
        """

        def progress(written: int) -> None:
            self._transferred += written
            self.transfer(min(self._transferred, self._record_size * total), self._record_size * total)

        words = np.zeros((len(table), self._record_size), dtype=np.int64)
        words[:, : table.shape[1]] = table
        self.link.write(Space.RECORDS, row * self.configuration.row_words, words, progress)

    def _finish(self, count: int, number: int | None = None) -> tuple[Statistics, int]:
        """Wait for the pass over `count` records; return its statistics and the clocks that it took.

        `number`: that of the pass, if it trains.
        """
        status = self._await_idle(f" of {count}")
        if number and status["pass"] != number:
            raise BoardTakenError("another program wrote nodes, or trained, on the board; its nodes are not ours")
        statistics = Statistics(*(status[name] for name in Statistics.__dataclass_fields__))
        if statistics.records != count:
            raise BoardError(f"the board processed {statistics.records} records of {count}")
        if late := status["underruns"]:
            raise BoardError(
                f"{late} records came too late for the board's schedule, or their results too fast for its store; "
                "the pass is not as specified"
            )
        return statistics, status["cycles"]

    def _await_idle(self, of: str = "") -> dict[str, int]:
        """Wait until no pass is under way; return the registers that tell of the last one."""
        names = ["busy", *(register.name for register in STATISTICS), "underruns", "pass"]
        done, progress_at = 0, time.monotonic()
        while (status := self.registers.read(*names))["busy"]:
            if status["records"] != done:
                done, progress_at = status["records"], time.monotonic()
            elif time.monotonic() - progress_at > STALL_SECONDS:
                raise BoardError(f"the board stands still at record {done}{of} for {STALL_SECONDS:g} s")
        return status

    def _read_configuration(self) -> Configuration:
        """Begin a link session, and read the configuration's text from the board."""
        greeting = self.link.hello()
        length, word_bytes = int(self.link.read(Space.CONFIGURATION, 0, 1)[0]), greeting.word_bytes
        words = self.link.read(Space.CONFIGURATION, 1, content_words(length, word_bytes=word_bytes))
        text = unpack_text(words, length=length, word_bytes=word_bytes)
        if digest_of(text) != greeting.digest:
            raise WrongDeviceError(f"the board's configuration does not match its digest: {text[:200]!r}")
        try:
            return Configuration.from_text(text)
        except ValueError as error:
            raise WrongDeviceError(f"the board has a configuration of another version: {error}") from error

    def _signed(self, words: np.ndarray) -> np.ndarray:
        """Return words from the link as two's complement numbers."""
        bits = 8 * self.configuration.word_bytes
        values = words.astype(np.int64)
        return values - ((values >> (bits - 1)) << bits)


def _runs(addresses: np.ndarray) -> list[slice]:
    """Return the slices of a sorted array in which the numbers are consecutive."""
    ends = [*(np.nonzero(np.diff(addresses) != 1)[0] + 1), len(addresses)]
    return [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
