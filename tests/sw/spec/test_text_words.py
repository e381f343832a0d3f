"""A text is the same after it was packed into words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sw.spec.text_words import content_words, pack_text, unpack_text


@given(st.text(), st.sampled_from([2, 3, 4]))
def test_unpacking_gives_the_packed_text(text: str, word_bytes: int) -> None:
    length, *words = pack_text(text, word_bytes=word_bytes)
    assert len(words) == content_words(length, word_bytes=word_bytes)
    assert all(0 <= word < 1 << 8 * word_bytes for word in words)
    assert unpack_text(words, length=length, word_bytes=word_bytes) == text


@pytest.mark.parametrize(("word_bytes", "words"), [(2, [3, 0x6261, 0x63]), (3, [3, 0x636261])])
def test_the_first_byte_is_in_the_lowest_bits(word_bytes: int, words: list[int]) -> None:
    assert pack_text("abc", word_bytes=word_bytes) == words
