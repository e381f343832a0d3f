"""A layer of the gateware under cocotb and Verilator; and the bench's model of a layer against the oracles."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from hw.datapath.layer import LayerUnit
from hw.fpga.ecp5 import ECP5, ECP5_LOW_LATENCY
from hw.fpga.ice40 import ICE40UP5K
from sim.cocotb_bench.runner import run_bench
from sw.oracle.fixed import FixedReference
from sw.oracle.floating import UnquantisedTrainer
from sw.spec.addresses import Folding
from sw.spec.network import Network
from sw.spec.trainer import Trainer
from tests.cases import RATES, ordinary
from tests.hw.datapath.bench_layer import BACK_START, LayerModel
from tests.slow import slow

NETWORK = Network.two_layer(4, 6, (4, 8), outputs=2)


LAYERS = {
    "first": (0, Folding(taps=2, lanes=3)),
    "second": (1, Folding(taps=3, lanes=2)),
    "second, an output at a time": (1, Folding(taps=3, lanes=1)),
}
TECHNOLOGIES = {"iCE40UP5K": ICE40UP5K, "ECP5": ECP5, "low latency": ECP5_LOW_LATENCY}


@pytest.mark.parametrize(
    ("case", "name"),
    [
        ("first", "iCE40UP5K"),
        ("second", "ECP5"),
        slow("first", "ECP5"),
        slow("second", "iCE40UP5K"),
        *(slow("second, an output at a time", name) for name in TECHNOLOGIES),
    ],
)
def test_a_layer_equals_its_model(case: str, name: str, waves: Path | None) -> None:
    """Outputs one at a time are in each run of `test_trainer`, in a trainer against the oracle."""
    (layer, folding), technology = LAYERS[case], TECHNOLOGIES[name]
    geometry = NETWORK.layers[layer]
    unit = LayerUnit(
        NETWORK.formats[layer],
        inputs=geometry.inputs,
        outputs=geometry.outputs,
        taps=folding.taps,
        lanes=folding.lanes,
        technology=technology,
        back_shifts=NETWORK.word.back_window(BACK_START) if layer else range(0),
        shifts_steps=layer > 0,
        revisit=None,
    )
    parameters = {
        "network": NETWORK.describe(),
        "layer": layer,
        "folding": asdict(folding),
        "timing": asdict(unit.timing),
        "access_latency": unit.access_latency,
        "error_copies": len(unit.update.errors),
    }
    run_bench(unit, "tests.hw.datapath.bench_layer", parameters=parameters, waves=waves)


@pytest.mark.parametrize("rounded", [True, False], ids=["fixed", "float"])
def test_the_model_is_a_layer_of_the_oracle(rounded: bool) -> None:
    """Two of them, one after the other, are `FixedReference`; without rounding, `UnquantisedTrainer`."""
    nodes, records = ordinary(NETWORK, 3)
    inner, outer = (
        LayerModel(form, layer.astype(int if rounded else float), index == 0, rounded)
        for index, (form, layer) in enumerate(zip(NETWORK.formats, nodes, strict=True))
    )
    every = slice(None)
    for codes, targets in zip(records.arguments, records.targets, strict=True):
        hidden = inner.forward(codes, every)[0] + inner.form.result_bias
        residual = NETWORK.word.limit(targets - outer.forward(hidden, every)[0])
        inner.update(codes, outer.update(hidden, residual, every, every, train=True), every, every, train=True)
    oracle: Trainer = FixedReference(NETWORK, nodes) if rounded else UnquantisedTrainer(NETWORK, nodes)
    oracle.train(records, RATES)
    for model, expected in zip((inner, outer), oracle.nodes, strict=True):
        assert model.saturations == 0  # the unquantised model does not saturate
        assert np.allclose(model.nodes, expected, rtol=0, atol=0 if rounded else 1e-6)
