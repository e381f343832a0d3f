"""Text from files does nothing to a terminal, and is else as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sw.spec.printable import printable


@pytest.mark.parametrize(
    "text", ["", "price", "größe in m²", "面積 (평)", "مساحت", "क्षेत्र", "\U0001f3e0", "a\u00a0b", "a$b$"]
)
def test_names_in_any_script_stay_as_they_are(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("a\r\nb\t\0", "a\\r\\nb\\t\\x00"),
        ("\x9b31m", "\\x9b31m"),  # the same as ESC [ to some terminals
        ("\u202etxt.exe", "\\u202etxt.exe"),
        ("\u2066a\u2069", "\\u2066a\\u2069"),
        ("\ud800", "\\ud800"),
        ("\u2028", "\\u2028"),
        ("\ufeffx", "\\ufeffx"),
    ],
)
def test_what_a_terminal_obeys_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_what_is_shown_can_be_printed_and_is_shown_as_it_is(text: str) -> None:
    shown = printable(text)
    assert "\x1b" not in shown and "\n" not in shown and printable(shown) == shown
    shown.encode()
    assert printable(text, lines=True).count("\n") == text.count("\n")
