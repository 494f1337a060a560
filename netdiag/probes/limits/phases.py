"""The phases of a rate section while nothing refuses: what is asked next, out of what is left of the budget.

From the cheapest to the dearest: a single request; a burst on its connection; a burst of connections without a request;
connections that are held; requests at the same time on those; a paced series. One phase begins when all of the one
before has ended, after a pause, so that no two kinds of limit are met at once.
"""

from collections.abc import Sequence
from typing import Literal

from netdiag.evidence.limits import IN_FLIGHT, LimitAttempt, LimitBudget, Phase
from netdiag.probes.base import LimitWish

PAUSE_NS = 1_000_000_000

NOT_FOR_HEAD = frozenset({400, 404, 405, 501})
"""Answers to HEAD that say nothing of a GET (RFC 9110 sections 9.3.2, 15.5.6, 15.6.2): gateways that route by method
know no such resource. 401 and 403 are left as they are, since a guard may have said them."""

_ORDER: tuple[Phase, ...] = (
    "burst_on_one_connection",
    "burst_of_connections",
    "held_connections",
    "under_way",
    "paced",
)


class Spent:
    """What ``history`` has used of ``budget``, and what is open."""

    def __init__(self, history: Sequence[LimitAttempt], budget: LimitBudget) -> None:
        self.requests = budget.requests - sum(one.asks == "request" for one in history)
        self.connections = budget.connections - sum(one.fresh for one in history)
        self.next_connection = max((one.connection for one in history), default=0) + 1
        self.connection = next((one.connection for one in reversed(history) if one.asks == "request"), 1)
        self.method: Literal["HEAD", "GET"] = next(
            (one.method for one in reversed(history) if one.method is not None), "HEAD"
        )
        last = [one for one in history if one.asks == "request"][-1:]
        self.is_open = bool(last) and not last[0].closes and last[0].outcome != "closed"
        self.ended_ns = max((one.ended_ns for one in history), default=0)


def first_request(history: Sequence[LimitAttempt], now_ns: int) -> LimitWish | None:
    """The request that all others are compared with: HEAD, which passes the same limiters as GET and carries no page;
    GET where HEAD was not answered as a page is. None once there is one."""
    if not history:
        return LimitWish(phase="single", connection=1, at_ns=now_ns)
    first = history[0]
    unanswered = first.outcome in {"closed", "reset", "silent"} and not first.status
    if len(history) == 1 and (first.status in NOT_FOR_HEAD or (unanswered and first.method == "HEAD")):
        return LimitWish(phase="single", connection=2, at_ns=now_ns + PAUSE_NS, method="GET")
    return None


def next_phase(history: Sequence[LimitAttempt], budget: LimitBudget, now_ns: int) -> tuple[LimitWish, ...]:
    """All attempts of the next phase that the budget has room for; empty when all have been through."""
    seen = {one.phase for one in history}
    spent = Spent(history, budget)
    begins_ns = max(now_ns, spent.ended_ns + PAUSE_NS)
    for phase in _ORDER:
        if phase not in seen and not any(_ORDER.index(one) > _ORDER.index(phase) for one in seen if one in _ORDER):
            batch = _of_phase(phase, history, budget, spent, begins_ns)
            if batch:
                return batch
    return ()


def _of_phase(
    phase: Phase, history: Sequence[LimitAttempt], budget: LimitBudget, spent: Spent, begins_ns: int
) -> tuple[LimitWish, ...]:
    gap_ns = round(1e9 / budget.rate)
    match phase:
        case "burst_on_one_connection":
            count = min(spent.requests // 2, 100)
            if not spent.is_open:  # the server closes after each answer: every request is a connection, too
                count = min(count, spent.connections // 2)
            return _requests("burst_on_one_connection", count, spent, begins_ns, gap_ns)
        case "burst_of_connections":
            return _connections(phase, spent.connections // 2, spent, begins_ns, gap_ns)
        case "held_connections":
            # One is kept for the paced series, and one for each time that is tried again: who lets idle connections go
            # soon has ended the one before.
            count = spent.connections - 1 - budget.refusals
            return _connections(phase, count, spent, begins_ns, gap_ns, hold=True)
        case "under_way":
            held = [one.connection for one in history if one.phase == "held_connections" and one.outcome == "answered"]
            count = min(IN_FLIGHT, spent.requests, int(budget.rate))
            return tuple(
                LimitWish(phase=phase, connection=number, at_ns=begins_ns, method=spent.method)
                for number in held[:count]
                if count > 1
            )
        case _:
            count = spent.requests if spent.is_open else 0
            return _requests("paced", count, spent, begins_ns, 2 * gap_ns)


def _requests(phase: Phase, count: int, spent: Spent, begins_ns: int, gap_ns: int) -> tuple[LimitWish, ...]:
    """``count`` requests, ``gap_ns`` apart, on one connection for as long as the server keeps it."""
    return tuple(
        LimitWish(phase=phase, connection=spent.connection, at_ns=begins_ns + n * gap_ns, method=spent.method)
        for n in range(count)
    )


def _connections(
    phase: Phase, count: int, spent: Spent, begins_ns: int, gap_ns: int, *, hold: bool = False
) -> tuple[LimitWish, ...]:
    """``count`` connections without a request. Those that are not held are alone, each: what refuses one of them counts
    connections in a time, and none that are open at the same time."""
    return tuple(
        LimitWish(
            phase=phase,
            connection=spent.next_connection + n,
            at_ns=begins_ns + n * gap_ns,
            request=False,
            hold=hold,
            release=not hold,
        )
        for n in range(count)
    )
