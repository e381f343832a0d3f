"""A model: a network with its nodes and the user's units. One versioned .npz file holds it."""

import json
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sw.datasets import Source
from sw.scaling import RANGES, Scaling
from sw.spec.network import Network
from sw.spec.nodes import check_nodes
from sw.spec.records import Records

FILE_FORMAT = "kanloom-model"


FILE_VERSION = 1


HISTORY = np.dtype(
    [
        ("records", np.int64),
        ("seconds", np.float64),
        ("pearson", np.float64),
        ("rmse", np.float64),
        ("pretraining", np.bool_),
    ]
)
"""A training's course, a row an epoch: records trained on so far, and in how many seconds; Pearson and RMSE of the
hold-out then; whether the addends were trained apart."""


class ModelFileError(Exception):
    """A file that is no model of this program, or a damaged one."""


@dataclass(frozen=True)
class Units:
    """How unit values become integers: targets of +-1 are +-2**(W - 1 - headroom), the rest is headroom."""

    network: Network
    headroom: int = 2

    @property
    def target_scale(self) -> int:
        return 1 << (self.network.width - 1 - self.headroom)

    def encode(self, unit_features: np.ndarray, unit_targets: np.ndarray, *, exact: bool = False) -> Records:
        """Codes and words; `exact`: not rounded, nor limited to the word, as floating-point machines take them."""
        top = (1 << self.network.formats[0].argument_bits) - 1
        arguments, targets = unit_features * top, unit_targets * self.target_scale
        if exact:
            return Records(arguments, targets)
        return Records(np.rint(arguments).astype(np.int64), self.network.word.limit(np.rint(targets)).astype(np.int64))

    def decode(self, results: np.ndarray) -> np.ndarray:
        """Unit targets of the words that a fixed-point machine predicted."""
        return np.asarray(results) / self.target_scale


@dataclass
class Model:
    """A network with its parameters and the units of the data it was made for.

    `nodes`: one array per layer, of `Layer.shape`; int64, or float64 in the units of the fixed-point form.
    `domains`: of a floating-point model, per layer (inputs, 2), the limits of each input's grid; None in fixed point.
    `history`: how it was trained, an array of `HISTORY`, or None.
    """

    network: Network
    scaling: Scaling
    nodes: list[np.ndarray]
    headroom: int = 2
    feature_names: tuple[str, ...] = field(default=())
    target_names: tuple[str, ...] = field(default=())
    domains: list[np.ndarray] | None = None
    history: np.ndarray | None = None

    def __post_init__(self) -> None:
        check_nodes(self.network, self.nodes, fixed=self.domains is None)

    @property
    def units(self) -> Units:
        return Units(self.network, self.headroom)

    def encode(self, features: np.ndarray, targets: np.ndarray) -> Records:
        """Records in the model's integers from (n, features) and (n, outputs) in the user's units."""
        unit_features, unit_targets = self.scaling.unit_features(features), self.scaling.unit_targets(targets)
        return self.units.encode(unit_features, unit_targets, exact=self.domains is not None)

    def decode(self, results: np.ndarray) -> np.ndarray:
        """Predictions in the user's units from a machine's words, (n, outputs)."""
        return self.scaling.user_targets(self.units.decode(results))

    def save(self, path: str | Path) -> None:
        header = {
            "format": FILE_FORMAT,
            "version": FILE_VERSION,
            "network": self.network.describe(),
            "headroom": self.headroom,
            "feature_names": self.feature_names,
            "target_names": self.target_names,
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
        """Raises `ModelFileError` for a file that is damaged, of another program, or of a later version."""
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
            if header["version"] != FILE_VERSION:
                raise ModelFileError(f"{path} is of version {header['version']}; this program reads {FILE_VERSION}")
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
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(f"{path} is no kanloom model: {error!r}") from error


def check_fit(network: Network, source: Source) -> None:
    """Raise ValueError unless the source has the network's features and outputs."""
    features, outputs = len(source.feature_names), len(source.target_names)
    if (features, outputs) != (network.features, network.outputs):
        raise ValueError(
            f"{source.name} has {features} features and {outputs} targets; the network {network} takes "
            f"{network.features} and gives {network.outputs}"
        )
