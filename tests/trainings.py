"""A small training, in every arithmetic and every way of merging."""

from dataclasses import replace

import numpy as np

from sw.datasets import Source, open_source
from sw.engine.conversion import parameters_of
from sw.engine.strategy import Pretraining, Strategy
from sw.engine.training import Training
from sw.model import Model
from sw.oracle.merging import Merging
from sw.scaling import Scaling
from sw.spec.network import Network
from sw.spec.nodes import random_nodes
from sw.spec.schedule import Phase, Rates

NETWORK = Network.two_layer(4, 8, (4, 8))
FINE = replace(NETWORK, fine=4)
RATES, LATER = Rates((2,), (13,)), Rates((3,), (14,))
PRETRAINING = Pretraining(3, 1, RATES)  # the last group is of 2
PHASES = (Phase(1, RATES), Phase(1, LATER))

STRATEGIES = {
    "fixed16": Strategy(phases=PHASES, pretraining=PRETRAINING, round_records=40),
    "float32": Strategy(phases=PHASES, pretraining=PRETRAINING, round_records=40, arithmetic="float32"),
    "float64": Strategy(phases=PHASES, pretraining=PRETRAINING, round_records=40, arithmetic="float64"),
    "pairs": Strategy(phases=PHASES, round_records=40, merging=Merging("pairs"), seed=5),
    "relaxed": Strategy(phases=PHASES, round_records=40, merging=Merging(relaxation=1.5), arithmetic="float32"),
}


def source_of(records: int = 700, holdout: int = 150, seed: int = 3) -> Source:
    return open_source("norm4", records=records, holdout=holdout, seed=seed)


def model_of(source: Source, network: Network = NETWORK) -> Model:
    return Model(network, Scaling.of_source(source, 1000), random_nodes(network, np.random.default_rng(1)))


def trained(training: Training) -> np.ndarray:
    """The parameters in the end."""
    for _ in training.run():
        pass
    return parameters_of(training.model)
