"""Limiters in a simulated world: what each lets pass when, and a run of the rate section against one of them."""

import itertools
import math
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from netdiag.evidence.limits import LimitAttempt, LimitBudget, Outcome, changed, lapsed, measured, refuses
from netdiag.evidence.record import ObsId, StepId
from netdiag.probes.base import LimitWish
from netdiag.probes.limits.driving import with_distances
from netdiag.probes.limits.planning import next_attempts


class Limiter(Protocol):
    """Whether an attempt that arrives at ``at_s`` passes, and by how many seconds its answer is held back."""

    def meets(self, at_s: float, *, held: int) -> tuple[bool, float]: ...


@dataclass
class Bucket:
    """``burst`` tokens, ``rate`` more a second."""

    rate: float
    burst: int
    _tokens: float = field(default=math.inf)
    _before_s: float = 0.0

    def meets(self, at_s: float, *, held: int) -> tuple[bool, float]:
        tokens = min(float(self.burst), self._tokens + self.rate * (at_s - self._before_s))
        self._before_s = at_s
        passes = tokens >= 1
        self._tokens = tokens - 1 if passes else tokens
        return passes, 0.0


@dataclass
class Delaying:
    """nginx's limit_req without nodelay: ``burst`` may wait for their turn."""

    rate: float
    burst: int
    _turn_s: float = 0.0

    def meets(self, at_s: float, *, held: int) -> tuple[bool, float]:
        turn_s = max(self._turn_s, at_s)
        if (turn_s - at_s) * self.rate > self.burst:
            return False, 0.0
        self._turn_s = turn_s + 1 / self.rate
        return True, turn_s - at_s


@dataclass
class FixedWindow:
    """``quota`` in each window; it begins with the first attempt, or every ``window_s`` by the clock."""

    quota: int
    window_s: float
    by_clock: bool = False
    phase_s: float = 0.0
    _began_s: float = -math.inf
    _count: int = 0

    def meets(self, at_s: float, *, held: int) -> tuple[bool, float]:
        if self.by_clock:
            began_s = math.floor((at_s - self.phase_s) / self.window_s) * self.window_s + self.phase_s
        else:
            began_s = self._began_s if at_s < self._began_s + self.window_s else at_s
        if began_s != self._began_s:
            self._began_s, self._count = began_s, 0
        self._count += 1
        return self._count <= self.quota, 0.0


@dataclass
class SlidingWindow:
    """``quota`` in any ``window_s``; what is refused does not count."""

    quota: int
    window_s: float
    _passed: list[float] = field(default_factory=list)

    def meets(self, at_s: float, *, held: int) -> tuple[bool, float]:
        self._passed = [one for one in self._passed if one > at_s - self.window_s]
        passes = len(self._passed) < self.quota
        self._passed += [at_s] * passes
        return passes, 0.0


@dataclass
class SlidingByPeriods:
    """HAProxy's ``http_req_rate``: what was counted in this period, and in the one before as far as it still counts."""

    quota: int
    window_s: float
    counts_refused: bool = True
    _began_s: float = -math.inf
    _before: int = 0
    _count: int = 0

    def meets(self, at_s: float, *, held: int) -> tuple[bool, float]:
        since_s = at_s - self._began_s
        if since_s >= 2 * self.window_s:
            self._began_s, self._before, self._count = at_s, 0, 0
        elif since_s >= self.window_s:
            self._began_s, self._before, self._count = self._began_s + self.window_s, self._count, 0
        covered = 1 - (at_s - self._began_s) / self.window_s
        passes = int(self._count + self._before * covered) < self.quota
        self._count += passes or self.counts_refused
        return passes, 0.0


@dataclass
class Banning:
    """After ``quota`` in ``window_s`` nothing passes any more."""

    quota: int
    window_s: float
    _met: list[float] = field(default_factory=list)
    banned: bool = False

    def meets(self, at_s: float, *, held: int) -> tuple[bool, float]:
        self._met = [one for one in self._met if one > at_s - self.window_s] + [at_s]
        self.banned = self.banned or len(self._met) > self.quota
        return not self.banned, 0.0


@dataclass
class Concurrency:
    """At most ``most`` connections at the same time."""

    most: int

    def meets(self, at_s: float, *, held: int) -> tuple[bool, float]:
        return held < self.most, 0.0


class Nothing:
    """No limit."""

    def meets(self, at_s: float, *, held: int) -> tuple[bool, float]:
        return True, 0.0


@dataclass
class Simulation:
    """A run of the rate section. ``of``: which kind of attempt the limiter counts; ``how``: what a refusal is like.
    Round trips take ``rtt_s``, and up to ``noise_s`` more each way."""

    limiter: Limiter
    budget: LimitBudget
    of: str = "request"
    how: Outcome = "refused_http"
    status: int = 429
    rtt_s: float = 0.02
    noise_s: float = 0.004
    seed: int = 1

    def run(self) -> list[LimitAttempt]:
        """All attempts, in the order in which they began."""
        chance = random.Random(self.seed)
        history: list[LimitAttempt] = []
        ids = itertools.count(1)
        open_: set[int] = set()
        now_s = 0.0
        gap_ns = round(1e9 / self.budget.rate)
        while planned := next_attempts(history, self.budget, round(now_s * 1e9)):
            wanted = deque(with_distances(planned, gap_ns))
            while wanted:
                wish, distance_ns = wanted.popleft()
                if wish.release:
                    open_.clear()
                if wish.connection not in open_ and sum(one.fresh for one in history) >= self.budget.connections:
                    return history
                last_ns = history[-1].began_ns if history else -gap_ns
                now_s = max(now_s, wish.at_ns / 1e9, (last_ns + distance_ns) / 1e9)
                made = self._attempt(wish, now_s, open_, chance, ObsId(f"o{next(ids)}"))
                history.append(made)
                now_s = made.ended_ns / 1e9
                if made in lapsed(history):
                    wanted.appendleft((wish, gap_ns))
                elif refuses(made, measured(history)[0]) or changed(measured(history)):
                    break
                if sum(one.asks == "request" for one in history) >= self.budget.requests:
                    wanted = deque(one for one in wanted if not one[0].request)
        return history

    def _attempt(
        self, wish: LimitWish, now_s: float, open_: set[int], chance: random.Random, id_: ObsId
    ) -> LimitAttempt:
        arrives_s = now_s + self.rtt_s / 2 + chance.uniform(0, self.noise_s)
        fresh = wish.connection not in open_
        counts = {"request": wish.request, "connection": fresh}[self.of]
        passes, waits_s = self.limiter.meets(arrives_s, held=len(open_)) if counts else (True, 0.0)
        ends_s = arrives_s + waits_s + self.rtt_s / 2 + chance.uniform(0, self.noise_s)
        if self.how == "silent" and not passes:
            ends_s += 1.5
        held = len(open_ | {wish.connection})
        if passes and (wish.request or wish.hold):
            open_.add(wish.connection)
        elif self.how != "refused_http":
            open_.discard(wish.connection)
        answered = 200 if passes else self.status if self.how == "refused_http" else None
        return LimitAttempt(
            id=id_,
            step=StepId("limits"),
            attempt=wish.series,
            began_ns=round(now_s * 1e9),
            ended_ns=round(ends_s * 1e9),
            address="203.0.113.7",
            port=443,
            phase=wish.phase,
            asks="request" if wish.request else "connection",
            connection=wish.connection,
            fresh=fresh,
            method=wish.method if wish.request else None,
            outcome="answered" if passes else self.how,
            status=answered if wish.request else None,
            held=held,
        )


def refusals(history: Sequence[LimitAttempt]) -> list[LimitAttempt]:
    """Those that were refused."""
    return [one for one in measured(history) if refuses(one, history[0])]
