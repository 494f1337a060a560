"""What a rate section found, for the SRE: a table in 80 columns, and JSON ("netdiag/limits/1")."""

from collections.abc import Iterator, Sequence
from typing import Any

from netdiag.evidence.bundle import Bundle
from netdiag.evidence.display import sanitize_text
from netdiag.evidence.limits import LimitAttempt, LimitBudget, is_a_limiters
from netdiag.evidence.record import FailureCode
from netdiag.facts import Facts
from netdiag.facts.expectation import Agreement, Expectation
from netdiag.facts.limit_headers import Said
from netdiag.facts.limits import Allowed, Estimate, Kind, LimitFacts, Refusal
from netdiag.reports.encoding import dump, stamp
from netdiag.reports.words import count, endpoint, fill, two_columns

SCHEMA = "netdiag/limits/1"

PHASE = {
    "single": "a single request",
    "burst_on_one_connection": "requests on one connection",
    "burst_of_connections": "new connections, no request",
    "held_connections": "connections held open",
    "under_way": "requests at the same time",
    "paced": "requests at half the rate",
    "recovery": "again, after a pause",
}
KIND: dict[Kind, str] = {
    "request_rate": "requests in a time",
    "connection_rate": "new connections in a time",
    "concurrency": "connections at the same time",
}
OUTCOME = {
    "refused_http": "HTTP {status}",
    "challenge": "a challenge for browsers",
    "closed": "the connection closed without an answer",
    "reset": "the connection reset",
    "silent": "no answer",
    "refused": "the connection refused",
    "icmp": "an ICMP error",
    "failed": "a failure on this machine",
    "answered": "an answer",
}
SHAPE = {
    "token_bucket": "a token bucket",
    "fixed_window": "a fixed window",
    "sliding_window": "a sliding window",
    "ban": "a ban",
    "delay": "answers held back",
}
_NOT_ASKED = {
    FailureCode.CERT_REJECTED: "its certificate was not accepted",
    FailureCode.PROTOCOL: "what it answered was not understood",
    FailureCode.UNREACHABLE: "this machine has no way to it",
    FailureCode.DENIED_LOCALLY: "this machine does not let it out",
}
BY = {
    "default": "the small default",
    "profile": "the vendor's profile",
    "operator": "--i-operate-this",
}


def budget_words(budget: LimitBudget) -> str:
    """What may be spent, in one sentence: shown before, and reported after."""
    end = (
        "ending with the first refusal"
        if not budget.refusals
        else f"with {count(budget.refusals, 'further refusal')} at most after the first, each after a quiet wait, and "
        "none after one that looks like a ban"
    )
    return (
        f"at most {count(budget.requests, 'request')} and {count(budget.connections, 'connection')}, at most "
        f"{budget.rate:g} a second and 4 under way at once, {end} ({BY[budget.by]})"
    )


def table(allowed: Sequence[Allowed]) -> list[str]:
    """What was let pass, phase by phase: for the live view, too."""
    lines = [f"  {'what':<30}{'passed':>8}{'within':>10}   then"]
    for one in allowed:
        then = "refused" if one.refused else "no refusal"
        lines.append(f"  {PHASE[one.phase]:<30}{one.passed:>8}{_span(one.within_ms):>10}   {then}")
    return lines


def limits_text(
    bundle: Bundle, facts: Facts, expected: Expectation | None = None, agrees: Agreement | None = None
) -> str:
    """The report, 80 columns."""
    limits = facts.limits
    where = next((step for step in bundle.plan if step.probe == "limits"), None)
    address = where.address if where is not None else None
    place = f" ({endpoint(address, bundle.target.port)})" if address else ""
    lines = fill(sanitize_text(f"Limits of {bundle.target.url}{place}"))
    if limits.budget.value is not None:
        lines += ["", *fill(f"Allowed: {budget_words(limits.budget.value)}.")]
    if limits.allowed.value:
        lines += ["", *table(limits.allowed.value)]
    lines += [""]
    for sentence in sentences(limits):
        lines += fill(sanitize_text(sentence))
    if expected is not None and agrees is not None:
        lines += ["", *fill(expectation_words(expected, agrees))]
    rows = [(shape, words) for one in limits.estimates.value or () for shape, words in [_row(one)]]
    if rows:
        told = "What explains all of it" + (" (not told apart)" if len(rows) > 1 else "")
        lines += ["", told, *two_columns(rows)]
    if bundle.interrupted is not None:
        lines += ["", *fill("It was ended early, and tells only what was seen until then.")]
    return "\n".join(lines) + "\n"


def not_asked(bundle: Bundle) -> str | None:
    """Why not even the single request could be made, as a clause; None: it was, or nothing tells."""
    attempts = [one for one in bundle.observations if isinstance(one, LimitAttempt)]
    first = min(attempts, key=lambda one: one.began_ns, default=None)
    if first is None or first.outcome != "failed" or first.failure is None:
        return None
    said = f" ({sanitize_text(first.failure.text)})" if first.failure.text else ""
    return f"{_NOT_ASKED.get(first.failure.code, 'the connection failed')}{said}"


def sentences(limits: LimitFacts) -> Iterator[str]:
    """What was found, in words that claim no more."""
    if limits.already.value is True:
        yield "Even the single request was refused, so nothing more was sent: this is no limit that a burst meets."
    if limits.unserved.value is not None:
        yield _unserved(limits.unserved.value, repeated=limits.allowed.known)
    if limits.met.value is False:
        yield from _not_met(limits)
    if limits.changed.value is not None:
        yield (
            f"After {count(limits.changed.value, 'request')} the answers changed, though none was an error: it ended "
            "there, since some limiters answer so. Compare such an answer with the page."
        )
    refusal = limits.refusal.value
    if refusal is not None:
        yield from _met(refusal, limits)
    yield from _headers(limits)


def _unserved(status: int, *, repeated: bool) -> str:
    if repeated:
        return (
            f"Already the single request was answered with HTTP {status}: such answers count as passed here, and only "
            "others as refused. A guard that reads the log may ban who gets them."
        )
    return (
        f"The single request was answered with HTTP {status}, so nothing more was sent: guards such as fail2ban ban "
        "who gets such an answer a few times. Give a URL that is served without a login, such as a health page."
    )


def bounds(limits: LimitFacts) -> str:
    """``allowed >= 14 in 1.3 s, refused at 15``: of all that the limit may count; without one of the largest phase."""
    allowed, refusal = limits.allowed.value or (), limits.refusal.value
    if refusal is not None:
        within = _span(refusal.within_ms) if refusal.within_ms else "one moment"
        return f"allowed >= {refusal.passed} in {within}, refused at {refusal.passed + 1}"
    most = max(allowed, key=lambda one: one.passed, default=None)
    return "nothing was seen" if most is None else f"allowed >= {most.passed} in {_span(most.within_ms)}, none refused"


def _not_met(limits: LimitFacts) -> Iterator[str]:
    if limits.estimates.value:
        one = limits.estimates.value[0]
        yield (
            f"Nothing was refused, and answers to requests in a row were held back: they came at {_rate(one)}, "
            "however fast they were asked for."
        )
    else:
        yield f"Nothing was refused within this budget: {bounds(limits)}."


def _met(refusal: Refusal, limits: LimitFacts) -> Iterator[str]:
    how = OUTCOME[refusal.outcome].format(status=refusal.status)
    if not limits.kinds.known:
        other = ", or too many were open at that moment" if refusal.held > 1 else ""
        yield (
            f"One was refused ({bounds(limits)}, with {how}), and of those that began later {refusal.passed_later} "
            f"passed: it was lost, or refused at random{other}; no limit is shown."
        )
    else:
        yield from _limit(refusal, limits, how)
    if refusal.status is not None and not is_a_limiters(refusal.status):
        yield "Limiters seldom answer so: servers behind one address that do not all have this page would, too."
    if refusal.retry_after_s is not None:
        yield f"The refusal says to come back after {refusal.retry_after_s} s."
    if limits.bans_after.value is not None:
        yield (
            f"After {count(limits.bans_after.value, 'such refusal')} it was refused in another way, as bans are that "
            "count refusals; further attempts may make one longer, so it ended there."
        )
    elif limits.banned.value is True:
        yield "Such a refusal may be a ban that further attempts make longer, so it ended there."
    if limits.recovers.value is True:
        yield "After a pause it was let pass again."
    if limits.recovers.value is False:
        yield "Nothing passed again within the time that was allowed."
    if limits.estimates.known and not limits.estimates.value:
        yield "None of the usual limits explains all that was seen: several may be at work, or others share this one."
    if limits.estimates.value:
        yield "Where others share the limit, what explains it is only what they left."


def _limit(refusal: Refusal, limits: LimitFacts, how: str) -> Iterator[str]:
    counted = " or ".join(KIND[kind] for kind in limits.kinds.value or ())
    if limits.shown.value is True:
        yield f"A limit on {counted} was met: {bounds(limits)}, with {how}."
    elif refusal.status is not None and refusal.status >= 500:
        yield f"A limit on {counted}, or an overload, was met: {bounds(limits)}, with {how}."
    else:
        also = {
            "silent": "one silence may also be a lost packet",
            "refused_http": "an answer that is no limiter's own may have another reason",
        }.get(refusal.outcome, "one refusal may also be chance, or a server that restarts")
        yield f"There may be a limit on {counted}: {bounds(limits)}, with {how}; {also}."


def _headers(limits: LimitFacts) -> Iterator[str]:
    said = limits.said.value
    if said is None:
        return
    if not said:
        yield "No header told of a limit."
        return
    yield f"Headers told: {'; '.join(_said(one) for one in said)}."
    if limits.predicted.value is True:
        yield "The answer before the refusal said that nothing was left: the headers predict it."
    if limits.predicted.value is False:
        yield "The answer before the refusal said that more was left: the headers do not predict it."


def _said(one: Said) -> str:
    parts = [
        f"{word} {value}{unit}"
        for word, value, unit in (
            ("quota", one.quota, ""),
            ("remaining", one.remaining, ""),
            ("window", one.window_s, " s"),
            ("reset in", one.reset_s, " s"),
        )
        if value is not None
    ]
    return f"{one.name + ': ' if one.name else ''}{', '.join(parts) or 'a policy without numbers'}"


def expectation_words(expected: Expectation, agrees: Agreement) -> str:
    """Whether it is as it was meant to be."""
    burst = "" if expected.burst is None else f", burst {expected.burst}"
    meant = f"The expected limit ({expected.rate:.3g} a second{burst})"
    return {
        "agrees": f"{meant} is the one that was found.",
        "differs": f"{meant} is NOT what was found.",
        "unknown": f"{meant} was neither confirmed nor excluded: not enough evidence within this budget.",
    }[agrees]


def _row(one: Estimate) -> tuple[str, str]:
    burst = str(one.burst_low) if one.burst_low == one.burst_high else f"{one.burst_low} to {one.burst_high}"
    if one.shape == "delay":
        return SHAPE[one.shape], f"{_rate(one)}; how many may wait was not met"
    if one.shape == "ban":
        closed = f"{one.closed_low_s or 0:.3g} to {one.closed_high_s or 0:.3g} s"
        return SHAPE[one.shape], f"after {burst} in a row closed for {closed}, or until as long after the last attempt"
    if one.window_low_s is None or one.window_high_s is None:
        return SHAPE[one.shape], f"{burst} at once, {_rate(one)}"
    window = f"{one.window_low_s:.3g} to {one.window_high_s:.3g} s"
    return SHAPE[one.shape], f"{burst} in a window of {window} ({_rate(one)})"


def estimate_words(one: Estimate) -> str:
    """``a token bucket (8 at once, 5.18 a second …)``."""
    shape, words = _row(one)
    return f"{shape} ({words})"


def _rate(one: Estimate) -> str:
    middle = (one.rate_low * one.rate_high) ** 0.5
    return f"{middle:.3g} a second (between {one.rate_low:.3g} and {one.rate_high:.3g})"


def _span(ms: int) -> str:
    return f"{ms / 1000:.1f} s" if ms >= 100 else f"{ms} ms"


def limits_json(bundle: Bundle, facts: Facts, expected: Expectation | None, agrees: Agreement | None) -> str:
    """The same for programs."""
    limits = facts.limits
    refusal = limits.refusal.value
    return dump(
        {
            "schema": SCHEMA,
            "url": bundle.target.url,
            "address": next((step.address for step in bundle.plan if step.probe == "limits"), None),
            "began_at": stamp(bundle.began_at),
            "run_id": bundle.run_id,
            "interrupted": bundle.interrupted,
            "budget": None if limits.budget.value is None else _budget(limits.budget.value),
            "spent": _spent(bundle),
            "met": limits.met.value,
            "shown": limits.shown.value,
            "changed_after": limits.changed.value,
            "already_refused": limits.already.value,
            "not_asked": not_asked(bundle),
            "unserved": limits.unserved.value,
            "counts": list(limits.kinds.value or ()),
            "bounds": bounds(limits) if limits.allowed.known else None,
            "allowed": [_allowed(one) for one in limits.allowed.value or ()],
            "refusal": None if refusal is None else _refusal(refusal),
            "ban_like": limits.banned.value,
            "bans_after": limits.bans_after.value,
            "recovers": limits.recovers.value,
            "estimates": [_estimate(one) for one in limits.estimates.value or ()],
            "headers": [_header(one) for one in limits.said.value or ()],
            "headers_predicted": limits.predicted.value,
            "expected": None if expected is None else {"rate": expected.rate, "burst": expected.burst},
            "expectation": agrees,
        }
    )


def _budget(one: LimitBudget) -> dict[str, Any]:
    return {
        "requests": one.requests,
        "connections": one.connections,
        "rate": one.rate,
        "further_refusals": one.refusals,
        "seconds": one.seconds,
        "by": one.by,
    }


def _spent(bundle: Bundle) -> dict[str, int]:
    attempts = [one for one in bundle.observations if isinstance(one, LimitAttempt)]
    return {
        "requests": sum(one.asks == "request" for one in attempts),
        "connections": sum(one.fresh for one in attempts),
    }


def _allowed(one: Allowed) -> dict[str, Any]:
    return {"phase": one.phase, "passed": one.passed, "within_ms": one.within_ms, "refused": one.refused}


def _refusal(one: Refusal) -> dict[str, Any]:
    return {
        "phase": one.phase,
        "outcome": one.outcome,
        "status": one.status,
        "number": one.number,
        "after_ms": one.after_ms,
        "retry_after_s": one.retry_after_s,
    }


def _estimate(one: Estimate) -> dict[str, Any]:
    return {
        "shape": one.shape,
        "burst": [one.burst_low, one.burst_high],
        "rate": [one.rate_low, one.rate_high],
        "window_s": None if one.window_low_s is None else [one.window_low_s, one.window_high_s],
        "closed_s": None if one.closed_low_s is None else [one.closed_low_s, one.closed_high_s],
    }


def _header(one: Said) -> dict[str, Any]:
    return {
        "name": one.name,
        "quota": one.quota,
        "remaining": one.remaining,
        "window_s": one.window_s,
        "reset_s": one.reset_s,
    }
