"""Which windows would have let exactly these attempts pass? The counterpart of evidence/buckets.py."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from netdiag.evidence.buckets import Event

ROUND_S = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)
"""Windows as people set them; one that is bound to the clock is sought among these alone."""

_STEP = 1.02
_SHORTEST_S, _LONGEST_S = 0.25, 4000.0
_HALVINGS = 5


class Windows(NamedTuple):
    """``quota`` in a window of between ``low_s`` and ``high_s`` seconds."""

    quota: int
    low_s: float
    high_s: float


Fits = Callable[[Sequence[Event], int, float, float], bool]


def fixed_windows(events: Sequence[Event], quotas: Sequence[int], jitter_s: float) -> list[Windows]:
    """Windows that begin with the first attempt in them, or by the clock."""
    passed = _passed(events)
    found = []
    for quota in quotas:
        low_s = _least_s(events, quota, 2 * jitter_s)
        first_s = _between_s(passed[: quota + 1], quota) + 2 * jitter_s
        found += _tried(events, quota, jitter_s, (low_s, first_s), _begun_by_attempt)
        # Of what passed, any window may hold its quota, and two that follow each other no more than twice that.
        high_s = min(_between_s(passed, 2 * quota) + 2 * jitter_s, _LONGEST_S)
        good = [one for one in ROUND_S if low_s <= one <= high_s and _begun_by_clock(events, quota, one, jitter_s)]
        if good:
            found.append(Windows(quota, good[0], good[-1]))
    return found


def sliding_windows(events: Sequence[Event], quotas: Sequence[int], jitter_s: float) -> list[Windows]:
    """At most ``quota`` passed in any stretch of that length, by the time of each or as two periods tell."""
    passed = _passed(events)
    found = []
    for quota in quotas:
        low_s = max(_least_s(events, quota, jitter_s), _SHORTEST_S)
        high_s = min(_between_s(passed, quota) + jitter_s, _LONGEST_S)
        if low_s <= high_s:
            found.append(Windows(quota, low_s, high_s))
        first_s = _between_s(passed[: quota + 1], quota) + 2 * jitter_s
        for counts_refused in (True, False):
            least_s = _least_of_periods_s(events, quota, jitter_s, counts_refused=counts_refused)
            for takes_rest in (True, False):
                fits = partial(_slides_by_periods, counts_refused=counts_refused, takes_rest=takes_rest)
                found += _tried(events, quota, jitter_s, (least_s, first_s), fits)
    return found


def _passed(events: Sequence[Event]) -> list[float]:
    return [event.at_s for event in events if event.passed]


def _between_s(moments: Sequence[float], apart: int) -> float:
    """The least time between one and the ``apart``-th after it; infinite where there are not so many."""
    return min((late - soon for soon, late in zip(moments, moments[apart:], strict=False)), default=math.inf)


def _least_s(events: Sequence[Event], quota: int, jitter_s: float) -> float:
    """A window that refuses still holds the last ``quota`` that passed; infinite where not so many had."""
    passed: list[float] = []
    least_s = 0.0
    for event in events:
        if event.passed:
            passed.append(event.at_s)
        elif len(passed) < quota:
            return math.inf
        else:
            least_s = max(least_s, event.at_s - passed[-quota] - jitter_s)
    return least_s


def _least_of_periods_s(events: Sequence[Event], quota: int, jitter_s: float, *, counts_refused: bool) -> float:
    """Two periods that refuse hold nine tenths of the quota at least, whatever their jitter."""
    counted: list[float] = []
    least_s, needed = 0.0, max(1, math.floor((quota - 1) * 0.9))
    for event in events:
        if not event.passed:
            if len(counted) < needed:
                return math.inf
            least_s = max(least_s, (event.at_s - counted[-needed]) / 2 - jitter_s)
        if event.passed or counts_refused:
            counted.append(event.at_s)
    return least_s


def _lengths() -> Iterator[float]:
    length = _SHORTEST_S
    while length < _LONGEST_S:
        yield length
        length *= _STEP


_LENGTHS = tuple(sorted((*_lengths(), *map(float, ROUND_S))))


def _tried(
    events: Sequence[Event], quota: int, jitter_s: float, within_s: tuple[float, float], fits: Fits
) -> list[Windows]:
    """The lengths ``within_s`` that fit, their ends sought between those that were tried."""
    first, after = bisect_left(_LENGTHS, within_s[0]), bisect_right(_LENGTHS, within_s[1])
    good = [number for number in range(first, after) if fits(events, quota, _LENGTHS[number], jitter_s)]
    if not good:
        return []

    def is_good(length_s: float) -> bool:
        return fits(events, quota, length_s, jitter_s)

    low_s = _end(_LENGTHS[good[0]], _LENGTHS[max(good[0] - 1, 0)], is_good)
    high_s = _end(_LENGTHS[good[-1]], _LENGTHS[min(good[-1] + 1, len(_LENGTHS) - 1)], is_good)
    return [Windows(quota, low_s, high_s)]


def _end(good_s: float, bad_s: float, is_good: Callable[[float], bool]) -> float:
    for _ in range(_HALVINGS):
        middle_s = math.sqrt(good_s * bad_s)
        good_s, bad_s = (middle_s, bad_s) if is_good(middle_s) else (good_s, middle_s)
    return bad_s


def _begun_by_attempt(events: Sequence[Event], quota: int, length_s: float, jitter_s: float) -> bool:
    began_s, count = -math.inf, 0
    for event in events:
        over_s = event.at_s - began_s - length_s
        is_new = over_s >= jitter_s or (over_s > -jitter_s and event.passed and count >= quota)
        if is_new:
            began_s, count = event.at_s, 0
        if event.passed != (count < quota):
            return False
        count += event.passed
    return True


def _begun_by_clock(events: Sequence[Event], quota: int, length_s: float, jitter_s: float) -> bool:
    turns = [
        (refused.at_s - jitter_s, passed.at_s + jitter_s)
        for refused, passed in pairwise(events)
        if passed.passed and not refused.passed and passed.at_s - refused.at_s < length_s
    ]
    return any(
        _with_phase(events, quota, length_s, phase_s, jitter_s)
        for phase_s in _phases(events, length_s)
        if all((after_s - phase_s) // length_s > (before_s - phase_s) // length_s for before_s, after_s in turns)
    )


def _phases(events: Sequence[Event], length_s: float) -> Iterator[float]:
    """Where windows may begin: between any two neighbours of the events' places in a window it is all the same."""
    places = sorted({event.at_s % length_s for event in events})
    for here, following in pairwise([*places, places[0] + length_s]):
        yield (here + following) / 2


def _with_phase(events: Sequence[Event], quota: int, length_s: float, phase_s: float, jitter_s: float) -> bool:
    window, count = -math.inf, 0
    for event in events:
        here = math.floor((event.at_s - jitter_s - phase_s) / length_s)
        latest = math.floor((event.at_s + jitter_s - phase_s) / length_s)
        is_new = here > window or (latest > window and event.passed and count >= quota)
        if is_new:
            window, count = max(here, latest), 0
        if event.passed != (count < quota):
            return False
        count += event.passed
    return True


def _slides_by_periods(
    events: Sequence[Event],
    quota: int,
    length_s: float,
    jitter_s: float,
    *,
    counts_refused: bool,
    takes_rest: bool,
) -> bool:
    """What proxies do that keep two numbers of each address, not the time of every request: those of this period, and
    those of the period before by as much of it as the window still covers (HAProxy: freq_ctr.c; its periods begin with
    a request, and after two without any anew). Some let a rest of less than one request pass (``takes_rest``), such as
    HAProxy, which compares whole numbers; others do not. One limiter always does the same."""
    began_s, before, count = -math.inf, 0, 0
    for event in events:
        since_s = event.at_s - began_s
        if since_s >= 2 * length_s:
            began_s, before, count = event.at_s, 0, 0
        elif since_s >= length_s:
            began_s, before, count = began_s + length_s, count, 0
        covered = 1 - (event.at_s - began_s) / length_s
        estimate, doubt = count + before * covered, before * jitter_s / length_s
        if takes_rest and (estimate - doubt >= quota if event.passed else estimate + doubt < quota):
            return False
        if not takes_rest and (estimate - doubt > quota - 1 if event.passed else estimate + doubt <= quota - 1):
            return False
        count += event.passed or counts_refused
    return True
