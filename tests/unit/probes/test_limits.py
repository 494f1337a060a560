"""The planner of the rate section against simulated limiters: what it finds, and what it may never do."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import pytest

from netdiag.evidence.buckets import buckets, met
from netdiag.evidence.limits import BAN_LIKE, IN_FLIGHT, LimitAttempt, LimitBudget, Outcome
from netdiag.probes.limiting import OPERATOR
from netdiag.probes.limits.planning import next_attempts
from tests.fakes.limiters import (
    Banning,
    Bucket,
    Concurrency,
    Delaying,
    FixedWindow,
    Limiter,
    Nothing,
    Simulation,
    SlidingWindow,
    refusals,
)

SMALL = LimitBudget()
FOR_OPERATORS = msgspec.structs.replace(OPERATOR, seconds=180)

BUCKETS = [
    (1, 1), (1, 5), (1, 20), (2, 1), (2, 2), (2, 10), (3, 4), (3, 30), (4, 8), (5, 5), (5, 20), (6, 12),
    (8, 15), (8, 40), (10, 3), (10, 20), (10, 40), (12, 6), (12, 30), (15, 10), (0.5, 3), (0.5, 8),
]  # fmt: skip


def limiters() -> list[Limiter]:
    """One of every kind, fresh."""
    return [
        Bucket(2, 5),
        Bucket(10, 20),
        Delaying(5, 20),
        Delaying(5, 2),
        FixedWindow(10, 10),
        FixedWindow(10, 10, by_clock=True, phase_s=3),
        SlidingWindow(5, 2),
        Banning(6, 30),
        Concurrency(3),
        Nothing(),
    ]


HOW: tuple[Outcome, ...] = ("refused_http", "challenge", "closed", "reset", "silent", "refused", "icmp")


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("rate", "burst"), BUCKETS)
def test_the_operator_is_told_burst_and_rate(rate: float, burst: int, seed: int) -> None:
    history = Simulation(Bucket(rate, burst), FOR_OPERATORS, seed=seed).run()
    asked = [one for one in history if one.asks == "request"]
    fits = buckets(*met(asked, history[0]))
    assert {fit.burst for fit in fits} == {burst}
    estimate = (min(fit.low for fit in fits) * max(fit.high for fit in fits)) ** 0.5
    assert estimate == pytest.approx(rate, rel=0.15)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("of", ["request", "connection"])
@pytest.mark.parametrize("number", range(len(limiters())))
def test_collect_stops_at_the_first_refusal_of_any_kind(number: int, of: str, how: Outcome) -> None:
    history = Simulation(limiters()[number], SMALL, of=of, how=how).run()
    refused = refusals(history)
    assert len(refused) <= 1
    if refused:
        assert history[-1] is refused[0]


@pytest.mark.parametrize("budget", [SMALL, FOR_OPERATORS, LimitBudget(requests=7, connections=3, rate=2)])
@pytest.mark.parametrize("of", ["request", "connection"])
@pytest.mark.parametrize("number", range(len(limiters())))
def test_the_budget_is_kept(number: int, of: str, budget: LimitBudget) -> None:
    history = Simulation(limiters()[number], budget, of=of, how="closed").run()
    assert sum(one.asks == "request" for one in history) <= budget.requests
    assert sum(one.fresh for one in history) <= budget.connections
    assert len(refusals(history)) <= budget.refusals + 1
    assert fastest(history) <= max(budget.rate, IN_FLIGHT) + 1


def fastest(history: Sequence[LimitAttempt]) -> int:
    """The most attempts that began within one second."""
    began = [one.began_ns for one in history]
    return max(sum(at <= other < at + 1_000_000_000 for other in began) for at in began)


@pytest.mark.parametrize("how", sorted(BAN_LIKE))
@pytest.mark.parametrize("of", ["request", "connection"])
def test_what_looks_like_a_ban_is_left_alone_by_operators_too(of: str, how: Outcome) -> None:
    history = Simulation(Banning(6, 30), FOR_OPERATORS, of=of, how=how).run()
    assert len(refusals(history)) == 1
    assert history[-1] is refusals(history)[0]


def test_a_403_is_left_alone_unless_it_is_the_usual_answer() -> None:
    history = Simulation(Banning(6, 30), FOR_OPERATORS, status=403).run()
    assert len(refusals(history)) == 1
    usual = Simulation(Banning(0, 30), FOR_OPERATORS, status=403).run()
    assert not refusals(usual)
    assert sum(one.asks == "request" for one in usual) > SMALL.requests


@pytest.mark.parametrize(("status", "methods"), [(401, ["HEAD"]), (403, ["HEAD"]), (404, ["HEAD", "GET"])])
def test_an_answer_that_guards_ban_for_is_asked_for_once(status: int, methods: list[str]) -> None:
    for budget in (SMALL, LimitBudget(requests=60, rate=20, by="profile")):
        history = Simulation(Banning(0, 30), budget, status=status).run()
        assert [one.method for one in history] == methods


def test_another_error_than_the_usual_one_ends_it() -> None:
    """limit_req_status may be any from 400 on."""
    history = Simulation(Bucket(1, 5), SMALL, status=404).run()
    assert [one.status for one in refusals(history)] == [404]
    assert history[-1] is refusals(history)[0]


def test_a_service_that_refuses_the_first_request_is_asked_nothing_more() -> None:
    for status in (429, 503):
        assert len(Simulation(Banning(0, 30), FOR_OPERATORS, status=status).run()) == 1


def test_a_head_that_is_not_served_is_asked_again_as_a_get() -> None:
    history = Simulation(Banning(0, 30), SMALL, how="closed").run()
    assert [one.method for one in history] == ["HEAD", "GET"]


def test_further_refusals_come_after_a_quiet_wait() -> None:
    for limiter in limiters():
        history = Simulation(limiter, FOR_OPERATORS).run()
        for one, following in pairwise(history):
            if one in refusals(history):
                assert following.began_ns - one.ended_ns >= 40_000_000
                assert following.attempt == one.attempt + 1


def test_connections_that_are_held_are_let_go_before_one_is_tried_again() -> None:
    history = Simulation(Concurrency(4), FOR_OPERATORS, of="connection", how="closed").run()
    (refused,) = refusals(history)
    assert refused.phase == "held_connections"
    (again,) = history[history.index(refused) + 1 :]
    assert again.phase == "recovery"
    assert again.outcome == "answered"


def test_nothing_is_planned_without_a_budget() -> None:
    assert next_attempts([], LimitBudget(requests=0), 0) == ()
    assert next_attempts([], LimitBudget(connections=0), 0) == ()


def test_the_planner_plans_the_same_from_the_same() -> None:
    one, other = (Simulation(Bucket(3, 4), FOR_OPERATORS, seed=7).run() for _ in range(2))
    assert one == other
