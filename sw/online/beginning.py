"""The learner of a stream of which only the columns are known, on this computer or on a trainer such as a board."""

from functools import partial

import numpy as np

from sw.engine.conversion import as_floating
from sw.model import Model
from sw.online.compiled_follower import CompiledFollower
from sw.online.follower import MakeFollower
from sw.online.forgetting import Forgetting
from sw.online.learner import Learner
from sw.online.trainer_follower import TrainerFollower
from sw.presets.preset import Preset
from sw.scaling import Scaling
from sw.spec.nodes import first_nodes
from sw.spec.trainer import Trainer

STREAM_RECORDS = 10_000  # are expected of a stream, where a preset is chosen by their number


def first_learner(
    preset: Preset,
    feature_names: tuple[str, ...] = (),
    target_names: tuple[str, ...] = (),
    *,
    seed: int = 0,
    detector: str | None = None,
    trainer: Trainer | None = None,
) -> Learner:
    """Make the learner of a stream; before its first record, it predicts 0.

    Parameters
    ----------
    preset : Preset
        The network, and the rates of its first phase.
    feature_names, target_names : tuple of str, optional
        Names of the columns.
    seed : int, default=0
        Of the first nodes.
    detector : str, optional
        Drift detector of a `Forgetting`; none keeps the rates as they are.
    trainer : Trainer, optional
        Trains the model, in fixed point, such as a board; by default, compiled kernels do.

    Raises
    ------
    ModuleNotFoundError
        For a detector, if River is not installed.
    ValueError
        For a trainer of another network, or one that cannot train at the preset's rates.
    """
    network = preset.network
    nodes = first_nodes(network, np.random.default_rng(seed), preset.spreads)
    scaling = Scaling.of(np.zeros((1, network.features)), np.zeros((1, network.outputs)))
    model = Model(network, scaling, nodes, preset.headroom, feature_names, target_names)
    if preset.arithmetic != "fixed16" and trainer is None:
        model = as_floating(model)
    return _learner(model, preset, detector, trainer, trained=False)


def next_learner(
    model: Model, preset: Preset, *, detector: str | None = None, trainer: Trainer | None = None
) -> Learner:
    """Make a learner that goes on from a model.

    Parameters
    ----------
    model : Model
        It is not changed.
    preset : Preset
        Its arithmetic and the rates of its first phase, for the model's network.
    detector : str, optional
        Drift detector of a `Forgetting`; none keeps the rates as they are.
    trainer : Trainer, optional
        Trains the model, in fixed point, such as a board; by default, compiled kernels do.

    Raises
    ------
    ModuleNotFoundError
        For a detector, if River is not installed.
    ValueError
        For a trainer of another network, or one that cannot train at the preset's rates.
    """
    return _learner(model, preset, detector, trainer, trained=True)


def _learner(model: Model, preset: Preset, detector: str | None, trainer: Trainer | None, *, trained: bool) -> Learner:
    rates = preset.phases[0].rates
    forgetting = Forgetting(rates, model.network.word, detector) if detector else None
    make_follower: MakeFollower
    if trainer is None:
        make_follower = partial(CompiledFollower, arithmetic=preset.arithmetic)
    else:
        make_follower = partial(TrainerFollower, trainer=trainer)
    return Learner(model, make_follower, rates, trained=trained, forgetting=forgetting)
