"""What is done to the columns of a table: one test for each rule."""

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from sw.datasets import DatasetError, Source, load, open_source, raw, reading
from sw.datasets.encoding import ColumnRule, Encoding
from sw.datasets.inputs import Inputs
from sw.experiment import SCALING_RECORDS
from sw.scaling import Scaling

ROWS = 60
ROW = np.arange(ROWS)
Open = Callable[..., Source]


@pytest.fixture(params=["memory", "blocks"])
def opened(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Open:
    """A function that writes columns to a Parquet file and opens it, in memory or block by block."""
    if request.param == "blocks":
        monkeypatch.setattr(reading, "MEMORY", 0)
        monkeypatch.setattr(raw, "BLOCK", 8 * 7 * 3)

    def make(columns: dict[str, Any], **options: Any) -> Source:
        path = tmp_path / "t.parquet"
        pyarrow.parquet.write_table(pa.table(columns), path, row_group_size=20)
        return open_source(path, **options)

    return make


def rows_of(source: Source) -> dict[str, np.ndarray]:
    """All rows, sorted by the target, which numbers them."""
    shards = [shard for part in ("train", "holdout") for shard in source.shards(part, 1000)]
    values = np.vstack([np.hstack([shard.features, shard.targets]) for shard in shards])
    values = values[np.argsort(values[:, -1])]
    return dict(zip([*source.feature_names, *source.target_names], values.T, strict=True))


def test_text_of_few_values_becomes_a_column_for_each(opened: Open) -> None:
    source = opened({"colour": [("red", "blue", "green")[i % 3] for i in ROW], "y": ROW})
    assert source.feature_names == ("colour=blue", "colour=green", "colour=red")
    rows = rows_of(source)
    for index, colour in enumerate(("red", "blue", "green")):
        assert np.array_equal(rows[f"colour={colour}"], ROW % 3 == index)
    assert any("colour is text" in note for note in source.notes)


def test_text_of_two_values_becomes_one_column_whatever_its_type(opened: Open) -> None:
    text = pa.array([("no", "yes")[i % 2] for i in ROW])
    source = opened({"a": text, "b": text.dictionary_encode(), "c": text.cast(pa.large_string()), "y": ROW})
    assert source.feature_names == ("a=yes", "b=yes", "c=yes")
    assert all(np.array_equal(rows_of(source)[name], ROW % 2) for name in source.feature_names)


def test_numbers_of_every_type_are_themselves(opened: Open) -> None:
    columns = {
        "int": pa.array(ROW, pa.int16()),
        "big": pa.array(ROW.astype(np.uint64) * 2**57),
        "half": pa.array(ROW.astype(np.float16)),
        "bool": pa.array(ROW % 2 == 0),
        "decimal": pa.array([Decimal(int(i)) / 4 for i in ROW], pa.decimal128(10, 2)),
        "y": ROW,
    }
    rows = rows_of(opened(columns))
    expected = {"int": ROW, "big": ROW * 2.0**57, "half": ROW, "bool": ROW % 2 == 0, "decimal": ROW / 4, "y": ROW}
    for name, values in expected.items():
        np.testing.assert_array_equal(rows[name], values, err_msg=name)


def test_dates_count_days_and_times_hours(opened: Open) -> None:
    moments = [dt.datetime(2000, 1, 1, 12) + dt.timedelta(hours=6 * int(i)) for i in ROW]
    columns = {
        "day": pa.array([moment.date() for moment in moments]),
        "moment": pa.array(moments, pa.timestamp("ns")),
        "zoned": pa.array(moments, pa.timestamp("s", "Europe/Zurich")),
        "clock": pa.array([dt.time(int(i) % 24, 30) for i in ROW]),
        "y": ROW,
    }
    source = opened(columns)
    rows = rows_of(source)
    first = dt.date(2000, 1, 1).toordinal() - dt.date(1970, 1, 1).toordinal()
    np.testing.assert_array_equal(rows["day"], first + (12 + 6 * ROW) // 24)
    np.testing.assert_array_equal(rows["moment"], first + 0.5 + ROW / 4)
    np.testing.assert_array_equal(rows["zoned"], rows["moment"])
    np.testing.assert_array_equal(rows["clock"], ROW % 24 + 0.5)
    assert any("day, moment, zoned, clock" in note for note in source.notes)


def test_columns_of_no_use_are_left_out_and_said(opened: Open) -> None:
    columns = {
        "id": [f"n{i}" for i in ROW],
        "same": [4.0] * ROWS,
        "empty": pa.array([None] * ROWS, pa.float64()),
        "list": [[1, 2]] * ROWS,
        "bytes": [b"x"] * ROWS,
        "x": ROW % 7,
        "y": ROW,
    }
    source = opened(columns)
    assert source.feature_names == ("x",)
    said = " / ".join(source.notes)
    assert all(name in said for name in ("id", "same", "empty", "list", "bytes"))
    assert dict(source.encoding.left_out)["same"] == "constant"


def test_named_features_are_kept_or_refused_with_the_reason(opened: Open) -> None:
    columns = {"id": [f"n{i}" for i in ROW], "same": [4.0] * ROWS, "x": ROW % 7, "y": ROW}
    assert opened(columns, features=["same", "x"]).feature_names == ("same", "x")
    assert opened(columns, ignore=["id"]).feature_names == ("x",)
    with pytest.raises(DatasetError, match="'id' \\(more than 32 different texts\\)"):
        opened(columns, features=["id", "x"])
    with pytest.raises(DatasetError, match="no column 'z'; it has id, same, x, y"):
        opened(columns, ignore=["z"])


def with_gaps() -> dict[str, Any]:
    return {
        "a": [None if i in (3, 50) else float(i) for i in ROW],
        "b": [float("nan") if i == 5 else float(i) for i in ROW],
        "c": [None if i == 7 else "uv"[i % 2] for i in ROW],
        "unused": [None, *[f"n{i}" for i in ROW[1:]]],
        "y": [None if i == 9 else int(i) for i in ROW],
    }


def test_missing_cells_are_refused_all_columns_at_once(opened: Open) -> None:
    with pytest.raises(DatasetError) as error:
        opened(with_gaps())
    message = str(error.value)
    assert "a (2), b (1), c (1), y (1); the first is in row 3, column 'a'" in message
    assert "--missing drop" in message and "--ignore" in message and "unused" not in message


def test_missing_cells_drop_their_rows(opened: Open) -> None:
    source = opened(with_gaps(), missing="drop")
    assert np.array_equal(rows_of(source)["y"], [i for i in ROW if i not in (3, 5, 7, 9, 50)])
    assert (source.count("train"), source.count("holdout")) == (44, 11)
    assert any("5 of 60 rows are left out" in note for note in source.notes)


def test_missing_cells_are_filled_and_targets_dropped(opened: Open) -> None:
    source = opened(with_gaps(), missing="median")
    rows = rows_of(source)
    assert np.array_equal(rows["y"], np.delete(ROW, 9))
    known = [i for i in ROW if i not in (3, 50)]
    assert rows["a"][3] == np.median(known) and rows["b"][5] == np.median(np.delete(ROW, 5))
    assert source.feature_names == ("a", "b", "c=(missing)", "c=u", "c=v")
    assert rows["c=(missing)"].nonzero()[0].tolist() == [7]


def test_numbers_that_are_not_finite_are_refused_under_every_rule(opened: Open) -> None:
    columns = {"a": [1.0, np.inf, *ROW[2:]], "b": [*ROW[:58], -np.inf, np.inf], "y": ROW}
    for missing in ("refuse", "drop", "median"):
        with pytest.raises(
            DatasetError, match=r"row 1, column 'a': inf is not a finite number; such.* a \(1\), b \(2\)"
        ):
            opened(columns, missing=missing)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ([f"{i % 3}x" for i in ROW], "write classes as numbers"),
        (pa.array(ROW.astype(np.int32)).cast(pa.date32()), "dates or times"),
    ],
)
def test_only_numbers_are_targets(opened: Open, column: Any, words: str) -> None:
    with pytest.raises(DatasetError, match=f"target 'y' is .*{words}"):
        opened({"x": ROW, "y": column})


def test_an_encoding_survives_json(opened: Open) -> None:
    encoding = opened(with_gaps(), missing="median").encoding
    assert Encoding.from_plain(json.loads(json.dumps(encoding.plain()))) == encoding


@pytest.mark.parametrize("option", [{"features": ["x1"]}, {"ignore": ["x1"]}, {"header": True}, {"missing": "drop"}])
def test_a_known_data_set_has_no_choice_of_columns(option: dict[str, Any]) -> None:
    for reader in (load, open_source):
        with pytest.raises(DatasetError, match=f"norm2 is no file, for which alone there is {next(iter(option))}"):
            reader("norm2", **option)


def test_a_sorted_file_has_the_ranges_of_all_its_rows(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not those of the first ones, whose quantiles and deviations are not the file's either."""
    x = np.linspace(0, 1, 4000)
    source = opened({"x": x, "y": np.sin(10 * x)})
    scaling = Scaling.robust_of_source(source, 500)
    train = next(source.shards("train", 4000))
    assert (scaling.feature_low, scaling.feature_high) == (train.features.min(), train.features.max())
    np.testing.assert_allclose(scaling.target_high, train.targets.mean() + 4 * train.targets.std(), rtol=0.05)
    whole = Scaling.robust(train.features, train.targets)
    for name, values in Scaling.robust_of_source(source, SCALING_RECORDS).arrays().items():
        np.testing.assert_array_equal(values, getattr(whole, name))


def test_records_chosen_before_are_chosen_again(opened: Open) -> None:
    columns = {"x": ROW % 7, "y": ROW}
    first = opened(columns, records=30, holdout=10, seed=3)
    held = next(first.shards("holdout", 10)).targets
    again = opened(columns, like=first.selection)
    assert again.selection == first.selection
    assert np.array_equal(next(again.shards("holdout", 10)).targets, held)
    longer = opened({name: np.tile(column, 2) for name, column in columns.items()}, like=first.selection)
    assert longer.selection is not None and longer.selection.seed == 0 and longer.count("holdout") == 24


@pytest.mark.parametrize("missing", ["refuse", "drop"])
def test_text_that_a_given_encoding_has_not_seen_is_counted(opened: Open, missing: str) -> None:
    colours = [("red", "blue")[i % 2] for i in ROW]
    encoding = opened({"colour": colours, "x": ROW % 7, "y": ROW}, missing=missing).encoding
    colours[3], colours[40], colours[59] = "grey", "grey", "pink"
    source = opened({"colour": colours, "x": ROW % 7, "y": ROW}, encoding=encoding)
    (note,) = [note for note in source.notes if "has not seen" in note]
    assert note.startswith("3 cells hold text") and note.endswith("colour 'grey' (2), colour 'pink' (1)")
    assert rows_of(source)["colour=red"].sum() == np.count_nonzero(np.array(colours) == "red")


ENCODING = Encoding((ColumnRule("rooms"), ColumnRule("age"), ColumnRule("kind", "category", ("flat", "hut", "villa"))))


def inputs(path: Path, text: str, encoding: Encoding = ENCODING, **options: Any) -> Inputs:
    path.write_text(text)
    return Inputs(path, encoding, **options)


def test_inputs_need_only_their_own_columns(tmp_path: Path) -> None:
    text = "note,kind,age,rooms,price\nhello,hut,1.5,2,\n?,villa,7,3,x\n"
    (block,) = inputs(tmp_path / "a.csv", text).blocks()
    assert block.tolist() == [[2, 1.5, 0, 1, 0], [3, 7, 0, 0, 1]]


def test_inputs_of_other_names_are_refused_unless_taken_by_position(tmp_path: Path) -> None:
    text = "Age,ROOMS,sort\n1.5,2,hut\n2.5,3,hut\n"
    with pytest.raises(DatasetError) as error:
        inputs(tmp_path / "a.csv", text)
    message = str(error.value)
    assert "no column rooms, age, kind" in message and "ROOMS for rooms, Age for age" in message
    assert "--by-position" in message and "\n" not in message
    (block,) = inputs(tmp_path / "a.csv", text, by_position=True).blocks()
    assert block[:, :2].tolist() == [[1.5, 2], [2.5, 3]]
    with pytest.raises(DatasetError, match="has 2 columns; by position, 3 are needed"):
        inputs(tmp_path / "a.csv", "a,b\n1,2\n3,4\n", by_position=True)


def test_inputs_without_names_are_taken_in_order(tmp_path: Path) -> None:
    found = inputs(tmp_path / "a.csv", "2,1.5,hut\n3,7,villa\n", header=False)
    (block,) = found.blocks()
    assert block.tolist() == [[2, 1.5, 0, 1, 0], [3, 7, 0, 0, 1]]
    assert any("taken in order" in note for note in found.notes)


def test_inputs_count_text_that_training_has_not_seen(tmp_path: Path) -> None:
    found = inputs(tmp_path / "a.csv", "kind,age,rooms\nbarn,1,2\nhut,1,2\nbarn,2,3\nshed,2,2\n")
    (block,) = found.blocks()
    assert block[:, 2:].tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0]]
    (note,) = found.unseen.notes()
    assert "3 cells" in note and "'barn' (2)" in note and "'shed' (1)" in note


def test_inputs_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="column 'rooms' is text; numbers are expected"):
        list(inputs(tmp_path / "a.csv", "kind,age,rooms\nhut,1,many\nhut,2,few\nhut,3,2\n").blocks())


def test_missing_inputs_follow_the_rule_of_the_training(tmp_path: Path) -> None:
    text = "kind,age,rooms\nhut,1,2\n,2,\nhut,3,2\n"
    with pytest.raises(DatasetError, match=r"rooms \(1\), kind \(1\); the first is in line 3"):
        list(inputs(tmp_path / "a.csv", text).blocks())
    dropping = Encoding(ENCODING.features, missing="drop")
    (block,) = inputs(tmp_path / "a.csv", text, dropping).blocks()
    assert np.isnan(block).any(axis=1).tolist() == [False, True, False]
    filling = Encoding((ColumnRule("rooms", fill=4.0), *ENCODING.features[1:]), missing="median")
    (block,) = inputs(tmp_path / "a.csv", text, filling).blocks()
    assert block[1].tolist() == [4, 2, 0, 0, 0]
