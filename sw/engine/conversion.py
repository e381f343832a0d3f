"""Conversion of models: to compiled trainers and back, to a slice of their addends, and to a row of numbers."""

from dataclasses import dataclass, replace

import numpy as np

from sw.engine.compiled import CompiledFixed, CompiledTrainer, CompiledUnquantised
from sw.model import Model
from sw.oracle.floating import Unquantised
from sw.spec.nodes import addend_nodes, joined_nodes

ARITHMETICS = {"fixed16": None, "float32": np.float32, "float64": np.float64}
"""What models are trained in, and its floating-point type."""


@dataclass(frozen=True, eq=False)
class AddendSlice:
    """Some addends of a model, in a trainer of their own.

    Attributes
    ----------
    start, stop : int
        The first addend, and the one after the last.
    trainer : CompiledTrainer
        Their trainer.
    """

    start: int
    stop: int
    trainer: CompiledTrainer


def as_floating(model: Model) -> Model:
    """Convert a fixed-point model to a floating-point one; a floating-point model is returned as it is."""
    if model.domains is not None:
        return model
    return replace(
        model, nodes=[nodes.astype(float) for nodes in model.nodes], domains=Unquantised(model.network).domains
    )


def compiled_trainer(model: Model, arithmetic: str, groups: tuple[int, ...] = ()) -> CompiledTrainer:
    """Make a compiled trainer with a model's parameters.

    Parameters
    ----------
    model : Model
        The model to train.
    arithmetic : str
        One of `ARITHMETICS`.
    groups : tuple of int, optional
        First addends of the groups that are trained alone.

    Returns
    -------
    CompiledTrainer
        The trainer.

    Raises
    ------
    ValueError
        For a floating-point model in fixed point.
    """
    word = ARITHMETICS[arithmetic]
    if word is not None:
        return CompiledUnquantised(model.network, model.nodes, model.domains, groups=groups, word=word)
    if model.domains is not None:
        raise ValueError(f"a floating-point model cannot be trained in {arithmetic}; use float32 or float64")
    return CompiledFixed(model.network, model.nodes, groups=groups, counting=False)


def with_trainer(model: Model, trainer: CompiledTrainer) -> Model:
    """Replace the parameters of a model by a trainer's."""
    domains = trainer.domains if isinstance(trainer, CompiledUnquantised) else None
    return replace(model, nodes=trainer.nodes, domains=domains)


def addend_slice(model: Model, start: int, stop: int) -> Model:
    """Select the addends from number `start` up to `stop` of a model."""
    domains = model.domains
    return replace(
        model,
        network=model.network.addend_slice(start, stop),
        nodes=addend_nodes(model.nodes, start, stop),
        domains=domains and [domains[0], domains[1][start:stop]],
    )


def assembled(model: Model, slices: list[AddendSlice]) -> Model:
    """Replace the parameters of a model by those of slices that hold all its addends, in order."""
    trainers = [each.trainer for each in slices]
    domains = model.domains
    if domains:
        ends = [trainer.domains[1] for trainer in trainers if isinstance(trainer, CompiledUnquantised)]
        domains = [domains[0], np.concatenate(ends)]
    return replace(model, nodes=joined_nodes([trainer.nodes for trainer in trainers]), domains=domains)


def parameters_of(model: Model) -> np.ndarray:
    """Collect all parameters of a model in a row."""
    return np.concatenate([array.ravel() for array in (*model.nodes, *(model.domains or ()))])


def with_parameters(model: Model, parameters: np.ndarray) -> Model:
    """Replace the parameters of a model by those in a row: the inverse of `parameters_of`."""
    arrays = [*model.nodes, *(model.domains or ())]
    ends = np.cumsum([array.size for array in arrays])[:-1]
    values = [row.reshape(array.shape) for row, array in zip(np.split(parameters, ends), arrays, strict=True)]
    depth = len(model.nodes)
    return replace(model, nodes=values[:depth], domains=values[depth:] or None)
