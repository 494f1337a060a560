"""Counting losses honestly."""

from collections.abc import Sequence
from itertools import pairwise
from math import comb, inf, log, sqrt
from typing import NamedTuple

from netdiag.facts.base import Share

_Z = 1.959964  # two-sided 95 % of the normal distribution

_PLAUSIBLE, _LIMITER = 5.0, 3.0
"""Within so much of the best log-likelihood a place may still be the true one; and what it costs to call a router a
limiter: so little that a range holds the truth beside one of them. Calibrated by simulation for 1 to 12 places with 6
to 36 packets each and 5 to 90 % of loss: the range misses the truth less than once in 300, and where a third of the
routers limit their answers about once in 100 (tests/unit/facts/test_statistics.py)."""

_STEPS, _MOST = 40, 0.999
"""The shares that are tried, and the largest: nothing is lost with certainty."""


class Count(NamedTuple):
    """Packets sent and lost."""

    sent: int
    lost: int


def share(sent: int, lost: int) -> Share | None:
    """``lost`` of ``sent`` with the Wilson score interval (E. B. Wilson, JASA 22, 1927): unlike the plain one it stays
    inside [0, 1], and few probes give a wide interval. None when nothing was sent."""
    if sent <= 0:
        return None
    lost = min(max(lost, 0), sent)
    rate, square = lost / sent, _Z * _Z / sent
    middle = rate + square / 2
    margin = _Z * sqrt(rate * (1 - rate) / sent + square / (4 * sent))
    low = 0.0 if lost == 0 else max(0.0, (middle - margin) / (1 + square))
    high = 1.0 if lost == sent else min(1.0, (middle + margin) / (1 + square))
    return Share(sent=sent, lost=lost, low=low, high=high)


def loses_more(one: Count, other: Count) -> float:
    """How probable it is by chance alone that ``one`` lost so much more than ``other``, or more still: Fisher's exact
    test, one-sided (R. A. Fisher, JRSS 85, 1922). 1 when nothing was sent to either."""
    sent, lost = one.sent + other.sent, one.lost + other.lost
    worse = range(one.lost, min(one.sent, lost) + 1)
    return sum(comb(one.sent, k) * comb(other.sent, lost - k) for k in worse) / comb(sent, lost)


def regular(marks: Sequence[bool]) -> float:
    """How probable by chance it is that ``marks`` alternate so often, or more often still: the runs test, one-sided and
    exact (A. Wald, J. Wolfowitz, Ann. Math. Stat. 11, 1940). A router that lets its answers out at a fixed rate makes
    them come and go like clockwork; lost packets do not (Ravaioli et al., ICC 2015)."""
    yes, no = sum(marks), len(marks) - sum(marks)
    if not yes or not no:
        return 1.0
    runs = 1 + sum(one != other for one, other in pairwise(marks))
    return sum(_ways(count, yes, no) for count in range(runs, len(marks) + 1)) / comb(len(marks), yes)


def _ways(runs: int, yes: int, no: int) -> int:
    """In how many orders ``yes`` and ``no`` marks make so many runs."""
    half, odd = divmod(runs, 2)
    if odd:
        return comb(yes - 1, half) * comb(no - 1, half - 1) + comb(yes - 1, half - 1) * comb(no - 1, half)
    return 2 * comb(yes - 1, half - 1) * comb(no - 1, half - 1)


def onsets(counts: Sequence[Count], background: float) -> range | None:
    """Where along a path loss may begin, given what each place lost, from near to far, the end last: after how many
    places (0: before the first). A range in which the truth lies; None when there may be none at all.

    The model: up to some place not more than ``background`` is lost, and at all places after it one larger share. Any
    place but the end may lose more than the path to it, since it may limit its answers; that costs ``_LIMITER``. For
    each such place the likelihood is taken at its best; those whose logarithm lies within ``_PLAUSIBLE`` of the best
    make the range (a likelihood interval: A. W. F. Edwards, Likelihood, 1972).
    """
    every = len(counts)
    ends = [False] * (every - 1) + [True]
    usual = [_place(count, background, at_most=True, is_end=end) for count, end in zip(counts, ends, strict=True)]
    logs = [-inf] * every + [sum(usual)]
    for step in range(1, _STEPS + 1):
        rate = background + (_MOST - background) * step / _STEPS
        ill = [_place(count, rate, at_most=False, is_end=end) for count, end in zip(counts, ends, strict=True)]
        found = sum(ill)
        for clean in range(every):
            logs[clean] = max(logs[clean], found)
            found += usual[clean] - ill[clean]
    best = max(logs)
    plausible = [clean for clean, found in enumerate(logs) if best - found <= _PLAUSIBLE]
    return None if plausible[-1] == every else range(plausible[0], plausible[-1] + 1)


def _place(count: Count, rate: float, *, at_most: bool, is_end: bool) -> float:
    """How well ``rate`` explains one place: it alone, at most it, or a limiter that adds to it."""
    own = count.lost / count.sent
    fits = _log(count, min(own, rate) if at_most else rate)
    return fits if is_end else max(fits, _log(count, max(own, rate)) - _LIMITER)


def _log(count: Count, rate: float) -> float:
    """The logarithm of how probable ``count`` is when ``rate`` is lost, but for a constant."""
    lost = count.lost * log(rate) if count.lost else 0.0
    kept = count.sent - count.lost
    return lost + (kept * log(1 - rate) if kept and rate < 1 else (0.0 if not kept else -inf))
