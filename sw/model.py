"""A model: a network with its nodes and the user's units. One versioned .npz file holds it."""

import json
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sw.datasets import Source
from sw.datasets.dataset import Selection
from sw.datasets.encoding import NUMBERS, Encoding
from sw.scaling import RANGES, Scaling
from sw.spec.network import Network
from sw.spec.nodes import check_nodes
from sw.spec.records import Records

FILE_FORMAT = "kanloom-model"
FILE_VERSION = 2
READ_VERSIONS = (1, 2)  # 1 has no encoding and no selection

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


class ModelFileError(Exception):
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
        arguments = unit_features * ((1 << self.network.formats[0].argument_bits) - 1)
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
    encoding : Encoding
        What is done to the columns of a table; `NUMBERS` stands for columns of numbers that are called as the features
        and targets.
    selection : Selection or None
        Which records of which data set the model was trained on, if that is known.
    """

    network: Network
    scaling: Scaling
    nodes: list[np.ndarray]
    headroom: int = 2
    feature_names: tuple[str, ...] = field(default=())
    target_names: tuple[str, ...] = field(default=())
    domains: list[np.ndarray] | None = None
    history: np.ndarray | None = None
    encoding: Encoding = NUMBERS
    selection: Selection | None = None

    def __post_init__(self) -> None:
        check_nodes(self.network, self.nodes, fixed=self.domains is None)
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
        """Write the model to a .npz file."""
        header = {
            "format": FILE_FORMAT,
            "version": FILE_VERSION,
            "network": self.network.describe(),
            "headroom": self.headroom,
            "feature_names": self.feature_names,
            "target_names": self.target_names,
            "encoding": self.encoding.plain(),
            "selection": self.selection and self.selection.plain(),
        }
        arrays = {f"nodes_{index}": nodes for index, nodes in enumerate(self.nodes)}
        arrays |= self.scaling.arrays()
        arrays |= {f"domains_{index}": domains for index, domains in enumerate(self.domains or ())}
        if self.history is not None:
            arrays["history"] = self.history
        with open(path, "wb") as file:
            np.savez_compressed(file, allow_pickle=False, header=np.array(json.dumps(header)), **arrays)

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
            file = np.load(path, allow_pickle=False)
            if isinstance(file, np.ndarray):
                raise ModelFileError(f"{path} is no kanloom model, but a single array")
            with file:
                arrays = {name: file[name] for name in file.files}
        except FileNotFoundError:
            raise
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise ModelFileError(f"{path} is damaged or no .npz file: {error}") from error
        try:
            header = json.loads(str(arrays.pop("header")))
            if header["format"] != FILE_FORMAT:
                raise ModelFileError(f"{path} is of format {header['format']!r}, not {FILE_FORMAT!r}")
            if header["version"] not in READ_VERSIONS:
                legal = " and ".join(map(str, READ_VERSIONS))
                raise ModelFileError(f"{path} is of version {header['version']}; this program reads {legal}")
            encoding, selection = header.get("encoding"), header.get("selection")
            network = Network.from_description(header["network"])
            scaling = Scaling(**{name: arrays[name] for name in RANGES}, feature_knots=arrays.get("feature_knots"))
            depth = range(len(network.layers))
            nodes = [arrays[f"nodes_{index}"] for index in depth]
            domains = [arrays[f"domains_{index}"] for index in depth] if "domains_0" in arrays else None
            history = arrays.get("history")
            if history is not None and (history.ndim, history.dtype) != (1, HISTORY):
                raise ValueError(f"a history of {history.dtype}")
            return cls(
                network,
                scaling,
                nodes,
                header["headroom"],
                tuple(header["feature_names"]),
                tuple(header["target_names"]),
                domains,
                history,
                encoding=Encoding.from_plain(encoding) if encoding else NUMBERS,
                selection=Selection.from_plain(selection) if selection else None,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(f"{path} is no kanloom model: {error!r}") from error


def check_fit(network: Network, source: Source) -> None:
    """Check that a source has as many features and targets as the network.

    Raises
    ------
    ValueError
        If it has not.
    """
    features, outputs = len(source.feature_names), len(source.target_names)
    if (features, outputs) != (network.features, network.outputs):
        raise ValueError(
            f"{source.name} has {features} features and {outputs} targets; the network {network} takes "
            f"{network.features} and gives {network.outputs}"
        )
