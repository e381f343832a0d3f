from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sw.spec.numerics import WIDTHS, WordFormat, layer_formats, rounding_product, rounding_shift

words = st.integers(WIDTHS.start, WIDTHS.stop - 1)


@given(st.integers(-(2**40), 2**40), st.integers(1, 30))
def test_rounding_shift_rounds_to_the_nearest_and_halves_up(value, bits):
    exact = Fraction(value, 2**bits)
    assert rounding_shift(value, bits) == (exact + Fraction(1, 2)).__floor__()


@given(st.integers(-(2**15), 2**15 - 1), st.integers(0, 2**15 - 1))
def test_a_rounded_product_never_exceeds_its_step(step, fraction):
    """So that step - product, what the left node gets, needs no limit of its own."""
    product = rounding_product(step, fraction, 16)
    assert abs(product) <= abs(step) and abs(step - product) <= abs(step)


def test_array_and_scalar_rules_are_the_same():
    values = np.arange(-300, 300)
    assert rounding_shift(values, 4).tolist() == [rounding_shift(int(value), 4) for value in values]


@given(words, st.integers(1, 256), st.sampled_from([2, 4, 16, 64]), st.integers(1, 16))
def test_every_sum_fits_two_words_and_every_offset_fits_its_word(width, inputs, segments, outputs):
    word = WordFormat(width)
    form, _ = layer_formats(word, [(inputs, segments, 0), (outputs, 4, 0)])
    if form.offset_bits < 1:
        return  # `Network` refuses such a layer
    assert form.argument_bits <= width
    highest = (1 << form.offset_bits) - 1
    for left, right in ((word.minimum, word.minimum), (word.maximum, word.maximum), (word.minimum, word.maximum)):
        term = (left << form.offset_bits) + (right - left) * highest
        assert -(1 << (2 * width - 1)) <= inputs * term < 1 << (2 * width - 1)
    assert 0 <= form.fraction(highest) <= word.maximum


def test_segment_and_offset_put_a_code_together_again():
    form, _ = layer_formats(WordFormat(16), [(3, 8, 1), (4, 16, 0)])
    codes = np.arange(1 << form.argument_bits)
    assert np.array_equal((form.segment(codes) << form.offset_bits) + form.offset(codes), codes)
    assert form.segment(codes).max() == form.segments - 1


@pytest.mark.parametrize("width", [9, 25])
def test_an_illegal_width_is_named_with_the_legal_ones(width):
    with pytest.raises(ValueError, match=f"{width} is not in 10..24"):
        WordFormat(width)


def test_too_much_gain_is_refused():
    with pytest.raises(ValueError, match="at most"):
        layer_formats(WordFormat(16), [(2, 16, 99), (8, 16, 0)])


def test_limit_is_symmetric_and_saturate_is_not():
    word = WordFormat(16)
    assert word.limit(-40000) == -32767 and word.saturate(-40000) == -32768
    assert word.limit(40000) == word.saturate(40000) == 32767
