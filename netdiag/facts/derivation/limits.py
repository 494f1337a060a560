"""Attempts of the rate section -> LimitFacts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from itertools import takewhile
from typing import Any

from msgspec.structs import replace

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
from netdiag.facts.derivation.limit_estimates import beyond_chance, counted, delay, estimates
from netdiag.facts.limit_headers import Said, limits_said
from netdiag.facts.limits import Allowed, Estimate, Kind, LimitFacts, Refusal

_HELD = 2
"""So many times what was let pass at once before: that a pace held was foretold, too."""

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
        paced = delay(attempts)
        shapes = seen((paced,), witnesses) if paced is not None else Fact[tuple[Estimate, ...]]()
        return replace(facts, allowed=allowed, met=seen(False, witnesses), estimates=shapes)
    later = [one for one in attempts if one.began_ns > refused[0].ended_ns]
    passed_later = [one for one in later if not refuses(one, first)]
    alone = book.witnesses(refused[:1])
    ban = next((number for number, one in enumerate(refused) if looks_like_a_ban(one)), None)
    left_alone = ban is not None and not any(one.began_ns > refused[ban].ended_ns for one in passed_later)
    refusal = _refusal(attempts, refused[0])
    if _is_stray(refusal):
        return replace(facts, allowed=allowed, refusal=seen(refusal, alone), shown=seen(False, alone))
    found = estimates(attempts, refused[0]) if _ends(attempts, refused) >= _ENDS else None
    says = _says_limit(refusal, facts.said.value)
    return replace(
        facts,
        allowed=allowed,
        met=seen(True, alone),
        refusal=seen(refusal, alone),
        shown=seen(says or beyond_chance(attempts, refused, found or ()), book.witnesses(refused)),
        kinds=seen(_kinds(attempts, refused, passed_later), alone),
        banned=seen(left_alone, book.witnesses(refused)),
        bans_after=seen(ban, book.witnesses(refused)) if left_alone and ban else Fact(),
        recovers=seen(bool(passed_later), book.witnesses(passed_later or later)) if later else Fact(),
        estimates=Fact() if found is None else seen(found, witnesses),
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
    alike = phase if refused.phase == "held_connections" else counted(attempts, refused)
    passed = [one for one in alike if one.began_ns < refused.began_ns and not refuses(one, attempts[0])]
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
        again = [other.fresh for other in before if other.phase == one.phase]
        # Not each single fresh one: what crossed the end of an idle connection was asked once more.
        closes = len(again) > 1 and sum(again) > len(again) / 2
        return ("request_rate", "connection_rate") if closes else ("request_rate",)
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
