"""Which windows would have let exactly these attempts pass? The counterpart of evidence/buckets.py."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from netdiag.evidence.buckets import Event

ROUND_S = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)
"""Windows as people set them; one that is bound to the clock is sought among these alone."""

_STEP = 1.02
_SHORTEST_S, _LONGEST_S = 0.25, 4000.0
_PHASES = 24


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
    """At most ``quota`` passed in any stretch of that length; what is refused does not count."""
    return _found(events, quotas, jitter_s, _LENGTHS, _slides)


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
    found = []
    for quota in quotas:
        good = [length for length in lengths if fits(events, quota, length, jitter_s)]
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
    return any(_with_phase(events, quota, length_s, n * length_s / _PHASES, jitter_s) for n in range(_PHASES))


def _with_phase(events: Sequence[Event], quota: int, length_s: float, phase_s: float, jitter_s: float) -> bool:
    # The phase is one of a few, so that a boundary may be off by half of a step.
    slack_s = jitter_s + length_s / _PHASES / 2
    window, count = -math.inf, 0
    for event in events:
        here = math.floor((event.at_s - slack_s + phase_s) / length_s)
        latest = math.floor((event.at_s + slack_s + phase_s) / length_s)
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
