"""The syntax of option values: what is legal has one meaning, all else is refused."""

from argparse import ArgumentTypeError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sw.spec.bounds import EPOCHS, LAYERS, SIZE
from sw.spec.options import numbers, pretraining, real, shape, whole

SIZES = st.integers(*SIZE)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=100))
def test_numbers_come_back(values: list[int]) -> None:
    assert numbers(0, 10**9)(",".join(map(str, values))) == tuple(values)


@given(st.lists(SIZES, min_size=2, max_size=LAYERS[1] + 1))
def test_shapes_come_back(sizes: list[int]) -> None:
    assert shape("-".join(map(str, sizes))) == tuple(sizes)


@given(SIZES, st.integers(*EPOCHS))
def test_groups_come_back(addends: int, epochs: int) -> None:
    assert pretraining(f"{addends}:{epochs}") == (addends, epochs)
    assert pretraining(str(addends)) == (addends, None)
    assert pretraining("none") == (0, None)


@given(st.integers(), st.integers(), st.integers())
def test_whole_numbers_have_bounds(number: int, least: int, most: int) -> None:
    if least <= number <= most:
        assert whole(least, most)(str(number)) == number
    else:
        for parse in (whole(least, most), numbers(least, most)):
            with pytest.raises(ArgumentTypeError, match=f"from {least} to {most}"):
                parse(str(number))


@given(st.floats(), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_real_numbers_have_bounds(number: float, least: float, most: float) -> None:
    if least <= number <= most:
        assert real(least, most)(str(number)) == number
    else:
        with pytest.raises(ArgumentTypeError, match="must be a number from"):
            real(least, most)(str(number))


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "-1", "3", "", "one", "1,5", "0x1"])
def test_what_is_no_number_within_the_bounds_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match=f"'{text}' must be a number from 0 to 2"):
        real(0, 2)(text)


@pytest.mark.parametrize("text", ["", "a", "1.5", "1e3", "1,", ",1", "1/2", "1 2", "-1", "1-2", "9" * 5000, "\u0663"])
def test_other_texts_are_refused(text: str) -> None:
    for parse in (numbers(0, 9), pretraining, whole(0, 9)):
        with pytest.raises(ArgumentTypeError):
            parse(text)


@pytest.mark.parametrize("text", ["norm4", "tetra-volume", "16", "16-", "-16-1", "16-72-x", ""])
def test_a_text_that_is_no_shape_may_be_a_name(text: str) -> None:
    assert shape(text) is None


@pytest.mark.parametrize("text", ["0-1", "0-8-1", "16-0-1", "1-65537-1", "9" * 5000 + "-1-1", "-".join(["1"] * 100)])
def test_a_shape_has_bounds(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="sizes of layers, each from 1 to 65536"):
        shape(text)


@pytest.mark.parametrize("text", ["0", "6:", ":2", "6:0", "0:2", "6:2:1", "None", "1:1000000000"])
def test_groups_need_addends_and_epochs(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="addends:epochs such as 6:2, or none"):
        pretraining(text)
