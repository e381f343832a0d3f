"""The public face of kanloom: describe a network, train it on this CPU, predict, and talk to a board.

Belongs here: the names that a program should import, and nothing else. Does not: any code. A name is imported from its
module when it is first used, so that `import kanloom` costs nothing. Gateware (`hw`, `boards`) and its simulation
(`sim`) are packages of their own, which need the extras `gateware` and `simulation`. Begin with `NKRegressor`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sw.datasets import Dataset, DatasetError, MemorySource, Source, Split, open_source
    from sw.datasets import load as load_dataset
    from sw.device.client import BoardClient, BoardError
    from sw.device.errors import LinkError
    from sw.engine.prediction import Predictor
    from sw.engine.strategy import Pretraining, Strategy
    from sw.engine.training import Training
    from sw.estimators import NKClassifier, NKRegressor
    from sw.estimators.stream import NKStreamRegressor
    from sw.experiment import Experiment, first_model
    from sw.model import Model, ModelFileError
    from sw.presets.by_size import default_preset
    from sw.presets.catalogue import find as find_preset
    from sw.presets.preset import Preset
    from sw.scaling import Scaling
    from sw.spec.configuration import Configuration
    from sw.spec.network import Layer, Network
    from sw.spec.records import Records
    from sw.spec.schedule import Phase, Rates
    from sw.spec.trainer import Statistics, Trainer

    __version__: str

__all__ = [
    "BoardClient",
    "BoardError",
    "Configuration",
    "Dataset",
    "DatasetError",
    "Experiment",
    "Layer",
    "LinkError",
    "MemorySource",
    "Model",
    "ModelFileError",
    "NKClassifier",
    "NKRegressor",
    "NKStreamRegressor",
    "Network",
    "Phase",
    "Predictor",
    "Preset",
    "Pretraining",
    "Rates",
    "Records",
    "Scaling",
    "Source",
    "Split",
    "Statistics",
    "Strategy",
    "Trainer",
    "Training",
    "__version__",
    "default_preset",
    "find_preset",
    "first_model",
    "load_dataset",
    "open_source",
]

_PLACES = {
    "BoardClient": "sw.device.client",
    "BoardError": "sw.device.client",
    "Configuration": "sw.spec.configuration",
    "Dataset": "sw.datasets",
    "DatasetError": "sw.datasets",
    "Experiment": "sw.experiment",
    "Layer": "sw.spec.network",
    "LinkError": "sw.device.errors",
    "MemorySource": "sw.datasets",
    "Model": "sw.model",
    "ModelFileError": "sw.model",
    "NKClassifier": "sw.estimators",
    "NKRegressor": "sw.estimators",
    "NKStreamRegressor": "sw.estimators.stream",
    "Network": "sw.spec.network",
    "Phase": "sw.spec.schedule",
    "Predictor": "sw.engine.prediction",
    "Preset": "sw.presets.preset",
    "Pretraining": "sw.engine.strategy",
    "Rates": "sw.spec.schedule",
    "Records": "sw.spec.records",
    "Scaling": "sw.scaling",
    "Source": "sw.datasets",
    "Split": "sw.datasets",
    "Statistics": "sw.spec.trainer",
    "Strategy": "sw.engine.strategy",
    "Trainer": "sw.spec.trainer",
    "Training": "sw.engine.training",
    "default_preset": "sw.presets.by_size",
    "find_preset": "sw.presets.catalogue:find",
    "first_model": "sw.experiment",
    "load_dataset": "sw.datasets:load",
    "open_source": "sw.datasets",
}
"""The module of each name, and after a colon what it is called there if that differs."""


if not TYPE_CHECKING:  # to a type checker, a module with this function has every name

    def __getattr__(name: str) -> object:
        if name == "__version__":
            from importlib.metadata import version

            value = version(__name__)
        elif name in _PLACES:
            module, _, attribute = _PLACES[name].partition(":")
            value = getattr(import_module(module), attribute or name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return __all__
