"""The checkpoint of a board's training: nodes between two passes, by which a killed host goes on to the same bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sw.outputs import Output, archive_kind, whole

if TYPE_CHECKING:
    import numpy as np

    from sw.experiment import Experiment
    from sw.spec.configuration import Configuration
    from sw.spec.schedule import Phase

FILE_FORMAT = "kanloom-board-checkpoint"
FILE_VERSION = 1
CHECKPOINT_FILE = archive_kind(FILE_FORMAT)

WORDS = {
    "board": "another board, or one of another design",
    "schedule": "another schedule",
    "records": "other records, or records in another order",
    "start": "other first nodes",
}
"""What differs if a value of the header does."""


def output(path: Path | None) -> Output:
    """Describe the file, to be checked before the training."""
    return Output(path, CHECKPOINT_FILE, "--checkpoint")


class BoardCheckpoint:
    """A file with the last nodes of a training that a board makes.

    Parameters
    ----------
    path : Path
        The file.
    experiment : Experiment
        What is trained, and on which records.
    phases : sequence of Phase
        The schedule.
    configuration : Configuration
        Of the board.
    """

    def __init__(
        self, path: Path, experiment: Experiment, phases: Sequence[Phase], configuration: Configuration
    ) -> None:
        from sw.archive import digest_of

        self._path, self._network = path, configuration.network
        records = experiment.records
        self._training = {
            "board": configuration.digest.hex(),
            "schedule": [[each.epochs, asdict(each.rates), each.pretraining] for each in phases],
            "records": digest_of({"arguments": records.arguments, "targets": records.targets}),
            "start": digest_of({"nodes": _flat(experiment.model.nodes)}),
        }

    def load(self) -> tuple[list[np.ndarray], int] | None:
        """Read the nodes, and how many record updates they have had; None if there is no file.

        Raises
        ------
        ValueError
            For a file that is damaged, and for one of another training; the message says what differs.
        """
        import json

        import numpy as np

        from sw import archive
        from sw.spec.bounds import shown
        from sw.spec.nodes import check_nodes

        if not self._path.exists():
            return None
        with archive.reading(self._path, FILE_FORMAT) as file:
            header: dict[str, Any] = file.header
            if header.get("version") != FILE_VERSION:
                raise ValueError(
                    f"{self._path} is of version {shown(header.get('version'))}; this program reads {FILE_VERSION}"
                )
            ours = json.loads(json.dumps(self._training))
            differ = [words for name, words in WORDS.items() if header.get(name) != ours[name]]
            if differ:
                raise ValueError(f"{self._path} is of another training: {'; '.join(differ)}")
            updates = header.get("updates")
            if type(updates) is not int or updates < 0:
                raise archive.ArchiveError(f"{self._path} is damaged: {shown(updates)} record updates")
            wanted = archive.Wanted((self._network.parameters,), np.dtype(np.int64))
            nodes = self._network.layered(file.arrays({"nodes": wanted})["nodes"])
        check_nodes(self._network, nodes)
        return nodes, updates

    def save(self, nodes: list[np.ndarray], updates: int) -> None:
        """Write the nodes; a checkpoint that is there stays until the new one is whole.

        Parameters
        ----------
        nodes : list of ndarray
            The nodes.
        updates : int
            Record updates that they have had.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        from sw import archive

        header = {"format": FILE_FORMAT, "version": FILE_VERSION, "updates": updates, **self._training}
        with whole(self._path) as stream:
            archive.write(stream, header, {"nodes": _flat(nodes)}, compressed=False)


def _flat(nodes: list[np.ndarray]) -> np.ndarray:
    import numpy as np

    return np.concatenate([layer.ravel() for layer in nodes]).astype(np.int64)
