"""After a refusal, for who operates the service: when is how much allowed again? One series after the other.

Each series begins after a quiet wait and ends with its first refusal, so that it costs one refusal at most. The waits
are chosen by what the refusals so far leave open: a token bucket gives back one by one, a window all at once.
"""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from netdiag.evidence.buckets import Event, Rates, buckets, met, passes_then
from netdiag.evidence.limits import LimitAttempt, LimitBudget, looks_like_a_ban, refuses
from netdiag.probes.base import LimitWish
from netdiag.probes.limits.phases import Spent

FIRST_WAIT_S, LONGER = 1.0, 4.0
"""The first quiet wait, and by how much each next is longer while nothing comes back."""

CLOSE_ENOUGH = 1.1
"""The rate is known when its bounds differ by no more; a window, when they differ by no more than its square."""

ENOUGH_ENDS = 3
"""Series that a refusal ended: after one pause alone a bucket and a window may have given back the same, and some burst
and some rate explain any two."""

MOST = 40
"""Attempts of one series: fewer would not outlast a pace that is a little too fast."""

_WAITS_S = tuple(0.25 * 2**n for n in range(9))
_SLOWER = tuple(1.25**n for n in range(1, 21))
"""Paces that are tried: from just below the fastest that is allowed to 80 times slower."""

_LEAST_BITS = 0.1
_SECONDS_PER_BIT = 60.0
"""A minute of waiting has to tell one bit more."""

_FOR_SHAPE = 2
"""Refusals kept for telling a fixed from a sliding window."""


class Run(NamedTuple):
    """One series: how many passed, whether a refusal ended it, and its first and last moments in seconds."""

    passed: int
    refused: bool
    began_s: float
    ended_s: float


class _Series(NamedTuple):
    """What the next series shall be: seconds of quiet, then ``number`` attempts ``gap_s`` apart, and ``pause_s`` after
    the first as many ``more``."""

    wait_s: float
    number: int
    gap_s: float
    pause_s: float = 0.0
    more: int = 0


class _Left(NamedTuple):
    """What is left: attempts, refusals, and until when."""

    room: int
    refusals: int
    until_ns: float


def next_series(
    history: Sequence[LimitAttempt], spent: Spent, budget: LimitBudget, now_ns: int
) -> tuple[LimitWish, ...]:
    """The attempts of the next series; empty when nothing is left to learn or to spend. ``history``: as ``measured``
    gives it, with a refusal."""
    first = history[0]
    refused = [one for one in history if refuses(one, first)]
    if len(refused) > budget.refusals or any(looks_like_a_ban(one) for one in refused):
        return ()
    if refused[0].phase in {"held_connections", "under_way"}:
        is_new = len(refused) == 1 and history[-1].phase != "recovery"
        return _let_go(history, spent, now_ns) if is_new and spent.connections else ()
    of = [one for one in history if one.asks == refused[0].asks]
    room = _room(of, spent)
    left = _Left(room, budget.refusals + 1 - len(refused), budget.seconds * 1e9)
    wanted = _choose(of, first, _gap_s(of, first, budget), left) if room > 1 else None
    return () if wanted is None else _attempts(wanted, of, spent, left, now_ns)


def _gap_s(of: Sequence[LimitAttempt], first: LimitAttempt, budget: LimitBudget) -> float:
    """The least distance in a series. Connections are made one after the other, each alone, and take their time."""
    takes_ns = [one.ended_ns - one.began_ns for one in of if one.asks == "connection" and not refuses(one, first)]
    return max(1 / budget.rate, max(takes_ns, default=0) / 1e9)


def _room(of: Sequence[LimitAttempt], spent: Spent) -> int:
    """How many more of the kind may be made. Where the server ends connections, each request takes a new one."""
    if of[0].asks == "connection":
        return spent.connections
    ends = not spent.is_open and of[0].closes
    return min(spent.requests, spent.connections) if ends else spent.requests


def runs_of(attempts: Sequence[LimitAttempt], first: LimitAttempt) -> list[Run]:
    """``attempts`` by series."""
    found = []
    for _, group in groupby(attempts, key=lambda one: one.attempt):
        series = list(group)
        passed = sum(not refuses(one, first) for one in series)
        found.append(Run(passed, passed < len(series), series[0].began_ns / 1e9, series[-1].ended_ns / 1e9))
    return found


def _choose(of: Sequence[LimitAttempt], first: LimitAttempt, gap_s: float, left: _Left) -> _Series | None:
    runs = runs_of(of, first)
    burst = runs[0].passed + 3
    if not any(run.passed for run in runs[1:]):
        said = of[-1].retry_after_s
        patience = FIRST_WAIT_S * LONGER ** (len(runs) - 1)
        return _Series(said + 0.3 if said and len(runs) == 1 else patience, burst, gap_s)
    events, jitter_s = met(of, first)
    fits = buckets(events, jitter_s)
    return (
        _count_tokens(fits, events, gap_s, left.room, runs) if fits else _find_window(runs, burst, gap_s, left.refusals)
    )


def _count_tokens(
    fits: Sequence[Rates], events: Sequence[Event], gap_s: float, room: int, runs: Sequence[Run]
) -> _Series | None:
    """The series whose end tells most: of a burst after some wait, or of a steady pace, that for which the buckets that
    are still possible foresee the most different ends."""
    is_enough = sum(run.refused for run in runs) >= ENOUGH_ENDS
    if len(fits) == 1 and fits[0].high <= fits[0].low * CLOSE_ENOUGH and is_enough:
        return None
    possible = [(fit.burst, rate) for fit in fits for rate in _between(fit.low, fit.high)]
    most = min(MOST, room)
    bursts = [_Series(wait, most, gap_s) for wait in _WAITS_S]
    paces = [_Series(wait, most, gap_s * slower) for wait in _WAITS_S[::2] for slower in _SLOWER]
    worth, best = max(((_worth(one, possible, events), one) for one in (*bursts, *paces)), key=lambda pair: pair[0])
    if worth > 0:
        return best
    return None if is_enough else next((one for one in bursts if _ends_surely(one, possible, events)), None)


def _ends_surely(series: _Series, possible: Sequence[tuple[int, float]], events: Sequence[Event]) -> bool:
    """Whether a refusal ends it, whichever bucket it is."""
    moments = _moments(series, events)
    return all(passes_then(events, bucket, moments) < series.number for bucket in possible)


def _moments(series: _Series, events: Sequence[Event]) -> list[float]:
    begins_s = events[-1].at_s + series.wait_s
    return [begins_s + n * series.gap_s for n in range(series.number)]


def _between(low: float, high: float) -> list[float]:
    """Five rates from one end to the other, on a logarithmic scale."""
    return [low * (high / low) ** (n / 4) for n in range(5)]


def _worth(series: _Series, possible: Sequence[tuple[int, float]], events: Sequence[Event]) -> float:
    """Bits that its end is expected to tell (the entropy of the ends foreseen), less what its time is worth."""
    moments = _moments(series, events)
    ends = Counter(passes_then(events, bucket, moments) for bucket in possible)
    bits = -sum(n / len(possible) * math.log2(n / len(possible)) for n in ends.values())
    takes_s = series.wait_s + series.gap_s * sum(end * n for end, n in ends.items()) / len(possible)
    return bits - _LEAST_BITS - takes_s / _SECONDS_PER_BIT


def _find_window(runs: Sequence[Run], burst: int, gap_s: float, left: int) -> _Series | None:
    """Bounds of the window, counted from the first attempt that it let pass; then whether it slides."""
    most = max(run.passed for run in runs)
    low, high, since_s = 0.0, float("inf"), runs[0].began_s
    for run in runs[1:]:
        if run.passed == 0:
            low = max(low, run.ended_s - since_s)
        elif run.passed >= most - 1:
            high = min(high, run.began_s - since_s)
            since_s = run.began_s
    if not 0 < low < high < float("inf"):
        return None
    quiet_s = runs[-1].ended_s
    if high > low * CLOSE_ENOUGH**2 and left > _FOR_SHAPE:
        return _Series(max(gap_s, since_s + math.sqrt(low * high) - quiet_s), burst, gap_s)
    if left < _FOR_SHAPE and runs[-1].passed != 0:
        # The halves have been through: once more as soon as the first of them may have come back.
        return _Series(max(gap_s, since_s + 1.1 * high - quiet_s), burst, gap_s)
    if left == _FOR_SHAPE and most > 1:
        return _Series(1.05 * high, most // 2, gap_s, pause_s=0.6 * high, more=most + 1)
    return None


def _attempts(
    wanted: _Series, of: Sequence[LimitAttempt], spent: Spent, left: _Left, now_ns: int
) -> tuple[LimitWish, ...]:
    begins_ns = max(now_ns, spent.ended_ns + round(wanted.wait_s * 1e9))
    is_request = of[0].asks == "request"
    gaps = [n * wanted.gap_s for n in range(wanted.number)]
    gaps += [wanted.pause_s + n * wanted.gap_s for n in range(wanted.more)]
    in_time = [gap for gap in gaps[: left.room] if begins_ns + gap * 1e9 < left.until_ns]
    return tuple(
        LimitWish(
            phase="recovery",
            connection=spent.connection if is_request else spent.next_connection + number,
            at_ns=begins_ns + round(gap * 1e9),
            request=is_request,
            method=spent.method,
            series=of[-1].attempt + 1,
            release=not is_request,
        )
        for number, gap in enumerate(in_time)
    )


def _let_go(history: Sequence[LimitAttempt], spent: Spent, now_ns: int) -> tuple[LimitWish, ...]:
    """What was refused while others were held, once more without them."""
    last = history[-1]
    return (
        LimitWish(
            phase="recovery",
            connection=spent.next_connection,
            at_ns=max(now_ns, last.ended_ns + round(FIRST_WAIT_S * 1e9)),
            request=last.asks == "request",
            method=last.method or "HEAD",
            series=last.attempt + 1,
            release=True,
        ),
    )
