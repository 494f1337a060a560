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
    """When the limiter met each of ``attempts``, in order of time; and by how many seconds a distance between two of
    these moments may be wrong: the spread of the times that answers took.

    A request was met halfway between its beginning and its end; a connection when its SYN went out, since what comes
    after it (a watch for its end, a silence) tells nothing of that moment.
    """
    events = sorted(Event(_met_ns(one) / 1e9, not refuses(one, first)) for one in attempts)
    alike = [one for one in attempts if one.asks == "request" or not refuses(one, first)]
    took = sorted((one.ended_ns - one.began_ns) / 1e9 for one in alike)
    spread_s = took[len(took) * 9 // 10] - took[len(took) // 10] if took else 0.0
    return events, JITTER_S + spread_s / 2


def _met_ns(one: LimitAttempt) -> float:
    return one.began_ns if one.asks == "connection" else (one.began_ns + one.ended_ns) / 2


def buckets(events: Sequence[Event], jitter_s: float) -> list[Rates]:
    """The buckets that explain ``events``, in order of time. ``jitter_s``: by how much any distance may be wrong.

    Of several sizes those are told that need the least of that excuse: a bucket of one token, as fast as the attempts
    came, explains every refusal by jitter alone. Empty: no bucket explains them, or nothing was refused, which all do.
    """
    refused = next((number for number, event in enumerate(events) if not event.passed), None)
    if refused is None:
        return []
    for excuse in _EXCUSES:
        sizes = [one for one in range(1, refused + 1) if _possible(events, one, excuse * jitter_s) is not None]
        if sizes:
            return [one for size in sizes for one in _explaining(events, size, jitter_s)]
    return []


class _Between(NamedTuple):
    """Rates on a way to a boundary: too slow, or still right; one that explains all; too fast, or still right."""

    slow: float
    right: float
    fast: float


def _possible(events: Sequence[Event], burst: int, jitter_s: float) -> _Between | None:
    """A rate with which all that passed may pass and all that was refused may be refused. None: there is none, since a
    faster one lets pass more, and a slower one less."""
    if not _passes(events, burst, FASTEST, jitter_s) or not _refuses(events, burst, SLOWEST, jitter_s):
        return None
    slow, fast = SLOWEST, FASTEST
    for _ in range(_STEPS):
        middle = math.sqrt(slow * fast)
        passes, refused = _passes(events, burst, middle, jitter_s), _refuses(events, burst, middle, jitter_s)
        if passes and refused:
            return _Between(slow, middle, fast)
        if not passes and not refused:
            return None
        slow, fast = (slow, middle) if passes else (middle, fast)
    return None


def _explaining(events: Sequence[Event], burst: int, jitter_s: float) -> Iterator[Rates]:
    """From the least rate with which every attempt that passed may pass, to the largest with which every attempt that
    was refused may be refused."""
    found = _possible(events, burst, jitter_s)
    if found is not None:
        low = _boundary(lambda rate: not _passes(events, burst, rate, jitter_s), found.slow, found.right)
        high = _boundary(lambda rate: _refuses(events, burst, rate, jitter_s), found.right, found.fast)
        yield Rates(burst, low, high)


def _boundary(is_below: Callable[[float], bool], low: float, high: float) -> float:
    for _ in range(_STEPS):
        middle = math.sqrt(low * high)
        if is_below(middle):
            low = middle
        else:
            high = middle
    return math.sqrt(low * high)


def _passes(events: Sequence[Event], burst: int, rate: float, jitter_s: float) -> bool:
    """Had each attempt come ``jitter_s`` later after the one before than it did: did it find a token, if it passed?"""
    return _foretells(events, burst, rate, jitter_s, passed=True)


def _refuses(events: Sequence[Event], burst: int, rate: float, jitter_s: float) -> bool:
    """Had each attempt come ``jitter_s`` sooner after the one before than it did: did it find none, if refused?"""
    return _foretells(events, burst, rate, -jitter_s, passed=False)


def _foretells(events: Sequence[Event], burst: int, rate: float, slack_s: float, *, passed: bool) -> bool:
    """Of those that ``passed``, or of those that did not: is it what the bucket would have done ``slack_s`` later?"""
    full = tokens = float(burst)
    before_s = events[0].at_s
    for at_s, did_pass in events:
        waited_s, before_s = at_s - before_s, at_s
        if did_pass is passed and (tokens + rate * max(0.0, waited_s + slack_s) >= 1) is not passed:
            return False
        tokens = min(tokens + rate * waited_s, full)
        if did_pass:
            tokens = max(0.0, tokens - 1)
    return True


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
