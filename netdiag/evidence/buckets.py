"""The arithmetic of token buckets: which of them would have let exactly these attempts pass?

A bucket holds at most ``burst`` tokens, is full at first, gains ``rate`` tokens a second, and lets an attempt pass that
finds a whole one; what it refuses takes none. nginx's limit_req with ``burst=n nodelay`` is one of n + 1 tokens
(ngx_http_limit_req_module.c: excess is counted after the request, and the first has none).

It says of numbers what is so, and nothing of any host: what plans the attempts and what judges them both need it.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from netdiag.evidence.limits import LimitAttempt, refuses

SLOWEST, FASTEST = 0.001, 1000.0
"""Tokens a second between which is sought: one in a quarter of an hour, and more than any budget could tell."""

_EXCUSES = (0.1, 0.3, 0.6, 1.0)

_STEPS = 30
"""Halvings on a logarithmic scale: far below any other error."""


JITTER_S = 0.003
"""What schedulers add to the jitter of the network, and limiters round off (nginx counts milliseconds)."""


class Event(NamedTuple):
    """One attempt: seconds on any clock, and whether it passed."""

    at_s: float
    passed: bool


class Rates(NamedTuple):
    """For a bucket of ``burst`` tokens: it has between ``low`` and ``high`` tokens a second."""

    burst: int
    low: float
    high: float


def met(attempts: Sequence[LimitAttempt], first: LimitAttempt) -> tuple[list[Event], float]:
    """When the limiter met each of ``attempts``, halfway between beginning and end, in order of time; and by how
    many seconds a distance between two of these moments may be wrong: the spread of the times that answers took."""
    events = sorted(Event((one.began_ns + one.ended_ns) / 2e9, not refuses(one, first)) for one in attempts)
    took = sorted((one.ended_ns - one.began_ns) / 1e9 for one in attempts)
    spread_s = took[len(took) * 9 // 10] - took[len(took) // 10] if took else 0.0
    return events, JITTER_S + spread_s / 2


def buckets(events: Sequence[Event], jitter_s: float) -> list[Rates]:
    """The buckets that explain ``events``, in order of time. ``jitter_s``: by how much any distance may be wrong.

    Of several sizes those are told that need the least of that excuse: a bucket of one token, as fast as the attempts
    came, explains every refusal by jitter alone. Empty: no bucket explains them, or nothing was refused, which all do.
    """
    for excuse in _EXCUSES:
        sizes = {one.burst for one in _explaining(events, excuse * jitter_s)}
        if sizes:
            return [one for one in _explaining(events, jitter_s) if one.burst in sizes]
    return []


def _explaining(events: Sequence[Event], jitter_s: float) -> list[Rates]:
    refused = next((number for number, event in enumerate(events) if not event.passed), None)
    if refused is None:
        return []
    found = []
    for burst in range(1, refused + 1):
        low = _least(events, burst, jitter_s)
        high = _most(events, burst, jitter_s)
        if low is not None and high is not None and low <= high:
            found.append(Rates(burst, low, high))
    return found


def _least(events: Sequence[Event], burst: int, jitter_s: float) -> float | None:
    """The least rate with which every attempt that passed may pass. None: there is none."""
    if not _passes(events, burst, FASTEST, jitter_s):
        return None
    return _boundary(lambda rate: not _passes(events, burst, rate, jitter_s))


def _most(events: Sequence[Event], burst: int, jitter_s: float) -> float | None:
    """The largest rate with which every attempt that was refused may be refused. None: there is none."""
    if not _refuses(events, burst, SLOWEST, jitter_s):
        return None
    return _boundary(lambda rate: _refuses(events, burst, rate, jitter_s))


def _boundary(is_below: Callable[[float], bool]) -> float:
    low, high = SLOWEST, FASTEST
    for _ in range(_STEPS):
        middle = math.sqrt(low * high)
        if is_below(middle):
            low = middle
        else:
            high = middle
    return math.sqrt(low * high)


def _passes(events: Sequence[Event], burst: int, rate: float, jitter_s: float) -> bool:
    return all(tokens >= 1 for tokens, event in _levels(events, burst, rate, jitter_s) if event.passed)


def _refuses(events: Sequence[Event], burst: int, rate: float, jitter_s: float) -> bool:
    return all(tokens < 1 for tokens, event in _levels(events, burst, rate, -jitter_s) if not event.passed)


def passes_then(events: Sequence[Event], bucket: tuple[int, float], at_s: Sequence[float]) -> int:
    """After ``events``, how many attempts at the moments ``at_s`` does a bucket (its burst and rate) let pass, until it
    refuses one?"""
    burst, rate = bucket
    tokens, before_s = float(burst), events[0].at_s if events else 0.0
    for event in events:
        tokens = min(float(burst), tokens + rate * (event.at_s - before_s)) - event.passed
        tokens, before_s = max(0.0, tokens), event.at_s
    for number, moment in enumerate(at_s):
        tokens = min(float(burst), tokens + rate * (moment - before_s))
        if tokens < 1:
            return number
        tokens, before_s = tokens - 1, moment
    return len(at_s)


def _levels(events: Sequence[Event], burst: int, rate: float, slack_s: float) -> Iterator[tuple[float, Event]]:
    """What is in the bucket when each attempt comes, had it come ``slack_s`` later after the one before than it did."""
    tokens, before_s = float(burst), events[0].at_s if events else 0.0
    for event in events:
        waited_s = event.at_s - before_s
        yield min(float(burst), tokens + rate * max(0.0, waited_s + slack_s)), event
        tokens = min(float(burst), tokens + rate * waited_s)
        before_s = event.at_s
        if event.passed:
            tokens = max(0.0, tokens - 1)
