"""Attempts of the rate section -> LimitFacts."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from itertools import pairwise
from statistics import median
from typing import Any

from msgspec.structs import replace

from netdiag.evidence.buckets import buckets, met
from netdiag.evidence.limits import (
    LimitAttempt,
    LimitBudget,
    Phase,
    looks_like_a_ban,
    measured,
    refuses,
    refuses_already,
    unserved,
)
from netdiag.facts.base import Fact, Witness, seen
from netdiag.facts.derivation.book import Book
from netdiag.facts.derivation.limit_shapes import Windows, fixed_windows, sliding_windows
from netdiag.facts.limit_headers import Said, limits_said
from netdiag.facts.limits import Allowed, Estimate, Kind, LimitFacts, Refusal, Shape

_DELAYED, _STEADY = 3.0, 1.25
"""Answers are held back where the usual one takes so many times as long as the shortest, and the middle ones come at
distances that differ by no more."""

_ENOUGH = 6


def derive_limits(book: Book) -> LimitFacts:
    """All of it from the first rate section of the bundle."""
    entries = book.of(LimitAttempt)
    if not entries:
        return LimitFacts()
    step = entries[0].step
    history = sorted((one.record for one in entries if one.step.id == step.id), key=lambda one: one.began_ns)
    attempts = measured(history)
    first = attempts[0]
    witnesses = book.witnesses(attempts)
    refused = [one for one in attempts if refuses(one, first)]
    usual = unserved(first)
    is_refused = refuses_already(first)
    facts = LimitFacts(
        budget=_budget(step.params, witnesses),
        already=seen(is_refused, book.witnesses([first])),
        unserved=Fact() if usual is None else seen(usual, book.witnesses([first])),
        **_said(attempts, refused, book),
    )
    if is_refused or first.outcome == "failed" or (usual is not None and len(attempts) == 1):
        return facts
    allowed = seen(allowed_in(attempts, first), witnesses)
    if not refused:
        delay = _delay(attempts)
        shapes = seen((delay,), witnesses) if delay is not None else Fact[tuple[Estimate, ...]]()
        return replace(facts, allowed=allowed, met=seen(False, witnesses), estimates=shapes)
    later = [one for one in attempts if one.began_ns > refused[0].ended_ns]
    passed_later = [one for one in later if not refuses(one, first)]
    alone = book.witnesses(refused[:1])
    ban = next((number for number, one in enumerate(refused) if looks_like_a_ban(one)), None)
    left_alone = ban is not None and not any(one.began_ns > refused[ban].ended_ns for one in passed_later)
    return replace(
        facts,
        allowed=allowed,
        met=seen(True, alone),
        refusal=seen(_refusal(attempts, refused[0]), alone),
        kinds=seen(_kinds(attempts, refused[0], passed_later), alone),
        banned=seen(left_alone, book.witnesses(refused)),
        bans_after=seen(ban, book.witnesses(refused)) if left_alone and ban else Fact(),
        recovers=seen(bool(passed_later), book.witnesses(passed_later or later)) if later else Fact(),
        estimates=seen(_estimates(attempts, refused[0]), witnesses) if later else Fact(),
    )


def _budget(params: Mapping[str, str], witnesses: tuple[Witness, ...]) -> Fact[LimitBudget]:
    try:
        return seen(LimitBudget.of(params), witnesses)
    except ValueError:  # a stranger's bundle
        return Fact()


def allowed_in(attempts: Sequence[LimitAttempt], first: LimitAttempt) -> tuple[Allowed, ...]:
    """What passed, by phase and series, in order."""
    series: dict[tuple[Phase, int], list[LimitAttempt]] = {}
    for one in attempts:
        series.setdefault((one.phase, one.attempt), []).append(one)
    found = []
    for (phase, _), ours in series.items():
        passed = [one for one in ours if not refuses(one, first)]
        within_ns = passed[-1].began_ns - passed[0].began_ns if passed else 0
        found.append(
            Allowed(
                phase=phase,
                passed=len(passed),
                within_ms=round(within_ns / 1e6),
                refused=any(refuses(one, first) for one in ours),
            )
        )
    return tuple(found)


def _refusal(attempts: Sequence[LimitAttempt], refused: LimitAttempt) -> Refusal:
    same = [one for one in attempts if one.asks == refused.asks and one.began_ns <= refused.began_ns]
    phase = [one for one in same if one.phase == refused.phase]
    return Refusal(
        phase=refused.phase,
        outcome=refused.outcome,
        number=len(same),
        after_ms=round((refused.began_ns - phase[0].began_ns) / 1e6),
        held=refused.held,
        status=refused.status,
        retry_after_s=refused.retry_after_s,
        ban_like=looks_like_a_ban(refused),
    )


def _kinds(
    attempts: Sequence[LimitAttempt], refused: LimitAttempt, passed_later: Sequence[LimitAttempt]
) -> tuple[Kind, ...]:
    """Only what the phase changed can be what is counted. Where the server closes after each answer, a request is a
    connection, too; where something is held, or under way at once, its number and its rate both grew, until letting go
    of the others alone makes it pass."""
    before = [one for one in attempts if one.began_ns <= refused.began_ns]
    if refused.phase in {"burst_on_one_connection", "paced"}:
        again = [one for one in before if one.phase == refused.phase]
        return ("request_rate", "connection_rate") if again[-1].fresh and len(again) > 1 else ("request_rate",)
    if refused.phase == "burst_of_connections":
        return ("connection_rate",)
    rate: Kind = "request_rate" if refused.asks == "request" else "connection_rate"
    if refused.asks == "connection" and passed_later:
        return ("concurrency",)
    return ("concurrency", rate)


def _estimates(attempts: Sequence[LimitAttempt], refused: LimitAttempt) -> tuple[Estimate, ...]:
    """Every shape that explains all attempts of the kind that was refused, series after series."""
    if refused.phase in {"held_connections", "under_way"}:
        return ()
    of = [one for one in attempts if one.asks == refused.asks]
    if not looks_like_a_ban(refused):  # what bans later is another mechanism
        of = [one for one in of if not (refuses(one, attempts[0]) and looks_like_a_ban(one))]
    events, jitter_s = met(of, attempts[0])
    found = []
    # As fast as was asked, one at once: that explains any refusal by jitter alone.
    asked = min((later.at_s - sooner.at_s for sooner, later in pairwise(events)), default=math.inf) + jitter_s
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
        windows = of_shape(events, quotas, jitter_s)
        if windows:
            found.append(_window(shape, windows))
    return tuple(found)


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


def _delay(attempts: Sequence[LimitAttempt]) -> Estimate | None:
    """Requests on one connection whose answers come at equal distances, though the first of them came soon."""
    ours = [one for one in attempts if one.phase == "burst_on_one_connection" and one.outcome == "answered"]
    took = [one.ended_ns - one.began_ns for one in ours]
    if len(ours) < _ENOUGH or median(took) < _DELAYED * min(took):
        return None
    ends = [one.ended_ns / 1e9 for one in ours]
    gaps = sorted(later - sooner for sooner, later in pairwise(ends[1:]))
    low, high = gaps[len(gaps) // 4], gaps[len(gaps) * 3 // 4]
    if high > low * _STEADY:
        return None
    # Each end is off by the jitter of one answer, their whole stretch by no more.
    rate, error = (len(ends) - 2) / (ends[-1] - ends[1]), min(took) / 1e9 / (ends[-1] - ends[1])
    return Estimate(
        shape="delay", burst_low=1, burst_high=len(ours), rate_low=rate * (1 - error), rate_high=rate * (1 + error)
    )


def _said(attempts: Sequence[LimitAttempt], refused: Sequence[LimitAttempt], book: Book) -> dict[str, Fact[Any]]:
    """What the last answer before the first refusal told, or the last of all; and whether it told of its end."""
    until_ns = refused[0].began_ns if refused else None
    answers = [one for one in attempts if one.status is not None and (until_ns is None or one.ended_ns <= until_ns)]
    if not answers:
        return {}
    last = answers[-1]
    said = _limits_of(last)
    if not said and refused:
        said, last = _limits_of(refused[0]), refused[0]
    if not said:
        return {"said": seen((), book.witnesses([last]))}
    told: dict[str, Fact[Any]] = {"said": seen(said, book.witnesses([last]))}
    left = [one.remaining for one in said if one.remaining is not None]
    if refused and last is not refused[0] and left:
        told["predicted"] = seen(min(left) == 0, book.witnesses([last, refused[0]]))
    return told


def _limits_of(attempt: LimitAttempt) -> tuple[Said, ...]:
    headers = {header.name: header.value for header in attempt.headers}
    try:
        unix_s = parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        unix_s = None
    return limits_said(headers, unix_s)
