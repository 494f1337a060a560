"""Which windows would have let exactly these attempts pass? The counterpart of evidence/buckets.py."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from netdiag.evidence.buckets import Event

ROUND_S = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)
"""Windows as people set them; one that is bound to the clock is sought among these alone."""

_STEP = 1.02
_SHORTEST_S, _LONGEST_S = 0.25, 4000.0


class Windows(NamedTuple):
    """``quota`` in a window of between ``low_s`` and ``high_s`` seconds."""

    quota: int
    low_s: float
    high_s: float


Fits = Callable[[Sequence[Event], int, float, float], bool]


def fixed_windows(events: Sequence[Event], quotas: Sequence[int], jitter_s: float) -> list[Windows]:
    """Windows that begin with the first attempt in them, or by the clock."""
    return _found(events, quotas, jitter_s, _LENGTHS, _begun_by_attempt) + _found(
        events, quotas, jitter_s, ROUND_S, _begun_by_clock
    )


def sliding_windows(events: Sequence[Event], quotas: Sequence[int], jitter_s: float) -> list[Windows]:
    """At most ``quota`` passed in any stretch of that length, by the time of each or as two periods tell."""
    ways = (_slides, _counts_all, _counts_passed)
    return [one for fits in ways for one in _found(events, quotas, jitter_s, _LENGTHS, fits)]


def rounded_s(low_s: float, high_s: float) -> float:
    """The one round length between the two, else their middle."""
    inside = [one for one in ROUND_S if low_s <= one <= high_s]
    return float(inside[0]) if len(inside) == 1 else math.sqrt(low_s * high_s)


def _lengths() -> Iterator[float]:
    length = _SHORTEST_S
    while length < _LONGEST_S:
        yield length
        length *= _STEP


_LENGTHS = tuple(sorted((*_lengths(), *map(float, ROUND_S))))


def _found(
    events: Sequence[Event], quotas: Sequence[int], jitter_s: float, lengths: Sequence[float], fits: Fits
) -> list[Windows]:
    passed = [event.at_s for event in events if event.passed]
    found = []
    for quota in quotas:
        # Of the first that passed, no window holds more than its quota; only two that follow each other do.
        beyond = 2 * quota
        longest = passed[beyond] - passed[0] + 2 * jitter_s if beyond < len(passed) else math.inf
        if fits is not _begun_by_clock and quota < len(passed):
            longest = passed[quota] - passed[0] + 2 * jitter_s
        good = [length for length in lengths if length <= longest and fits(events, quota, length, jitter_s)]
        if good:
            found.append(Windows(quota, good[0], good[-1]))
    return found


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
    return any(_with_phase(events, quota, length_s, phase_s, jitter_s) for phase_s in _phases(events, length_s))


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


def _slides(events: Sequence[Event], quota: int, length_s: float, jitter_s: float) -> bool:
    passed: list[float] = []
    for event in events:
        surely = sum(event.at_s - one < length_s - jitter_s for one in passed[-quota:])
        perhaps = sum(event.at_s - one < length_s + jitter_s for one in passed[-quota:])
        if (event.passed and surely >= quota) or (not event.passed and perhaps < quota):
            return False
        if event.passed:
            passed.append(event.at_s)
    return True


def _counts_all(events: Sequence[Event], quota: int, length_s: float, jitter_s: float) -> bool:
    return _slides_by_periods(events, quota, length_s, jitter_s, counts_refused=True)


def _counts_passed(events: Sequence[Event], quota: int, length_s: float, jitter_s: float) -> bool:
    return _slides_by_periods(events, quota, length_s, jitter_s, counts_refused=False)


def _slides_by_periods(
    events: Sequence[Event], quota: int, length_s: float, jitter_s: float, *, counts_refused: bool
) -> bool:
    """What proxies do that keep two numbers of each address, not the time of every request: those of this period, and
    those of the period before by as much of it as the window still covers (HAProxy: freq_ctr.c; its periods begin with
    a request, and after two without any anew). Whether a rest of less than one request counts differs."""
    began_s, before, count = -math.inf, 0, 0
    for event in events:
        since_s = event.at_s - began_s
        if since_s >= 2 * length_s:
            began_s, before, count = event.at_s, 0, 0
        elif since_s >= length_s:
            began_s, before, count = began_s + length_s, count, 0
        covered = 1 - (event.at_s - began_s) / length_s
        estimate, doubt = count + before * covered, before * jitter_s / length_s
        if (estimate - doubt >= quota) if event.passed else (estimate + doubt <= quota - 1):
            return False
        count += event.passed or counts_refused
    return True
