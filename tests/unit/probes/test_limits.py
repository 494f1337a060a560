"""The planner of the rate section against simulated limiters: what it finds, and what it may never do."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from netdiag.evidence.buckets import buckets, met
from netdiag.evidence.limits import (
    BAN_LIKE,
    LimitAttempt,
    LimitBudget,
    Outcome,
    changed,
    lapsed,
    measured,
    refuses,
    turned_away,
)
from netdiag.evidence.record import ObsId, StepId
from netdiag.evidence.web import Header
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
    assert fastest(history) <= budget.rate


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


def answer(number: int, **fields: Any) -> LimitAttempt:
    """Number ``number`` of a series on one connection."""
    usual = {
        "phase": "single" if number == 0 else "burst_on_one_connection",
        "outcome": "answered",
        "status": 200,
        "fresh": number == 0,
    }
    return LimitAttempt(
        id=ObsId(f"o{number + 1}"),
        step=StepId("limits"),
        began_ns=number * 50_000_000,
        ended_ns=number * 50_000_000 + 20_000_000,
        address="203.0.113.7",
        port=443,
        asks="request",
        connection=1,
        **{**usual, **fields},
    )


@pytest.mark.parametrize(
    ("fields", "is_lapsed"),
    [
        ({"outcome": "closed", "fresh": False}, True),
        ({"outcome": "reset", "fresh": False, "idle_ms": 5000}, True),
        ({"outcome": "closed", "fresh": True}, False),
        ({"outcome": "reset", "fresh": True}, False),
        ({"outcome": "reset", "fresh": False, "idle_ms": 30}, False),
        ({"outcome": "icmp", "fresh": False, "idle_ms": 5000}, False),
        ({"outcome": "silent", "fresh": False, "idle_ms": 5000}, False),
        ({"outcome": "closed", "fresh": False, "asks": "connection"}, False),
    ],
)
def test_the_end_of_a_kept_connection_is_no_refusal(fields: dict[str, Any], is_lapsed: bool) -> None:
    first = answer(0)
    one = msgspec.structs.replace(answer(1, status=None), **fields)
    assert (one in lapsed([first, one])) is is_lapsed
    assert (one in measured([first, one])) is not is_lapsed
    assert bool(turned_away([first, one])) is not is_lapsed


def test_the_single_request_is_measured_whatever_a_stranger_says_of_it() -> None:
    ended = msgspec.structs.replace(answer(0), outcome="closed", status=None, fresh=False)
    assert measured([ended]) == [ended]
    assert measured([]) == []


def of_length(*lengths: int) -> list[LimitAttempt]:
    return [
        answer(n, headers=(Header(name="content-length", value=str(length)), Header(name="date", value=f"{n}")))
        for n, length in enumerate(lengths)
    ]


@pytest.mark.parametrize(
    ("lengths", "at"),
    [
        ([500] * 8 + [31] * 3, 8),
        ([500] * 8 + [31] * 3 + [500, 31, 31], 8),
        ([500] * 8 + [31] * 2, None),
        ([500] * 8 + [31] * 2 + [500] * 3, None),
        ([500] * 8 + [31, 500, 31, 31, 500, 31, 31, 31], 8),
        ([500, 500, 31, 500, 31, 31, 500, 31, 31, 31, 31], None),
        ([500, 500, 31, 31, 31, 31, 31], 2),
        ([500, 500, 31, 31, 31, 31], None),
        ([500, 31, 31, 31, 31, 31, 31], None),  # two servers, or a cache that is warm now
        ([500, 501, 502, 503, 504, 505, 506, 507], None),  # a page that is never the same
        ([500] * 5 + [501, 502, 503, 504, 505, 506], None),
        ([500] * 20, None),
    ],
)
def test_a_page_that_gives_way_to_another_for_good_has_changed(lengths: list[int], at: int | None) -> None:
    history = of_length(*lengths)
    found = changed(history)
    assert (None if found is None else history.index(found)) == at
    if at is not None:
        assert next_attempts(history, FOR_OPERATORS, 0) == ()
        assert not any(refuses(one, history[0]) for one in history)


def test_one_answer_with_another_status_has_changed() -> None:
    history = [answer(0), answer(1), answer(2, status=302)]
    assert changed(history) is history[2]
    assert next_attempts(history, FOR_OPERATORS, 0) == ()
    assert changed(history[:2]) is None
    assert changed([]) is None
    refused = [answer(0), answer(1, outcome="refused_http", status=429)]
    assert changed(refused) is None


def test_a_limiter_that_closes_costs_an_operator_no_more_refusals() -> None:
    """The first on the kept connection may be the server's; what closes again sooner is none that has had enough."""
    for limiter in limiters():
        history = Simulation(limiter, FOR_OPERATORS, how="closed").run()
        assert sum(one.outcome == "closed" for one in history) <= FOR_OPERATORS.refusals + 2


def ending(*uses: int) -> list[LimitAttempt]:
    """Connections that end without an answer after so many requests, each."""
    history: list[LimitAttempt] = []
    for number in uses:
        for use in range(number + 1):
            how = {"outcome": "closed", "status": None} if use == number else {}
            history.append(answer(len(history), fresh=use == 0, **how))
    return history


@pytest.mark.parametrize(
    ("uses", "number_lapsed"),
    [((10,), 1), ((10, 10, 10), 3), ((10, 2), 1), ((20, 10, 1), 1), ((10, 2, 10), 1), ((3, 8, 8), 3)],
)
def test_a_server_that_has_had_enough_of_a_connection_is_told_from_a_limiter(
    uses: tuple[int, ...], number_lapsed: int
) -> None:
    history = ending(*uses)
    assert len(lapsed(history)) == number_lapsed
    assert len(refusals(history)) == len(uses) - number_lapsed


def test_who_ended_a_new_connection_refuses_on_kept_ones_too() -> None:
    history = ending(5, 0, 5)
    assert lapsed(history) == [history[5]]
    assert refusals(history) == [history[6], history[-1]]
