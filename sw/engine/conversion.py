"""Models on compiled machines, whole or in parts, and back; and in a row of numbers."""

from dataclasses import dataclass, replace

import numpy as np

from sw.engine.compiled import CompiledFixed, CompiledTrainer, CompiledUnquantised
from sw.model import Model
from sw.oracle.floating import Unquantised
from sw.spec.nodes import joined_nodes, part_of_nodes

ARITHMETICS = {"fixed16": None, "float32": np.float32, "float64": np.float64}


@dataclass(frozen=True, eq=False)
class Part:
    """Addends `start` up to `stop` of a model, on a machine of their own."""

    start: int
    stop: int
    machine: CompiledTrainer


def as_floating(model: Model) -> Model:
    """A fixed-point model as a floating-point one; that which is one already as it is."""
    if model.domains is not None:
        return model
    return replace(
        model, nodes=[nodes.astype(float) for nodes in model.nodes], domains=Unquantised(model.network).domains
    )


def machine_of(model: Model, arithmetic: str, groups: tuple[int, ...] = ()) -> CompiledTrainer:
    """A compiled machine with the model's parameters. Raises ValueError for a model of another arithmetic."""
    word = ARITHMETICS[arithmetic]
    if word is not None:
        return CompiledUnquantised(model.network, model.nodes, model.domains, groups=groups, word=word)
    if model.domains is not None:
        raise ValueError(f"a floating-point model cannot be trained in {arithmetic}; use float32 or float64")
    return CompiledFixed(model.network, model.nodes, groups=groups, counting=False)


def with_machine(model: Model, machine: CompiledTrainer) -> Model:
    """The model with the parameters of a machine."""
    domains = machine.domains if isinstance(machine, CompiledUnquantised) else None
    return replace(model, nodes=machine.nodes, domains=domains)


def part_of(model: Model, start: int, stop: int) -> Model:
    """Some addends of a model alone."""
    domains = model.domains
    return replace(
        model,
        network=model.network.part(stop - start),
        nodes=part_of_nodes(model.nodes, start, stop),
        domains=domains and [domains[0], domains[1][start:stop]],
    )


def assembled(model: Model, parts: list[Part]) -> Model:
    """The model that the parts make up."""
    machines = [part.machine for part in parts]
    domains = model.domains
    if domains:
        ends = [machine.domains[1] for machine in machines if isinstance(machine, CompiledUnquantised)]
        domains = [domains[0], np.concatenate(ends)]
    return replace(model, nodes=joined_nodes([machine.nodes for machine in machines]), domains=domains)


def parameters_of(model: Model) -> np.ndarray:
    """All parameters in a row."""
    return np.concatenate([array.ravel() for array in (*model.nodes, *(model.domains or ()))])


def with_parameters(model: Model, parameters: np.ndarray) -> Model:
    """The inverse of `parameters_of`."""
    arrays = [*model.nodes, *(model.domains or ())]
    ends = np.cumsum([array.size for array in arrays])[:-1]
    values = [part.reshape(array.shape) for part, array in zip(np.split(parameters, ends), arrays, strict=True)]
    depth = len(model.nodes)
    return replace(model, nodes=values[:depth], domains=values[depth:] or None)
