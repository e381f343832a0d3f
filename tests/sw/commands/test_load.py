"""`kanloom load`: a model goes to a board and comes back, without training."""

import numpy as np
import pytest

from sw.engine.conversion import as_floating
from sw.model import Model
from sw.presets.catalogue import PRESETS
from sw.spec.network import Network
from sw.spec.nodes import random_nodes
from tests.sw.commands.running import sw


def save_like(folder, path, network, seed=5):
    """A model file of another network, with the units of the trained one."""
    model = Model.load(folder / "model.npz")
    Model(network, model.scaling, random_nodes(network, np.random.default_rng(seed)), model.headroom).save(path)


def test_a_model_that_was_written_is_read_back(port, folder, tmp_path):
    model, read = folder / "model.npz", tmp_path / "read.npz"
    for seed in (5, 6):  # other nodes than those that are on the board already
        save_like(folder, tmp_path / "other.npz", PRESETS["norm2"].network, seed)
        assert "344 nodes" in sw("load", tmp_path / "other.npz", "--port", port)
    sw("load", "--read", read, "--like", model, "--port", port)
    found, other, like = Model.load(read), Model.load(tmp_path / "other.npz"), Model.load(model)
    assert all(map(np.array_equal, found.nodes, other.nodes))
    assert found.feature_names == like.feature_names and found.history is None
    np.testing.assert_array_equal(found.scaling.target_high, like.scaling.target_high)


@pytest.mark.parametrize(
    ("network", "name"),
    [
        (Network.two_layer(2, 4, (4, 32), gain=0), "2-4-1 (4/32 segments, 16 bit)"),
        (Network.two_layer(2, 8, (4, 32), gain=1), "2-8-1 (4/32 segments, 16 bit) with gains 1, 0"),
    ],
)
def test_a_model_of_another_network_is_refused_and_both_are_named(port, folder, tmp_path, network, name):
    save_like(folder, tmp_path / "other.npz", network)
    for arguments in (["other.npz"], ["--read", "read.npz", "--like", "other.npz"]):
        paths = [tmp_path / each if each.endswith(".npz") else each for each in arguments]
        printed = sw("load", *paths, "--port", port, code=1)
        assert f"other.npz is a model of the network {name}" in printed and "has the network 2-8-1 (4/32" in printed
    assert not (tmp_path / "read.npz").exists()


def test_a_floating_point_model_is_refused(folder, tmp_path):
    as_floating(Model.load(folder / "model.npz")).save(tmp_path / "float.npz")
    printed = sw("load", tmp_path / "float.npz", "--port", "/dev/nowhere", code=1)
    assert "float.npz is a floating-point model" in printed and "--arithmetic fixed16" in printed


@pytest.mark.parametrize(
    "arguments", [[], ["a.npz", "--read", "b.npz"], ["--read", "b.npz"], ["a.npz", "--like", "b.npz"]]
)
def test_writing_and_reading_exclude_each_other(arguments):
    assert sw("load", *arguments, "--port", "/dev/nowhere", code=2).startswith("error: ")
