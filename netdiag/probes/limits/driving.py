"""Carries out what the planner asks for: at its times, never faster, never too many at once, and nothing more once one
is refused."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import msgspec

from netdiag.evidence.bundle import Step
from netdiag.evidence.limits import IN_FLIGHT, LimitAttempt, LimitBudget, changed, lapsed, measured, refuses
from netdiag.probes.base import LimitLine, LimitWish, Walker

Plan = Callable[[Sequence[LimitAttempt], LimitBudget, int], Sequence[LimitWish]]

_TURN_S = 0.005
"""How often is looked whether an answer has come, where one must come first."""


class _Pace:
    """The least distance that was agreed to, and when the last attempt of all began."""

    def __init__(self, budget: LimitBudget) -> None:
        self.gap_ns = round(1e9 / budget.rate)
        self.began_ns = -self.gap_ns


def drive(step: Step, world: Walker, line: LimitLine, budget: LimitBudget, plan: Plan) -> Iterator[LimitAttempt]:
    """All attempts, as they end. ``plan`` is asked whenever none is under way. Each attempt has its own thread; what
    one raises is raised here. A request that lapsed is asked once more, on a new connection, out of the same budget."""
    history: list[LimitAttempt] = []
    pace = _Pace(budget)
    while wanted := plan(sorted(history, key=lambda one: one.began_ns), budget, world.now_ns()):
        before = len(history)
        batch = _Batch(step, world, line, history, budget, pace=pace)
        for attempt in batch.carry_out(wanted):
            history.append(attempt)
            yield attempt
        if len(history) == before:  # a server that ends connections has used up what there were
            return


class _Batch:
    """Attempts that were asked for together."""

    def __init__(
        self,
        step: Step,
        world: Walker,
        line: LimitLine,
        history: Sequence[LimitAttempt],
        budget: LimitBudget,
        *,
        pace: _Pace,
    ) -> None:
        self._step = step
        self._world = world
        self._line = line
        self._history = history
        self._budget = budget
        self._pace = pace
        self._ended: queue.SimpleQueue[tuple[int, LimitAttempt | BaseException]] = queue.SimpleQueue()
        self._is_over = False
        self._to_do: deque[tuple[LimitWish, int]] = deque()
        self._busy: dict[int, LimitWish] = {}  # by the number of the attempt
        self._made = 0

    def carry_out(self, wanted: Sequence[LimitWish]) -> Iterator[LimitAttempt]:
        """Begin each at its time, and yield what has ended meanwhile."""
        self._to_do.extend(with_distances(wanted, self._pace.gap_ns))
        while (self._to_do and not self._is_over) or self._busy:
            yield from self._take()
            if not self._to_do or self._is_over or self._must_wait(*self._to_do[0]):
                self._world.sleep(_TURN_S)
            elif self._is_allowed(self._to_do[0][0]):
                self._begin(self._to_do.popleft()[0])
            else:
                self._to_do.clear()

    def _must_wait(self, one: LimitWish, distance_ns: int) -> bool:
        """Its time has not come, too many are under way, or one on its connection, or any where it shall be alone.

        What was held up is not made up for: none begins sooner after the one before than was planned."""
        is_early = self._world.now_ns() < max(one.at_ns, self._pace.began_ns + distance_ns)
        if is_early or (one.release and self._busy):
            return True
        return len(self._busy) >= IN_FLIGHT or one.connection in {other.connection for other in self._busy.values()}

    def _is_allowed(self, one: LimitWish) -> bool:
        """Is there a request and a connection left, should it need them? Those under way may turn out to have needed
        theirs."""
        asked = sum(attempt.asks == "request" for attempt in self._history)
        asked += sum(other.request for other in self._busy.values())
        if one.request and asked >= self._budget.requests:
            return False
        used = sum(attempt.fresh for attempt in self._history) + len(self._busy)
        return used < self._budget.connections or (not one.release and self._line.is_open(one.connection))

    def _begin(self, one: LimitWish) -> None:
        if one.release:
            self._line.release()
        number = self._made = self._made + 1
        self._busy[number] = one
        stamp = self._world.stamp(self._step, attempt=one.series)
        in_flight = len(self._busy)
        has_begun = threading.Event()

        def work() -> None:
            self._pace.began_ns = self._world.now_ns()
            has_begun.set()
            try:
                self._ended.put((number, self._line.attempt(stamp, one, in_flight=in_flight)))
            except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits
                self._ended.put((number, error))

        threading.Thread(target=work, daemon=True).start()
        has_begun.wait()

    def _take(self) -> Iterator[LimitAttempt]:
        while not self._ended.empty():
            number, result = self._ended.get()
            wish = self._busy.pop(number)
            if isinstance(result, BaseException):
                raise result
            if result in lapsed([*self._history, result]):
                self._to_do.appendleft((msgspec.structs.replace(wish, at_ns=0), self._pace.gap_ns))
            elif self._ends_it(result):
                self._is_over = True
            yield result

    def _ends_it(self, result: LimitAttempt) -> bool:
        so_far = measured([*self._history, result])
        return result.outcome == "failed" or refuses(result, so_far[0]) or changed(so_far) is not None


def with_distances(wanted: Sequence[LimitWish], gap_ns: int) -> Iterator[tuple[LimitWish, int]]:
    """Each with its planned distance from the one before; the first as far from whatever came last as the rate says."""
    for number, one in enumerate(wanted):
        yield one, gap_ns if number == 0 else one.at_ns - wanted[number - 1].at_ns
