"""Tetra-faces, three layers, trains on the ULX3S's planned design to the bits of oracle and kernels."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import boards
from hw.link.uart import MIN_CLOCKS_PER_BIT
from hw.plan.search import search
from hw.soc.soc import Soc
from sim.virtual_board import VirtualBoard
from sw import datasets
from sw.device.client import BoardClient
from sw.engine.compiled import CompiledFixed
from sw.experiment import Experiment
from sw.oracle.contexts import ContextReference
from sw.presets.catalogue import quick
from sw.spec.back_windows import windows_for
from sw.spec.schedule import Phase

RECORDS = 1000


@pytest.mark.slow
def test_tetra_faces_trains_on_the_ulx3s_to_the_bits_of_oracle_and_kernels() -> None:
    target = boards.find("ulx3s")
    target = replace(target, baud=target.clock_hz // MIN_CLOCKS_PER_BIT)  # most of the time goes into the line
    preset = quick("tetra-faces")
    design = search(target, preset.network, back_windows=windows_for(preset.network, preset.phases)).design
    split = datasets.load("tetra-faces", records=RECORDS, holdout=100, seed=0)
    experiment = Experiment.begin(preset, split, seed=0)
    phases = [Phase(1, phase.rates) for phase in preset.phases]
    assert len(phases) == 2 and min(design.configuration.staleness[:2]) > 1

    begin, network, nodes = partial(experiment.run, phases=phases), preset.network, experiment.model.nodes
    oracle = ContextReference.of(design.configuration, nodes)
    kernels = CompiledFixed(network, nodes, design.configuration.staleness)
    with (
        VirtualBoard(Soc(design), clocks_per_bit=target.clocks_per_bit) as virtual,
        BoardClient.open(virtual.port) as board,
    ):
        assert board.configuration == design.configuration
        trained = begin(board)
    for reference in (oracle, kernels):
        expected = begin(reference)
        assert all(map(np.array_equal, trained.model.nodes, expected.model.nodes))
        assert np.array_equal(trained.predicted, expected.predicted)
        assert trained.model.statistics == expected.model.statistics
    assert not any(map(np.array_equal, trained.model.nodes, nodes))
    sequential = begin(CompiledFixed(network, nodes))
    assert not any(map(np.array_equal, trained.model.nodes, sequential.model.nodes))
