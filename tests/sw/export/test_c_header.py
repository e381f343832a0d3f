"""The C header of a model, compiled by gcc, against the oracle."""

import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from sw.engine.conversion import as_floating
from sw.export.c_header import CHeader, comment_text
from sw.export.c_units import CUnits
from sw.export.names import ExportError, identifier
from sw.model import Model
from sw.oracle.fixed import FixedReference
from sw.scaling import Scaling
from sw.spec.network import Network
from sw.spec.nodes import random_nodes
from tests.cases import KINDS, extreme
from tests.slow import crossed, slow

COMPILER = ("gcc", "-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion", "-Wdouble-promotion")
SANITIZER = ("-fsanitize=undefined", "-fno-sanitize-recover=all")

NETWORKS = {
    "one layer": Network.chain((5, 3), (8,)),
    "two layers": Network.two_layer(2, 8, (4, 16)),
    "outputs": Network.two_layer(5, 6, (2, 4), outputs=3),
    "three layers": Network.chain((3, 6, 4, 2), (4, 4, 8)),
    "four layers": Network.chain((1, 2, 3, 2, 1), (64, 2, 8, 4), gain=3),
    "many inputs": Network.two_layer(33, 100, (2, 4), gain=0),
    "10 bit": Network.two_layer(3, 4, (4, 8), outputs=2, width=10),
    "13 bit": Network.chain((3, 5, 2, 1), (4, 8, 2), width=13),
}

PROGRAM = """
#include <stdio.h>
#include "model.h"

int main(void)
{
    %(real)s features[MODEL_FEATURES], targets[MODEL_TARGETS];
    uint16_t codes[MODEL_FEATURES];
    int16_t words[MODEL_TARGETS];
    double value;
    unsigned code;
    int i;

    for (;;) {
        for (i = 0; i < MODEL_FEATURES; i++) {
            if (scanf("%%u", &code) != 1)
                return 0;
            codes[i] = (uint16_t)code;
        }
        model_fixed(codes, words);
        for (i = 0; i < MODEL_TARGETS; i++)
            printf("%%d ", words[i]);
        for (i = 0; i < MODEL_FEATURES; i++) {
            if (scanf("%%lf", &value) != 1)
                return 1;
            features[i] = (%(real)s)value;
        }
        model_encode(features, codes);
        for (i = 0; i < MODEL_FEATURES; i++)
            printf("%%u ", (unsigned)codes[i]);
        model_predict(features, targets);
        for (i = 0; i < MODEL_TARGETS; i++)
            printf("%%.17g ", (double)targets[i]);
        printf("\\n");
    }
}
"""

needs_gcc = pytest.mark.skipif(not shutil.which("gcc"), reason="there is no gcc")


@cache
def sanitizes() -> bool:
    """Tell whether this gcc has the sanitizer of undefined behaviour."""
    done = subprocess.run(
        ["gcc", *SANITIZER, "-x", "c", "-", "-o", "/dev/null"], input="int main(void) { return 0; }", text=True
    )
    return not done.returncode


def model_of(network: Network, kind: str = "ordinary", scaling: Scaling | None = None) -> Model:
    nodes, _ = KINDS[kind](network, 1)
    if scaling is None:
        rng = np.random.default_rng(1)
        scaling = Scaling.of(rng.normal(3, 2, (50, network.features)), rng.normal(0, 5, (50, network.outputs)))
    return Model(network, scaling, nodes)


def run(
    model: Model, folder: Path, codes: np.ndarray, features: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compile the header and run it; returns words of `codes`, and codes and targets of `features`."""
    header = CHeader.of(model, "model")
    (folder / "model.h").write_text(header.text)
    (folder / "main.c").write_text(PROGRAM % {"real": header.units.c_type})
    flags = [*COMPILER, *(SANITIZER if sanitizes() else ())]
    subprocess.run([*flags, "main.c", "-o", "main"], cwd=folder, check=True)
    rows = zip(codes.tolist(), features.tolist(), strict=True)
    text = "\n".join(" ".join(map(repr, [*code, *row])) for code, row in rows)
    done = subprocess.run([folder / "main"], input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    printed = np.array([line.split() for line in done.stdout.splitlines()], float)
    words, encoded, targets = np.split(printed, np.cumsum([model.network.outputs, model.network.features]), axis=1)
    return words.astype(int), encoded.astype(int), targets


def some_features(model: Model, count: int = 200) -> np.ndarray:
    """Return features inside the ranges, at their ends, and beyond."""
    rng, scaling = np.random.default_rng(2), model.scaling
    low, high = scaling.feature_low, scaling.feature_high
    features = low + rng.uniform(-0.2, 1.2, (count, model.network.features)) * (high - low)
    features[0], features[1], features[2] = low, high, np.nan
    return features


def check(model: Model, folder: Path, seed: int = 0) -> None:
    """Compare words with the oracle's, codes with the model's to one step, targets with those of the codes."""
    oracle = FixedReference(model.network, model.nodes)
    _, records = extreme(model.network, 200, seed)
    features = some_features(model)
    words, codes, targets = run(model, folder, records.arguments, features)
    assert np.array_equal(words, oracle.predict(records.arguments))
    assert len(np.unique(words)) > 10
    features[2] = model.scaling.feature_low
    expected = model.encode_features(features)
    assert np.abs(codes - expected).max() <= 1 and (codes != expected).mean() < 0.1
    decoded = model.decode(oracle.predict(codes))
    step = (model.scaling.target_high - model.scaling.target_low) / 2 / model.units.target_scale
    assert (np.abs(targets - decoded) <= step + 1e-12 * np.abs(decoded)).all()


@needs_gcc
@pytest.mark.parametrize(("name", "kind"), crossed(NETWORKS, ["ordinary", "extreme"], every=2))
def test_the_header_has_the_oracles_bits_and_the_models_units(name, kind, tmp_path):
    check(model_of(NETWORKS[name], kind), tmp_path)


@needs_gcc
def test_sums_at_the_ends_of_32_bits_are_exact(tmp_path):
    """A mean of as many inputs as the format allows, all at the end of the word: adding half a step would overflow."""
    network = Network.two_layer(4, 256, (2, 2), gain=0)
    for value in (network.word.maximum, network.word.minimum):
        nodes = [np.full(layer.shape, value) for layer in network.layers]
        model = replace(model_of(network), nodes=nodes)
        codes = np.outer([0, 1, 2], np.full(4, network.formats[0].last_code // 2))
        words, *_ = run(model, tmp_path, codes, np.zeros((3, 4)))
        assert np.array_equal(words, FixedReference(network, nodes).predict(codes))


@needs_gcc
@pytest.mark.parametrize("half_range", [False, True])
def test_knots_are_those_of_the_model(half_range, tmp_path):
    rng, network = np.random.default_rng(3), Network.two_layer(4, 3, (4, 4))
    features = np.column_stack(
        [rng.lognormal(0, 2, 900), rng.normal(size=900), rng.choice([0, 0, 0, 1, 50], 900), np.full(900, 7.0)]
    )
    scaling = Scaling.robust(features, rng.normal(size=(900, 1)), half_range=half_range)
    model = model_of(network, scaling=scaling)
    units = CUnits.of(model)
    assert units.knots_of.tolist() == [0, -1, 1, -1] and units.real is np.float32
    check(model, tmp_path)


@needs_gcc
@pytest.mark.parametrize(
    ("low", "high", "c_type"),
    [
        (0.0, 1e-3, "float"),
        slow(-5e9, 5e9, "float"),
        (1.6e9, 1.6e9 + 86400, "double"),
        slow(0.0, 1e60, "double"),
        slow(-1e-40, 1e-40, "double"),
        slow(3.0, 3.0, "float"),
    ],
)
def test_the_type_of_units_can_tell_their_steps_apart(low, high, c_type, tmp_path):
    network, ends = Network.two_layer(2, 3, (4, 4)), (np.array([low, 0.0]), np.array([high, 1.0]))
    features = model_of(network, scaling=Scaling(*ends, np.array([-1.0]), np.array([1.0])))
    targets = model_of(network, scaling=Scaling(np.zeros(2), np.ones(2), np.array([low]), np.array([high])))
    for model in (features, targets):
        assert CUnits.of(model).c_type == c_type
        check(model, tmp_path)


def test_what_a_header_cannot_hold_is_refused():
    model = model_of(NETWORKS["two layers"])
    with pytest.raises(ExportError, match=r"m is in floating point, and an export .* train with --arithmetic fixed16"):
        CHeader.of(as_floating(model), "m")
    with pytest.raises(ExportError, match="m has words of 18 bits; a header holds at most 16"):
        CHeader.of(model_of(Network.two_layer(2, 8, (4, 8), width=18)), "m")
    wide = replace(model.scaling, feature_low=np.full(2, -1.5e308), feature_high=np.full(2, 1.5e308))
    with pytest.raises(ExportError, match="wider, or narrower, than arithmetic in double"):
        CHeader.of(replace(model, scaling=wide), "m")


@needs_gcc
def test_names_of_columns_and_of_the_model_cannot_leave_their_comments(tmp_path):
    network = Network.two_layer(6, 3, (4, 4))
    names = "*/ int x;", "/* open", "tri??/", "end\\", "\x1b[31mred\u202e", "面積\n#error line"
    model = Model(
        network, model_of(network).scaling, random_nodes(network, np.random.default_rng(0)), 2, names, ("*/",)
    )
    text = CHeader.of(model, "9-*/ 面積??/").text
    assert "\x1b" not in text and "\u202e" not in text and "面積" in text and '"* / int x;"' in text
    assert "KANLOOM_MODEL_9_H" in text
    (tmp_path / "m.h").write_text(text)
    (tmp_path / "m.c").write_text('#include "m.h"\n#include "m.h"\nint main(void) { return 0; }\n')
    subprocess.run([*COMPILER, "-c", "m.c"], cwd=tmp_path, check=True)


@pytest.mark.parametrize("text", ["*/", "/*", "/*/", "**//", "???", "??/", "/*?*/??/"])
def test_a_comment_has_no_end_and_no_trigraph(text):
    assert not any(mark in comment_text(text) for mark in ("*/", "/*", "??"))


@pytest.mark.parametrize(
    ("name", "prefix"), [("table", "table"), ("my-model.v2", "my_model_v2"), ("2nd", "model_2nd"), ("面", "model")]
)
def test_an_identifier_is_made_of_any_name(name, prefix):
    assert identifier(name) == prefix


@needs_gcc
def test_tables_and_stack_are_as_large_as_the_comment_says(tmp_path):
    header = CHeader.of(model_of(NETWORKS["many inputs"]), "model")
    (tmp_path / "model.h").write_text(header.text)
    call = "void f(const float *x, float *y) { model_predict(x, y); }"
    (tmp_path / "f.c").write_text(f'#include "model.h"\n{call}\n')
    subprocess.run(["gcc", "-std=c99", "-O0", "-fstack-usage", "-c", "f.c"], cwd=tmp_path, check=True)
    sizes = subprocess.run(["size", "-A", "f.o"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    constant = sum(int(line.split()[1]) for line in sizes.splitlines() if line.startswith(".rodata"))
    assert header.table_bytes <= constant <= header.table_bytes + 256  # arrays begin at multiples of 32 bytes
    stack = sum(int(line.split("\t")[1]) for line in (tmp_path / "f.su").read_text().splitlines())
    arrays = header.stack_bytes + header.unit_stack_bytes
    assert arrays <= stack <= arrays + 500
    assert f"Constant tables: {header.table_bytes} bytes" in header.text
