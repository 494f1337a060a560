"""The part of the real World that walks paths: the kernel's sockets, one clock, the manners, and no library beside."""

import itertools
from collections.abc import Callable, Iterator, Sequence

from netdiag.evidence.bundle import Step
from netdiag.evidence.record import NotRun, ObsId
from netdiag.evidence.transport import HopReply
from netdiag.probes.base import HopProbe, Stamp
from netdiag.probes.clock import Clock
from netdiag.probes.kernel import hops as kernel_hops
from netdiag.probes.kernel.hops import Due
from netdiag.probes.manners import Governor
from netdiag.probes.walk_manners import WalkManners
from netdiag.probes.ways import Way

MAX_WAIT_NS = 10_000_000_000
"""Longer than this no call waits for its turn: it is declined, and the run goes on with other evidence."""


class PathWorld:
    """``base.Walker`` on this machine and its network. Safe to use from all probe threads.

    ``source``: the local address that packets leave from; None: the kernel chooses. ``ways``: the second ways that
    steps may ask for.
    """

    def __init__(
        self,
        clock: Clock,
        governor: Governor | None = None,
        *,
        source: str | None = None,
        ways: Sequence[Way] = (),
    ) -> None:
        self._clock = clock
        self._source = source
        self._ways = {way.via: way for way in ways}
        self._governor = governor or Governor()
        self._walk_manners = WalkManners(self._governor)
        self._numbers = itertools.count(1)  # next() is atomic under the interpreter's lock

    def stamp(self, step: Step, *, attempt: int = 1, caused_by: ObsId | None = None) -> Stamp:
        cause = step.caused_by if caused_by is None else caused_by
        id_ = ObsId(f"o{next(self._numbers)}")
        way = None if step.via is None else self._ways[step.via]
        return Stamp(
            id=id_,
            step=step.id,
            role=step.role,
            attempt=attempt,
            caused_by=cause,
            source=self._source if way is None else way.source,
            device=None if way is None else way.device,
            proxy_authorization=None if way is None else way.proxy_authorization,
        )

    def now_ns(self) -> int:
        return self._clock.now_ns()

    def time_left_ms(self) -> int:
        return self._clock.time_left_ms()

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)

    def hops(
        self,
        probes: Sequence[HopProbe],
        *,
        limit_ms: int,
        more: Callable[[HopReply | NotRun], Sequence[HopProbe]] | None = None,
        enough: Callable[[], bool] = lambda: False,
    ) -> Iterator[HopReply | NotRun]:
        manners = self._walk_manners.walk()
        declined: list[NotRun] = []

        def admit(batch: Sequence[HopProbe]) -> list[Due]:
            dues: list[Due] = []
            waiting = list(batch)
            while waiting:
                probe = waiting.pop(0)
                place = manners.admit(probe, self._clock.now_ns() + probe.after_ms * 1_000_000, MAX_WAIT_NS)
                if place is not None:
                    dues.append(Due(place.at_ns, probe))
                    continue
                refusal = self._declined(probe.stamp)
                declined.append(refusal)
                waiting += more(refusal) if more is not None else ()
            return dues

        def learn(result: HopReply | NotRun) -> list[Due]:
            manners.learn(result)
            return admit(more(result)) if more is not None else []

        try:
            yield from kernel_hops.hops(
                self._clock,
                admit(probes),
                limit_ms=limit_ms,
                more=learn,
                may_leave=manners.may_leave,
                enough=enough,
            )
        finally:
            manners.end()
        yield from declined

    def _declined(self, stamp: Stamp) -> NotRun:
        return stamp.not_run("declined", "manners", self._clock.now_ns())
