"""The host's client for a board, real or virtual: a machine like the oracle, at the other end of a serial line."""

import time
from collections.abc import Callable
from typing import Self

import numpy as np

from sw.configuration import Configuration, digest_of
from sw.link import Link, WrongDeviceError, open_port
from sw.machine import Machine, Rates, Statistics
from sw.network import Records, check_nodes
from sw.protocol import LINK_COUNTERS, Mode, Space, rate_registers, register_table

BAUD = 3_000_000  # of every board in boards/
STALL_SECONDS = 10.0  # without a single record done, after which a pass is given up

Transfer = Callable[[int, int], None]
"""Called while records are sent, with the number of words on the board and their number in all."""


class BoardError(Exception):
    """The board did what it should not."""


class Board(Machine):
    """A trainer on a board, which tells by itself what network it trains; a context manager that closes the link.

    Records stay on the board between passes and are sent again only when others have taken their place. More records
    than the board holds are trained on in blocks of `configuration.capacity`.

    Every method raises a `sw.link.LinkError` if the board cannot be reached, or BoardError.

    Attributes:
        configuration: what the board says of itself.
        cycles: clocks that all training passes so far took on the board.
        transfer: called with the progress of records on the wire.
    """

    def __init__(self, link: Link, transfer: Transfer | None = None):
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
        return cls(Link(open_port(path, baud)), transfer)

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
        splits = np.cumsum([np.prod(layer.shape) for layer in self.network.layers])[:-1]
        parts = np.split(flat, splits)
        return [part.reshape(layer.shape) for part, layer in zip(parts, self.network.layers, strict=True)]

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
        for layer, shifts in enumerate(zip(rates.update, rates.back, strict=True), start=1):
            for register, shift in zip(rate_registers(layer), shifts, strict=True):
                self.link.write_register(register.name, shift)
        statistics = Statistics()
        for block in records.blocks(self.configuration.capacity):
            self._load(block)
            statistics += self._pass(mode, len(block))
            self.cycles += self.link.read_register("cycles")
        return statistics

    def _predict(self, records: Records) -> np.ndarray:
        configuration = self.configuration
        record_size = configuration.record_rows * configuration.row_words
        most = configuration.store_rows * configuration.row_words // (record_size + self.network.outputs)
        results = []
        for block in records.blocks(most):
            self._load(block)
            first = len(block) * record_size
            self.link.write_register("results", first)
            self._pass(Mode.PREDICT, len(block))
            words = self.link.read(Space.RECORDS, first, len(block) * self.network.outputs)
            results.append(self._signed(words).reshape(len(block), self.network.outputs))
            self._loaded = None
        return np.concatenate(results)

    def counters(self) -> dict[str, int]:
        """The link's error counters on the board, by name."""
        return {register.name: self.link.read_register(register.name) for register in LINK_COUNTERS}

    def _load(self, records: Records) -> None:
        """Send the records, unless they are on the board already."""
        if records is self._loaded:
            return
        self._loaded = None
        configuration, done = self.configuration, 0
        words = np.zeros((len(records), configuration.record_rows * configuration.row_words), dtype=np.int64)
        words[:, : self.network.features] = records.arguments
        words[:, self.network.features : configuration.record_words] = records.targets

        def progress(written: int) -> None:
            nonlocal done
            done += written
            self.transfer(done, words.size)

        self.link.write(Space.RECORDS, 0, words, progress)
        self._loaded = records

    def _pass(self, mode: Mode, count: int) -> Statistics:
        self.link.write_register("count", count)
        self.link.write_register("start", mode)
        done, moved = 0, time.monotonic()
        while self.link.read_register("busy"):
            now = self.link.read_register("records")
            if now != done:
                done, moved = now, time.monotonic()
            elif time.monotonic() - moved > STALL_SECONDS:
                raise BoardError(f"the board stands still at record {done} of {count} for {STALL_SECONDS:g} s")
        statistics = Statistics(
            *(self.link.read_register(name) for name in ("records", "absolute_residual", "saturations", "clips"))
        )
        if statistics.records != count:
            raise BoardError(f"the board processed {statistics.records} records of {count}")
        if late := self.link.read_register("underruns"):
            raise BoardError(f"{late} records came too late for the board's schedule; its results are not as specified")
        return statistics

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
