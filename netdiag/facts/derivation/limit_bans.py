"""Which bans would have let exactly these attempts pass? What closes after a quota, for a time of its own.

A window gives back when its time is over; a ban begins with the attempt that was one too many, and its time has nothing
to do with the time in which the quota is counted (fail2ban: bantime and findtime). Some begin anew with each attempt
that they refuse, and some last longer each time.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from netdiag.evidence.buckets import Event
from netdiag.facts.derivation.limit_shapes import ROUND_S

_LONGEST_S = 4000.0


class Ban(NamedTuple):
    """After ``quota`` within ``counted_s`` or longer it is closed for between ``low_s`` and ``high_s``."""

    quota: int
    counted_s: float
    low_s: float
    high_s: float


class _Closed(NamedTuple):
    """It was closed for ``at_least_s``, and after ``at_most_s`` no more, as ``times`` the shortest of all bans."""

    times: int
    at_least_s: float
    at_most_s: float


def bans(events: Sequence[Event], quotas: Sequence[int], jitter_s: float, pace_s: float) -> list[Ban]:
    """Those that begin with the first refusal, or anew with each; of one length, or each twice as long as the one
    before (fail2ban's bantime.increment). ``pace_s``: how fast was asked; a quota of just that many is none."""
    lengths = [
        length
        for renews in (False, True)
        for doubles in (False, True)
        for length in _length(_closed(events, jitter_s, renews=renews, doubles=doubles))
    ]
    if not lengths:
        return []
    counted = ((quota, _counted_s(events, quota, jitter_s, pace_s)) for quota in quotas)
    return [Ban(quota, least_s, *one) for quota, least_s in counted if least_s is not None for one in lengths]


def _length(closed: Sequence[_Closed]) -> Iterator[tuple[float, float]]:
    low_s = max(one.at_least_s / one.times for one in closed)
    high_s = min(one.at_most_s / one.times for one in closed)
    if low_s <= high_s:
        yield low_s, min(high_s * closed[-1].times, _LONGEST_S)


def _closed(events: Sequence[Event], jitter_s: float, *, renews: bool, doubles: bool) -> list[_Closed]:
    """What each first refusal, or with ``renews`` each, tells of how long it is closed."""
    found: list[_Closed] = []
    began_s: float | None = None
    times, low_s = 1, 0.0
    for event in events:
        since_s = 0.0 if began_s is None else event.at_s - began_s
        if event.passed and began_s is not None:
            found.append(_Closed(times, low_s, since_s + jitter_s))
            began_s = None
            times = 2 * times if doubles and not renews else times
        elif not event.passed and began_s is None:
            began_s, low_s = event.at_s, 0.0
        elif not event.passed and renews:
            found.append(_Closed(times, since_s - jitter_s, math.inf))
            began_s = event.at_s
            times = 2 * times if doubles else times
        elif not event.passed:
            low_s = since_s - jitter_s
    if began_s is not None:
        found.append(_Closed(times, low_s, math.inf))
    return found


def _counted_s(events: Sequence[Event], quota: int, jitter_s: float, pace_s: float) -> float | None:
    """The least time within which the quota may be counted. None: no time explains when the bans began."""
    longer = [float(one) for one in reversed(ROUND_S) if one > quota * pace_s]
    tried = (_least_counted_s(events, quota, one, jitter_s) for one in (math.inf, *longer))
    return next((one for one in tried if one is not None), None)


def _least_counted_s(events: Sequence[Event], quota: int, counted_s: float, jitter_s: float) -> float | None:
    since: list[float] = []
    is_closed, least_s = False, 0.0
    for event in events:
        last = since[-quota:]
        if event.passed:
            since = [event.at_s] if is_closed else [*since, event.at_s]
            if not is_closed and sum(event.at_s - one < counted_s - jitter_s for one in last) >= quota:
                return None
        elif not is_closed:
            if sum(event.at_s - one < counted_s + jitter_s for one in last) < quota:
                return None
            least_s = max(least_s, event.at_s - last[0] - jitter_s)
        is_closed = not event.passed
    return least_s
