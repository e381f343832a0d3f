"""A short stream with what changes a learner: values beyond the ranges, missing targets, and a drift with an alarm."""

import numpy as np

from sw.model import Model
from sw.online.follower import MakeFollower
from sw.online.forgetting import Forgetting
from sw.online.learner import Learner
from sw.presets.catalogue import PRESETS
from sw.scaling import Scaling
from sw.spec.network import Network
from sw.spec.nodes import first_nodes

PRESET = PRESETS["norm2"]
NETWORK = PRESET.network
RATES = PRESET.phases[0].rates
RECORDS = 290
DRIFTS = 180  # records with targets before the drift
HEADROOM = 3

RNG = np.random.default_rng(4)
FEATURES = RNG.uniform(-1, 1, (RECORDS, 2))
TARGETS = np.where(np.arange(RECORDS)[:, None] < 200, FEATURES[:, :1] * FEATURES[:, 1:], 4 - 2 * FEATURES[:, :1])
FEATURES[[60, 61, 150], 1] = 1.7, -2.2, 9.0
TARGETS[100] = 9.0
TARGETS[10:25] = TARGETS[170:175] = np.nan


def trained(make_follower: MakeFollower, network: Network = NETWORK) -> Learner:
    """A learner that goes on from a model with ranges of its own."""
    return _learner(make_follower, network, trained=True)


def fresh(make_follower: MakeFollower, network: Network = NETWORK) -> Learner:
    """A learner that begins anew."""
    return _learner(make_follower, network, trained=False)


def _learner(make_follower: MakeFollower, network: Network, *, trained: bool) -> Learner:
    nodes = first_nodes(network, np.random.default_rng(3), PRESET.spreads)
    scaling = Scaling(*(np.full(count, end) for count in (2, 1) for end in (-1.0, 1.0)))
    model = Model(network, scaling, nodes, HEADROOM)
    forgetting = Forgetting(RATES, network.word, "page-hinkley")
    return Learner(model, make_follower, RATES, trained=trained, forgetting=forgetting)
