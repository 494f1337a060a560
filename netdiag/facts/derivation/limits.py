"""Attempts of the rate section -> LimitFacts."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from itertools import pairwise, takewhile
from statistics import median
from typing import Any

from msgspec.structs import replace

from netdiag.evidence.buckets import JITTER_S, buckets, met
from netdiag.evidence.limits import (
    LIMITING_STATUSES,
    LimitAttempt,
    LimitBudget,
    Phase,
    changed,
    looks_like_a_ban,
    measured,
    refuses,
    refuses_already,
    unserved,
)
from netdiag.facts.base import Fact, Witness, seen
from netdiag.facts.derivation.book import Book
from netdiag.facts.derivation.limit_bans import Ban, bans
from netdiag.facts.derivation.limit_shapes import Windows, fixed_windows, sliding_windows
from netdiag.facts.limit_headers import Said, limits_said
from netdiag.facts.limits import Allowed, Estimate, Kind, LimitFacts, Refusal, Shape

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

_HELD = 2
"""So many times what was let pass at once before: that a pace held was foretold, too."""

_BURSTS, _RATES, _TO_ONE = 300.0, 10_000.0, 20.0
"""Bursts and rates (or windows) that a limit may have, from the least to so many times that; and the odds against
chance from which a limit is shown by its ends alone."""

_ENDS = 3
"""Two ends are explained by some burst and some rate, whatever they are; only a third can be foretold."""


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
    other = changed(attempts)
    if not refused and other is not None:
        before = sum(one.asks == "request" and one.began_ns < other.began_ns for one in attempts)
        return replace(facts, allowed=allowed, changed=seen(before, book.witnesses([first, other])))
    if not refused:
        delay = _delay(attempts)
        shapes = seen((delay,), witnesses) if delay is not None else Fact[tuple[Estimate, ...]]()
        return replace(facts, allowed=allowed, met=seen(False, witnesses), estimates=shapes)
    later = [one for one in attempts if one.began_ns > refused[0].ended_ns]
    passed_later = [one for one in later if not refuses(one, first)]
    alone = book.witnesses(refused[:1])
    ban = next((number for number, one in enumerate(refused) if looks_like_a_ban(one)), None)
    left_alone = ban is not None and not any(one.began_ns > refused[ban].ended_ns for one in passed_later)
    refusal = _refusal(attempts, refused[0])
    if _is_stray(refusal):
        return replace(facts, allowed=allowed, refusal=seen(refusal, alone), shown=seen(False, alone))
    estimates = _estimates(attempts, refused[0]) if _ends(attempts, refused) >= _ENDS else None
    says = _says_limit(refusal, facts.said.value)
    return replace(
        facts,
        allowed=allowed,
        met=seen(True, alone),
        refusal=seen(refusal, alone),
        shown=seen(says or _beyond_chance(attempts, refused, estimates or ()), book.witnesses(refused)),
        kinds=seen(_kinds(attempts, refused, passed_later), alone),
        banned=seen(left_alone, book.witnesses(refused)),
        bans_after=seen(ban, book.witnesses(refused)) if left_alone and ban else Fact(),
        recovers=seen(bool(passed_later), book.witnesses(passed_later or later)) if later else Fact(),
        estimates=Fact() if estimates is None else seen(estimates, witnesses),
    )


def _budget(params: Mapping[str, str], witnesses: tuple[Witness, ...]) -> Fact[LimitBudget]:
    try:
        return seen(LimitBudget.of(params), witnesses)
    except ValueError:  # a stranger's bundle
        return Fact()


def allowed_in(attempts: Sequence[LimitAttempt], first: LimitAttempt) -> tuple[Allowed, ...]:
    """What passed, by phase and series, in order; of what was under way together, all that began before the first that
    was refused."""
    series: dict[tuple[Phase, int], list[LimitAttempt]] = {}
    for one in attempts:
        series.setdefault((one.phase, one.attempt), []).append(one)
    found = []
    for (phase, _), ours in series.items():
        passed = [*takewhile(lambda one: not refuses(one, first), ours)]
        within_ns = passed[-1].began_ns - passed[0].began_ns if passed else 0
        found.append(
            Allowed(
                phase=phase,
                passed=len(passed),
                within_ms=round(within_ns / 1e6),
                refused=len(passed) < len(ours),
            )
        )
    return tuple(found)


def _refusal(attempts: Sequence[LimitAttempt], refused: LimitAttempt) -> Refusal:
    same = [one for one in attempts if one.asks == refused.asks and one.began_ns <= refused.began_ns]
    phase = [one for one in same if one.phase == refused.phase]
    counted = phase if refused.phase == "held_connections" else _counted(attempts, refused)
    passed = [one for one in counted if one.began_ns < refused.began_ns and not refuses(one, attempts[0])]
    series = [one for one in attempts if one.phase == refused.phase and one.attempt == refused.attempt]
    later = [refuses(one, attempts[0]) for one in series if one.began_ns > refused.began_ns]
    return Refusal(
        phase=refused.phase,
        outcome=refused.outcome,
        number=len(same),
        after_ms=round((refused.began_ns - phase[0].began_ns) / 1e6),
        held=_open_with(refused),
        status=refused.status,
        retry_after_s=refused.retry_after_s,
        ban_like=looks_like_a_ban(refused),
        passed=len(passed),
        within_ms=round((refused.began_ns - passed[0].began_ns) / 1e6) if passed else 0,
        passed_later=later.count(False),
        refused_later=later.count(True),
    )


def _counted(attempts: Sequence[LimitAttempt], refused: LimitAttempt) -> list[LimitAttempt]:
    """What a limit counts that refuses ``refused``: it does not know of phases."""
    if refused.asks == "connection":
        return [one for one in attempts if one.fresh]
    return [one for one in attempts if one.asks == "request"]


def _open_with(one: LimitAttempt) -> int:
    """Connections open then, its own included: recordings made before count those under way apart."""
    return max(one.held, one.in_flight)


def _is_stray(refusal: Refusal) -> bool:
    """Of those that began later most passed, before this one had its end: what counts them would have refused them."""
    is_answer = refusal.outcome in {"refused_http", "challenge"}
    return not is_answer and refusal.passed_later > refusal.refused_later


def _ends(attempts: Sequence[LimitAttempt], refused: Sequence[LimitAttempt]) -> int:
    """Series that a refusal of the first one's kind ended; and those of a pace that held for longer than any burst."""
    is_ban = looks_like_a_ban(refused[0])
    alike = [one for one in refused if one.asks == refused[0].asks and looks_like_a_ban(one) == is_ban]
    ended = {one.attempt for one in alike}
    passed = Counter(one.attempt for one in attempts if one.asks == refused[0].asks and one.attempt not in ended)
    first = sum(one.attempt == refused[0].attempt for one in attempts if one.asks == refused[0].asks)
    return len(ended) + sum(number > _HELD * first for number in passed.values())


def _says_limit(refusal: Refusal, said: tuple[Said, ...] | None) -> bool:
    """By its status, or by what came with it. 503 alone is what nginx's limit_req says, and any busy server."""
    if refusal.outcome == "challenge" or refusal.status in LIMITING_STATUSES:
        return True
    return refusal.status is not None and (refusal.retry_after_s is not None or bool(said))


def _kinds(
    attempts: Sequence[LimitAttempt], refused: Sequence[LimitAttempt], passed_later: Sequence[LimitAttempt]
) -> tuple[Kind, ...]:
    """Only what the phase changed can be what is counted. Where the server closes after each answer, a request is a
    connection, too; where something is held, or under way at once, its number and its rate both grew, until letting go
    of the others alone makes it pass."""
    one = refused[0]
    before = [other for other in attempts if other.began_ns <= one.began_ns]
    if one.phase in {"burst_on_one_connection", "paced"}:
        again = [other for other in before if other.phase == one.phase]
        return ("request_rate", "connection_rate") if again[-1].fresh and len(again) > 1 else ("request_rate",)
    if one.phase == "burst_of_connections":
        alone = any(_open_with(other) == 1 for other in refused if other.asks == "connection")
        return ("connection_rate",) if alone else ("concurrency", "connection_rate")
    if one.asks == "connection":
        return ("concurrency",) if passed_later else ("concurrency", "connection_rate")
    used = any(other.connection == one.connection and other.asks == "request" for other in before[:-1])
    if used or one.status is not None:
        return ("concurrency", "request_rate")
    # It may have been refused when it was made: a drop after the handshake shows with the first request alone.
    return ("concurrency", "request_rate", "connection_rate")


def _estimates(attempts: Sequence[LimitAttempt], refused: LimitAttempt) -> tuple[Estimate, ...]:
    """Every shape that explains all attempts of the kind that was refused, series after series."""
    if refused.phase in {"held_connections", "under_way"}:
        return ()
    of = [one for one in attempts if one.asks == refused.asks]
    if refused.asks == "connection":  # those that a request was made for count as well
        of = [replace(one, asks="connection") for one in _counted(attempts, refused)]
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


def _beyond_chance(
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


def _delay(attempts: Sequence[LimitAttempt]) -> Estimate | None:
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
