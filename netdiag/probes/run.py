"""Runs the plan: every step in its own thread, all under one deadline. A crash, a hang, a signal become records."""

import contextlib
import queue
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import NotRun, StepId
from netdiag.probes.base import DeclinedError, OutOfTimeError, Probe, World
from netdiag.probes.clock import Clock

GRACE_S = 0.5
"""How long, once time is up, steps may take to hand over what they have. What still hangs then is left behind in its
daemon thread, and recorded as out of time."""

Interruption = Literal["signal", "budget"]


class Watcher(Protocol):
    """Told what happens, in the runner's own thread: for live progress."""

    def started(self, step: Step) -> None: ...
    def observed(self, step: Step, observation: Observation) -> None: ...
    def finished(self, step: Step) -> None: ...


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a run yielded. ``interrupted`` None: it came to its own end."""

    steps: tuple[Step, ...]
    observations: tuple[Observation, ...]
    interrupted: Interruption | None


class _Ended(msgspec.Struct, frozen=True):
    step: Step


class _Seen(msgspec.Struct, frozen=True):
    step: Step
    observation: Observation


News = queue.SimpleQueue[_Ended | _Seen]
Planner = Callable[[Mapping[StepId, Step], frozenset[StepId], Sequence[Observation]], tuple[Step, ...]]


def run(planner: Planner, probes: Mapping[str, Probe], world: World, clock: Clock, watcher: Watcher) -> Outcome:
    """Start what ``planner`` asks for until it asks for nothing more and all has ended, or time is up.

    The planner is asked again whenever something was seen. ``KeyboardInterrupt`` (Ctrl-C; SIGTERM where the caller
    maps it) ends the run with what there is.
    """
    started: dict[StepId, Step] = {}
    finished: set[StepId] = set()
    observations: list[Observation] = []
    news: News = queue.SimpleQueue()

    def take(item: _Ended | _Seen) -> None:
        if isinstance(item, _Seen):
            observations.append(item.observation)
            watcher.observed(item.step, item.observation)
        else:
            finished.add(item.step.id)
            watcher.finished(item.step)

    interrupted: Interruption | None = None
    try:
        while True:
            for step in planner(started, frozenset(finished), observations):
                started[step.id] = step
                watcher.started(step)
                threading.Thread(target=_work, args=(step, probes[step.probe], world, news), daemon=True).start()
            if len(finished) == len(started):
                # The last steps may have ended because the time did.
                interrupted = "budget" if clock.time_left_ms() == 0 else None
                break
            if not _take_all(news, take, clock.time_left_ms() / 1000) and clock.time_left_ms() == 0:
                interrupted = "budget"
                break
    except KeyboardInterrupt:
        interrupted = "signal"
    if interrupted is not None:
        clock.stop()
        ends = time.monotonic() + GRACE_S
        while len(finished) < len(started) and _take_all(news, take, max(0.0, ends - time.monotonic())):
            pass
        observations += [_out_of_time(world, step) for id_, step in started.items() if id_ not in finished]
    return Outcome(steps=tuple(started.values()), observations=tuple(observations), interrupted=interrupted)


def _take_all(news: News, take: Callable[[_Ended | _Seen], None], wait_s: float) -> bool:
    """Wait for news, then take all there is. False: none came in ``wait_s`` seconds."""
    try:
        take(news.get(timeout=wait_s))
    except queue.Empty:
        return False
    with contextlib.suppress(queue.Empty):
        while True:
            take(news.get_nowait())
    return True


def _work(step: Step, probe: Probe, world: World, news: News) -> None:
    try:
        for observation in probe.run(step, world):
            # Decoded as it would be from the bundle: a record that no analyzer could read is our bug, found here,
            # where it costs one record, and not at sealing, where it would cost them all.
            msgspec.convert(msgspec.to_builtins(observation), type=Observation)
            news.put(_Seen(step, observation))
    except OutOfTimeError:
        news.put(_Seen(step, _out_of_time(world, step)))
    except DeclinedError as declined:
        news.put(_Seen(step, _not_run(world, step, "declined", str(declined))))
    except Exception as error:  # noqa: BLE001  # whatever a probe raises is our bug: it must not cost the other evidence
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} in {place.name}, line {place.lineno}"
        news.put(_Seen(step, _not_run(world, step, "crashed", where)))
    finally:
        news.put(_Ended(step))


def _out_of_time(world: World, step: Step) -> NotRun:
    return _not_run(world, step, "out_of_time", "")


def _not_run(world: World, step: Step, why: Literal["out_of_time", "declined", "crashed"], detail: str) -> NotRun:
    return world.stamp(step).not_run(why, f"the rest of {step.probe}", world.now_ns(), detail=detail)
