"""After a refusal, for who operates the service: when is how much allowed again? One series after the other.

Each series begins after a quiet wait and ends with its first refusal, so that it costs one refusal at most. The waits
are chosen by what the refusals so far leave open: a token bucket gives back one by one, a window all at once.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from netdiag.evidence.buckets import Rates, buckets, met
from netdiag.evidence.limits import LimitAttempt, LimitBudget, looks_like_a_ban, refuses
from netdiag.probes.base import LimitWish
from netdiag.probes.limits.phases import Spent

FIRST_WAIT_S, LONGER = 1.0, 4.0
"""The first quiet wait, and by how much each next is longer while nothing comes back."""

CLOSE_ENOUGH = 1.1
"""The rate is known when its bounds differ by no more; a window, when they differ by no more than its square."""

ENOUGH_RUNS = 3
"""After one pause alone a bucket and a window may have given back the same."""

SMALL_BURST = 6
"""A bucket of fewer tokens is full before enough have come back to be counted: its rate is tried at a pace instead."""

TRIAL = 16
"""Requests of a paced series."""

ENDURING = 3
"""A bucket of so many tokens outlasts a pace that is a little too fast for long enough to tell by how much it is."""

_TOKENS = 14
"""How many shall have come back when the next series begins: the count is then wrong by 7 % at most."""

_FULL = 0.75
"""A bucket shall not be fuller than that when the next series begins: what runs over cannot be counted."""

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


def next_series(history: Sequence[LimitAttempt], budget: LimitBudget, now_ns: int) -> tuple[LimitWish, ...]:
    """The attempts of the next series; empty when nothing is left to learn or to spend. ``history`` has a refusal."""
    first = history[0]
    refused = [one for one in history if refuses(one, first)]
    if len(refused) > budget.refusals or any(looks_like_a_ban(one) for one in refused):
        return ()
    if refused[0].phase in {"held_connections", "under_way"}:
        return _let_go(history, now_ns) if len(refused) == 1 and history[-1].phase != "recovery" else ()
    of = [one for one in history if one.asks == refused[0].asks]
    wanted = _choose(of, first, budget, budget.refusals + 1 - len(refused))
    return () if wanted is None else _attempts(wanted, history, of, budget, now_ns)


def runs_of(attempts: Sequence[LimitAttempt], first: LimitAttempt) -> list[Run]:
    """``attempts`` by series."""
    found = []
    for _, group in groupby(attempts, key=lambda one: one.attempt):
        series = list(group)
        passed = sum(not refuses(one, first) for one in series)
        found.append(Run(passed, passed < len(series), series[0].began_ns / 1e9, series[-1].ended_ns / 1e9))
    return found


def _choose(of: Sequence[LimitAttempt], first: LimitAttempt, budget: LimitBudget, left: int) -> _Series | None:
    runs = runs_of(of, first)
    burst, gap_s = runs[0].passed + 3, 1 / budget.rate
    if not any(run.passed for run in runs[1:]):
        said = of[-1].retry_after_s
        patience = FIRST_WAIT_S * LONGER ** (len(runs) - 1)
        return _Series(said + 0.3 if said and len(runs) == 1 else patience, burst, gap_s)
    fits = buckets(*met(of, first))
    return _count_tokens(fits, burst, gap_s, runs) if fits else _find_window(runs, burst, gap_s, left)


def _count_tokens(fits: Sequence[Rates], burst: int, gap_s: float, runs: Sequence[Run]) -> _Series | None:
    low, high = min(fit.low for fit in fits), max(fit.high for fit in fits)
    if high <= low * CLOSE_ENOUGH and len(fits) == 1 and len(runs) >= ENOUGH_RUNS:
        return None
    rate, tokens = (low * high) ** 0.5, max(fit.burst for fit in fits)
    if tokens >= SMALL_BURST:
        return _Series(min(_FULL * tokens, _TOKENS) / rate, burst, gap_s)
    if tokens >= ENDURING:
        # It ends after tokens / (1 - true / tried), from which the true rate follows; a series that does not end tells
        # little: then faster.
        rate = high * CLOSE_ENOUGH ** sum(not run.refused for run in runs)
    # From a full bucket on; faster than the budget allows nothing can be tried.
    pace_s = max(gap_s, 1 / rate)
    return _Series((tokens + 0.5) / low, max(TRIAL, 5 * tokens), pace_s) if 1 / low >= gap_s else None


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
        return _Series(max(gap_s, since_s + (low * high) ** 0.5 - quiet_s), burst, gap_s)
    if left < _FOR_SHAPE and runs[-1].passed != 0:
        # The halves have been through: once more as soon as the first of them may have come back.
        return _Series(max(gap_s, since_s + 1.1 * high - quiet_s), burst, gap_s)
    if left == _FOR_SHAPE and most > 1:
        return _Series(1.05 * high, most // 2, gap_s, pause_s=0.6 * high, more=most + 1)
    return None


def _attempts(
    wanted: _Series,
    history: Sequence[LimitAttempt],
    of: Sequence[LimitAttempt],
    budget: LimitBudget,
    now_ns: int,
) -> tuple[LimitWish, ...]:
    spent = Spent(history, budget)
    begins_ns = max(now_ns, spent.ended_ns + round(wanted.wait_s * 1e9))
    is_request = of[0].asks == "request"
    gaps = [n * wanted.gap_s for n in range(wanted.number)]
    gaps += [wanted.pause_s + n * wanted.gap_s for n in range(wanted.more)]
    room = spent.requests if is_request else spent.connections
    if is_request and not spent.is_open and of[-1].closes and of[0].closes:
        room = min(room, spent.connections)
    if room < 2 or begins_ns + gaps[min(room, len(gaps)) - 1] * 1e9 > budget.seconds * 1e9:
        return ()
    return tuple(
        LimitWish(
            phase="recovery",
            connection=spent.connection if is_request else spent.next_connection + number,
            at_ns=begins_ns + round(gap * 1e9),
            request=is_request,
            method=spent.method,
            series=of[-1].attempt + 1,
        )
        for number, gap in enumerate(gaps[:room])
    )


def _let_go(history: Sequence[LimitAttempt], now_ns: int) -> tuple[LimitWish, ...]:
    """What was refused while others were held, once more without them."""
    last = history[-1]
    return (
        LimitWish(
            phase="recovery",
            connection=max(one.connection for one in history) + 1,
            at_ns=max(now_ns, last.ended_ns + round(FIRST_WAIT_S * 1e9)),
            request=last.asks == "request",
            method=last.method or "HEAD",
            series=last.attempt + 1,
            release=True,
        ),
    )
