"""The tests of chance: against values from the books, and by simulation."""

import random
from itertools import pairwise
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.facts.derivation.statistics import Count, loses_more, onsets, regular, share

BACKGROUND = 0.02


def test_wilson() -> None:
    found = share(40, 9)
    assert found is not None
    assert (round(found.low, 3), round(found.high, 3)) == (0.123, 0.375)
    assert share(0, 0) is None


def test_fishers_tea() -> None:
    """The lady tasting tea: 4 of 4 right is 1 in 70, 3 of 4 or better 17 in 70 (Fisher 1935)."""
    assert loses_more(Count(4, 4), Count(4, 0)) == pytest.approx(1 / 70)
    assert loses_more(Count(4, 3), Count(4, 1)) == pytest.approx(17 / 70)
    assert loses_more(Count(0, 0), Count(4, 1)) == 1


def counts(least: int = 0) -> st.SearchStrategy[Count]:
    return st.integers(least, 40).flatmap(lambda n: st.integers(0, n).map(lambda lost: Count(n, lost)))


@given(counts(), counts())
def test_the_two_sides_of_fisher_add_up(one: Count, other: Count) -> None:
    """P(at least this) + P(at most this) = 1 + P(exactly this)."""
    sent, lost = one.sent + other.sent, one.lost + other.lost
    exactly = comb(one.sent, one.lost) * comb(other.sent, other.lost) / comb(sent, lost)
    assert loses_more(one, other) + loses_more(other, one) == pytest.approx(1 + exactly)


@given(st.lists(st.booleans(), min_size=1, max_size=10))
def test_regularity_by_counting_all_orders(marks: list[bool]) -> None:
    def runs(text: tuple[bool, ...]) -> int:
        return 1 + sum(a != b for a, b in pairwise(text))

    orders = [
        tuple(bool(bits >> i & 1) for i in range(len(marks)))
        for bits in range(2 ** len(marks))
        if bits.bit_count() == sum(marks)
    ]
    wanted = sum(runs(order) >= runs(tuple(marks)) for order in orders) / len(orders)
    assert regular(marks) == pytest.approx(wanted if 0 < sum(marks) < len(marks) else 1.0)


@given(st.lists(counts(1), min_size=1, max_size=12))
def test_the_range_lies_inside_the_path(places: list[Count]) -> None:
    found = onsets(places, BACKGROUND)
    assert found is None or (0 <= found[0] <= found[-1] < len(places))


def test_nothing_lost_is_no_onset() -> None:
    assert onsets([Count(40, 0)] * 5, BACKGROUND) is None


def test_all_lost_from_one_place_on() -> None:
    assert onsets([Count(12, 0)] * 3 + [Count(12, 12)] * 2, BACKGROUND) == range(
        3, 5
    )  # or the first silent place only limits its answers


@pytest.mark.parametrize("percent", [5, 10, 20, 25, 40, 60, 90])
@pytest.mark.parametrize("sent", [6, 12, 36])
def test_the_range_holds_the_truth(percent: int, sent: int) -> None:
    """400 paths each: at most 1 % of the ranges miss it (calibrated: below 1 in 300)."""
    dice = random.Random(percent * 1000 + sent)
    missed = 0
    for _ in range(400):
        places = dice.randint(1, 12)
        truth = dice.randrange(places)
        rates = [0.0 if place < truth else percent / 100 for place in range(places)]
        found = onsets([Count(sent, sum(dice.random() < rate for _ in range(sent))) for rate in rates], BACKGROUND)
        missed += found is not None and truth not in found
    assert missed <= 4


def test_a_quarter_lost_is_placed_at_once_most_of_the_time() -> None:
    """So that the tests above cannot pass by never saying anything."""
    dice = random.Random(7)
    widths = []
    for _ in range(200):
        places = [Count(12, sum(dice.random() < rate for _ in range(12))) for rate in (0, 0, 0, 0.25, 0.25, 0.25, 0.25)]
        found = onsets(places, BACKGROUND)
        widths.append(len(found) if found is not None else 99)
    assert sum(width <= 4 for width in widths) > 90


def test_a_healthy_path_has_no_onset() -> None:
    """2,000 paths that lose up to 1 % here and there: not one is accused."""
    dice = random.Random(3)
    accused = 0
    for _ in range(2000):
        rates = [dice.choice([0, 0.005, 0.01]) for _ in range(dice.randint(2, 12))]
        found = onsets([Count(12, sum(dice.random() < rate for _ in range(12))) for rate in rates], BACKGROUND)
        accused += found is not None
    assert accused <= 2
