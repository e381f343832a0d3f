"""From options to a training: the network, its schedule and the strategy."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from sw.oracle.merging import MERGES, Merging
from sw.presets.catalogue import PRESETS
from sw.presets.preset import Preset, stretched
from sw.presets.selection import add_network, network_options, selected
from sw.spec.bounds import EPOCHS, MODELS, RELAXATION, ROUND_RECORDS, THREADS
from sw.spec.options import Groups, pretraining, real, whole

if TYPE_CHECKING:
    from sw.datasets import Source
    from sw.engine.strategy import Strategy

PRETRAINING_EPOCHS = 2  # where neither the option nor the preset says: those of the preset that was searched for
ARITHMETICS = ("fixed16", "float32", "float64")  # as in `sw.engine.conversion`, whose import is slow; a test compares


def add_pretraining(group: argparse._ArgumentGroup) -> None:
    """Add the option of pre-training.

    Parameters
    ----------
    group : argparse._ArgumentGroup
        The group about the training.
    """
    group.add_argument(
        "--pretraining",
        type=pretraining,
        metavar="ADDENDS[:EPOCHS]|none",
        help="train groups of so many addends alone, before all of them together (default: the preset's)",
    )


def add_epochs(group: argparse._ArgumentGroup) -> None:
    """Add the option of epochs.

    Parameters
    ----------
    group : argparse._ArgumentGroup
        The group about the training.
    """
    group.add_argument(
        "--epochs",
        type=whole(*EPOCHS),
        metavar="N",
        help="passes after pre-training (default: the preset's)",
    )


def add_training(parser: argparse.ArgumentParser) -> None:
    """Add the options of a training on this computer.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's parser.
    """
    add_network(parser.add_argument_group("network"), "by the data set")
    group = parser.add_argument_group("training")
    add_epochs(group)
    add_pretraining(group)
    group.add_argument(
        "--arithmetic", choices=ARITHMETICS, help="fixed16 is the boards', bit for bit (default: the preset's)"
    )
    group.add_argument(
        "--threads", type=whole(*THREADS), default=1, metavar="N", help="that work at a time (default: %(default)s)"
    )
    group.add_argument(
        "--models",
        type=whole(*MODELS),
        metavar="N",
        help="that train concurrently, then merge (default: threads)",
    )
    group.add_argument("--round-records", type=whole(*ROUND_RECORDS), metavar="N", help="of each model between merges")
    group.add_argument(
        "--merge", choices=MERGES, default=Merging.merge, help="how models are merged (default: %(default)s)"
    )
    group.add_argument(
        "--relaxation",
        type=real(*RELAXATION),
        default=Merging.relaxation,
        metavar="X",
        help="of the step to the merged model (default: %(default)s)",
    )


def preset_for(source: Source) -> Preset:
    """Choose the network and the schedule that fit the data.

    Parameters
    ----------
    source : Source
        A named data set has its preset; for any other, the rule of `sw.presets.by_size` chooses.

    Returns
    -------
    Preset
        Where to start.
    """
    from sw.presets.by_size import default_preset

    if source.name in PRESETS:
        return PRESETS[source.name]
    return default_preset(len(source.feature_names), len(source.target_names), source.count("train"))


def preset_of(options: argparse.Namespace, source: Source) -> Preset:
    """Return the network and the schedule that the options say for a source.

    Parameters
    ----------
    options : argparse.Namespace
        Of `add_training`.
    source : Source
        What is trained on.

    Returns
    -------
    Preset
        The data's, with what the options change.

    Raises
    ------
    ValueError
        For a network that is not legal.
    """
    preset = selected(**network_options(options), otherwise=preset_for(source))
    if options.arithmetic is not None:
        preset = replace(preset, arithmetic=options.arithmetic)
    return scheduled(preset, options.epochs, options.pretraining)


def scheduled(preset: Preset, epochs: int | None, groups: Groups | None) -> Preset:
    """Change a preset's schedule.

    Parameters
    ----------
    preset : Preset
        A network and a schedule.
    epochs : int or None
        Passes after pre-training; None for the preset's.
    groups : tuple of int and (int or None), or None
        What `--pretraining` said; None for the preset's.

    Returns
    -------
    Preset
        The same network with the schedule that is asked for.
    """
    if epochs is not None:
        preset = replace(preset, phases=stretched(preset.phases, epochs))
    if groups is None:
        return preset
    addends, passes = groups
    usual = preset.pretraining[1] if preset.pretraining else PRETRAINING_EPOCHS
    return replace(preset, pretraining=(addends, passes or usual) if addends else None)


def strategy_of(options: argparse.Namespace, preset: Preset) -> Strategy:
    """Return how a model is trained on this computer.

    Parameters
    ----------
    options : argparse.Namespace
        Of `add_training`.
    preset : Preset
        The network and the schedule.

    Returns
    -------
    Strategy
        For `sw.engine.training.Training`.
    """
    from sw.engine.strategy import Pretraining, Strategy

    rounds = {} if options.round_records is None else {"round_records": options.round_records}
    return Strategy(
        phases=preset.phases,
        arithmetic=preset.arithmetic,
        pretraining=Pretraining(*preset.pretraining, preset.phases[0].rates) if preset.pretraining else None,
        models=options.threads if options.models is None else options.models,
        merging=Merging(options.merge, options.relaxation),
        seed=options.seed,
        **rounds,
    )
