"""A board's client that outlasts a lost link and a reset of the board.

It knows the nodes that it wrote or read last, and the passes since. When the link is lost, it opens the port again and
reads the number of the board's last pass (the register `pass`), which says what has happened meanwhile:

- it is that of the pass that was being started: the board has gone on, and the host waits for its end;
- it is that of the pass before: the start never came to the board, and the host starts the pass now;
- it is 0: the board was reset, or its nodes were overwritten. The host writes the nodes that it knows and makes the
  passes since once more. Each pass depends on nodes, chance word, records and rates alone, so the bits are the same.

In no case does a record change nodes that it has changed before.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from sw.device.client import BoardClient, Transfer
from sw.device.errors import (
    BoardError,
    BoardResetError,
    BoardTakenError,
    BusyError,
    LinkError,
    NoAnswerError,
    UnpluggedError,
)
from sw.device.passes import Pass, PassOutcome, number_of
from sw.device.serial_port import SerialPort
from sw.device.transport import HostLink
from sw.spec.bounds import SECONDS, check_real
from sw.spec.chance import chance_after, check_chance
from sw.spec.nodes import check_nodes
from sw.spec.schedule import Rates

TRIES = 20  # losses of the link in a row without a pass that ended, after which the last one is the user's
PAUSE_SECONDS = 0.2  # between two attempts to open a port
LOST = (UnpluggedError, NoAnswerError, BoardResetError, BusyError)
"""What may be better after the port was opened again."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Snapshot:
    """A board's nodes between two passes.

    Attributes
    ----------
    nodes : list of ndarray
        The nodes, an array of `Layer.shape` a layer.
    chance : int
        The chance word of the last record before.
    updates : int
        Record updates between the nodes that the host wrote last and these.
    """

    nodes: list[np.ndarray]
    chance: int
    updates: int


class LastingClient(BoardClient):
    """A client that opens its port again when the link is lost, and brings a board that was reset to where it was.

    Parameters
    ----------
    reopen : Callable[[], SerialPort]
        Opens the port; a `LinkError` says that it cannot be opened now.
    transfer : Transfer, optional
        As in `BoardClient`.
    timeout : float
        Seconds without progress after which the link is lost.
    reconnect : float
        Seconds for which a lost board is looked for; with 0, every loss is an error.
    keep_seconds : float
        Seconds of training after which nodes are read, after the first pass. All that was trained since is what a
        reset costs.
    tell : Callable[[str], object], optional
        Called with a line for the user at each loss, and when the board is back.
    kept : Callable[[Snapshot], object], optional
        Called with each snapshot that was read between two passes.

    Attributes
    ----------
    snapshot : Snapshot or None
        The nodes that the host knows; None as long as it has neither read nor written nodes.
    reconnect : float
        As given; may be set.
    losses, restorations : int
        Times at which the link was lost, and at which nodes were written to the board.

    Raises
    ------
    sw.device.errors.LinkError
        By every method, if the board does not come back, or was reset before its nodes were known.
    sw.device.errors.BoardTakenError
        By every method, if another program has trained on the board.
    """

    def __init__(
        self,
        reopen: Callable[[], SerialPort],
        transfer: Transfer | None = None,
        *,
        timeout: float = 5.0,
        reconnect: float = 60.0,
        keep_seconds: float = 10.0,
        tell: Callable[[str], object] = lambda line: None,
        kept: Callable[[Snapshot], object] = lambda snapshot: None,
    ) -> None:
        check_real("reconnect", reconnect, *SECONDS)
        check_real("keep_seconds", keep_seconds, *SECONDS)
        self._reopen, self._tell, self._on_kept = reopen, tell, kept
        self.reconnect, self._keep_seconds = reconnect, keep_seconds
        self.snapshot: Snapshot | None = None
        self.losses = self.restorations = 0
        self._since: list[Pass] = []  # passes that ended after the snapshot
        self._kept_at = 0.0
        self._nodes_lost = False  # the board's nodes are not those of the snapshot and the passes since
        self._interrupted = False  # a pass was given up, and the board may have made it
        self._failures = 0
        port = reopen()
        try:
            super().__init__(HostLink(port, timeout=timeout), transfer)
            self._chance = self._read_chance()
        except BaseException:
            port.close()
            raise

    @property
    def updates(self) -> int:
        """Record updates since the host wrote nodes last."""
        return (self.snapshot.updates if self.snapshot else 0) + sum(len(each.block) for each in self._since)

    @property
    def nodes(self) -> list[np.ndarray]:
        """The nodes on the board; as `BoardClient.nodes`."""
        return [layer.copy() for layer in self._kept().nodes]

    @nodes.setter
    def nodes(self, nodes: list[np.ndarray]) -> None:
        check_nodes(self.network, nodes)
        self._keep(Snapshot([np.array(layer) for layer in nodes], self._chance, 0))
        self._nodes_lost = True
        self._lasting(self._restore)

    @property
    def chance(self) -> int:
        """The chance word; as `BoardClient.chance`."""
        return self._chance

    @chance.setter
    def chance(self, word: int) -> None:
        check_chance(word)
        if self.network.fine:
            before = self._kept() if self._since or self.snapshot is None else self.snapshot
            self._keep(replace(before, chance=word))
            self._lasting(lambda: self._write_chance(word))

    def counters(self) -> dict[str, int]:
        """Return the link's error counters on the board, by name."""
        return self._lasting(super().counters)

    def _set_rates(self, rates: Rates) -> None:
        self._lasting(lambda: super(LastingClient, self)._set_rates(rates))

    def _run_pass(self, each: Pass, following: Pass | None) -> PassOutcome:
        if self.snapshot is None or self._interrupted:
            self._kept()
        self._interrupted = True
        begun = False

        def attempt() -> PassOutcome:
            nonlocal begun
            if not begun:
                self._load(each)
                self._begin(each)
                begun = True
            if following:
                self._load(following)
            return self._end(each)

        def recovered() -> None:
            nonlocal begun
            begun = self._started != self._ended and self._number() == number_of(self._started)
            if not begun:
                super(LastingClient, self)._set_rates(each.rates)

        outcome = self._lasting(attempt, recovered)
        self._interrupted = False
        self._since.append(each)
        if self.network.fine:
            self._chance = chance_after(self._chance, len(each.block))
        # After the first pass, too: until then nothing has been kept.
        if time.monotonic() - self._kept_at >= self._keep_seconds or not (self.snapshot and self.snapshot.updates):
            self._on_kept(self._kept())
        return outcome

    def _predict_block(self, arguments: np.ndarray, total: int) -> np.ndarray:
        return self._lasting(lambda: super(LastingClient, self)._predict_block(arguments, total))

    def _kept(self) -> Snapshot:
        """Read the nodes, and keep them."""
        nodes, chance = self._lasting(self._read)
        snapshot = Snapshot(nodes, chance, self.updates)
        self._keep(snapshot)
        return snapshot

    def _keep(self, snapshot: Snapshot) -> None:
        self.snapshot, self._chance, self._since = snapshot, snapshot.chance, []
        self._kept_at = time.monotonic()
        self._interrupted = False

    def _read(self) -> tuple[list[np.ndarray], int]:
        """Read the nodes, and the chance word if the host does not know it."""
        nodes = self._read_nodes()
        return nodes, self._read_chance() if self._interrupted else self._chance

    def _number(self) -> int:
        """Read the number of the board's last training pass; 0 if its nodes are not known."""
        return self.registers.read("pass")["pass"]

    def _lasting(self, action: Callable[[], Result], recovered: Callable[[], None] = lambda: None) -> Result:
        """Do something that may be done twice; after each loss, bring the board to where it was, and do it again.

        `recovered` is called before that.
        """
        while True:
            try:
                result = action()
            except LOST as error:
                self._recover(error, recovered)
            else:
                self._failures = 0
                return result

    def _recover(self, error: LinkError, recovered: Callable[[], None]) -> None:
        """Open the port again, and see to it that the board has the nodes that it should have."""
        while True:
            self._failures += 1
            self.losses += 1
            if not self.reconnect or self._failures > TRIES:
                raise error
            self._connect(error)
            try:
                self._look()
                self.restorations += self._nodes_lost
                self._restore()
                recovered()
                return
            except LOST as again:
                error = again

    def _connect(self, error: LinkError) -> None:
        self._tell(f"the link is lost: {error}; the board is looked for, {self.reconnect:g} s long")
        self.link.close()
        until = time.monotonic() + self.reconnect
        while True:
            try:
                self.link.reopen(self._reopen())
                self.link.hello(self.configuration.digest)
                break
            except LinkError as again:
                self.link.close()
                if time.monotonic() > until:
                    raise type(again)(f"{again} (the board was looked for, {self.reconnect:g} s long)") from error
                time.sleep(PAUSE_SECONDS)
        self._tell("the board is back")

    def _look(self) -> None:
        """Find out whether the board has the nodes that it should have."""
        number = self._number()
        if not self._nodes_lost and number not in (0, number_of(self._started), number_of(self._ended)):
            raise BoardTakenError(
                "another program has trained on the board while the link was lost; its nodes are not ours"
            )
        self._nodes_lost |= not number

    def _restore(self) -> None:
        """If the board's nodes are lost, write those of the snapshot, and make the passes since once more."""
        if not self._nodes_lost:
            return
        if self.snapshot is None:
            raise BoardError("the board was reset before its nodes were read; write nodes to it, and begin anew")
        self._await_idle()
        self._write_nodes(self.snapshot.nodes)
        self._write_chance(self.snapshot.chance)
        for each in self._since:
            super()._set_rates(each.rates)
            super()._run_pass(each, None)
        self._nodes_lost = False
