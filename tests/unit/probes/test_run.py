"""The runner: one deadline, and no crash, hang or signal that costs the other evidence."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import pytest

from netdiag.evidence.bundle import Step
from netdiag.evidence.machine import Clock as ClockRecord
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import NotRun, ObsId, StepId
from netdiag.probes.base import OutOfTimeError, Probe, Stamp, World
from netdiag.probes.clock import Clock
from netdiag.probes.run import Planner, run


class TinyWorld:
    """As much of a World as the runner and these probes need."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.ids = iter(range(10**6))
        self.lock = threading.Lock()

    def stamp(self, step: Step, *, attempt: int = 1, caused_by: ObsId | None = None) -> Stamp:
        with self.lock:
            return Stamp(id=ObsId(f"o{next(self.ids)}"), step=step.id, role=step.role, attempt=attempt)

    def now_ns(self) -> int:
        return self.clock.now_ns()

    def time_left_ms(self) -> int:
        return self.clock.time_left_ms()


class Watching:
    def __init__(self, on_observed: Callable[[], None] = lambda: None) -> None:
        self.log: list[str] = []
        self.on_observed = on_observed

    def started(self, step: Step) -> None:
        self.log.append(f"start {step.id}")

    def observed(self, step: Step, observation: Observation) -> None:
        self.log.append(f"saw {step.id}")
        self.on_observed()

    def finished(self, step: Step) -> None:
        self.log.append(f"end {step.id}")


def seeing(step: Step, world: World) -> ClockRecord:
    stamp = world.stamp(step)
    return ClockRecord(id=stamp.id, step=step.id, began_ns=world.now_ns(), ended_ns=world.now_ns(), unix_seconds=1)


def good(step: Step, world: World) -> Iterator[Observation]:
    yield seeing(step, world)


def crashing(step: Step, world: World) -> Iterator[Observation]:
    yield seeing(step, world)
    raise ZeroDivisionError("a bug")


def late(step: Step, world: World) -> Iterator[Observation]:
    yield seeing(step, world)
    raise OutOfTimeError


def punctual(step: Step, world: World) -> Iterator[Observation]:
    yield seeing(step, world)
    while world.time_left_ms() > 0:
        time.sleep(0.001)
    raise OutOfTimeError


HANG = threading.Event()


def hanging(step: Step, world: World) -> Iterator[Observation]:
    yield seeing(step, world)
    HANG.wait(60)


PROBES = {
    run.__name__: Probe(name=run.__name__, version=1, run=run) for run in (good, crashing, late, punctual, hanging)
}  # fmt: skip


def at_once(*probes: str) -> Planner:
    """A planner that wants these probes, each once, side by side."""

    def planner(started: Mapping[StepId, Step], _: frozenset[StepId], __: Sequence[Observation]) -> tuple[Step, ...]:
        steps = [Step(id=StepId(name), probe=name, role="machine") for name in probes]
        return tuple(step for step in steps if step.id not in started)

    return planner


def running(planner: Planner, budget_s: float = 30, watcher: Watching | None = None) -> Any:
    clock = Clock(budget_s)
    return run(planner, PROBES, cast("World", TinyWorld(clock)), clock, watcher or Watching())


def test_all_that_was_planned_is_run_and_watched() -> None:
    watcher = Watching()
    outcome = running(at_once("good"), watcher=watcher)
    assert [step.id for step in outcome.steps] == ["good"]
    assert [type(one) for one in outcome.observations] == [ClockRecord]
    assert outcome.interrupted is None
    assert watcher.log == ["start good", "saw good", "end good"]


def test_a_step_can_follow_from_an_observation() -> None:
    def planner(started: Mapping[StepId, Step], done: frozenset[StepId], seen: Sequence[Observation]) -> Any:
        if not started:
            return (Step(id=StepId("first"), probe="good", role="machine"),)
        if seen and StepId("second") not in started:
            return (Step(id=StepId("second"), probe="good", role="machine"),)
        return ()

    assert len(running(planner).observations) == 2


def test_a_crash_becomes_a_record_and_costs_no_other_evidence() -> None:
    outcome = running(at_once("crashing", "good"))
    crashed = [one for one in outcome.observations if isinstance(one, NotRun)]
    assert [(one.step, one.why) for one in crashed] == [("crashing", "crashed")]
    assert "ZeroDivisionError" in crashed[0].detail
    assert len(outcome.observations) == 3
    assert outcome.interrupted is None


def test_a_step_that_runs_out_of_time_says_so() -> None:
    outcome = running(at_once("late"))
    assert [one.why for one in outcome.observations if isinstance(one, NotRun)] == ["out_of_time"]


@pytest.mark.parametrize("number", range(5))
def test_that_the_last_steps_end_with_the_time_is_told(number: int) -> None:
    outcome = running(at_once("punctual", "good"), budget_s=0.05)
    assert outcome.interrupted == "budget", number


def test_a_hanging_step_does_not_hold_the_run() -> None:
    try:
        outcome = running(at_once("hanging", "good"), budget_s=0.3)
    finally:
        HANG.set()
    assert outcome.interrupted == "budget"
    assert [(one.step, one.why) for one in outcome.observations if isinstance(one, NotRun)] == [
        ("hanging", "out_of_time")
    ]
    assert sum(isinstance(one, ClockRecord) for one in outcome.observations) == 2


def test_ctrl_c_ends_the_run_with_what_there_is() -> None:
    def press() -> None:
        watcher.on_observed = lambda: None
        raise KeyboardInterrupt

    watcher = Watching(press)
    outcome = running(at_once("good"), watcher=watcher)
    assert outcome.interrupted == "signal"
    assert any(isinstance(one, ClockRecord) for one in outcome.observations)
