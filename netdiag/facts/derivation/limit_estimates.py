"""Attempts of one kind -> the limits that would have let exactly these pass, each with its bounds."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from msgspec.structs import replace

from netdiag.evidence.buckets import JITTER_S, buckets, met
from netdiag.evidence.limits import LimitAttempt, looks_like_a_ban, refuses
from netdiag.facts.derivation.limit_bans import Ban, bans
from netdiag.facts.derivation.limit_shapes import Windows, fixed_windows, sliding_windows
from netdiag.facts.limits import Estimate, Shape

_DELAYED, _STEADY = 3.0, 1.25
"""Answers are held back where they take so many times as long as the shortest of all, and come at distances that differ
by no more."""

_ENOUGH = 6
_UNEVEN = 3
"""So many uneven distances in a row, and it is another stretch: one late answer makes two."""

_ROUNDED = 0.005
"""What limiters round off: nginx counts a thousandth of a request in whole milliseconds."""

_PACE = 0.05
"""By how much a window must be longer than it takes to ask for its quota."""

_BURSTS, _RATES, _TO_ONE = 300.0, 10_000.0, 20.0
"""Bursts and rates (or windows) that a limit may have, from the least to so many times that; and the odds against
chance from which a limit is shown by its ends alone."""


def counted(attempts: Sequence[LimitAttempt], refused: LimitAttempt) -> list[LimitAttempt]:
    """What a limit counts that refuses ``refused``: it does not know of phases."""
    if refused.asks == "connection":
        return [one for one in attempts if one.fresh]
    return [one for one in attempts if one.asks == "request"]


def estimates(attempts: Sequence[LimitAttempt], refused: LimitAttempt) -> tuple[Estimate, ...]:
    """Every shape that explains all attempts of the kind that was refused, series after series."""
    if refused.phase in {"held_connections", "under_way"}:
        return ()
    of = [one for one in attempts if one.asks == refused.asks]
    if refused.asks == "connection":  # those that a request was made for count as well
        of = [replace(one, asks="connection") for one in counted(attempts, refused)]
    if not looks_like_a_ban(refused):  # what bans later is another mechanism
        of = [one for one in of if not (refuses(one, attempts[0]) and looks_like_a_ban(one))]
    events, jitter_s = met(of, attempts[0])
    found = []
    gaps = sorted(later.at_s - sooner.at_s for sooner, later in pairwise(events))
    # As fast as was asked, one at once: that explains any refusal by jitter alone. So does a window that is just as
    # long as it takes to ask for its quota.
    asked = (gaps[0] if gaps else math.inf) + jitter_s
    pace = gaps[len(gaps) // 20] * (1 + _PACE) if gaps else math.inf
    fits = [fit for fit in buckets(events, jitter_s) if fit.burst > 1 or fit.low * asked < 1 - jitter_s / asked]
    if fits:
        found.append(
            Estimate(
                shape="token_bucket",
                burst_low=min(fit.burst for fit in fits),
                burst_high=max(fit.burst for fit in fits),
                rate_low=min(fit.low for fit in fits),
                rate_high=max(fit.high for fit in fits),
            )
        )
    passed = Counter(one.attempt for one in of if not refuses(one, attempts[0]))
    quotas = range(1, max(passed.values(), default=0) + 1)
    shapes: tuple[tuple[Shape, Any], ...] = (("fixed_window", fixed_windows), ("sliding_window", sliding_windows))
    for shape, of_shape in shapes:
        windows = [one for one in of_shape(events, quotas, jitter_s) if one.high_s > one.quota * pace]
        if windows:
            found.append(_window(shape, windows))
    closing = bans(events, quotas, jitter_s, pace)
    if closing:
        found.append(_ban(closing))
    return tuple(found)


def beyond_chance(
    attempts: Sequence[LimitAttempt], refused: Sequence[LimitAttempt], estimates: Sequence[Estimate]
) -> bool:
    """Do the shapes that explain it foretell it so much better than a server that refuses at random, as busy ones do,
    that their freedom is paid for? Each is weighed by its share of all bursts and rates (or windows) it might have."""
    ends, number = len(refused), sum(one.asks == refused[0].asks for one in attempts)
    by_chance = ends * math.log(ends / number) + (number - ends) * math.log1p(-ends / number) if number > ends else 0.0
    shares = [
        math.log((one.burst_high + 1) / one.burst_low) * _spread(one) / (math.log(_BURSTS) * math.log(_RATES))
        for one in estimates
    ]
    return bool(shares) and math.log(max(shares)) - by_chance > math.log(_TO_ONE)


def _spread(one: Estimate) -> float:
    """How far its rate, or the time of its window or ban, is open, in powers of e."""
    low, high = one.rate_low, one.rate_high
    if one.window_low_s is not None and one.window_high_s is not None:
        low, high = one.window_low_s, one.window_high_s
    if one.closed_low_s is not None and one.closed_high_s is not None:
        low, high = one.closed_low_s, one.closed_high_s
    return max(math.log(high / low), _ROUNDED) if low > 0 else math.log(_RATES)


def _ban(closing: Sequence[Ban]) -> Estimate:
    """How soon its quota may be used again without one was not met, so that its rate has only an upper end."""
    return Estimate(
        shape="ban",
        burst_low=min(one.quota for one in closing),
        burst_high=max(one.quota for one in closing),
        rate_low=0.0,
        rate_high=max(one.quota / max(one.counted_s, JITTER_S) for one in closing),
        closed_low_s=min(one.low_s for one in closing),
        closed_high_s=max(one.high_s for one in closing),
    )


def _window(shape: Shape, windows: Sequence[Windows]) -> Estimate:
    low_s, high_s = min(one.low_s for one in windows), max(one.high_s for one in windows)
    return Estimate(
        shape=shape,
        burst_low=min(one.quota for one in windows),
        burst_high=max(one.quota for one in windows),
        rate_low=min(one.quota / one.high_s for one in windows),
        rate_high=max(one.quota / one.low_s for one in windows),
        window_low_s=low_s,
        window_high_s=high_s,
    )


def delay(attempts: Sequence[LimitAttempt]) -> Estimate | None:
    """Requests on one connection whose answers come at equal distances at last, and later than the shortest came. Those
    before may have come at once: limiters hold back from some number on."""
    answers = [one for one in attempts if one.asks == "request" and one.outcome == "answered"]
    ours = [one for one in answers if one.phase == "burst_on_one_connection"]
    if len(ours) < _ENOUGH:
        return None
    ends = _even([one.ended_ns / 1e9 for one in ours])
    usual_s = min(one.ended_ns - one.began_ns for one in answers) / 1e9
    took_s = median((one.ended_ns - one.began_ns) / 1e9 for one in ours[-len(ends) :])
    if len(ends) < _ENOUGH or took_s < _DELAYED * usual_s:
        return None
    # Each end is off by the jitter of one answer, their whole stretch by no more.
    lasted_s, error_s = ends[-1] - ends[0], usual_s + JITTER_S
    rates = [(len(ends) - 1) / (lasted_s + error_s), (len(ends) - 1) / max(lasted_s - error_s, JITTER_S)]
    return Estimate(
        shape="delay",
        burst_low=1,
        burst_high=len(ours),
        rate_low=rates[0] * (1 - _ROUNDED),
        rate_high=rates[1] * (1 + _ROUNDED),
    )


def _even(ends: Sequence[float]) -> Sequence[float]:
    """The last stretch of ``ends`` at even distances, but for single ones."""
    gaps = [later - sooner for sooner, later in pairwise(ends)]
    usual = median(gaps[-max(_ENOUGH - 1, len(gaps) // 3) :])
    is_even = [usual / _STEADY <= gap <= usual * _STEADY for gap in gaps]
    first = len(gaps)
    for number in reversed(range(len(gaps))):
        if is_even[number]:
            first = number
        elif not any(is_even[max(0, number - _UNEVEN + 1) : number + 1]):
            break
    return ends[first:]
