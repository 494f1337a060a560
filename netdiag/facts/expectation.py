"""What a limit is meant to be, and whether what was seen agrees."""

import math
import re
from typing import Literal

from netdiag.evidence.limits import LIMITING_STATUSES, Phase
from netdiag.facts.base import Value
from netdiag.facts.limits import Estimate, LimitFacts

TOLERANCE = 1.15
"""Rates that differ by less are taken for the same: what is known of them here is hardly better."""

_BESIDE = 1.02
"""Lengths of windows are tried in steps of 2 % (limit_shapes.py)."""

_WITHOUT_REQUESTS: frozenset[Phase] = frozenset({"burst_of_connections", "held_connections"})

_WRITTEN = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*r?/(s|m|h)(?:\s+burst[ =](\d{1,6}))?", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600}

Agreement = Literal["agrees", "differs", "unknown"]


class Expectation(Value, frozen=True, kw_only=True):
    """``rate`` a second, and ``burst`` at once (None: not said). As nginx writes it, where ``burst`` counts what
    may come beyond the first; in other products it counts the first, too, so both are right."""

    rate: float
    burst: int | None = None


def parse_expectation(text: str) -> Expectation:
    """``10r/s burst 20``, ``30r/m``, ``100/h burst=5``. Raises ``ValueError``."""
    found = _WRITTEN.fullmatch(text.strip())
    rate = float(found[1]) / _SECONDS[found[2]] if found else 0.0
    if found is None or rate <= 0:
        raise ValueError("an expected limit is written as '10r/s burst 20' (also r/m, r/h; burst may be left out)")
    return Expectation(rate=rate, burst=None if found[3] is None else int(found[3]))


def agreement(expected: Expectation, facts: LimitFacts) -> Agreement:
    """Is the limit that was found the expected one? ``unknown``: it was not found, or not as exactly as that takes, or
    another explains what was seen as well."""
    if facts.met.value is None or facts.banned.value is True or not _counts_requests(facts):
        return "unknown"
    estimates = facts.estimates.value or ()
    if estimates:
        if not any(_fits(expected, one) for one in estimates):
            return "differs"
        rivals = [one for one in estimates if _fits(expected, one) or _is_ordinary(one)]
        return "agrees" if all(_fits(expected, one) and _is_sharp(expected, one) for one in rivals) else "unknown"
    return "differs" if _lets_more_pass(expected, facts) or _refuses_more(expected, facts) else "unknown"


def _counts_requests(facts: LimitFacts) -> bool:
    """Where the server closes after each answer, a limit of connections lets as many pass as one of requests."""
    return facts.kinds.value in {None, ("request_rate",), ("request_rate", "connection_rate")}


def _is_ordinary(found: Estimate) -> bool:
    """A limit that somebody may have set: windows are given in whole seconds (the ``w`` of RateLimit-Policy can be
    nothing else), and one of 1.5 s that a few refusals happen to allow is no rival to what was expected beforehand."""
    low_s, high_s = found.window_low_s, found.window_high_s
    if low_s is None or high_s is None:
        return True
    # 1 and 2 s are tried as they are, and of the others lengths that lie next to them.
    return any(low_s <= whole <= high_s for whole in (1, 2)) or math.floor(high_s * _BESIDE) >= max(
        3, math.ceil(low_s / _BESIDE)
    )


def _fits(expected: Expectation, found: Estimate) -> bool:
    in_rate = found.rate_low / TOLERANCE <= expected.rate <= found.rate_high * TOLERANCE
    if expected.burst is None or found.shape == "delay":
        return in_rate
    return in_rate and found.burst_low <= expected.burst + 1 and expected.burst <= found.burst_high


def _is_sharp(expected: Expectation, found: Estimate) -> bool:
    """Exact enough that another limit would have been told from it."""
    in_rate = found.rate_high <= found.rate_low * TOLERANCE**2
    if expected.burst is None:
        return in_rate
    return in_rate and found.shape != "delay" and found.burst_high <= found.burst_low + 1


def _lets_more_pass(expected: Expectation, facts: LimitFacts) -> bool:
    """More passed than the expected limit could ever let pass in that time."""
    if expected.burst is None:
        return False
    burst = expected.burst + 1
    return any(
        one.passed > burst + 1 + expected.rate * TOLERANCE * one.within_ms / 1000
        for one in facts.allowed.value or ()
        if one.phase not in _WITHOUT_REQUESTS
    )


def _refuses_more(expected: Expectation, facts: LimitFacts) -> bool:
    """One was refused that even an empty history would have let pass; by what only limiters say, since a server that
    is busy, or a packet that is lost, refuses one as well."""
    refusal = facts.refusal.value
    if refusal is None or expected.burst is None or refusal.number > expected.burst:
        return False
    return refusal.status in LIMITING_STATUSES or refusal.retry_after_s is not None
