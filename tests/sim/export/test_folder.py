"""Folders of exported cores, tested as their users test them: with make and Verilator, and nothing else."""

import ast
import re
import subprocess

import numpy as np
import pytest
from amaranth import Shape
from amaranth.lib.wiring import In, Out

from hw.core.axi_stream import AxiStreamCore, lane_bits, lanes
from hw.core.description import attributes_of
from hw.core.inference_core import InferenceCore
from hw.core.late_target_core import LateTargetCore
from hw.core.training_core import TrainingCore
from hw.design.trainer_planning import plan_trainer
from hw.fpga.ecp5 import ECP5
from hw.fpga.ice40 import ICE40UP5K
from hw.schedule.folding import chain
from sim.export.folder import portable, write_core
from sim.export.litex import litex_example
from sw.outputs import MARKER, OutputError
from sw.spec.back_windows import lowest_windows
from sw.spec.network import Network
from sw.spec.nodes import random_nodes
from sw.spec.schedule import Rates, shifted_layers
from tests.sim.export.making import make

SMALL = Network.two_layer(2, 4, (4, 8)), 2, (1, 1)
ONE = Network.chain((4, 4), (8,)), 2, (2,)
DEEP = Network.chain((3, 6, 4, 2), (4, 4, 8)), 3, (2, 4, 1)
NARROW = Network.two_layer(4, 4, (2, 4), outputs=2, width=12), 2, (2, 1)
WIDE = Network.two_layer(2, 3, (2, 4), outputs=2, width=20), 1, (1, 2)
TAG_BITS = 3


def core_of(shape, technology=ECP5, *, exact=True, trains=True):
    network, taps, lanes = shape
    plan = portable(plan_trainer(network, chain(taps, lanes), technology=technology, exact=exact))
    nodes = random_nodes(network, np.random.default_rng(0))
    back = tuple(first + 3 for first in lowest_windows(network))
    rates = Rates((2,) * len(shifted_layers(len(network.layers))), back)
    core = TrainingCore(plan, rates=rates, nodes=nodes) if trains else InferenceCore(plan, nodes)
    return LateTargetCore(core, tag_bits=TAG_BITS) if trains == "late" else core, nodes


def test_a_folder_passes_its_own_bench_which_sees_every_difference(tmp_path):
    core, nodes = core_of(SMALL)
    write_core(core, nodes, "two", tmp_path / "two")
    folder = tmp_path / "two"
    done = make(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    interval, latency = core.plan.schedule.initiation_interval, core.latency
    assert f"passed: 120 predictions, a record every {interval} clocks, a prediction after {latency}" in done.stdout
    for name, message in (("predictions", r"prediction \d+ is"), ("nodes", r"node \d+ after pass \d is")):
        file = folder / f"{name}.hex"
        words = file.read_text().splitlines()
        changed = [*words[:-1], f"{int(words[-1], 16) ^ 1:0{len(words[-1])}x}"]
        file.write_text("\n".join(changed) + "\n")
        again = subprocess.run(["./obj_core/Vbench"], cwd=folder, capture_output=True, text=True)
        assert again.returncode != 0 and re.search(message, again.stdout) and "FAILED" in again.stdout
        file.write_text("\n".join(words) + "\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "technology", "exact", "trains"),
    [
        (ONE, ECP5, True, True),
        (ONE, ICE40UP5K, False, False),
        (SMALL, ICE40UP5K, False, True),
        (DEEP, ECP5, True, True),
        (NARROW, ICE40UP5K, True, True),
        (WIDE, ECP5, False, True),
        (SMALL, ECP5, True, False),
        (DEEP, ICE40UP5K, False, False),
        (NARROW, ECP5, False, False),
        (SMALL, ICE40UP5K, True, "late"),
        (NARROW, ECP5, True, "late"),
    ],
)
def test_every_kind_of_core_passes_its_bench_with_and_without_the_wrapper(shape, technology, exact, trains, tmp_path):
    core, nodes = core_of(shape, technology, exact=exact, trains=trains)
    write_core(core, nodes, "core", tmp_path / "core")
    for target in ("core", "axis"):
        done = make(tmp_path / "core", target)
        assert done.returncode == 0 and "passed: 120 predictions" in done.stdout, done.stdout + done.stderr


PORT = re.compile(r"^  (input|output) (?:signed )?(?:\[(\d+):0\] )?(\w+);$", re.MULTILINE)


def ports_in_verilog(text: str, name: str) -> dict[str, tuple[str, int]]:
    """Return direction and width of each port of a module."""
    module = re.search(rf"^module {name}\(.*?^endmodule$", text, re.MULTILINE | re.DOTALL)
    assert module
    return {port: (kind[:-3], int(high or 0) + 1) for kind, high, port in PORT.findall(module[0])}


def ports_in_table(text: str, name: str) -> dict[str, tuple[str, int]]:
    """Return direction and width of each port in a section of the description."""
    section = text.split(f"## Ports of `{name}`\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (in|out) \| (\d+) \| \S", section, re.MULTILINE)
    return {port: (direction, int(bits)) for port, direction, bits in rows}


@pytest.mark.parametrize("trains", [True, False, "late"])
@pytest.mark.parametrize("shape", [ONE, SMALL], ids=["one layer", "two"])
def test_the_description_has_the_ports_of_the_verilog(shape, trains, tmp_path):
    core, nodes = core_of(shape, ICE40UP5K, trains=trains)
    write_core(core, nodes, "two", tmp_path / "two")
    texts = {name: (tmp_path / "two" / name).read_text() for name in ("two.v", "two_axis.v", "two.md")}
    own, wrapped = (ports_in_verilog(texts[f"{name}.v"], name) for name in ("two", "two_axis"))
    table = ports_in_table(texts["two.md"], "two")
    assert table == own and ("bus__valid" in own) == bool(trains)
    streams = {port for port in own if port.endswith(("__payload", "__valid", "__ready"))} - {
        "bus__valid",
        "bus__ready",
    }
    assert {**ports_in_table(texts["two.md"], "two_axis"), **{p: own[p] for p in own if p not in streams}} == wrapped
    assert "assert" not in texts["two.v"]
    if trains:
        back = "; there are no back shifts." if shape is ONE else "; back shifts, by layer, 9 to 16."
        assert back in " ".join(texts["two.md"].split())
    assert f"| start of a record | its prediction can be taken | {core.latency} |" in texts["two.md"]


@pytest.mark.parametrize("trains", [True, False, "late"])
def test_the_litex_example_connects_every_port_of_the_core(trains):
    core, _ = core_of(SMALL, trains=trains)
    text = litex_example(core, "two")
    instances = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Instance"
    ]
    (instance,) = instances
    sides = {"i": In, "o": Out}
    connected = {name[2:]: sides[name[0]] for each in instance.keywords if (name := each.arg)}
    expected = {"__".join(map(str, path)): member.flow for path, member, _ in core.signature.flatten(core)}
    assert connected == {**expected, "clk": In, "rst": In}
    assert ("def add_csr" in text) == bool(trains) and max(map(len, text.splitlines())) <= 120


def test_values_of_the_wrapper_lie_in_whole_bytes_in_order():
    core, _ = core_of(NARROW)
    found = lanes(core.records.payload.shape())
    assert [(name, lane) for name, *_, lane in found] == [
        *((f"arguments[{index}]", 16 * index) for index in range(4)),
        ("train", 64),
    ]
    wrapper = AxiStreamCore(core, "core")
    assert len(wrapper.s_axis_records_tdata) == 72 and len(wrapper.m_axis_predictions_tdata) == 32
    assert lane_bits(Shape(16)) == 16 and lane_bits(Shape(17)) == 24
    assert wrapper.signature.members["s_axis_targets_tready"].flow is not In


def test_every_port_of_a_core_has_a_text():
    for kind in (TrainingCore, LateTargetCore, InferenceCore):
        assert {"records", "predictions"} <= set(attributes_of(kind.__doc__))
    assert attributes_of("One.\n\nAttributes\n----------\na, b : in\n    Two\n    lines.\nc : out\n    More.\n") == {
        "a": "Two lines.",
        "b": "Two lines.",
        "c": "More.",
    }


def test_a_folder_of_the_users_is_left_alone(tmp_path):
    core, nodes = core_of(SMALL, trains=False)
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match=f"has files in it .* no {re.escape(MARKER)}"):
        write_core(core, nodes, "core", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
