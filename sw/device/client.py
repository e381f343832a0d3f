"""The host's client for a board, real or virtual: a trainer like the oracle, at the other end of a serial line."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Self

import numpy as np

from sw.device.errors import BoardError, WrongDeviceError
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
from sw.spec.registers import CHANCE, LINK_COUNTERS, SET_CHANCE, STATISTICS, rate_values, register_table
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
        self._loaded: Records | None = None
        self.configuration = self._read_configuration()
        self.network = self.configuration.network
        self.pretraining = self.configuration.pretraining
        self.registers = RegisterClient(link, register_table(self.network))

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
        return cls(HostLink(open_port(path, baud)), transfer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.link.close()

    @property
    def nodes(self) -> list[np.ndarray]:
        """The nodes on the board, one array of `Layer.shape` a layer; reading and setting them uses the link."""
        addresses = node_addresses(self.configuration.addresses)
        order = np.argsort(addresses)
        flat = np.empty(len(addresses), dtype=np.int64)
        for run in _runs(addresses[order]):
            positions = order[run]
            flat[positions] = self._signed(
                self.link.read(Space.PARAMETERS, int(addresses[positions[0]]), len(positions))
            )
        return self.network.layered(flat)

    @nodes.setter
    def nodes(self, nodes: list[np.ndarray]) -> None:
        check_nodes(self.network, nodes)
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
        if not self.network.fine:
            return FIRST_CHANCE
        return chance_after(self.registers.read(CHANCE.name)[CHANCE.name], -1)

    @chance.setter
    def chance(self, word: int) -> None:
        check_chance(word)
        if self.network.fine:
            self.registers.write({SET_CHANCE.name: next_chance(word)})

    def check_rates(self, rates: Rates) -> None:
        """Check that the board was built for these rates; as `Trainer.check_rates`."""
        check_rates(self.network, self.configuration.back_windows, rates)

    def fit(self, records: Records, phases: Sequence[Phase], progress: Progress | None = None) -> Statistics:
        """Train by a schedule, as `Trainer.fit`; refuse rates that the board was not built for before any training."""
        for phase in phases:
            self.check_rates(phase.rates)
        return super().fit(records, phases, progress)

    def _train(self, records: Records, rates: Rates) -> Statistics:
        return self._run_training(Mode.TRAIN, records, rates)[1]

    def _predict_and_train(self, records: Records, rates: Rates) -> tuple[np.ndarray, Statistics]:
        return self._run_training(Mode.PREDICT_AND_TRAIN, records, rates)

    def _pretrain(self, records: Records, rates: Rates) -> Statistics:
        return self._run_training(Mode.PRETRAIN, records, rates)[1]

    def _run_training(self, mode: Mode, records: Records, rates: Rates) -> tuple[np.ndarray, Statistics]:
        """Run one pass over each block, while the next block is sent; return results, if it predicts, and statistics.

        The results of a block take the place of its records in the store.
        """
        self.registers.write(rate_values(rates))
        blocks = records.blocks(self.configuration.block)
        block_rows = len(blocks[0]) * self.configuration.record_rows
        rows = [index % BLOCKS_ON_BOARD * block_rows for index in range(len(blocks))]
        tables = (np.hstack([block.arguments, block.targets]) for block in blocks)
        sending = iter(()) if records is self._loaded else self._sending(tables, rows, len(records))
        self._loaded = None
        next(sending, None)
        results, statistics = [np.zeros((0, self.network.outputs), np.int64)], Statistics()
        for block, row in zip(blocks, rows, strict=True):
            address = row * self.configuration.row_words
            self._start(mode, len(block), first=row, results=address)
            next(sending, None)
            block_statistics, cycles = self._finish(len(block))
            statistics += block_statistics
            self.cycles += cycles
            if mode == Mode.PREDICT_AND_TRAIN:
                results.append(self._results(address, len(block)))
        if len(blocks) <= BLOCKS_ON_BOARD and mode != Mode.PREDICT_AND_TRAIN:
            self._loaded = records
        return np.concatenate(results), statistics

    def _predict(self, arguments: np.ndarray) -> np.ndarray:
        configuration = self.configuration
        most = configuration.store_rows * configuration.row_words // (self._record_size + self.network.outputs)
        blocks = [arguments[start : start + most] for start in range(0, len(arguments), most)]
        results = [np.zeros((0, self.network.outputs), np.int64)]
        self._loaded = None
        for block, _ in zip(blocks, self._sending(iter(blocks), [0] * len(blocks), len(arguments)), strict=True):
            address = len(block) * self._record_size
            self._start(Mode.PREDICT, len(block), results=address)
            self._finish(len(block))
            results.append(self._results(address, len(block)))
        return np.concatenate(results)

    def _results(self, address: int, count: int) -> np.ndarray:
        """Read the results of `count` records, from word `address` of the record store on."""
        words = self.link.read(Space.RECORDS, address, count * self.network.outputs)
        return self._signed(words).reshape(count, self.network.outputs)

    def counters(self) -> dict[str, int]:
        """Return the link's error counters on the board, by name."""
        return self.registers.read(*(register.name for register in LINK_COUNTERS))

    @property
    def _record_size(self) -> int:
        """Words of the record store that a record takes."""
        return self.configuration.record_rows * self.configuration.row_words

    def _sending(self, tables: Iterator[np.ndarray], rows: list[int], count: int) -> Iterator[None]:
        """Each step sends a table of records to its row of the store: arguments, and targets if there are any.

        `count`: records of all tables.
        """
        total, done = self._record_size * count, 0

        def progress(written: int) -> None:
            nonlocal done
            done += written
            self.transfer(done, total)

        for table, row in zip(tables, rows, strict=True):
            words = np.zeros((len(table), self._record_size), dtype=np.int64)
            words[:, : table.shape[1]] = table
            self.link.write(Space.RECORDS, row * self.configuration.row_words, words, progress)
            yield

    def _start(self, mode: Mode, count: int, *, first: int = 0, results: int = 0) -> None:
        """Start a pass over `count` records from row `first` on, whose results go to word `results` and on."""
        self.registers.write({"results": results, "first": first, "count": count, "start": mode})

    def _finish(self, count: int) -> tuple[Statistics, int]:
        """Wait for the pass over `count` records; return its statistics and the clocks that it took."""
        names = [register.name for register in STATISTICS]
        done, progress_at = 0, time.monotonic()
        while (status := self.registers.read("busy", *names, "underruns"))["busy"]:
            if status["records"] != done:
                done, progress_at = status["records"], time.monotonic()
            elif time.monotonic() - progress_at > STALL_SECONDS:
                raise BoardError(f"the board stands still at record {done} of {count} for {STALL_SECONDS:g} s")
        statistics = Statistics(*(status[name] for name in Statistics.__dataclass_fields__))
        if statistics.records != count:
            raise BoardError(f"the board processed {statistics.records} records of {count}")
        if late := status["underruns"]:
            raise BoardError(
                f"{late} records came too late for the board's schedule, or their results too fast for its store; "
                "the pass is not as specified"
            )
        return statistics, status["cycles"]

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
