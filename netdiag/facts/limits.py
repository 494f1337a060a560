"""Facts of limits: how much the service let pass, what it refused, and which limits explain exactly that."""

from typing import Literal

from netdiag.evidence.limits import LimitBudget, Outcome, Phase
from netdiag.facts.base import Fact, Value
from netdiag.facts.limit_headers import Said

Kind = Literal["request_rate", "connection_rate", "concurrency"]
"""What is counted: requests in a time, new connections in a time, or connections (requests) at the same time."""

Shape = Literal["token_bucket", "fixed_window", "sliding_window", "ban", "delay"]
"""``token_bucket``: gives back one by one (a leaky bucket without delay is the same). ``fixed_window``: all at once at
its end; ``sliding_window``: each when its own time is over. ``ban``: all at once, a time of its own after the attempt
that was one too many. ``delay``: nothing is refused, and answers come at a rate.
"""


class Allowed(Value, frozen=True, kw_only=True):
    """One phase: ``passed`` attempts within ``within_ms`` milliseconds; the one after them was refused, or none was."""

    phase: Phase
    passed: int
    within_ms: int
    refused: bool


class Refusal(Value, frozen=True, kw_only=True):
    """The first refusal: attempt number ``number`` of its kind, ``after_ms`` after the first of the phase. Of what a
    limit would count (connections that were held: those; else all of the kind, whatever the phase) ``passed`` began
    before it, the first of them ``within_ms`` before. Of those of its series that began later ``passed_later`` passed,
    and ``refused_later`` did not."""

    phase: Phase
    outcome: Outcome
    number: int
    after_ms: int
    held: int
    status: int | None = None
    retry_after_s: int | None = None
    ban_like: bool = False
    passed: int = 0
    within_ms: int = 0
    passed_later: int = 0
    refused_later: int = 0


class Estimate(Value, frozen=True, kw_only=True):
    """A limit that explains every attempt: between ``burst_low`` and ``burst_high`` at once, between ``rate_low`` and
    ``rate_high`` a second; windows (seconds) only where the shape has them. ``closed``: the seconds of a ban. Ends are
    included."""

    shape: Shape
    burst_low: int
    burst_high: int
    rate_low: float
    rate_high: float
    window_low_s: float | None = None
    window_high_s: float | None = None
    closed_low_s: float | None = None
    closed_high_s: float | None = None


class LimitFacts(Value, frozen=True, kw_only=True):
    """All from one rate section; unknown without one."""

    budget: Fact[LimitBudget] = Fact()
    allowed: Fact[tuple[Allowed, ...]] = Fact()
    met: Fact[bool] = Fact()
    """Something was refused that the first single request did not meet. False: nothing was, within the budget. Unknown
    where one had no answer and others that began later passed."""
    already: Fact[bool] = Fact()
    """Even the single request was refused, so nothing else was sent."""
    unserved: Fact[int] = Fact()
    """The status of the single request, where it was one that applications give to everybody (401, 403, 404 and the
    like). Nothing else was sent, unless who operates the service asked for it (``allowed`` is known then)."""
    refusal: Fact[Refusal] = Fact()
    shown: Fact[bool] = Fact()
    """What was refused shows a limit: by what the refusal says, or since the ends of several series are those of one.
    False: a lost packet, a server that was busy or restarted, or chance would do as well."""
    kinds: Fact[tuple[Kind, ...]] = Fact()
    """What the limit may count: one where the evidence tells. Unknown where others that began later passed: nothing
    was counted."""
    estimates: Fact[tuple[Estimate, ...]] = Fact()
    """The shapes that explain all that was seen, of which each is possible. Empty: none of those known does. Unknown
    with fewer than three ends: a burst and a rate explain any two."""
    changed: Fact[int] = Fact()
    """After so many requests came answers that were no error, and yet not like those before: a limiter may answer so,
    or a page changed. What was met is unknown then."""
    banned: Fact[bool] = Fact()
    """The last refusal was of a kind that may extend itself, and was left alone. False: none was, or attempts passed
    again afterwards."""
    bans_after: Fact[int] = Fact()
    """So many refusals of another kind came before the one that looks like a ban: what bans counts refusals."""
    recovers: Fact[bool] = Fact()
    """After a refusal and a pause an attempt passed."""
    said: Fact[tuple[Said, ...]] = Fact()
    """The limits that the last answer before the refusal (or the last of all) told."""
    predicted: Fact[bool] = Fact()
    """The answer before the refusal said that nothing was left. False: it said that something was."""
