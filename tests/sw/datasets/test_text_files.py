import codecs
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sw.datasets import DatasetError, text_files
from sw.datasets.cells import MISSING
from sw.datasets.raw import RawTable
from sw.datasets.reading import read
from sw.datasets.sniffing import is_header

Write = Callable[..., Path]
IN_TMP_PATH = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def made(tmp_path: Path) -> Write:
    def make(text: str | bytes, suffix: str = ".csv") -> Path:
        path = tmp_path / f"a{suffix}"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return make


def names(table: RawTable) -> list[str]:
    return table.columns.column_names


def noted(table: RawTable, *words: str) -> bool:
    """Whether one note has all the words."""
    return any(all(word in note for word in words) for note in table.notes)


PLAIN = {"x": [1.5, 4, 7], "y": [-2, 5.25, 8], "z": [3e3, 0, 9]}


@pytest.mark.parametrize(
    "text",
    [
        "x,y,z\n1.5,-2,3e3\n4,5.25,0\n7,8,9\n",
        "\ufeffx;y;z\r\n1.5;-2;3e3\r\n\r\n4;5.25;0\r\n7;8;9",
        "x;y;z\n1,5;-2;3e3\n4;5,25;0\n7;8;9\n",
        "x\ty\tz\n1,5\t-2\t3e3\n4\t5,25\t0\n7\t8\t9\n",
        "sep=;\nx;y;z\n1,5;-2;3000\n4;5,25;0\n7;8;9\n",
        "sep=|\nx|y|z\n1.5|-2|3000\n4|5.25|0\n7|8|9\n",
        "x\ty\tz\n 1.5\t-2 \t3e3\n4\t5.25\t0\n7\t8\t9\n\n",
        "x y   z\n 1.5  -2\t3e3\n4 5.25 0  \n7 8 9",
        "# x y z\n1.5 -2 3e3\n4 5.25 0\n7 8 9\n",
        "x|y|z\r1.5|-2|3e3\r4|5.25|0\r7|8|9\r",
        'x,y,z\n"1.5","-2",3e3\n+4,5.25,0\n7,8,9\n',
        "Rooms of the town\n# made by hand\n\nx , y,z\n1.5,-2,3e3\n4,5.25,0\n7,8,9\n",
        "Rooms of the town,,\nx,y,z\n1.5,-2,3e3\n4,5.25,0\n7,8,9\n",
        "x,y,z\n1.5,-2,3e3\n,,\n4,5.25,0\n7,8,9\n , \t,\n,,\n,\n",
        ",x,y,z\n0,1.5,-2,3e3\n1,4,5.25,0\n2,7,8,9\n",
        "x,y,z\n1,1.5,-2,3e3\n5,4,5.25,0\n2,7,8,9\n",
        "Unnamed: 0,x,y,z\n7,1.5,-2,3e3\n3,4,5.25,0\n9,7,8,9\n",
        "x,y,z\n# made by hand\n1.5,-2,3e3\n#, and checked\n4,5.25,0\n7,8,9\n",
        "x,y,z,\n1.5,-2,3e3,\n4,5.25,0,\n7,8,9,\n",
        "x,y,z\n1.5,-2,3e3,\n4,5.25,0,\n7,8,9,\n",
        'x,y,z\n1.5,-2,"3,000.00"\n4,5.25,0\n7,8,9\n',
    ],
)
def test_dialects_of_the_same_table(made: Write, text: str) -> None:
    table = read(made(text))
    assert table.columns.to_pydict() == PLAIN
    assert table.targets == ("z",)
    assert noted(table, "header: ", "x, y, z")


def test_decimal_commas_need_no_header(made: Write) -> None:
    table = read(made("1,5;2,5\n3,5;4,25\n5;6,5\n"))
    assert list(table.columns.to_pydict().values()) == [[1.5, 3.5, 5.0], [2.5, 4.25, 6.5]]
    assert noted(table, "no header")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("suffix", [".csv", ".TSV", ".txt", ".data", ".csv.gz", ".data.GZ"])
def test_encodings_and_names_of_files(made: Write, encoding: str, suffix: str) -> None:
    data = "größe,preis\n1,2\n3,4\n".encode(encoding)
    table = read(made(gzip.compress(data) if suffix.lower().endswith("gz") else data, suffix))
    assert table.columns.to_pydict() == {"größe": [1, 3], "preis": [2, 4]}
    assert noted(table, "0xf6", "line 1", "Windows-1252") == (encoding == "cp1252")


def test_a_note_says_what_was_skipped(made: Write) -> None:
    table = read(made("Title\n# comment\n\na;b\n1,5;2\n;\n;\n2,5;3\n"))
    assert noted(table, "lines before the table", "2")
    assert noted(table, "delimiter: ;", "decimal comma")
    assert noted(table, "empty rows", "2")


@pytest.mark.parametrize(
    ("first", "rows", "header"),
    [
        (["a", "b"], [["1", "2"]], True),
        (["NA", "0.5", "1.5"], [["1", "2", "3"]], False),
        (["1", "2", "red"], [["3", "4", "blue"]], False),
        (["1", "2", "red"], [["3", "4", "5"]], True),
        (["name", "town"], [["Ann", "Ulm"]], True),
        (["yes", "yes"], [["no", "yes"]], False),
        (["0", "1", "2", "3"], [["0.5", "1", "2", "4"]], True),
        (["0", "1", "2"], [["1", "2", "3"]], False),
        (["0", "1"], [["0.1", "0.995"]], False),
        (["", "0", "1"], [["0", "0.1", "0.2"]], True),
        (["2019", "2020", "2021"], [["5", "6", "9"]], True),
        (["land", "2019", "2020", "2021"], [["France", "6", "9", "7"]], True),
        (["France", "6", "9", "7"], [["Italy", "6", "9", "7"]], False),
        (["2020-01-01", "2020-02-01"], [["5", "6"]], True),
        (["2020-01-01", "7"], [["2020-01-02", "6"]], False),
    ],
)
def test_what_is_a_header(first: list[str], rows: list[list[str]], header: bool) -> None:
    assert is_header(first, rows) == header


def test_a_header_is_as_the_user_says(made: Write) -> None:
    numbers, words = made("1,2\n3,4\n"), made("a,b\n3,4\n", ".txt")
    assert names(read(numbers)) == ["0", "1"] and noted(read(numbers), "no header", "numbers", "--header")
    assert read(numbers, header=True).columns.to_pydict() == {"1": [3], "2": [4]}
    assert read(words, header=False).columns.to_pydict() == {"0": ["a", "3"], "1": ["b", "4"]}
    assert names(read(words)) == ["a", "b"]


def test_a_long_header_is_shortened(made: Write) -> None:
    many = [f"column{index}" for index in range(500)]
    table = read(made(",".join(many) + "\n" + ",".join("1" * 500) + "\n"))
    assert names(table) == many
    assert noted(table, "column0", "column499", "500") and max(map(len, table.notes)) < 120


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        (["1", " 2"], pa.int64(), [1, 2]),
        (["1", "-"], pa.int64(), [1, None]),
        (["1.5", "1e999"], pa.float64(), [1.5, np.inf]),
        (["99999999999999999999", "1"], pa.float64(), [1e20, 1]),
        (["1_0", "2"], pa.string(), ["1_0", "2"]),
        (["true", "FALSE"], pa.bool_(), [True, False]),
        (["red", " N/A "], pa.string(), ["red", None]),
        (["", "NA"], pa.float64(), [None, None]),
        (['"1,234.5"', "7"], pa.float64(), [1234.5, 7]),
        (['"1,5"', "7"], pa.float64(), [1.5, 7]),
        (['"1.234,5"', "7"], pa.float64(), [1234.5, 7]),
        (['"1,234"', '"2,345"'], pa.string(), ["1,234", "2,345"]),
    ],
)
def test_types_of_columns(made: Write, cells: list[str], kind: pa.DataType, values: list[Any]) -> None:
    column = read(made("a,b\n" + "".join(f"{cell},{row}\n" for row, cell in enumerate(cells)))).columns.column("a")
    assert column.type == kind
    assert column.to_pylist() == values


@pytest.mark.parametrize("blank", ["", " "])
@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["2020-01-31", "1969-12-31"], ["2020-01-31", "1969-12-31"]),
        (["2020-01-31 12:30", "2020-02-01"], ["2020-01-31T12:30", "2020-02-01"]),
        (["2020-01-31T12:30:00+01:00", "2020-02-01T00:00:00Z"], ["2020-01-31T11:30", "2020-02-01"]),
        (["12:30", "01:02:03"], ["1970-01-01T12:30", "1970-01-01T01:02:03"]),
    ],
)
def test_dates_and_times(made: Write, blank: str, cells: list[str], expected: list[str]) -> None:
    column = read(made("a,b\n" + "".join(f"{blank}{cell},1\n" for cell in cells))).columns.column("a")
    assert pa.types.is_temporal(column.type)
    if pa.types.is_time(column.type):
        column = column.cast(pa.time64("us")).cast(pa.int64()).cast(pa.timestamp("us"))
    assert column.cast(pa.timestamp("s")).to_numpy().tolist() == np.array(expected, "M8[s]").tolist()


def test_days_that_are_none_are_text(made: Write) -> None:
    assert read(made("a,b\n2020-02-30,1\n2020-02-01,2\n")).columns.column("a").type == pa.string()


@pytest.mark.parametrize("spelling", MISSING)
@pytest.mark.parametrize("value", ["1", "red", "2020-01-01"])
def test_spellings_of_missing_cells(made: Write, spelling: str, value: str) -> None:
    column = read(made(f"a,b\n{value},1\n{spelling},2\n")).columns.column("a")
    assert column.is_null().to_pylist() == [False, True]
    assert (column.type == pa.string()) == (value == "red")


@pytest.mark.parametrize(
    "text", ["1,2\n\nx,3\n", "t\n\na,b\n1,2\n,\nx,3\n", 'a,b\n"1\n2",5\nx,3\n', "a b\n1  2\nx 3\n"]
)
def test_the_place_of_a_row_is_its_line(made: Write, text: str) -> None:
    table = read(made(text))
    assert table.place(table.columns.num_rows - 1) == f"line {text[: text.index('x')].count(chr(10)) + 1}"


def test_a_cell_that_makes_a_column_text_is_named(made: Write) -> None:
    assert noted(read(made("a,b,c\n1,2,3\n\n4,five,6\n7,8,9\n")), "'b'", "'five'", "line 4", "number")


def test_only_the_columns_asked_for(made: Write) -> None:
    path = made(",a,b,c\nx,1,2,3\ny,4,5,6\n")
    assert read(path, columns=["c", "a"]).columns.to_pydict() == {"a": [1, 4], "c": [3, 6]}
    assert names(read(path)) == ["0", "a", "b", "c"]
    with pytest.raises(DatasetError, match=r"'d'.*it has 0, a, b, c"):
        read(path, columns=["a", "d"])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", ["no records"]),
        (b"\n\n", ["no records"]),
        (b"a,b,c\n", ["no records"]),
        (b"a,b,c\n,,\n", ["no records"]),
        (b"a,b,c\n1,2,3\n4,5\n", ["line 3", "2 cells", "3"]),
        (b"a,b,c\n1,2\n4,5\n", ["line 2", "2 cells", "3"]),
        (b'a,b\n"1\n2",2\n3,4,5\n', ["line 4", "3 cells", "2"]),
        (b"a,b,a\n1,2,3\n", ["two columns", "'a'"]),
        (b"a,b\n1,\0\n", ["not text", "line 2"]),
        (b"a,b\n1,\x81\n", ["0x81", "line 2", "UTF-8"]),
        (codecs.BOM_UTF16_LE + b"a", ["UTF-16"]),
        (b'a,b\n1,"x\n2,y\n', ["line 2", "quote"]),
        (b"a,b\n1," + b"x" * 200_000, ["letters"]),
        (b"PAR1....PAR1", [".parquet"]),
    ],
)
def test_what_is_wrong_with_a_text_is_said_in_one_line(made: Write, data: bytes, words: list[str]) -> None:
    with pytest.raises(DatasetError) as error:
        read(made(data))
    assert [word for word in words if word not in str(error.value)] == []
    assert "\n" not in str(error.value)


def test_a_packed_text_has_a_limit(made: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_files, "TEXT_LIMIT", 1000)
    with pytest.raises(DatasetError, match="more than 1000 bytes"):
        read(made(gzip.compress(b"1,2\n" * 1000), ".csv.gz"))


@given(
    values=arrays(np.float64, st.tuples(st.integers(2, 20), st.just(3)), elements=st.floats(allow_infinity=False)),
    delimiter=st.sampled_from(",;\t|"),
    comma=st.booleans(),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
)
@IN_TMP_PATH
def test_numbers_come_back_from_any_dialect(
    tmp_path: Path, values: np.ndarray, delimiter: str, comma: bool, end: str
) -> None:
    mark = "," if comma and delimiter != "," else "."
    lines = [delimiter.join(f"{value:.17e}".replace(".", mark) for value in row) for row in values]
    (tmp_path / "a.csv").write_bytes(end.join(["a" + delimiter + "b" + delimiter + "c", *lines]).encode())
    found = read(tmp_path / "a.csv").columns
    np.testing.assert_array_equal(np.column_stack([column.to_numpy() for column in found.columns]), values)
