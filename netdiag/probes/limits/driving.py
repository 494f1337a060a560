"""Carries out what the planner asks for: at its times, never too many at once, and nothing more once one is refused."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence

from netdiag.evidence.bundle import Step
from netdiag.evidence.limits import IN_FLIGHT, LimitAttempt, LimitBudget, measured, refuses
from netdiag.probes.base import LimitLine, LimitWish, Walker

Plan = Callable[[Sequence[LimitAttempt], LimitBudget, int], Sequence[LimitWish]]

_TURN_S = 0.005
"""How often is looked whether an answer has come, where one must come first."""


def drive(step: Step, world: Walker, line: LimitLine, budget: LimitBudget, plan: Plan) -> Iterator[LimitAttempt]:
    """All attempts, as they end. ``plan`` is asked whenever none is under way. Each attempt has its own thread; what
    one raises is raised here."""
    history: list[LimitAttempt] = []
    while wanted := plan(sorted(history, key=lambda one: one.began_ns), budget, world.now_ns()):
        before = len(history)
        batch = _Batch(step, world, line, history, budget)
        for attempt in batch.carry_out(wanted):
            history.append(attempt)
            yield attempt
        if len(history) == before:  # a server that ends connections has used up what there were
            return


class _Batch:
    """Attempts that were asked for together."""

    def __init__(
        self, step: Step, world: Walker, line: LimitLine, history: Sequence[LimitAttempt], budget: LimitBudget
    ) -> None:
        self._step = step
        self._world = world
        self._line = line
        self._history = history
        self._budget = budget
        self._ended: queue.SimpleQueue[tuple[int, LimitAttempt | BaseException]] = queue.SimpleQueue()
        self._is_refused = False
        self._busy: dict[int, int] = {}  # number of the attempt -> its connection

    def carry_out(self, wanted: Sequence[LimitWish]) -> Iterator[LimitAttempt]:
        """Begin each at its time, and yield what has ended meanwhile."""
        for number, one in enumerate(wanted):
            while self._must_wait(one):
                yield from self._take()
                if self._is_refused:
                    break
                self._world.sleep(_TURN_S)
            yield from self._take()
            if self._is_refused or not self._is_allowed(one):
                break
            self._begin(number, one)
        while self._busy:
            yield from self._take()
            self._world.sleep(_TURN_S)

    def _must_wait(self, one: LimitWish) -> bool:
        """Its time has not come, too many are under way, or one on its connection."""
        is_early = self._world.now_ns() < one.at_ns
        return is_early or len(self._busy) >= IN_FLIGHT or one.connection in self._busy.values()

    def _is_allowed(self, one: LimitWish) -> bool:
        """Is there a connection left, should it need one? Those under way may turn out to have needed theirs."""
        used = sum(attempt.fresh for attempt in self._history) + len(self._busy)
        return used < self._budget.connections or self._line.is_open(one.connection)

    def _begin(self, number: int, one: LimitWish) -> None:
        if one.release:
            self._line.release()
        self._busy[number] = one.connection
        stamp = self._world.stamp(self._step, attempt=one.series)
        in_flight = len(self._busy)

        def work() -> None:
            try:
                self._ended.put((number, self._line.attempt(stamp, one, in_flight=in_flight)))
            except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits
                self._ended.put((number, error))

        threading.Thread(target=work, daemon=True).start()

    def _take(self) -> Iterator[LimitAttempt]:
        while not self._ended.empty():
            number, result = self._ended.get()
            del self._busy[number]
            if isinstance(result, BaseException):
                raise result
            first = measured([*self._history, result])[0]
            self._is_refused = self._is_refused or refuses(result, first) or result.outcome == "failed"
            yield result
