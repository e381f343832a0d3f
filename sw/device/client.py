"""The host's client for a board, real or virtual: a trainer like the oracle, at the other end of a serial line."""

import time
from collections.abc import Callable, Iterator
from typing import Self

import numpy as np

from sw.device.errors import WrongDeviceError
from sw.device.serial_port import open_port
from sw.device.transport import HostLink
from sw.spec.configuration import Configuration, digest_of
from sw.spec.nodes import check_nodes
from sw.spec.protocol import Mode, Space
from sw.spec.records import Records
from sw.spec.registers import LINK_COUNTERS, STATISTICS, rate_registers, register_table
from sw.spec.schedule import Rates
from sw.spec.trainer import Statistics, Trainer

BAUD = 3_000_000  # of every board in boards/
HELD_BLOCKS = 2  # that a board holds
STALL_SECONDS = 10.0  # without a single record done, after which a pass is given up

Transfer = Callable[[int, int], None]
"""Called while records are sent, with the number of words on the board and their number in all."""


class BoardError(Exception):
    """The board did what it should not."""


class BoardClient(Trainer):
    """A trainer on a board, which tells by itself what network it trains; a context manager that closes the link.

    Records are trained on in blocks of `configuration.block`, each in a pass of its own. The board holds two: while a
    pass runs over one, the next one is sent. Up to two stay on the board between passes; more are sent each time.

    Every method raises a `sw.device.errors.LinkError` if the board cannot be reached, or BoardError.

    Attributes:
        configuration: what the board says of itself.
        cycles: clocks that all training passes so far took on the board.
        transfer: called with the progress of records on the wire.
    """

    def __init__(self, link: HostLink, transfer: Transfer | None = None):
        self.link = link
        self.transfer = transfer or (lambda done, total: None)
        self.cycles = 0
        self._loaded: Records | None = None
        self.configuration = self._read_configuration()
        self.network = self.configuration.network
        self.pretraining = self.configuration.pretraining
        link.registers = register_table(len(self.network.layers))

    @classmethod
    def open(cls, path: str, *, baud: int = BAUD, transfer: Transfer | None = None) -> Self:
        """The board at a serial port or pseudo-terminal."""
        return cls(HostLink(open_port(path, baud)), transfer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.link.close()

    @property
    def nodes(self) -> list[np.ndarray]:
        addresses = self.configuration.node_addresses()
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
        addresses = self.configuration.node_addresses()
        flat = np.concatenate([layer.ravel() for layer in nodes])
        order = np.argsort(addresses)
        for run in _runs(addresses[order]):
            self.link.write(Space.PARAMETERS, int(addresses[order[run]][0]), flat[order[run]])

    def _train(self, records: Records, rates: Rates) -> Statistics:
        return self._learn(Mode.TRAIN, records, rates)

    def _pretrain(self, records: Records, rates: Rates) -> Statistics:
        return self._learn(Mode.PRETRAIN, records, rates)

    def _learn(self, mode: Mode, records: Records, rates: Rates) -> Statistics:
        shifts = enumerate(zip(rates.update, rates.back, strict=True), start=1)
        pairs = [pair for layer, both in shifts for pair in zip(rate_registers(layer), both, strict=True)]
        self.link.write_registers({register.name: shift for register, shift in pairs})
        blocks = records.blocks(self.configuration.block)
        rows = [index % HELD_BLOCKS * len(blocks[0]) * self.configuration.record_rows for index in range(len(blocks))]
        tables = (np.hstack([block.arguments, block.targets]) for block in blocks)
        sending = iter(()) if records is self._loaded else self._sending(tables, rows, len(records))
        next(sending, None)
        statistics = Statistics()
        for block, row in zip(blocks, rows, strict=True):
            self._start(mode, len(block), first=row)
            next(sending, None)
            of_block, cycles = self._finish(len(block))
            statistics += of_block
            self.cycles += cycles
        if len(blocks) <= HELD_BLOCKS:
            self._loaded = records
        return statistics

    def _predict(self, arguments: np.ndarray) -> np.ndarray:
        configuration = self.configuration
        most = configuration.store_rows * configuration.row_words // (self._record_size + self.network.outputs)
        blocks = [arguments[start : start + most] for start in range(0, len(arguments), most)]
        results = [np.zeros((0, self.network.outputs), np.int64)]
        for block, _ in zip(blocks, self._sending(iter(blocks), [0] * len(blocks), len(arguments)), strict=True):
            place = len(block) * self._record_size
            self._start(Mode.PREDICT, len(block), results=place)
            self._finish(len(block))
            words = self.link.read(Space.RECORDS, place, len(block) * self.network.outputs)
            results.append(self._signed(words).reshape(len(block), self.network.outputs))
        return np.concatenate(results)

    def counters(self) -> dict[str, int]:
        """The link's error counters on the board, by name."""
        return {register.name: self.link.read_register(register.name) for register in LINK_COUNTERS}

    @property
    def _record_size(self) -> int:
        """Words that a record takes of the store."""
        return self.configuration.record_rows * self.configuration.row_words

    def _sending(self, tables: Iterator[np.ndarray], rows: list[int], count: int) -> Iterator[None]:
        """Each step sends a table of records to its row of the store: arguments, and targets if there are any.

        `count`: records of all tables.
        """
        self._loaded = None
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
        self.link.write_registers({"results": results, "first": first, "count": count, "start": mode})

    def _finish(self, count: int) -> tuple[Statistics, int]:
        """Wait for the pass over `count` records; its statistics, and the clocks that it took."""
        names = [register.name for register in STATISTICS]
        done, moved = 0, time.monotonic()
        while (status := self.link.read_registers("busy", *names, "underruns"))["busy"]:
            if status["records"] != done:
                done, moved = status["records"], time.monotonic()
            elif time.monotonic() - moved > STALL_SECONDS:
                raise BoardError(f"the board stands still at record {done} of {count} for {STALL_SECONDS:g} s")
        statistics = Statistics(*(status[name] for name in Statistics.__dataclass_fields__))
        if statistics.records != count:
            raise BoardError(f"the board processed {statistics.records} records of {count}")
        if late := status["underruns"]:
            raise BoardError(f"{late} records came too late for the board's schedule; its results are not as specified")
        return statistics, status["cycles"]

    def _read_configuration(self) -> Configuration:
        greeting = self.link.hello()
        length = int(self.link.read(Space.CONFIGURATION, 0, 1)[0])
        words = self.link.read(Space.CONFIGURATION, 1, -(-length // greeting.word_bytes))
        text = b"".join(int(word).to_bytes(greeting.word_bytes, "little") for word in words)[:length].decode(
            errors="replace"
        )
        if digest_of(text) != greeting.digest:
            raise WrongDeviceError(f"the board's configuration does not match its digest: {text[:200]!r}")
        try:
            return Configuration.from_text(text)
        except ValueError as error:
            raise WrongDeviceError(f"the board has a configuration of another version: {error}") from error

    def _signed(self, words: np.ndarray) -> np.ndarray:
        """Words of the wire as two's complement numbers."""
        bits = 8 * self.configuration.word_bytes
        values = words.astype(np.int64)
        return values - ((values >> (bits - 1)) << bits)


def _runs(addresses: np.ndarray) -> list[slice]:
    """Slices of consecutive numbers in a sorted array."""
    ends = [*(np.nonzero(np.diff(addresses) != 1)[0] + 1), len(addresses)]
    return [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
