"""A miss is never hidden, and a figure keeps its unit."""

import pytest

from benchmarks.bars import Bar, number, sentence, table

KEPT = Bar("kit / collect", 8.8, 8.0, "times", "bar", at_least=True)
MISSED = Bar("collect", 10.2, 10.0, "s", "goal")


def test_limits_hold_at_the_limit_itself() -> None:
    assert Bar("a", 3.0, 3.0, "s", "bar").holds
    assert Bar("a", 3.0, 3.0, "times", "bar", at_least=True).holds
    assert not Bar("a", 2.99, 3.0, "times", "bar", at_least=True).holds
    assert not Bar("a", 3.01, 3.0, "s", "bar").holds


def test_a_miss_is_said_in_the_table_and_in_the_sentence() -> None:
    assert "| goal | collect | 10.2 s | ≤ 10.0 s | **MISSED** |" in table([KEPT, MISSED])
    assert sentence([KEPT, MISSED]) == "1 of 2 hold in this run. Missed: collect."
    assert sentence([KEPT]) == "All 1 hold in this run."


def test_a_narrow_miss_does_not_look_kept() -> None:
    """Rounding may show both figures alike; the verdict is by the unrounded ones."""
    assert not Bar("a", 7.9999, 8.0, "times", "bar", at_least=True).holds


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0512, "0.05"), (9.99, "9.99"), (15.04, "15.0"), (438.4, "438"), (1234.0, "1,234")]
)
def test_numbers_have_three_digits_and_no_exponent(value: float, shown: str) -> None:
    assert number(value) == shown
