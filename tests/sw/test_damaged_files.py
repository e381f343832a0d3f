"""A damaged file is refused in one line, or is not damaged in anything that counts; it takes no more memory or time.

Models and checkpoints have checksums: what is loaded is what was written.
"""

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sw import archive
from sw.engine import checkpoint
from sw.engine.checkpoint import CheckpointError
from sw.engine.conversion import as_floating
from sw.engine.training import State, Training
from sw.model import HISTORY, Model, ModelFileError
from sw.scaling import Scaling
from sw.spec.network import Network
from sw.spec.nodes import random_nodes
from tests.damage import members, outcomes, packed
from tests.slow import slow
from tests.trainings import STRATEGIES, model_of, source_of

MUTATIONS = (400, slow(2000))


def the_model(*, floating: bool = False) -> Model:
    rng = np.random.default_rng(0)
    network = Network.two_layer(3, 4, (4, 8), outputs=2)
    scaling = Scaling.robust(rng.normal(3, 100, (50, 3)) ** 3, rng.normal(0, 1e-3, (50, 2)))
    history = np.array([(100, 0.5, 0.9, 2.0, True), (200, 1.5, 0.99, 1.0, False)], HISTORY)
    model = Model(network, scaling, random_nodes(network, rng), 1, ("a", "b", "c"), ("y", "z"), history=history)
    return as_floating(model) if floating else model


def content_of(model: Model) -> dict[str, np.ndarray]:
    arrays = [*model.nodes, *(model.domains or ())]
    assert model.history is not None
    return {str(index): array for index, array in enumerate(arrays)} | model.scaling.arrays() | {"h": model.history}


def same(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> bool:
    return ours.keys() == theirs.keys() and all(np.array_equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("mutations", MUTATIONS)
@pytest.mark.parametrize("floating", [False, True])
def test_a_damaged_model_is_refused_or_the_same(tmp_path: Path, floating: bool, mutations: int) -> None:
    path, model = tmp_path / "model.npz", the_model(floating=floating)
    model.save(path)
    for loaded in outcomes(path, mutations // 2, lambda: Model.load(path), ModelFileError):
        assert isinstance(loaded, Model) and same(content_of(loaded), content_of(model))
        assert (loaded.network, loaded.headroom) == (model.network, model.headroom)
        assert (loaded.feature_names, loaded.target_names) == (model.feature_names, model.target_names)


@pytest.fixture
def training() -> Training:
    source = source_of()
    return Training(model_of(source), source, replace(STRATEGIES["fixed16"], models=2), shard_records=240)


@pytest.mark.parametrize("mutations", MUTATIONS)
def test_a_damaged_checkpoint_is_refused_or_the_same(tmp_path: Path, training: Training, mutations: int) -> None:
    path = tmp_path / "state.ck"
    for _ in zip(training.run(), range(5), strict=False):
        pass
    checkpoint.save(training, path)
    state = training.state
    for loaded in outcomes(path, mutations, lambda: checkpoint.load(training, path), CheckpointError):
        assert isinstance(loaded, State) and loaded.position == state.position
        assert np.array_equal(loaded.parameters, state.parameters)


HEADERS = {
    "epoch = -1": lambda header: header | {"epoch": -1},
    "epoch = 10**9": lambda header: header | {"epoch": 10**9},
    "epoch is a text": lambda header: header | {"epoch": "1"},
    "shard is true": lambda header: header | {"shard": True},
    "no shard": lambda header: {key: value for key, value in header.items() if key != "shard"},
    "no training": lambda header: {key: value for key, value in header.items() if key != "training"},
    "training is a list": lambda header: header | {"training": [1, 2]},
    "version is a list": lambda header: header | {"version": [2]},
    "epoch is NaN": lambda header: header | {"epoch": float("nan")},
}


@pytest.mark.parametrize("what", HEADERS)
def test_a_checkpoint_of_a_wrong_header_is_refused(tmp_path: Path, training: Training, what: str) -> None:
    path = tmp_path / "state.ck"
    checkpoint.save(training, path)
    rewrite(path, "kanloom-checkpoint", HEADERS[what])
    with pytest.raises(CheckpointError) as error:
        checkpoint.load(training, path)
    assert "\n" not in str(error.value)


def rewrite(path: Path, file_format: str, change: Callable[[dict], dict]) -> None:
    """Change the header of a file, and nothing else."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files if name != "header"}
    with archive.reading(path, file_format) as opened:
        header = change(dict(opened.header))
    with path.open("wb") as stream:
        archive.write(stream, header, arrays, compressed=True)


def network_of(header: dict, **layer: object) -> dict:
    network = header["network"]
    return header | {"network": network | {"layers": [network["layers"][0] | layer, network["layers"][1]]}}


MODEL_HEADERS = {
    "no network": lambda header: header | {"network": None},
    "no layers": lambda header: header | {"network": {"width": 16, "layers": []}},
    "too many layers": lambda header: header | {"network": {"width": 16, "layers": header["network"]["layers"] * 1000}},
    "a layer of 10**12": lambda header: network_of(header, inputs=10**12),
    "a layer of a fraction": lambda header: network_of(header, inputs=3.0),
    "a layer of a text": lambda header: network_of(header, segments="4"),
    "a layer of NaN": lambda header: network_of(header, gain=float("nan")),
    "a layer of more": lambda header: network_of(header, depth=1),
    "a negative gain": lambda header: network_of(header, gain=-1),
    "a mean of nothing": lambda header: network_of(header, mean_of=-3),
    "width is a fraction": lambda header: header | {"network": header["network"] | {"width": 16.0}},
    "width is infinite": lambda header: header | {"network": header["network"] | {"width": float("inf")}},
    "headroom 99": lambda header: header | {"headroom": 99},
    "headroom is a text": lambda header: header | {"headroom": "1"},
    "names are numbers": lambda header: header | {"feature_names": [1, 2, 3]},
    "names are too many": lambda header: header | {"feature_names": ["a", "b", "c", "d"]},
    "names are a number": lambda header: header | {"target_names": 2},
    "no names": lambda header: {key: value for key, value in header.items() if key != "target_names"},
    "version is a list": lambda header: header | {"version": [1]},
}


@pytest.mark.parametrize("what", MODEL_HEADERS)
def test_a_model_of_a_wrong_header_is_refused(tmp_path: Path, what: str) -> None:
    path = tmp_path / "model.npz"
    the_model().save(path)
    rewrite(path, "kanloom-model", MODEL_HEADERS[what])
    with pytest.raises(ModelFileError) as error:
        Model.load(path)
    assert "\n" not in str(error.value) and len(str(error.value)) < 500


ARRAYS = {
    "a range of NaN": ("feature_low", lambda array: array * np.nan),
    "an infinite range": ("target_high", lambda array: array * np.inf),
    "a low above its high": ("feature_low", lambda array: array + 1e9),
    "a range of integers": ("feature_low", lambda array: array.astype(int)),
    "knots that fall": ("feature_knots", lambda array: -array),
    "nodes beyond the word": ("nodes_0", lambda array: array + 10**6),
    "nodes of another type": ("nodes_0", lambda array: array.astype(float)),
    "nodes of texts": ("nodes_1", lambda array: array.astype(str)),
    "a history of infinity": ("history", lambda array: np.array([(1, np.inf, 0, 0, False)], array.dtype)),
    "no history's row": ("history", lambda array: array[:0]),
}


@pytest.mark.parametrize("what", ARRAYS)
def test_a_model_of_wrong_arrays_is_refused(tmp_path: Path, what: str) -> None:
    path = tmp_path / "model.npz"
    the_model().save(path)
    with archive.reading(path, "kanloom-model") as opened:
        header = opened.header
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files if name != "header"}
    name, change = ARRAYS[what]
    with path.open("wb") as stream:
        archive.write(stream, header, arrays | {name: change(arrays[name])}, compressed=True)
    with pytest.raises(ModelFileError, match="is damaged"):
        Model.load(path)


def npy_header(shape: tuple[int, ...], dtype: str = "<i8") -> bytes:
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


ZEROS = bytes(1 << 27)
BOMBS: dict[str, tuple[str, bytes]] = {
    "a member of zeros": ("nodes_0.npy", npy_header((1 << 24,)) + ZEROS),
    "a header of zeros": ("header.npy", npy_header((), f"<U{1 << 25}") + ZEROS),
    "a header without values": ("header.npy", npy_header((), f"<U{1 << 40}")),
    "an unknown member": ("more.npy", npy_header((1 << 24,)) + ZEROS),
    "10**12 values": ("nodes_0.npy", npy_header((10**12,))),
    "no values of 10**12": ("nodes_0.npy", npy_header((0, 10**12))),
    "zeros in place of an array's header": ("nodes_0.npy", ZEROS),
}


@pytest.mark.parametrize("what", BOMBS)
def test_a_file_that_would_take_memory_is_refused_without_it(tmp_path: Path, what: str) -> None:
    path = tmp_path / "model.npz"
    the_model().save(path)
    name, content = BOMBS[what]
    path.write_bytes(packed([*dict([*members(path.read_bytes()), (name, content)]).items()]))
    size = path.stat().st_size
    tracemalloc.start()
    with pytest.raises(ModelFileError):
        Model.load(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * size + (1 << 20)


def test_an_honest_file_takes_no_more_than_its_arrays_twice(tmp_path: Path) -> None:
    path, network = tmp_path / "model.npz", Network.two_layer(50, 200, (32, 32))
    nodes = random_nodes(network, np.random.default_rng(0))
    Model(network, Scaling.of(np.zeros((1, 50)), np.zeros((1, 1))), nodes).save(path)
    honest = sum(array.nbytes for array in nodes)
    tracemalloc.start()
    Model.load(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * honest + (1 << 20)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.npz", b"x,y\n1,2\n", "is a CSV file, not a kanloom model"),
        ("m.npz", b"words\n", "is a text file, not a kanloom model"),
        ("m.npz", b"\x93NUMPY\x01\0", "is a NumPy array, not a kanloom model"),
        ("m.npz", b"PAR1....", "is a Parquet file, not a kanloom model"),
        ("m.npz", b"\x80\x04K\x01.", "is a Python pickle, not a kanloom model"),
        ("m.npz", bytes(100), "is damaged, or a file of another program, not a kanloom model"),
        ("m.npz", b"", "is an empty file, damaged or never written, not a kanloom model"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ModelFileError) as error:
        Model.load(path)
    assert str(error.value) == f"{path} {message}"
    with pytest.raises(ModelFileError, match="is a folder, not a kanloom model"):
        Model.load(tmp_path)
