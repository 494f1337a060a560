"""What a rate section does next: a pure function of what it has seen and of what it may spend."""

from collections.abc import Sequence

from netdiag.evidence.limits import LimitAttempt, LimitBudget, changed, measured, refuses, refuses_already, unserved
from netdiag.probes.base import LimitWish
from netdiag.probes.limits.phases import Spent, first_request, next_phase
from netdiag.probes.limits.recovery import next_series


def next_attempts(history: Sequence[LimitAttempt], budget: LimitBudget, now_ns: int) -> tuple[LimitWish, ...]:
    """The attempts to make, in order; what is left of them is dropped when one is refused. Empty: it is over.

    ``history`` has all attempts so far, ended, in the order in which they began. The request that the others are
    compared with is the last ``single`` one. Where even that is refused, there is no limit to look for. Where it has an
    answer that is ``unserved``, only who operates the service may repeat it: others would be banned for that. Once
    answers ``changed`` nothing more is asked: whether that was a limit is for people to look at.
    """
    single = first_request(history, now_ns)
    if single is not None:
        return (single,) if budget.requests and budget.connections > len(history) else ()
    compared = measured(history)
    first = compared[0]
    if first.outcome == "failed" or refuses_already(first):
        return ()
    if unserved(first) is not None and budget.by != "operator":
        return ()
    if changed(compared) is not None:
        return ()
    if not any(refuses(one, first) for one in compared):
        return next_phase(history, budget, now_ns)
    return next_series(compared, Spent(history, budget), budget, now_ns) if budget.refusals else ()
