"""Records of how a limit was looked for: each request or connection of the rate section, and what it was allowed."""

from collections.abc import Mapping, Sequence
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
    ``closes``: the peer said that it closes the connection after it. ``in_flight``: attempts under way when it began,
    itself included; ``held``: connections open then, its own included. ``syns_sent``: of a connection made for it.
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


def measured(attempts: Sequence[LimitAttempt]) -> Sequence[LimitAttempt]:
    """``attempts`` from the request on that the others are compared with: the last single one."""
    last = max((number for number, one in enumerate(attempts) if one.phase == "single"), default=0)
    return attempts[last:]
