"""Training that goes on from a saved model: `--from MODEL`."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sw.commands.options import data_file
from sw.commands.training_options import preset_for, scheduled
from sw.outputs import same_file
from sw.presets.preset import Preset, shaped, with_fine, with_width

if TYPE_CHECKING:
    from sw.datasets import Source
    from sw.model import Model
    from sw.spec.network import Network


def add_from(group: argparse._ArgumentGroup) -> None:
    """Add the option that names the model to begin with.

    Parameters
    ----------
    group : argparse._ArgumentGroup
        The group about files.
    """
    group.add_argument(
        "--from",
        dest="start",
        type=Path,
        metavar="MODEL",
        help="model file to go on from, with its network and its ranges (default: begin anew)",
    )


def model_file(options: argparse.Namespace) -> Path:
    """Return the file of the trained model: what the user says, or the data set's name.

    Parameters
    ----------
    options : argparse.Namespace
        Of a verb that trains.
    """
    return options.output or Path(f"{Path(options.dataset).stem}.npz")


def goes_back(options: argparse.Namespace, output: Path) -> bool:
    """Tell whether the trained model goes to the file of the model that the training begins with.

    Parameters
    ----------
    options : argparse.Namespace
        Of a verb that trains.
    output : Path
        The file of the trained model.
    """
    return options.start is not None and same_file(options.start, output)


def files_read(options: argparse.Namespace, output: Path) -> list[Path | None]:
    """List the files that a training must not write to: a better model may replace the one that it began with.

    Parameters
    ----------
    options : argparse.Namespace
        Of a verb that trains.
    output : Path
        The file of the trained model.
    """
    return [data_file(options.dataset), None if goes_back(options, output) else options.start]


def check_start(model: Model, path: Path, source: Source) -> None:
    """Check that a training can go on from a model.

    Parameters
    ----------
    model : Model
        Where it begins.
    path : Path
        The model's file, for messages.
    source : Source
        What will be trained on.

    Raises
    ------
    ValueError
        For a model of other columns; it names them.
    """
    from sw.model import check_fit

    check_fit(model.network, source)
    for what, theirs, ours in (
        ("features", model.feature_names, source.feature_names),
        ("targets", model.target_names, source.target_names),
    ):
        if theirs and theirs != ours:
            raise ValueError(
                f"{path} is a model of the {what} {', '.join(theirs)}; {source.name} has {', '.join(ours)}"
            )


def preset_from(model: Model, options: argparse.Namespace, source: Source) -> Preset:
    """Choose the schedule by which a model is trained on.

    Parameters
    ----------
    model : Model
        Where the training begins.
    options : argparse.Namespace
        Of `sw.commands.training_options.add_training`.
    source : Source
        What is trained on.

    Returns
    -------
    Preset
        The data's schedule without pre-training, which would train apart what was trained together, unless the options
        ask for it; the model's network.
    """
    preset = replace(for_model(preset_for(source), model), pretraining=None)
    arithmetic = options.arithmetic or preset.arithmetic
    return scheduled(replace(preset, arithmetic=arithmetic), options.epochs, options.pretraining)


def for_model(preset: Preset, model: Model) -> Preset:
    """Change a preset for a model's network, and to floating point if the model is in it.

    Parameters
    ----------
    preset : Preset
        The data's.
    model : Model
        What is trained on.
    """
    preset = for_network(preset, model.network)
    floating = model.domains is not None and preset.arithmetic == "fixed16"
    return replace(preset, arithmetic="float32") if floating else preset


def for_network(preset: Preset, network: Network) -> Preset:
    """Change a preset for a network that is given.

    Parameters
    ----------
    preset : Preset
        Its schedule is taken.
    network : Network
        Of any sizes.

    Raises
    ------
    ValueError
        If the preset has no schedule for the network's fine bits.
    """
    preset = with_width(with_fine(preset, network.fine), network.width)
    if preset.network == network:
        return preset
    sizes = (network.features, *(layer.outputs for layer in network.layers))
    return replace(shaped(preset, sizes, tuple(layer.segments for layer in network.layers)), network=network)
