"""What carries out a rate section: with real threads and a line whose answers take time."""

import itertools
import threading
import time

import pytest

from netdiag.evidence.bundle import Step
from netdiag.evidence.limits import IN_FLIGHT, LimitAttempt, LimitBudget, Outcome
from netdiag.evidence.record import ObsId, StepId
from netdiag.probes.base import LimitWish, Stamp
from netdiag.probes.limits.driving import drive
from netdiag.probes.limits.planning import next_attempts
from tests.fakes.world import FakeWorld

BUDGET = LimitBudget(rate=200)
STEP = Step(id=StepId("limits"), probe="limits", role="target", params=BUDGET.params())


class RealTime(FakeWorld):
    """The scripted world with a clock that runs."""

    def __init__(self) -> None:
        super().__init__()
        self._began = time.monotonic_ns()
        self._numbers = itertools.count(1)
        self.stamped_ns: list[int] = []

    def now_ns(self) -> int:
        return time.monotonic_ns() - self._began

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def stamp(self, step: Step, *, attempt: int = 1, caused_by: ObsId | None = None) -> Stamp:
        self.stamped_ns.append(self.now_ns())
        return Stamp(id=ObsId(f"o{next(self._numbers)}"), step=step.id, role="target", attempt=attempt)


class Line:
    """Answers after ``takes_s``; the attempt number ``refuses`` of all is refused, and where ``lapses``, ends without
    an answer. Number ``stalls`` takes long. From ``moves`` on requests are sent elsewhere. Watches what it is asked."""

    def __init__(
        self,
        world: RealTime,
        *,
        refuses: int | None = None,
        lapses: bool = False,
        takes_s: float = 0.02,
        closes: bool = False,
        stalls: int | None = None,
        moves: int | None = None,
    ) -> None:
        self._world = world
        self._refuses = refuses
        self._takes_s = takes_s
        self._closes = closes
        self._lapses = lapses
        self._stalls = stalls
        self._moves = moves
        self._lock = threading.Lock()
        self._count = 0
        self._busy: list[int] = []
        self._open: set[int] = set()
        self.most_at_once = 0
        self.shared = False
        self.alone: list[bool] = []

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()

    def release(self) -> None:
        self._open.clear()

    def is_open(self, connection: int) -> bool:
        return connection in self._open

    def attempt(self, stamp: Stamp, wanted: LimitWish, *, in_flight: int) -> LimitAttempt:
        began_ns = self._world.now_ns()
        with self._lock:
            self._count += 1
            number = self._count
            self.shared = self.shared or wanted.connection in self._busy
            self._busy.append(wanted.connection)
            self.most_at_once = max(self.most_at_once, len(self._busy))
            fresh = wanted.connection not in self._open
            if wanted.phase == "burst_of_connections":
                self.alone.append(self._busy == [wanted.connection] and not self._open)
        time.sleep(self._takes_s * (20 if number == self._stalls else 1))
        is_refused = number == self._refuses
        by_status = wanted.request and not self._lapses
        outcome: Outcome = "answered" if not is_refused else "refused_http" if by_status else "closed"
        with self._lock:
            self._busy.remove(wanted.connection)
            self._open.discard(wanted.connection)
            if outcome == "answered" and not self._closes and (wanted.request or wanted.hold):
                self._open.add(wanted.connection)
        return LimitAttempt(
            id=stamp.id,
            step=stamp.step,
            attempt=stamp.attempt,
            began_ns=began_ns,
            ended_ns=self._world.now_ns(),
            address="203.0.113.7",
            port=443,
            phase=wanted.phase,
            asks="request" if wanted.request else "connection",
            connection=wanted.connection,
            fresh=fresh,
            method="HEAD" if wanted.request else None,
            outcome=outcome,
            status=self._status(number, outcome) if wanted.request else None,
            closes=self._closes and wanted.request,
            in_flight=in_flight,
        )

    def _status(self, number: int, outcome: Outcome) -> int | None:
        if outcome != "answered":
            return 429 if outcome == "refused_http" else None
        return 302 if self._moves is not None and number >= self._moves else 200


@pytest.mark.parametrize("refuses", [3, 18, 30, None])
def test_nothing_begins_after_a_refusal_has_arrived(refuses: int | None) -> None:
    world = RealTime()
    line = Line(world, refuses=refuses)
    history = list(drive(STEP, world, line, BUDGET, next_attempts))
    refused = [one for one in history if one.outcome != "answered"]
    assert len(refused) == (refuses is not None)
    for one in refused:
        late = [other for other in history if other.began_ns > one.ended_ns + 20_000_000]
        assert not late
        under_way = [other for other in history if other.ended_ns > one.ended_ns]
        assert len(under_way) < IN_FLIGHT


def test_no_more_than_four_are_under_way_and_one_on_a_connection() -> None:
    world = RealTime()
    line = Line(world, takes_s=0.05)
    history = list(drive(STEP, world, line, BUDGET, next_attempts))
    assert line.most_at_once == IN_FLIGHT
    assert not line.shared
    assert max(one.in_flight for one in history) == IN_FLIGHT


def test_a_server_that_closes_after_each_answer_costs_no_more_connections_than_declared() -> None:
    world = RealTime()
    history = list(drive(STEP, world, Line(world, closes=True), BUDGET, next_attempts))
    assert sum(one.fresh for one in history) <= BUDGET.connections


def test_what_an_attempt_raises_is_raised() -> None:
    class Broken(Line):
        def attempt(self, stamp: Stamp, wanted: LimitWish, *, in_flight: int) -> LimitAttempt:
            raise ZeroDivisionError

    world = RealTime()
    with pytest.raises(ZeroDivisionError):
        list(drive(STEP, world, Broken(world), BUDGET, next_attempts))


def test_a_request_that_lapsed_is_asked_once_more_on_a_new_connection() -> None:
    world = RealTime()
    history = list(drive(STEP, world, Line(world, refuses=4, lapses=True), BUDGET, next_attempts))
    assert [(one.outcome, one.fresh) for one in history[2:6]] == [
        ("answered", False),
        ("closed", False),
        ("answered", True),
        ("answered", False),
    ]
    assert {one.phase for one in history[1:6]} == {"burst_on_one_connection"}
    assert {one.outcome for one in history[4:]} == {"answered"}
    assert sum(one.asks == "request" for one in history) == BUDGET.requests
    assert sum(one.fresh for one in history) <= BUDGET.connections


def test_an_end_of_a_new_connection_is_not_asked_again() -> None:
    world = RealTime()
    line = Line(world, refuses=4, lapses=True, closes=True)
    history = list(drive(STEP, world, line, BUDGET, next_attempts))
    assert [one.outcome for one in history] == ["answered"] * 3 + ["closed"]


def test_what_was_held_up_is_not_made_up_for() -> None:
    world = RealTime()
    list(drive(STEP, world, Line(world, stalls=5), BUDGET, next_attempts))
    distances = [later - sooner for sooner, later in itertools.pairwise(world.stamped_ns)]
    closer = [one for one in distances if one < 1e9 / BUDGET.rate]
    assert len(closer) < IN_FLIGHT  # those that are meant to be under way at once


def test_connections_of_a_burst_are_alone() -> None:
    world = RealTime()
    line = Line(world)
    list(drive(STEP, world, line, BUDGET, next_attempts))
    assert line.alone == [True] * (BUDGET.connections // 2 - 1)


@pytest.mark.parametrize("moves", [3, 28])
def test_answers_that_change_end_it(moves: int) -> None:
    world = RealTime()
    history = list(drive(STEP, world, Line(world, moves=moves), BUDGET, next_attempts))
    sent_elsewhere = [one for one in history if one.status == 302]
    assert 1 <= len(sent_elsewhere) <= IN_FLIGHT
    assert sent_elsewhere[-1] is history[-1]
