"""The syntax of option values: what is legal has one meaning, all else is refused."""

from argparse import ArgumentTypeError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sw.spec.options import numbers, pretraining, shape, whole


@given(st.lists(st.integers(0, 10**9), min_size=1))
def test_numbers_come_back(values: list[int]) -> None:
    assert numbers(",".join(map(str, values))) == tuple(values)


@given(st.lists(st.integers(0, 10**9), min_size=2))
def test_shapes_come_back(sizes: list[int]) -> None:
    assert shape("-".join(map(str, sizes))) == tuple(sizes)


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_groups_come_back(addends: int, epochs: int) -> None:
    assert pretraining(f"{addends}:{epochs}") == (addends, epochs)
    assert pretraining(str(addends)) == (addends, None)
    assert pretraining("none") == (0, None)


@given(st.integers(), st.integers())
def test_whole_numbers_have_a_least_value(number: int, least: int) -> None:
    if number >= least:
        assert whole(least)(str(number)) == number
    else:
        with pytest.raises(ArgumentTypeError, match=f"{least} or more"):
            whole(least)(str(number))


@pytest.mark.parametrize("text", ["", "a", "1.5", "1e3", "1,", ",1", "1/2", "1 2", "-1", "1-2"])
def test_other_texts_are_refused(text: str) -> None:
    for parse in (numbers, pretraining, whole(0)):
        if parse is whole or text not in ("1-2",):
            with pytest.raises(ArgumentTypeError):
                parse(text)


@pytest.mark.parametrize("text", ["norm4", "tetra-volume", "16", "16-", "-16-1", "16-72-x", ""])
def test_a_text_that_is_no_shape_may_be_a_name(text: str) -> None:
    assert shape(text) is None


@pytest.mark.parametrize("text", ["0", "6:", ":2", "6:0", "0:2", "6:2:1", "None"])
def test_groups_need_addends_and_epochs(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="addends:epochs such as 6:2, or none"):
        pretraining(text)
