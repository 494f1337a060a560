"""Budgets as words, refusals, Retry-After, and the arithmetic of token buckets."""

import pytest

from netdiag.evidence.buckets import Event, buckets, passes_then
from netdiag.evidence.limits import LimitBudget
from netdiag.evidence.retry_after import retry_after_s

DATE = "Sat, 14 Mar 2026 09:26:53 GMT"


@pytest.mark.parametrize(
    "budget", [LimitBudget(), LimitBudget(requests=60, connections=7, rate=2.5, refusals=6, seconds=90, by="operator")]
)
def test_a_budget_comes_back_from_its_words(budget: LimitBudget) -> None:
    assert LimitBudget.of(budget.params()) == budget


@pytest.mark.parametrize("change", [{"requests": "many"}, {"by": "me"}, {"rate": ""}])
def test_words_of_no_budget_are_refused(change: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        LimitBudget.of(LimitBudget().params() | change)
    with pytest.raises(ValueError, match="requests"):
        LimitBudget.of({})


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("0", None, 0),
        (" 120 ", None, 120),
        ("Sat, 14 Mar 2026 09:27:53 GMT", DATE, 60),
        ("Saturday, 14-Mar-26 09:27:53 GMT", DATE, 60),
        ("Sat, 14 Mar 2026 09:00:00 GMT", DATE, 0),
        ("Sat, 14 Mar 2026 09:27:53 GMT", None, None),
        ("Sat, 14 Mar 2026 09:27:53 GMT", "yesterday", None),
        ("-5", DATE, None),
        ("1.5", DATE, None),
        ("٣", DATE, None),
        ("9" * 30, DATE, None),
        ("", DATE, None),
        ("soon", DATE, None),
        ("Sat, 99 Mar 2026 99:99:99 GMT", DATE, None),
    ],
)
def test_retry_after_by_its_standard(value: str, date: str | None, seconds: int | None) -> None:
    assert retry_after_s(value, date) == seconds


def test_only_buckets_that_explain_everything_are_told() -> None:
    quick = [Event(n / 20, passed=n < 5) for n in range(6)]
    later = [Event(quick[-1].at_s + 2 + n / 20, passed=n < 2) for n in range(3)]
    (found,) = [one for one in buckets([*quick, *later], 0.001) if one.burst == 5]
    assert found.low < 1 < found.high
    assert all(one.burst <= 5 for one in buckets(quick, 0.001))


def test_nothing_refused_is_explained_by_every_bucket_and_so_by_none_in_particular() -> None:
    assert buckets([Event(n, passed=True) for n in range(9)], 0.001) == []
    assert buckets([], 0.001) == []


def test_no_bucket_refuses_more_after_a_longer_wait() -> None:
    quick = [Event(n / 20, passed=n < 5) for n in range(6)]
    assert buckets([*quick, Event(1, passed=True), Event(60, passed=False)], 0.001) == []


def test_what_a_bucket_will_let_pass() -> None:
    emptied = [Event(n / 100, passed=True) for n in range(5)]
    assert passes_then(emptied, (5, 1.0), [0.1, 0.2]) == 0
    assert passes_then(emptied, (5, 1.0), [3.1, 3.2, 3.3, 3.4]) == 3
    assert passes_then(emptied, (5, 1.0), [60 + n / 100 for n in range(9)]) == 5
