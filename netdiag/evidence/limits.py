"""Records of how a limit was looked for: each request or connection of the rate section, and what it was allowed."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Literal

from netdiag.evidence.record import Observed, Port, Struct, UInt
from netdiag.evidence.web import Header

Phase = Literal[
    "single", "burst_on_one_connection", "burst_of_connections", "held_connections", "under_way", "paced", "recovery"
]
"""``under_way``: requests at the same time on connections that are held. ``recovery``: after a refusal and a pause."""

Outcome = Literal["answered", "refused_http", "challenge", "closed", "reset", "silent", "refused", "icmp", "failed"]
"""``answered``: with a status that does not refuse, or, for a connection, established and kept. ``refused_http``: with
one from 400 on (recordings made before: only those of ``LIMITING_STATUSES``, 403, and from 500 on). ``closed`` and
``reset``: it ended without an answer; ``refused``: by a reset to the SYN; ``failed``: anything else of this machine."""


class LimitAttempt(Observed, frozen=True, kw_only=True, tag="limit_attempt"):
    """One request on connection number ``connection`` of the step, or one connection without a request.

    ``fresh``: the connection was made for it. ``status``, ``retry_after_s`` (RFC 9110 section 10.2.3, a date measured
    from the answer's own) and ``headers`` (those that speak of limits or find the answer in a log) are the answer's.
    ``headers`` also have those of ``LIKENESS`` (recordings made before: not).
    ``closes``: the peer said that it closes the connection after it. ``in_flight``: attempts under way when it began,
    itself included; ``held``: connections open or being made then, its own included (recordings made before: without
    those of others under way). ``syns_sent``: of a connection made for it. ``idle_ms``: for how long the connection had
    not been used, where it was not made for it.
    """

    address: str
    port: Port
    phase: Phase
    asks: Literal["request", "connection"]
    connection: UInt
    fresh: bool = False
    method: Literal["HEAD", "GET"] | None = None
    source_port: Port | None = None
    outcome: Outcome
    status: UInt | None = None
    retry_after_s: UInt | None = None
    headers: tuple[Header, ...] = ()
    closes: bool = False
    in_flight: UInt = 1
    held: UInt = 1
    syns_sent: UInt | None = None
    idle_ms: UInt | None = None


class LimitBudget(Struct, frozen=True, kw_only=True):
    """What a rate section may spend, declared before it begins: ``requests`` and ``connections`` in all, at most
    ``rate`` of both a second, for ``seconds``. It ends with the first refusal, or where ``refusals`` further ones are
    allowed, with the last of them. ``by``: whose word allows it.
    """

    requests: int = 30
    connections: int = 20
    rate: float = 10.0
    refusals: int = 0
    seconds: int = 30
    by: Literal["default", "profile", "operator"] = "default"

    def params(self) -> dict[str, str]:
        """As words of a step, so that the bundle says what was allowed."""
        return {
            "requests": str(self.requests),
            "connections": str(self.connections),
            "rate": f"{self.rate:g}",
            "refusals": str(self.refusals),
            "seconds": str(self.seconds),
            "by": self.by,
        }

    @classmethod
    def of(cls, params: Mapping[str, str]) -> "LimitBudget":
        """The budget that the words of a step tell. Raises ``ValueError`` for what no ``params`` wrote."""
        by: dict[str, Literal["default", "profile", "operator"]] = {
            "default": "default",
            "profile": "profile",
            "operator": "operator",
        }
        try:
            return cls(
                requests=int(params["requests"]),
                connections=int(params["connections"]),
                rate=float(params["rate"]),
                refusals=int(params["refusals"]),
                seconds=int(params["seconds"]),
                by=by[params["by"]],
            )
        except KeyError as missing:
            raise ValueError(f"no {missing} in the budget") from None


IN_FLIGHT = 4
"""Attempts under way at once: what a refusal may find on its way when it arrives."""

LIMITING_STATUSES = frozenset({406, 420, 429})
"""Answers of limiters, which no application gives to everybody (RFC 6585; fault-signatures 7.3; mod_security: 406)."""

AFTER_LIMIT = "limit"
"""``params["after"]`` of a watch that follows a limit which the rate section met, and no failure."""

LIKENESS = ("location", "content-type", "content-length")
"""Headers that, with the status, tell an answer from another: limiters may answer 200, or send elsewhere."""

_IN_A_ROW, _OF_BOTH = 3, 7
"""Answers of another likeness in a row, and together with as many as were like the first before there was another, that
are no chance any more: servers behind one address may differ."""

_IDLE_MS = 300
"""A reset of a connection that was not used for longer may be the end of an idle one that crossed the request: servers
wait half a second at least before they end one. In a series without a pause it is the request that was reset."""

BAN_LIKE = frozenset({"silent", "icmp", "reset", "refused"})
"""Refusals as bans make them, of which some last longer with every further attempt (fault-signatures 7.2)."""


def refuses(attempt: LimitAttempt, first: LimitAttempt | None) -> bool:
    """Did somebody refuse ``attempt``, as he did not refuse the ``first`` request of all? What failed on this machine
    (``failed``) says nothing of anybody, and a status that even the first request met is no refusal of the limit's."""
    if attempt.outcome in {"answered", "failed"}:
        return False
    usual = first is not None and first.outcome == attempt.outcome == "refused_http"
    return not (usual and first is not None and first.status == attempt.status)


def unserved(first: LimitAttempt) -> int | None:
    """The status of the ``first`` request of all, where it is one that applications give to everybody who does not log
    in, has no right or asks for what is not there (401, 403, 404 and the like). fail2ban's jails for web servers ban
    who gets some of these in a row. None: it was served, or refused in another way."""
    status = first.status if first.outcome in {"answered", "refused_http"} else None
    return status if status is not None and 400 <= status < 500 and status not in LIMITING_STATUSES else None


def refuses_already(first: LimitAttempt) -> bool:
    """Did somebody refuse the ``first`` request of all, with no answer that applications give to everybody?"""
    return first.outcome not in {"answered", "failed"} and unserved(first) is None


def is_a_limiters(status: int) -> bool:
    """A status that limiters give: nginx limits with 503, mod_qos with 500, mod_evasive with 403."""
    return status in LIMITING_STATUSES or status == 403 or status >= 500


def looks_like_a_ban(attempt: LimitAttempt) -> bool:
    """A refusal that may extend itself: silence, ICMP, a reset, or 403."""
    return attempt.outcome in BAN_LIKE or attempt.status == 403


def turned_away(history: Sequence[LimitAttempt]) -> Sequence[LimitAttempt]:
    """What somebody refused, of a whole section in order of time: even the single request, where it was."""
    attempts = measured(history)
    return [one for one in attempts if refuses(one, attempts[0]) or (one is attempts[0] and refuses_already(one))]


def lapsed(history: Sequence[LimitAttempt]) -> Sequence[LimitAttempt]:
    """The requests that met the end of a kept connection. Servers end those at any time, and a request may cross that
    end; it is asked once more on a new one (RFC 9112 section 9.3.1), and only an end of a new one refuses. But who ends
    connections in turn, each after fewer requests than the one before, or has ended a new one, refuses on kept ones.
    """
    found: list[LimitAttempt] = []
    most = 0
    for number, one in enumerate(history):
        if one.asks == "connection" or not _is_ended(one):
            continue
        if one.fresh:
            break
        uses = _uses(history[:number], one.connection)
        if uses < most:
            break
        found.append(one)
        most = uses
    return found


def _is_ended(request: LimitAttempt) -> bool:
    """Was its connection ended in place of an answer, by a reset only where it had been idle?"""
    was_idle = request.idle_ms is not None and request.idle_ms >= _IDLE_MS
    return request.outcome == "closed" or (request.outcome == "reset" and was_idle)


def _uses(before: Sequence[LimitAttempt], connection: int) -> int:
    """How many requests the connection of this number has carried since it was made."""
    uses = 0
    for one in reversed(before):
        if one.connection == connection:
            uses += one.asks == "request"
            if one.fresh:
                break
    return uses


def measured(attempts: Sequence[LimitAttempt]) -> Sequence[LimitAttempt]:
    """``attempts`` from the request on that the others are compared with: the last single one. Without those that
    ``lapsed``, which tell of no limit."""
    last = max((number for number, one in enumerate(attempts) if one.phase == "single"), default=0)
    left_out = {one.id for one in lapsed(attempts[last:])}
    return [one for number, one in enumerate(attempts[last:]) if number == 0 or one.id not in left_out]


def changed(history: Sequence[LimitAttempt]) -> LimitAttempt | None:
    """The first answer that was no error and yet not like those before: another status, or others of the headers of
    ``LIKENESS``, the same several times in a row, where all had been like the first for a while. Limiters may answer
    with 200 or a redirect; but it may be a page that changed, too. None: there was no such. ``history``: as
    ``measured`` gives it."""
    answers = [one for one in history if one.asks == "request" and one.outcome == "answered"]
    if not answers or answers[0] is not history[0]:
        return None
    other = next((one for one in answers if one.status != answers[0].status), None)
    likes = [_likeness(one) for one in answers if other is None or one.began_ns < other.began_ns]
    runs = [(like, len([*group])) for like, group in groupby(likes)]
    same = runs[0][1]
    longest = max((length for like, length in runs[1:] if like != likes[0]), default=0)
    if same > 1 and longest >= _IN_A_ROW and same + longest >= _OF_BOTH:
        return answers[same]
    return other


def _likeness(answer: LimitAttempt) -> tuple[tuple[str, str], ...]:
    return tuple((one.name, one.value) for one in answer.headers if one.name in LIKENESS)
