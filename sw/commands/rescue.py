"""The model of a board whose training was stopped, or whose link was lost."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sw.commands.keeping import keep

if TYPE_CHECKING:
    import numpy as np

    from sw.commands.board_checkpoint import BoardCheckpoint
    from sw.device.recovery import LastingClient, Snapshot
    from sw.experiment import Experiment
    from sw.model import Model

BUSY_SECONDS = 10.0  # that a board is given to end a pass


class Rescue:
    """Knows the nodes that a board's training gave last, and saves them if it fails.

    Before `begin`, nothing is known of a training.
    """

    def __init__(self) -> None:
        self._board: LastingClient
        self._experiment: Experiment
        self._epochs, self._before = 0, 0
        self._checkpoint: BoardCheckpoint | None = None

    def begin(
        self,
        board: LastingClient,
        experiment: Experiment,
        epochs: int,
        checkpoint: BoardCheckpoint | None,
        before: int,
    ) -> None:
        """Take note of a training that begins.

        Parameters
        ----------
        board : LastingClient
            It trains.
        experiment : Experiment
            What it trains; its units and names are those of the model that is saved.
        epochs : int
            Of the schedule.
        checkpoint : BoardCheckpoint or None
            Where nodes are kept.
        before : int
            Record updates that the first nodes have had.
        """
        self._board, self._experiment, self._epochs = board, experiment, epochs
        self._checkpoint, self._before = checkpoint, before

    def kept(self, snapshot: Snapshot) -> None:
        """Write nodes that were read from the board to the checkpoint.

        Parameters
        ----------
        snapshot : Snapshot
            Of the training.
        """
        if self._checkpoint:
            self._checkpoint.save(snapshot.nodes, self._before + snapshot.updates)

    def save(self, output: Path, *, force: bool) -> str:
        """Save the nodes that were read last, then those that are on the board, if it still answers.

        Parameters
        ----------
        output : Path
            The file; a model that is there is kept unless `force`.
        force : bool
            Whether any model is replaced.

        Returns
        -------
        str
            What was saved, and where.
        """
        from sw.device.errors import BoardError, LinkError

        saved = remark = None
        self._board.reconnect = 0.0
        snapshot, done = self._board.snapshot, self._board.updates
        if snapshot and snapshot.updates:
            saved, remark = keep(self._with(snapshot.nodes), output, None, force=force)
        try:
            nodes = self._read_when_idle()
        except (BoardError, LinkError):
            if saved is None or snapshot is None:
                return "nothing could be saved: the board does not answer, and its nodes were not read before"
            what = f"the nodes {self._after(snapshot.updates)}, the last that were read from the board,"
        else:
            if saved is None:
                saved, remark = keep(self._with(nodes), output, None, force=force)
            else:
                self._with(nodes).save(saved)
            what = f"the board's nodes {self._after(done)} and what was done of the next block"
        return f"{what} are in {saved}. {remark}".rstrip()

    def _after(self, updates: int) -> str:
        """Say how far the training was after so many record updates."""
        epoch, records = divmod(self._before + updates, len(self._experiment.records))
        rest = f" and {records:,} records of the next" if records else ""
        return f"after {epoch} of {self._epochs} epochs{rest}"

    def _with(self, nodes: list[np.ndarray]) -> Model:
        return replace(self._experiment.model, nodes=nodes, history=None)

    def _read_when_idle(self) -> list[np.ndarray]:
        from sw.device.errors import BusyError

        until = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return self._board.nodes
            except BusyError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
