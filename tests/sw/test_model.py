import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sw.engine.conversion import as_floating
from sw.model import HISTORY, Model, ModelFileError
from sw.scaling import Scaling
from sw.spec.network import Network
from sw.spec.nodes import random_nodes
from sw.spec.trainer import Statistics

NETWORK = Network.two_layer(3, 4, (4, 8), outputs=2)


def model(network: Network = NETWORK) -> Model:
    rng = np.random.default_rng(0)
    scaling = Scaling.of(rng.normal(3, 100, (50, network.features)), rng.normal(0, 1e-3, (50, network.outputs)))
    return Model(network, scaling, random_nodes(network, rng), 1, ("a", "b", "c"), ("y", "z"))


def test_a_saved_model_loads_equal(tmp_path):
    ours = model()
    ours.save(tmp_path / "model.npz")
    loaded = Model.load(tmp_path / "model.npz")
    assert loaded.network == ours.network
    assert all(map(np.array_equal, loaded.nodes, ours.nodes))
    assert (loaded.headroom, loaded.feature_names, loaded.target_names) == (1, ("a", "b", "c"), ("y", "z"))
    x, y = np.full((2, 3), 5.0), np.full((2, 2), 1e-4)
    assert np.array_equal(loaded.encode(x, y).arguments, ours.encode(x, y).arguments)
    assert np.array_equal(loaded.decode(np.array([[7, -9]])), ours.decode(np.array([[7, -9]])))


@pytest.mark.parametrize("floating", [False, True])
def test_features_are_encoded_without_targets(floating):
    ours = as_floating(model()) if floating else model()
    x = np.random.default_rng(1).normal(3, 100, (20, 3))
    assert np.array_equal(ours.encode_features(x), ours.encode(x, np.zeros((20, 2))).arguments)
    assert ours.encode_features(x).dtype == (np.float64 if floating else np.int64)


def test_a_history_is_saved_with_the_model_and_a_foreign_one_refused(tmp_path):
    history = np.array([(100, 0.5, 0.9, 2.0, True), (200, 1.5, 0.99, 1.0, False)], HISTORY)
    replace(model(), history=history).save(tmp_path / "model.npz")
    loaded = Model.load(tmp_path / "model.npz").history
    assert loaded is not None and np.array_equal(loaded, history)
    replace(model(), history=np.zeros(3)).save(tmp_path / "foreign.npz")
    with pytest.raises(ModelFileError, match=r"array history has the shape .* of float64"):
        Model.load(tmp_path / "foreign.npz")


def test_counts_are_saved_with_the_model_and_impossible_ones_refused(tmp_path):
    counts = Statistics(100, 2500, 1, 2, 3)
    replace(model(), statistics=counts).save(tmp_path / "model.npz")
    assert Model.load(tmp_path / "model.npz").statistics == counts
    replace(model(), statistics=Statistics(100, 2500, 1, -2, 3)).save(tmp_path / "foreign.npz")
    with pytest.raises(ModelFileError, match="-2 clips"):
        Model.load(tmp_path / "foreign.npz")


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.98])
def test_a_damaged_file_is_refused(tmp_path, keep):
    path = tmp_path / "model.npz"
    model().save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep) if isinstance(keep, float) else keep])
    with pytest.raises(ModelFileError, match="damaged"):
        Model.load(path)


def test_a_flipped_bit_in_the_nodes_is_noticed(tmp_path):
    path = tmp_path / "model.npz"
    model().save(path)
    content = bytearray(path.read_bytes())
    place = content.index(b"nodes_1.npy") + 60
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelFileError):
        Model.load(path)


def test_a_foreign_npz_is_refused(tmp_path):
    np.savez(tmp_path / "foreign.npz", x=np.arange(3))
    np.save(tmp_path / "array.npy", np.arange(3))
    for name in ("foreign.npz", "array.npy"):
        with pytest.raises(ModelFileError, match="not a kanloom model"):
            Model.load(tmp_path / name)


def test_a_later_version_is_refused_by_number(tmp_path):
    path = tmp_path / "model.npz"
    model().save(path)
    with np.load(path) as file:
        arrays = dict(file)
    arrays["header"] = np.array(json.dumps(json.loads(str(arrays["header"])) | {"version": 99}))
    np.savez(path, **arrays)
    with pytest.raises(ModelFileError, match="version 99"):
        Model.load(path)


def test_a_missing_file_is_just_that(tmp_path):
    with pytest.raises(FileNotFoundError):
        Model.load(tmp_path / "none.npz")


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_targets_survive_the_way_there_and_back(low, span):
    targets = np.linspace(low, low + span, 9)[:, None]
    ours = Model(Network.two_layer(1, 2, (4, 4)), Scaling.of(targets, targets), random_nodes(
        Network.two_layer(1, 2, (4, 4)), np.random.default_rng(0)))  # fmt: skip
    words = ours.encode(targets, targets).targets
    step = ours.scaling.target_high - ours.scaling.target_low
    assert np.allclose(
        ours.decode(words), targets, rtol=0, atol=float(step[0]) / (2 * ours.units.target_scale) + 1e-9 * abs(low)
    )


def test_values_outside_the_training_range_are_clipped_and_constants_are_zero():
    scaling = Scaling.of(np.array([[0.0, 5.0], [10.0, 5.0]]), np.array([[2.0], [2.0]]))
    assert scaling.unit_features(np.array([[-3.0, 5.0], [99.0, 6.0]])).tolist() == [[0, 0], [1, 0]]
    assert scaling.user_targets(scaling.unit_targets(np.array([[2.0]]))).tolist() == [[2.0]]


@pytest.mark.parametrize(
    ("nodes", "message"),
    [(lambda nodes: nodes[:1], "shapes"), (lambda nodes: [99 * layer for layer in nodes], "outside")],
)
def test_nodes_that_do_not_fit_are_refused(nodes, message):
    with pytest.raises(ValueError, match=message):
        Model(NETWORK, model().scaling, nodes(model().nodes))
