"""The words by which steps are rounded, against a shift register written out bit by bit."""

import numpy as np
import pytest

from sw.spec.chance import FIRST_CHANCE, PERIOD, chance_after, chances, chances_after, next_chance


def registers(count: int) -> list[int]:
    """Return the words of the first records, by a register of bits, the lowest first."""
    bits, words = [1] + [0] * 15, []
    for _ in range(count):
        for _ in range(16):
            out, bits = bits[0], [*bits[1:], 0]
            for place in (15, 13, 12, 10):
                bits[place] ^= out
        words.append(sum(bit << place for place, bit in enumerate(bits)))
    return words


def test_words_are_those_of_the_shift_register():
    expected = registers(50)
    assert chances_after(FIRST_CHANCE, 50).tolist() == expected
    word = FIRST_CHANCE
    for each in expected:
        assert (word := next_chance(word)) == each


def test_each_word_but_zero_comes_once_in_a_period():
    words = chances_after(FIRST_CHANCE, PERIOD + 2)
    assert np.array_equal(np.sort(words[:PERIOD]), np.arange(1, 1 << 16))
    assert np.array_equal(words[PERIOD:], words[:2]) and words[PERIOD - 1] == FIRST_CHANCE


@pytest.mark.parametrize("word", [FIRST_CHANCE, 0x8001, PERIOD])
def test_words_can_be_found_from_any_other(word: int):
    words = chances_after(word, 40)
    assert chance_after(word, 40) == words[-1] and chance_after(words[-1], -40) == word
    assert np.array_equal(chances_after(words[4], 5, 7), words[11::7])
    assert len(chances_after(word, 0)) == 0


def test_an_input_has_the_bits_from_its_number_on_round_the_word():
    word = 0b1001_0110_1010_0011
    bits = [word >> place & 1 for place in range(16)]
    for j, chance in enumerate(chances(word, np.arange(40), 4)):
        assert chance == sum(bits[(j + place) % 16] << place for place in range(4))
    assert not chances(word, np.arange(40), 0).any()


@pytest.mark.parametrize("word", [0, -1, 1 << 16])
def test_a_word_that_no_record_has_is_refused(word: int):
    with pytest.raises(ValueError, match=f"chance word {word}: must be from 1 to 65535"):
        chances_after(word, 3)
