from collections.abc import Callable, Sequence
from itertools import combinations, permutations
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sw.datasets import NAMES, Dataset, DatasetError, chunks, generate, load, write
from sw.datasets.synthetic import RECIPES
from sw.outputs import OutputError

WRITTEN = (".csv", ".npy", ".npz", ".parquet")
FINITE = st.floats(allow_nan=False, allow_infinity=False)
MATRICES = arrays(np.float64, st.tuples(st.integers(2, 30), st.just(5)), elements=FINITE).filter(
    lambda values: bool(np.ptp(values[:, :3] / 2, axis=0).all())
)
"""Tables of five columns, of which no feature is constant: such a column is left out."""
Targets = str | int | list[str | int] | None
Made = tuple[str | Path, dict[str, Any]]
Case = Callable[[Path], Made]
IN_TMP_PATH = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def leibniz(matrix: Sequence[Sequence[float]]) -> float:
    """The determinant as its defining sum, in exact integer arithmetic where the entries are integers."""
    order = len(matrix)
    total: float = 0
    for permutation in permutations(range(order)):
        inversions = sum(a > b for a, b in combinations(permutation, 2))
        total += (-1) ** inversions * prod(matrix[row][column] for row, column in enumerate(permutation))
    return total


def heron(sides: list[float]) -> float:
    s = sum(sides) / 2
    return max(0.0, s * prod(s - side for side in sides)) ** 0.5


def distance(a: list[float], b: list[float]) -> float:
    return sum((p - q) ** 2 for p, q in zip(a, b, strict=True)) ** 0.5


def points(features: np.ndarray, count: int) -> list[list[float]]:
    return features.reshape(count, -1).tolist()


def triangle_area(vertices: Sequence[list[float]]) -> float:
    return heron([distance(a, b) for a, b in combinations(vertices, 2)])


def cayley_menger(vertices: list[list[float]]) -> float:
    """The volume of a tetrahedron from its edges alone."""
    squares = [[distance(a, b) ** 2 for b in vertices] for a in vertices]
    bordered: list[list[float]] = [[0, 1, 1, 1, 1], *([1, *row] for row in squares)]
    return (max(0.0, leibniz(bordered)) / 288) ** 0.5


INDEPENDENT: dict[str, Callable[[np.ndarray], list[float]]] = {
    "det3": lambda x: [leibniz(points(x, 3))],
    "det4": lambda x: [leibniz(points(x, 4))],
    "det5": lambda x: [leibniz(points(x, 5))],
    "tetra-volume": lambda x: [cayley_menger(points(x, 4))],
    "tetra-faces": lambda x: [triangle_area(face) for face in combinations(points(x, 4), 3)],
    "norm2": lambda x: [sum(v * v for v in x) ** 0.5],
    "norm4": lambda x: [sum(v * v for v in x) ** 0.5],
    "norm8": lambda x: [sum(v * v for v in x) ** 0.5],
    "triangle": lambda x: [triangle_area(points(x, 3))],
}


@pytest.mark.parametrize("name", NAMES)
def test_targets_agree_with_an_independent_formula(name: str) -> None:
    dataset = generate(name, 200, seed=3)
    expected = np.array([INDEPENDENT[name](record) for record in dataset.features])
    np.testing.assert_allclose(dataset.targets, expected, rtol=1e-6, atol=1e-4)


def test_determinants_of_bytes_are_exact() -> None:
    dataset = generate("det3", 500)
    assert dataset.targets[:, 0].tolist() == [leibniz(points(x.astype(int), 3)) for x in dataset.features]


@pytest.mark.parametrize(("name", "low", "high"), [("det3", 0, 255), ("triangle", 100, 2000)])
def test_integer_features_reach_both_ends_of_their_range(name: str, low: int, high: int) -> None:
    features = generate(name, 50_000).features
    assert (features == np.round(features)).all()
    assert (features.min(), features.max()) == (low, high)


@pytest.mark.parametrize("name", NAMES)
def test_a_dataset_has_the_columns_it_names(name: str) -> None:
    dataset = generate(name, 7)
    assert dataset.features.shape == (7, len(dataset.feature_names))
    assert dataset.targets.shape == (7, len(dataset.target_names))
    assert dataset.features.dtype == dataset.targets.dtype == np.float64
    assert len({*dataset.feature_names, *dataset.target_names}) == dataset.features.shape[1] + dataset.targets.shape[1]


@given(st.sampled_from(NAMES), st.integers(1, 40), st.integers(1, 50), st.integers(0, 2**40))
@settings(max_examples=60)
def test_chunks_of_any_size_are_the_same_records(name: str, records: int, size: int, seed: int) -> None:
    whole = generate(name, records + 5, seed=seed)
    parts = list(chunks(name, records, seed=seed, size=size))
    assert all(len(part) <= size for part in parts)
    np.testing.assert_array_equal(np.concatenate([part.features for part in parts]), whole.features[:records])
    np.testing.assert_array_equal(np.concatenate([part.targets for part in parts]), whole.targets[:records])


def test_generate_goes_past_a_chunk() -> None:
    dataset = generate("norm2", (1 << 16) + 3)
    np.testing.assert_allclose(dataset.targets[:, 0], np.hypot(*dataset.features.T))


def shared_records(a: Dataset, b: Dataset) -> set[tuple[float, ...]]:
    return set(map(tuple, a.features)) & set(map(tuple, b.features))


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_names_the_records_and_the_holdout_does_not_move_with_their_count(name: str) -> None:
    first, again, longer, other = (
        load(name, records=n, holdout=40, seed=s) for n, s in [(50, 1), (50, 1), (90, 1), (50, 2)]
    )
    np.testing.assert_array_equal(first.train.features, again.train.features)
    np.testing.assert_array_equal(first.holdout.features, longer.holdout.features)
    assert not shared_records(first.train, other.train)
    assert not shared_records(first.holdout, longer.train)


@pytest.mark.parametrize(
    ("name", "records", "holdout"), [("norm4", 8192, 2048), ("triangle", 8192, 2048), ("det4", 100_000, 20_000)]
)
def test_default_counts_are_the_papers(name: str, records: int, holdout: int) -> None:
    split = load(name)
    assert (len(split.train), len(split.holdout)) == (records, holdout)


def test_det5_is_the_papers_ten_million() -> None:
    assert (RECIPES["det5"].records, RECIPES["det5"].holdout) == (10_000_000, 2_000_000)


def table(features: np.ndarray, targets: np.ndarray) -> Dataset:
    return Dataset(
        "made",
        features,
        targets,
        tuple(f"in {i}; wide, tall" for i in range(features.shape[1])),
        tuple(f'out "{i}"' for i in range(targets.shape[1])),
    )


def sorted_rows(*parts: Dataset) -> np.ndarray:
    rows = np.concatenate([np.hstack([part.features, part.targets]) for part in parts])
    return rows[np.lexsort(rows.T[::-1])]


@pytest.mark.parametrize("suffix", WRITTEN)
@given(values=MATRICES, seed=st.integers(0, 99))
@IN_TMP_PATH
def test_a_file_gives_back_every_record_once(tmp_path: Path, suffix: str, values: np.ndarray, seed: int) -> None:
    path = tmp_path / f"file{suffix}"
    original = table(values[:, :3], values[:, 3:])
    write(original, path)
    split = load(path, seed=seed, targets=[3, 4])
    np.testing.assert_array_equal(sorted_rows(split.train, split.holdout), sorted_rows(original))
    assert len(split.holdout) == max(1, len(values) // 5)
    if suffix != ".npy":
        assert split.train.feature_names == split.holdout.feature_names == original.feature_names
        assert split.train.target_names == original.target_names


@pytest.fixture
def rows(tmp_path: Path) -> Callable[[str], Path]:
    """A function from a format to a file of 100 records, 2 features that tell the row and 2 targets that follow."""

    def make(suffix: str) -> Path:
        path = tmp_path / f"rows{suffix}"
        row = np.arange(100.0)
        write(Dataset("rows", np.c_[row, -row], np.c_[2 * row, 3 * row], ("a", "b"), ("c", "d")), path)
        return path

    return make


@pytest.mark.parametrize("suffix", WRITTEN)
def test_holdout_is_disjoint_seeded_and_does_not_move_with_records(rows: Callable[[str], Path], suffix: str) -> None:
    path = rows(suffix)
    split, longer, other = (load(path, records=n, holdout=30, seed=s) for n, s in [(20, 5), (70, 5), (20, 6)])
    assert (len(split.train), len(split.holdout), len(longer.train)) == (20, 30, 70)
    assert not set(split.train.features[:, 0]) & set(split.holdout.features[:, 0])
    np.testing.assert_array_equal(split.holdout.features, longer.holdout.features)
    np.testing.assert_array_equal(split.train.features, longer.train.features[:20])
    assert set(split.holdout.features[:, 0]) != set(other.holdout.features[:, 0])
    assert (split.train.targets[:, -1] == 3 * split.train.features[:, 0]).all()


@pytest.mark.parametrize(
    ("suffix", "targets", "features", "chosen"),
    [
        (".csv", None, ("a", "b", "c"), ("d",)),
        (".csv", "b", ("a", "c", "d"), ("b",)),
        (".parquet", ["d", 0], ("b", "c"), ("d", "a")),
        (".npz", None, ("a", "b"), ("c", "d")),
        (".npz", -1, ("a", "b", "c"), ("d",)),
        (".npy", None, ("0", "1", "2"), ("3",)),
        (".npy", ["2", 3], ("0", "1"), ("2", "3")),
    ],
)
def test_targets_by_name_or_index(
    rows: Callable[[str], Path], suffix: str, targets: Targets, features: tuple[str, ...], chosen: tuple[str, ...]
) -> None:
    train = load(rows(suffix), targets=targets).train
    assert (train.feature_names, train.target_names) == (features, chosen)


PLAIN = [[1.5, -2.0, 3e3], [4.0, 5.25, 0.0], [7.0, 8.0, 9.0]]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x,y,z\n1.5,-2,3e3\n4,5.25,0\n7,8,9\n", "xyz"),
        ("\ufeffx;y;z\r\n1.5;-2;3e3\r\n\r\n4;5.25;0\r\n7;8;9", "xyz"),
        ("x\ty\tz\n 1.5\t-2 \t3e3\n4\t5.25\t0\n7\t8\t9\n\n", "xyz"),
        ("\ufeff1.5,-2,3e3\n4,5.25,0\n7,8,9\n", "012"),
        ('"x, m; s","a ""y""",z\n"1.5","-2",3e3\n4,5.25,0\n7,8,9\n', ["x, m; s", 'a "y"', "z"]),
        ('"x\nm",2020,z\n1.5,-2,3e3\n4,5.25,0\n7,8,9\n', ["x\nm", "2020", "z"]),
        ("\n\nx , y,z\n1.5,-2,3e3\n4,5.25,0\n7,8,9\n", "xyz"),
    ],
)
def test_csv_dialects(tmp_path: Path, text: str, names: Sequence[str]) -> None:
    path = tmp_path / "a.CSV"
    path.write_text(text, encoding="utf-8", newline="")
    split = load(path)
    np.testing.assert_array_equal(sorted_rows(split.train, split.holdout), PLAIN)
    assert [*split.train.feature_names, *split.train.target_names] == list(names)


@pytest.mark.parametrize(
    "held",
    [
        {"X": np.array(PLAIN)[:, :2], "y": np.array(PLAIN)[:, 2]},
        {"anything": np.array(PLAIN)},
        dict(zip("abc", np.array(PLAIN).T, strict=True)),
    ],
    ids=["X and y", "matrix", "columns"],
)
def test_npz_layouts(tmp_path: Path, held: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / "a.npz", allow_pickle=True, **held)
    split = load(tmp_path / "a.npz")
    np.testing.assert_array_equal(sorted_rows(split.train, split.holdout), PLAIN)
    assert split.train.targets.shape[1] == 1


def csv_file(text: str, **options: Any) -> Case:
    def make(path: Path) -> Made:
        path.with_suffix(".csv").write_text(text)
        return path.with_suffix(".csv"), options

    return make


def npy(array: np.ndarray, **options: Any) -> Case:
    def make(path: Path) -> Made:
        np.save(path, array)
        return path.with_suffix(".npy"), options

    return make


def npz(**held: np.ndarray) -> Case:
    def make(path: Path) -> Made:
        np.savez(path, allow_pickle=True, **held)
        return path.with_suffix(".npz"), {}

    return make


def parquet(columns: dict[str, list[Any]], **options: Any) -> Case:
    def make(path: Path) -> Made:
        pyarrow.parquet.write_table(pyarrow.table(columns), path.with_suffix(".parquet"))
        return path.with_suffix(".parquet"), options

    return make


def damaged(suffix: str, data: bytes = b"not such a file") -> Case:
    def make(path: Path) -> Made:
        path.with_suffix(suffix).write_bytes(data)
        return path.with_suffix(suffix), {}

    return make


def absent(name: str) -> Case:
    return lambda path: (name, {})


HEADER = "a,b,c\n"


FAULTS: list[tuple[Case, list[str]]] = [
    (absent("det6"), ["'det6'", *NAMES, *WRITTEN]),
    (absent("model.xlsx"), ["model.xlsx", "det4", ".parquet"]),
    (absent("nowhere.csv"), ["nowhere.csv", "no such file"]),
    (csv_file(HEADER + "1,2,3\n4,5,6\n", targets="area"), ["'area'", "a, b, c"]),
    (csv_file(HEADER + "1,2,3\n4,5,6\n", targets=3), ["3", "a, b, c"]),
    (csv_file(HEADER + "1,2,3\n4,5,6\n", targets=["a", "b", "c"]), ["feature", "a, b, c"]),
    (csv_file(HEADER + "1,2,3\n4,5,6\n", targets=["a", 0]), ["distinct", "a, b, c"]),
    (csv_file(HEADER + "1,2,3\n4,5,6\n", targets=[]), ["distinct", "a, b, c"]),
    (csv_file("a\n1\n2\n"), ["feature"]),
    (csv_file("1,2,3\n4,5,6x\n"), ["'2'", "text"]),
    (csv_file("1,2,3\n4,5,1_0\n"), ["'2'", "text"]),
    (csv_file(HEADER + "1,2,3\n\n4,,6\n7,8,9\n"), ["line 4", "b (1)", "missing"]),
    (csv_file("1,,3\n4,5,6\n7,8,9\n"), ["line 1", "1 (1)", "missing"]),
    (csv_file(HEADER + "1,,3\n4,5,nan\n7,8,NA\n"), ["line 2", "b (1)", "c (2)", "missing", "--missing"]),
    (csv_file(HEADER + "1,2,3\n4,1e999,6\n"), ["line 3", "'b'", "inf", "finite"]),
    (csv_file(HEADER + "1,2,3\n4,5\n"), ["line 3", "2 cells", "3"]),
    (csv_file(HEADER + "1,2\n4,5\n"), ["line 2", "2 cells", "3"]),
    (csv_file("a,b,a\n0,1,2\n1,3,4\n"), ["'a'", "two columns"]),
    (csv_file(""), ["no records"]),
    (csv_file(HEADER), ["no records"]),
    (csv_file(HEADER + "1,2,3\n"), ["1 records", "too few"]),
    (csv_file(HEADER + "1,2,3\n4,5,6\n7,8,9\n", records=2, holdout=2), ["3 records", "2 to train", "2 to hold"]),
    (damaged(".csv", b"a,b\n1,2\n\x81\xfe,3\n"), ["UTF-8", "line 3"]),
    (damaged(".npy"), ["NumPy"]),
    (damaged(".npz"), ["NumPy"]),
    (damaged(".parquet"), ["Parquet"]),
    (npy(np.arange(5.0)), ["(5,)", "table"]),
    (npy(np.array([["a", "b"]])), ["<U1", "real numbers"]),
    (npy(np.array([[None, 1], [2, 3]])), ["NumPy"]),
    (npy(np.array([[1, 2], [3, 4], [5, np.inf]])), ["row 2", "'1'", "inf"]),
    (npy(np.ones((4, 2)), targets="y"), ["'y'", "0, 1"]),
    (npz(X=np.ones((4, 2)), y=np.ones(5)), ["(4, 2)", "(5,)"]),
    (npz(X=np.ones((4, 2)), y=np.ones(4), feature_names=np.array(["a"])), ["feature_names", "1", "2"]),
    (npz(X=np.ones((4, 2)), y=np.array(list("abcd"))), ["'y0'", "text"]),
    (npz(a=np.ones(4), b=np.ones(5)), ["a float64 (4,)", "b float64 (5,)"]),
    (npz(), ["nothing"]),
    (npz(a=np.arange(3), b=np.array([1, np.nan, 3])), ["row 1", "b (1)", "missing"]),
    (parquet({"a": [1.0, 2.0], "town": ["x", "y"]}), ["'town'", "text"]),
    (parquet({"a": [1.0, 2.0], "b": [3, None]}), ["row 1", "b (1)", "missing"]),
    (parquet({"a": [1.0, float("nan"), 2.0], "b": [3, 4, 5]}), ["row 1", "a (1)", "missing"]),
    (parquet({"a": [1.0, 2.0], "b": [3, 4]}, targets="c"), ["'c'", "a, b"]),
]


@pytest.mark.parametrize(("make", "words"), FAULTS)
def test_an_error_says_what_and_where(tmp_path: Path, make: Case, words: list[str]) -> None:
    path, options = make(tmp_path / "file")
    with pytest.raises(DatasetError) as error:
        load(path, **options)
    assert [word for word in words if word not in str(error.value)] == []


@pytest.mark.parametrize("option", [{"records": 0}, {"records": -4}, {"holdout": 0}, {"seed": -1}])
def test_counts_and_seeds_out_of_range_are_refused(option: dict[str, Any], rows: Callable[[str], Path]) -> None:
    (name, value), *_ = option.items()
    for source in ("norm2", rows(".csv")):
        with pytest.raises(DatasetError, match=rf"{name} {value} must be a whole number from \d to \d+"):
            load(source, **option)


def test_a_known_dataset_has_no_choice_of_targets() -> None:
    with pytest.raises(DatasetError, match="area123"):
        load("tetra-faces", targets="volume")


@pytest.mark.parametrize(
    ("name", "records", "options", "word"),
    [
        ("det6", 1, {}, "triangle"),
        ("det4", 0, {}, "records"),
        ("det4", 1, {"split": "test"}, "holdout"),
        ("det4", 1, {"size": 0}, "size"),
    ],
)
def test_chunks_refuses_at_the_call(name: str, records: int, options: dict[str, Any], word: str) -> None:
    with pytest.raises(DatasetError, match=word):
        chunks(name, records, **options)


@pytest.mark.parametrize("path", ["made.txt", "no-such-folder/made.csv"])
def test_what_cannot_be_written_is_a_clear_error(tmp_path: Path, path: str) -> None:
    with pytest.raises((DatasetError, OutputError), match="made"):
        write(generate("norm2", 3), tmp_path / path)


def test_columns_must_fit_their_names() -> None:
    with pytest.raises(ValueError, match="names"):
        Dataset("wrong", np.ones((3, 2)), np.ones((3, 1)), ("a",), ("b",))
