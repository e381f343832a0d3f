import numpy as np
import pytest

from sw.online.lines import LineError, RecordLines


@pytest.mark.parametrize("delimiter", ",;\t")
def test_columns_are_found_by_name(delimiter):
    lines = RecordLines(delimiter.join(("time", "b", " a ", "y")), ignored=["time"])
    assert (lines.feature_names, lines.target_names) == (("b", "a"), ("y",))
    rows = [delimiter.join(cells) for cells in (("x", "1", " 2", "3"), ("x", "4", "5", " "), ("", "", "", ""))]
    features, targets, places, faults = lines.records(rows)
    assert features.tolist() == [[1, 2], [4, 5]] and places.tolist() == [0, 1] and not faults
    assert targets[0] == 3 and np.isnan(targets[1])


def test_a_models_columns_are_taken_in_its_order():
    lines = RecordLines("y,b,more,a", ["a", "b"], ["y"])
    features, targets, _, _ = lines.records(["1,2,text,3"])
    assert features.tolist() == [[3, 2]] and targets.tolist() == [[1]]


def test_a_decimal_comma_is_read_where_semicolons_delimit():
    assert RecordLines("a;y").records(["1,5;2"])[0].tolist() == [[1.5]]


@pytest.mark.parametrize(
    "line, fault",
    [
        ("1,2", "2 cells, where the header names 3"),
        ("1,red,3", "'red' is no number"),
        ("1,,3", "'' is no number"),
        ("1,2,inf", "'inf' is not finite"),
        ("nan,2,3", "'nan' is not finite"),
    ],
)
def test_what_is_no_record_is_left_out(line, fault):
    _, targets, places, faults = RecordLines("a,b,y").records(["1,2,3", line, "4,5,6"])
    assert places.tolist() == [0, 2] and targets[:, 0].tolist() == [3, 6] and faults == [fault]
    assert RecordLines("a,b,y").records([line])[0].shape == (0, 2)


@pytest.mark.parametrize(
    "header, options, error",
    [
        ("a,b,a", {}, "names columns twice: a"),
        ("a,b", {"targets": ["y"]}, "lacks y; it names a, b"),
        ("a,b", {"ignored": ["a"]}, "no column to predict from"),
        ("", {}, "no column to predict from"),
    ],
)
def test_a_header_that_does_not_do_is_refused(header, options, error):
    with pytest.raises(LineError, match=error):
        RecordLines(header, **options)
