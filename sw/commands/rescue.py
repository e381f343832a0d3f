"""The model of a board whose training was stopped, or whose link was lost."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sw.commands.keeping import keep

if TYPE_CHECKING:
    import numpy as np

    from sw.device.client import BoardClient
    from sw.model import Model

KEEP_SECONDS = 10.0  # between readings of the nodes: a fraction of a second each
BUSY_SECONDS = 10.0  # that a board is given to end a pass


class Rescue:
    """Reads a board's nodes now and then, and saves the last ones if the training fails.

    Parameters
    ----------
    board : BoardClient
        It trains.
    model : Model
        The model before the training; its units and names are those of the model that is saved.
    """

    def __init__(self, board: BoardClient, model: Model) -> None:
        self._board, self._model = board, model
        self._nodes: list[np.ndarray] | None = None
        self._epoch, self._done, self._total = 0, 0, 0
        self._read_at = -KEEP_SECONDS

    def epoch(self, done: int, total: int) -> None:
        """Read the nodes after the first epoch, and after later ones if the last reading is some seconds old.

        Parameters
        ----------
        done, total : int
            Epochs.
        """
        self._done, self._total = done, total
        if time.monotonic() - self._read_at >= KEEP_SECONDS:
            self._nodes, self._epoch = self._board.nodes, done
            self._read_at = time.monotonic()

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
        if self._nodes is not None:
            saved, remark = keep(self._with(self._nodes), output, None, force=force)
        try:
            nodes = self._read_when_idle()
        except (BoardError, LinkError):
            if saved is None:
                return "nothing could be saved: the board does not answer, and its nodes were not read before"
            what = f"the nodes after epoch {self._epoch} of {self._total}, the last that were read from the board,"
        else:
            if saved is None:
                saved, remark = keep(self._with(nodes), output, None, force=force)
            else:
                self._with(nodes).save(saved)
            done = f"after {self._done} of {self._total} epochs and" if self._done else "after"
            what = f"the board's nodes {done} what was done of {'the next' if self._done else 'the first epoch'}"
        return f"{what} are in {saved}. {remark}".rstrip()

    def _with(self, nodes: list[np.ndarray]) -> Model:
        return replace(self._model, nodes=nodes, history=None)

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
