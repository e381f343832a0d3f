"""A board's configuration text as words: its length in bytes, then its bytes, the first in a word's lowest bits."""

from collections.abc import Iterable


def pack_text(text: str, *, word_bytes: int) -> list[int]:
    """Return the text's words, the length first."""
    content = text.encode()
    words = [
        int.from_bytes(content[start : start + word_bytes], "little") for start in range(0, len(content), word_bytes)
    ]
    return [len(content), *words]


def content_words(length: int, *, word_bytes: int) -> int:
    """Return the number of words after the first one, for a text of `length` bytes."""
    return -(-length // word_bytes)


def unpack_text(words: Iterable[int], *, length: int, word_bytes: int) -> str:
    """Return the text of `length` bytes whose words after the first one are given; wrong bytes become U+FFFD."""
    content = b"".join(int(word).to_bytes(word_bytes, "little") for word in words)
    return content[:length].decode(errors="replace")
