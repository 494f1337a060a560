"""Strangers' text on a screen can be read, and can do nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.evidence.display import sanitize_text
from netdiag.evidence.errors import BundleMalformed


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, übliche и 普通", "plain, übliche и 普通"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x1b]8;;https://evil.test\x1b\\link", "\\x1b]8;;https://evil.test\\x1b\\link"),
        ("\x9b2J", "\\x9b2J"),
        ("a\x00\x07\x08\x7f\x85b", "a\\x00\\x07\\x08\\x7f\\x85b"),
        ("over\rwritten", "over\\rwritten"),
        ("gnp\u202egpj.exe", "gnp\\u202egpj.exe"),
        (
            "\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u202a",
            "\\u2066\\u2067\\u2068\\u2069\\u200e\\u200f\\u061c\\u202a",
        ),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("\U000e0041tag", "\\U000e0041tag"),
        ("line\u2028para\u2029", "line\\u2028para\\u2029"),
        ("\udcff", "\\udcff"),
        ("a\tb\nc\u00a0d\u3000e", "a b c d e"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert sanitize_text(text) == shown


def test_newlines_stay_where_they_are_wanted() -> None:
    assert sanitize_text("a\n\x1bb\n", keep_newlines=True) == "a\n\\x1bb\n"


@given(st.text())
def test_what_is_shown_is_printable_and_stable(text: str) -> None:
    shown = sanitize_text(text)
    assert shown.isprintable()
    assert sanitize_text(shown) == shown
    assert all(line.isprintable() for line in sanitize_text(text, keep_newlines=True).split("\n"))


@given(st.text())
def test_an_error_is_one_printable_line_of_bounded_length(text: str) -> None:
    message = str(BundleMalformed(text))
    assert message.isprintable()
    assert len(message) <= 300
