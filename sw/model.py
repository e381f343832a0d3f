"""A model: a network with its nodes and the user's units. One versioned .npz file holds it."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from sw import archive
from sw.datasets import Source
from sw.datasets.dataset import Selection
from sw.datasets.encoding import NUMBERS, Encoding
from sw.outputs import archive_kind, whole
from sw.scaling import MOST_KNOTS, RANGES, Scaling
from sw.spec.bounds import EPOCHS, check_whole, shown
from sw.spec.network import Network
from sw.spec.nodes import check_finite, check_nodes
from sw.spec.records import Records
from sw.spec.trainer import Statistics

FILE_FORMAT = "kanloom-model"
FILE_VERSION = 2
READ_VERSIONS = (1, 2)  # 1 has no encoding and no selection
MODEL_FILE = archive_kind(FILE_FORMAT)

TARGET_SCORES_BYTES = 1 << 26  # at most, of a model

HISTORY = np.dtype(
    [
        ("records", np.int64),
        ("seconds", np.float64),
        ("pearson", np.float64),
        ("rmse", np.float64),
        ("pretraining", np.bool_),
    ]
)
"""A row of a training's history, one an epoch: records that have been trained on so far, and in how many seconds;
Pearson and RMSE of the hold-out after that; whether the epoch was one of pre-training."""


class ModelFileError(ValueError):
    """A file is damaged, or it is no model of this program."""


@dataclass(frozen=True)
class Units:
    """The conversion of unit values to the integers of a network.

    Attributes
    ----------
    network : Network
        Its formats give the width of codes and words.
    headroom : int
        Bits of the word above the targets: unit targets of +-1 are +-2**(W - 1 - headroom).
    """

    network: Network
    headroom: int = 2

    @property
    def argument_scale(self) -> int:
        """The code that a unit feature of 1 becomes."""
        return (1 << self.network.formats[0].argument_bits) - 1

    @property
    def target_scale(self) -> int:
        """The word that a unit target of 1 becomes."""
        return 1 << (self.network.width - 1 - self.headroom)

    def encode_features(self, unit_features: np.ndarray, *, exact: bool = False) -> np.ndarray:
        """Encode features as argument codes.

        Parameters
        ----------
        unit_features : ndarray of shape (n, features)
            Values in [0, 1].
        exact : bool, default=False
            Do not round, as floating-point trainers take them.

        Returns
        -------
        ndarray of shape (n, features)
            Codes, int64; float64 if `exact`.
        """
        arguments = unit_features * self.argument_scale
        return arguments if exact else np.rint(arguments).astype(np.int64)

    def encode_targets(self, unit_targets: np.ndarray, *, exact: bool = False) -> np.ndarray:
        """Encode targets as words.

        Parameters
        ----------
        unit_targets : ndarray of shape (n, outputs)
            Values in [-1, 1], and somewhat beyond.
        exact : bool, default=False
            Neither round nor limit to the word, as floating-point trainers take them.

        Returns
        -------
        ndarray of shape (n, outputs)
            Words, int64; float64 if `exact`.
        """
        targets = unit_targets * self.target_scale
        return targets if exact else self.network.word.limit(np.rint(targets)).astype(np.int64)

    def decode(self, results: np.ndarray) -> np.ndarray:
        """Compute unit targets from words, both (n, outputs)."""
        return np.asarray(results) / self.target_scale


@dataclass
class Model:
    """A network with its parameters and the units of the data that it was made for.

    Attributes
    ----------
    network : Network
        Geometry and number formats.
    scaling : Scaling
        The user's units.
    nodes : list of ndarray
        One array of `Layer.shape` a layer: int64, or float64 in the units of the fixed-point form.
    headroom : int
        Bits of the word above the targets.
    feature_names, target_names : tuple of str
        Names of the columns.
    domains : list of ndarray or None
        Limits of each input's grid, one array (inputs, 2) a layer, for a floating-point model; None in fixed point.
    history : ndarray or None
        How the model was trained, an array of dtype `HISTORY`.
    target_scores : ndarray of shape (epochs, outputs, 2), or None
        Pearson and RMSE of each target on the hold-out after each row of the history, where there are several targets.
    encoding : Encoding
        What is done to the columns of a table; `NUMBERS` stands for columns of numbers that are called as the features
        and targets.
    selection : Selection or None
        Which records of which data set the model was trained on, if that is known.
    statistics : Statistics or None
        Counts of the trained model, if they were made: of a fixed-point trainer's last epoch, or of some records of it.

    Raises
    ------
    ValueError
        For nodes, domains, names, an encoding or a headroom that do not fit the network.
    """

    network: Network
    scaling: Scaling
    nodes: list[np.ndarray]
    headroom: int = 2
    feature_names: tuple[str, ...] = field(default=())
    target_names: tuple[str, ...] = field(default=())
    domains: list[np.ndarray] | None = None
    history: np.ndarray | None = None
    target_scores: np.ndarray | None = None
    encoding: Encoding = NUMBERS
    selection: Selection | None = None
    statistics: Statistics | None = None

    def __post_init__(self) -> None:
        check_nodes(self.network, self.nodes, fixed=self.domains is None)
        check_whole("headroom", self.headroom, 0, self.network.width - 2)
        counts = {"feature": self.network.features, "target": self.network.outputs}
        for (kind, count), names in zip(counts.items(), (self.feature_names, self.target_names), strict=True):
            if len(names) not in (0, count) or not all(isinstance(name, str) for name in names):
                raise ValueError(f"{kind} names {shown(names)} must be {count} texts, or none")
        if self.target_scores is not None:
            rows = 0 if self.history is None else len(self.history)
            if self.target_scores.shape != (rows, self.network.outputs, 2):
                raise ValueError(f"target scores of shape {self.target_scores.shape} do not fit {rows} rows of history")
        if self.domains is not None:
            shapes, wanted = [each.shape for each in self.domains], [(layer.inputs, 2) for layer in self.network.layers]
            if shapes != wanted:
                raise ValueError(f"domains of shapes {shapes}; the network needs {wanted}")
        if not self.encoding.features:
            self.encoding = Encoding.numbers(self.feature_names, self.target_names)
        if (self.encoding.feature_names, self.encoding.target_names) != (self.feature_names, self.target_names):
            raise ValueError("the encoding's columns are not those of the model")

    @property
    def units(self) -> Units:
        """The conversion of unit values to the model's integers."""
        return Units(self.network, self.headroom)

    def encode_features(self, features: np.ndarray) -> np.ndarray:
        """Encode features for a trainer of this model.

        Parameters
        ----------
        features : ndarray of shape (n, features)
            In the user's units.

        Returns
        -------
        ndarray of shape (n, features)
            Arguments as in `Records`: codes in fixed point, the same without rounding in floating point.
        """
        return self.units.encode_features(self.scaling.unit_features(features), exact=self.domains is not None)

    def encode(self, features: np.ndarray, targets: np.ndarray) -> Records:
        """Encode records for a trainer of this model.

        Parameters
        ----------
        features : ndarray of shape (n, features)
            In the user's units.
        targets : ndarray of shape (n, outputs)
            In the user's units.

        Returns
        -------
        Records
            Codes and words in fixed point, the same without rounding in floating point.
        """
        exact = self.domains is not None
        words = self.units.encode_targets(self.scaling.unit_targets(targets), exact=exact)
        return Records(self.encode_features(features), words)

    def decode(self, results: np.ndarray) -> np.ndarray:
        """Compute predictions in the user's units from a trainer's words, both (n, outputs)."""
        return self.scaling.user_targets(self.units.decode(results))

    def save(self, path: str | Path) -> None:
        """Write the model to a .npz file, whole or not at all.

        Raises
        ------
        sw.outputs.OutputError
            If the file cannot be written.
        """
        header = {
            "format": FILE_FORMAT,
            "version": FILE_VERSION,
            "network": self.network.describe(),
            "headroom": self.headroom,
            "feature_names": self.feature_names,
            "target_names": self.target_names,
            "encoding": self.encoding.plain(),
            "selection": self.selection and self.selection.plain(),
            "statistics": self.statistics and asdict(self.statistics),
        }
        number = np.int64 if self.domains is None else np.float64
        arrays = {f"nodes_{index}": np.asarray(nodes, number) for index, nodes in enumerate(self.nodes)}
        arrays |= {name: np.asarray(values, np.float64) for name, values in self.scaling.arrays().items()}
        arrays |= {f"domains_{index}": np.asarray(ends, np.float64) for index, ends in enumerate(self.domains or ())}
        arrays |= {"history": self.history} if self.history is not None else {}
        arrays |= {"target_scores": self.target_scores} if self.target_scores is not None else {}
        with whole(path) as file:
            archive.write(file, header, arrays, compressed=True)

    @classmethod
    def load(cls, path: str | Path) -> "Model":
        """Read a model from a .npz file.

        Raises
        ------
        ModelFileError
            For a file that is damaged, of another program, or of another version.
        FileNotFoundError
            If there is no such file.
        """
        try:
            with archive.reading(path, FILE_FORMAT) as file:
                return cls._read(file, path)
        except archive.ArchiveError as error:
            raise ModelFileError(str(error)) from error

    @classmethod
    def _read(cls, file: archive.Archive, path: str | Path) -> "Model":
        header = file.header
        if header.get("version") not in READ_VERSIONS:
            legal = " and ".join(map(str, READ_VERSIONS))
            raise ModelFileError(f"{path} is of version {shown(header.get('version'))}; this program reads {legal}")
        try:
            encoding = Encoding.from_plain(header["encoding"]) if header.get("encoding") else NUMBERS
            selection = Selection.from_plain(header["selection"]) if header.get("selection") else None
            statistics = Statistics.from_plain(header["statistics"]) if header.get("statistics") else None
            network = Network.from_description(header["network"])
            feature_names, target_names = tuple(header["feature_names"]), tuple(header["target_names"])
            headroom = header["headroom"]
        except KeyError as error:
            raise ModelFileError(f"{path} is damaged: its header lacks {error}") from error
        except (TypeError, ValueError) as error:
            raise ModelFileError(f"{path} is damaged: {error}") from error
        floating = "domains_0" in file.names
        arrays = file.arrays(_wanted(network, floating=floating))
        depth = range(len(network.layers))
        try:
            for name, values in arrays.items():
                check_finite(name, values)
            return cls(
                network,
                Scaling(**{name: arrays[name] for name in RANGES}, feature_knots=arrays.get("feature_knots")),
                [arrays[f"nodes_{index}"] for index in depth],
                headroom,
                feature_names,
                target_names,
                [arrays[f"domains_{index}"] for index in depth] if floating else None,
                arrays.get("history"),
                arrays.get("target_scores"),
                encoding,
                selection,
                statistics,
            )
        except ValueError as error:
            raise ModelFileError(f"{path} is damaged: {error}") from error


def most_target_scores(outputs: int) -> int:
    """Count the epochs for which a model keeps the scores of so many targets."""
    return TARGET_SCORES_BYTES // (16 * outputs)


def _wanted(network: Network, *, floating: bool) -> dict[str, archive.Wanted]:
    """List what the arrays of a network's file have to be."""
    number, real = np.dtype(np.float64 if floating else np.int64), np.dtype(np.float64)
    layers = list(enumerate(network.layers))
    wanted = {f"nodes_{index}": archive.Wanted(layer.shape, number) for index, layer in layers}
    if floating:
        wanted |= {f"domains_{index}": archive.Wanted((layer.inputs, 2), real) for index, layer in layers}
    counts = {"feature": network.features, "target": network.outputs}
    wanted |= {name: archive.Wanted((counts[name.partition("_")[0]],), real) for name in RANGES}
    knots = range(2, MOST_KNOTS + 1)
    wanted["feature_knots"] = archive.Wanted((knots, network.features), real, optional=True)
    wanted["history"] = archive.Wanted((range(1, 2 * EPOCHS[1] + 1),), HISTORY, optional=True)
    rows = range(1, most_target_scores(network.outputs) + 1)
    wanted["target_scores"] = archive.Wanted((rows, network.outputs, 2), real, optional=True)
    return wanted


def check_fit(network: Network, source: Source) -> None:
    """Check that a source has as many features and targets as the network.

    Raises
    ------
    ValueError
        If it has not.
    """
    network.check_columns(len(source.feature_names), len(source.target_names), source.name)
