import gzip
import io
import json
import os
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sw.datasets import Dataset, DatasetError, npz_files, raw, reading, write
from sw.datasets.raw import RawTable
from sw.datasets.reading import fits_in_memory, open_rows, read
from tests.sw.datasets.test_text_files import IN_TMP_PATH, noted

WRITTEN = (".csv", ".npy", ".npz", ".parquet")


def matrix(table: RawTable) -> np.ndarray:
    return np.column_stack([column.to_numpy() for column in table.columns.columns])


@pytest.mark.parametrize("suffix", WRITTEN)
@given(
    values=arrays(
        np.float64, st.tuples(st.integers(1, 20), st.just(4)), elements=st.floats(allow_nan=False, allow_infinity=False)
    )
)
@IN_TMP_PATH
def test_what_write_writes_is_read(tmp_path: Path, suffix: str, values: np.ndarray) -> None:
    columns = ("in, wide", 'a "b"'), ("größe", "y\nz")
    path = tmp_path / f"a{suffix}"
    write(Dataset("made", values[:, :2], values[:, 2:], *columns), path)
    table = read(path)
    np.testing.assert_array_equal(matrix(table), values)
    if suffix != ".npy":
        assert tuple(table.columns.column_names) == columns[0] + columns[1]
    assert table.targets == (columns[1] if suffix == ".npz" else tuple(table.columns.column_names[-1:]))


COLUMNS: dict[str, Any] = {
    "whole": [1, 2, 3],
    "real": [0.5, 1.5, 2.5],
    "town": ["Ulm", "Köln", "Ulm"],
    "day": np.array(["2020-01-01", "2021-01-01", "2022-01-01"], "M8[D]"),
    "flag": [True, False, True],
}
TABLE = pa.table(COLUMNS)


def make_parquet(path: Path) -> None:
    pyarrow.parquet.write_table(TABLE, path, row_group_size=2)


def make_feather(path: Path) -> None:
    pyarrow.feather.write_feather(TABLE, path)


def make_stream(path: Path) -> None:
    with pa.ipc.new_stream(path, TABLE.schema) as writer:
        writer.write_table(TABLE)


def make_csv(path: Path) -> None:
    pyarrow.csv.write_csv(TABLE, path)


def make_npz(path: Path) -> None:
    np.savez(path, allow_pickle=False, **{name: np.array(values) for name, values in COLUMNS.items()})


def make_records(path: Path) -> None:
    columns = {name: np.array(values) for name, values in COLUMNS.items()}
    records = np.empty(TABLE.num_rows, [(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        records[name] = column
    np.save(path, records)


MAKERS: dict[str, Callable[[Path], None]] = {
    "a.parquet": make_parquet,
    "a.feather": make_feather,
    "a.arrow": make_stream,
    "a.csv": make_csv,
    "a.npz": make_npz,
    "a.npy": make_records,
}


@pytest.fixture(params=MAKERS)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    MAKERS[request.param](tmp_path / request.param)
    return tmp_path / request.param


def test_columns_keep_their_types_in_every_format(made: Path) -> None:
    table = read(made)
    assert table.columns.to_pydict() == TABLE.to_pydict()
    assert table.targets == ("flag",)
    some = read(made, columns=["town", "real"])
    assert some.columns.to_pydict() == TABLE.select(["real", "town"]).to_pydict()
    with pytest.raises(DatasetError, match=r"'area'.*it has whole, real"):
        read(made, columns=["area", "real"])


def test_a_format_is_told_by_its_first_bytes_in_a_pipe(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if made.suffix == ".arrow":  # a stream of Arrow has no magic bytes
        make_feather(made)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(made.read_bytes()))
    writer.start()
    assert fits_in_memory(pipe)
    assert read(pipe).columns.to_pydict() == TABLE.to_pydict()
    writer.join()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(made.read_bytes())))
    table = read("-", columns=["town"])
    assert table.columns.to_pydict() == {"town": COLUMNS["town"]}
    assert table.name == "standard input"


def test_packed_text_comes_through_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(b"a,b\n1,2\n\n3,x\n"))))
    table = read("-")
    assert table.columns.to_pydict() == {"a": [1, 3], "b": ["2", "x"]}
    assert table.place(1) == "line 4"


def test_a_closed_standard_input_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(DatasetError, match="standard input"):
        read("-")


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
@pytest.mark.parametrize("named", ["__index_level_0__", "year"])
def test_the_index_of_pandas_is_no_data(tmp_path: Path, suffix: str, named: str) -> None:
    said = {"index_columns": [{"kind": "range"}, named], "columns": []}
    table = pa.table({"x": [0.1, 0.2], "y": [1, 2], named: [3, 7]}).replace_schema_metadata(
        {"pandas": json.dumps(said)} if named == "year" else None
    )
    save = pyarrow.parquet.write_table if suffix == ".parquet" else pyarrow.feather.write_feather
    save(table, tmp_path / f"a{suffix}")
    found = read(tmp_path / f"a{suffix}")
    assert found.columns.column_names == ["x", "y"] and found.targets == ("y",)
    assert noted(found, named, "left out", "pandas")


def test_a_folder_of_parquet_files_is_one_table(tmp_path: Path) -> None:
    for part in range(3):
        columns = {"x": [part, part + 10], "x.1": [0.5, 1.5], "l": [[1], []]}
        pyarrow.parquet.write_table(pa.table(columns), tmp_path / f"part-{part}.parquet")
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / "_part.parquet").touch()
    assert read(tmp_path).columns.column("x").to_pylist() == [0, 10, 1, 11, 2, 12]
    assert read(tmp_path, columns=["x"]).columns.column_names == ["x"]
    rows = open_rows(tmp_path)
    assert (rows.count, rows.schema.names) == (6, ["x", "x.1", "l"])
    blocks = list(rows.blocks(seed=3))
    assert [first for first, _ in blocks] != sorted(first for first, _ in blocks)
    assert {first: block.column("x").to_pylist() for first, block in blocks} == {0: [0, 10], 2: [1, 11], 4: [2, 12]}
    pyarrow.parquet.write_table(pa.table({"x": ["text"]}), tmp_path / "part-3.parquet")
    with pytest.raises(DatasetError, match="part-3"):
        read(tmp_path)


def test_names_of_folders_are_columns(tmp_path: Path) -> None:
    for year in ("2020", "2021", "__HIVE_DEFAULT_PARTITION__"):
        (tmp_path / f"year={year}").mkdir()
        pyarrow.parquet.write_table(pa.table({"x": [1.5], "y": [2]}), tmp_path / f"year={year}" / "a.parquet")
    table = read(tmp_path)
    assert table.columns.to_pydict() == {"year": [2020, 2021, None], "x": [1.5] * 3, "y": [2] * 3}
    assert table.targets == ("y",)
    pyarrow.parquet.write_table(pa.table({"x": [1.5], "y": [2]}), tmp_path / "b.parquet")
    with pytest.raises(DatasetError, match="NAME=VALUE"):
        read(tmp_path)


def test_a_large_file_does_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for suffix, make in ((".parquet", make_parquet), (".csv", make_csv)):
        make(tmp_path / f"a{suffix}")
    assert fits_in_memory(tmp_path / "a.parquet")
    monkeypatch.setattr(reading, "MEMORY", 8 * 3 * 5 - 1)
    assert not fits_in_memory(tmp_path / "a.parquet")
    assert fits_in_memory(tmp_path / "a.csv")


def npz_of(path: Path, **held: Any) -> Path:
    np.savez_compressed(path / "a.npz", **held)
    return path / "a.npz"


def test_members_of_python_objects_are_not_touched(tmp_path: Path) -> None:
    objects = np.array([None, "a"], object)
    table = read(npz_of(tmp_path, X=np.ones((2, 2)), y=np.ones(2), note=objects, feature_names=objects))
    assert table.columns.column_names == ["x0", "x1", "y0"] and noted(table, "feature_names", "Python objects")
    table = read(npz_of(tmp_path, a=np.ones(2), b=objects, c=np.array(3), d=np.zeros(2)))
    assert table.columns.column_names == ["a", "d"]
    assert noted(table, "b", "Python objects") and noted(table, "c", "single value")


def test_a_matrix_may_have_names(tmp_path: Path) -> None:
    table = read(npz_of(tmp_path, data=np.ones((3, 2)), columns=np.array(["rooms", "area"])))
    assert table.columns.column_names == ["rooms", "area"]
    assert read(npz_of(tmp_path, data=np.ones((3, 2)))).columns.column_names == ["0", "1"]
    with pytest.raises(DatasetError, match="columns has 1 names for 2 columns"):
        read(npz_of(tmp_path, data=np.ones((3, 2)), columns=np.array(["rooms"])))


def npy_header(shape: tuple[int, ...], dtype: str = "<f8") -> bytes:
    text = repr({"descr": dtype, "fortran_order": False, "shape": shape}).encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.npy", npy_header((0, 10**12)), ["no records"]),
        ("a.npy", npy_header((10**12, 0)), ["no records"]),
        ("a.npy", npy_header((10**12, 3), "<U0"), ["no records"]),
        ("a.npy", npy_header((10**12, 3)), ["too short"]),
        ("a.npy", npy_header((-1, 3)), ["NumPy", "header"]),
        ("a.npy", npy_header((2, 2), "|O"), ["Python objects"]),
        ("a.npy", npy_header((1, 1 << 21), "|u1") + bytes(1 << 21), ["2097152 columns", "1048576"]),
        ("a.npy", b"PK\x03\x04", [".npz"]),
        ("a.npz", npy_header((1, 1)) + bytes(8), [".npy"]),
        ("a.npz", b"not such a file", ["NumPy"]),
        ("a.parquet", b"not such a file", ["Parquet"]),
        ("a.feather", b"not such a file", ["Feather"]),
        ("a.csv.gz", gzip.compress(b"1,2\n" * 9, mtime=0)[:-9], ["gzip"]),
        ("a.xlsx", b"", [".xlsx", *reading.FORMATS]),
        ("a", b"1,2\n", [*reading.FORMATS]),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(
    tmp_path: Path, name: str, data: bytes, words: list[str]
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DatasetError) as error:
        read(tmp_path / name)
    assert [word for word in words if word not in str(error.value)] == []
    assert "\n" not in str(error.value) and "pickle" not in str(error.value)


def test_a_header_of_python_2_is_read(tmp_path: Path) -> None:
    text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (2L, 1L), }"
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(16))
    assert read(tmp_path / "a.npy").columns.to_pydict() == {"0": [0, 0]}


def test_what_is_no_table_is_called_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is a kanloom model, not a table"):
        read(npz_of(tmp_path, header=np.array(json.dumps({"format": "kanloom-model"})), nodes=np.ones(3)))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="folder without Parquet files"):
        read(tmp_path / "empty")
    with pytest.raises(DatasetError, match="no such file"):
        read(tmp_path / "none.csv")
    make_parquet(tmp_path / "a.parquet")
    with pytest.raises(DatasetError, match="header"):
        read(tmp_path / "a.parquet", header=True)


def test_an_archive_unpacks_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = npz_of(tmp_path, X=np.zeros((10_000, 3)), y=np.zeros(10_000))
    assert read(path).columns.num_rows == 10_000
    monkeypatch.setattr(npz_files, "MEMORY", 300_000)
    with pytest.raises(DatasetError, match="unpacks to 320000; at most 300000"):
        read(path)


def test_a_member_of_another_size_than_its_header_states_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("X.npy", npy_header((10**6, 10**6)) + bytes(16))
        archive.writestr("y.npy", npy_header((10**6,)) + bytes(16))
    with pytest.raises(DatasetError, match=r"X\.npy has not the size"):
        read(tmp_path / "a.npz")


@given(data=st.data())
@settings(parent=IN_TMP_PATH, max_examples=150)
def test_a_damaged_file_is_refused_in_one_line_or_read(made: Path, data: st.DataObject) -> None:
    good = made.read_bytes()
    bad = bytearray(good)
    for _ in range(data.draw(st.integers(0, 3))):
        bad[data.draw(st.integers(0, len(bad) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    del bad[data.draw(st.just(len(bad)) | st.integers(0, len(bad))) :]
    made.write_bytes(bad)
    try:
        table = read(made)
        if made.suffix == ".npz":  # it has checksums
            assert table.columns.equals(TABLE)
    except DatasetError as error:
        assert "\n" not in str(error) and "pickle" not in str(error)
    finally:
        made.write_bytes(good)


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["a", "b\nc"], "a, b c"),
        (["x" * 100], "x" * 37 + "..."),
        ([f"column{index}" for index in range(99)], "column0, column1, column2, column3, ..., column98 (99 in all)"),
    ],
)
def test_lists_of_names_are_short_lines(names: list[str], shown: str) -> None:
    assert raw.shortened(names) == shown


def test_blocks_have_some_of_the_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "BLOCK", 8 * 2 * 5)
    values = np.arange(60.0).reshape(20, 3)
    np.save(tmp_path / "c.npy", values)
    np.save(tmp_path / "f.npy", np.asfortranarray(values))
    for path in (tmp_path / "c.npy", tmp_path / "f.npy"):
        rows = open_rows(path, columns=["2", "0"])
        assert (rows.schema.names, rows.count, rows.targets) == (["0", "2"], 20, ("2",))
        blocks = sorted(rows.blocks(seed=1), key=lambda block: block[0])
        assert [first for first, _ in blocks] == [0, 5, 10, 15]
        found = pa.concat_tables([block for _, block in blocks])
        np.testing.assert_array_equal(found.column("2").to_numpy(), values[:, 2])
