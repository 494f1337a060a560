"""TTL-limited packets of a walk, all of them in one selector loop, each met answer given out as it comes."""

import selectors
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

from netdiag.evidence.record import NotRun
from netdiag.evidence.transport import HopReply
from netdiag.probes.base import HopProbe, OutOfTimeError
from netdiag.probes.clock import Clock
from netdiag.probes.kernel import answers, features
from netdiag.probes.kernel.answers import Sent
from netdiag.probes.kernel.datagram_probe import DatagramFlow, open_flow, sending_failed
from netdiag.probes.kernel.raw_probe import RawFlow, open_raw_flow
from netdiag.probes.kernel.syn_probe import SynProbe
from netdiag.probes.kernel.tcp import failure_of

# Wait in slices, so that a stopped run (Ctrl-C) does not wait for silent routers.
_SLICE_S = 0.1
_TURN_S = 0.02  # how often it is asked again whether a probe may leave

Result = HopReply | NotRun


class Due(NamedTuple):
    """A probe and when it may leave, in nanoseconds of the run's clock."""

    at_ns: int
    probe: HopProbe


def nothing_more(_: Result) -> Sequence[Due]:
    """No answer leads to another probe."""
    return ()


def at_once(_: HopProbe) -> bool:
    """Nothing but its time holds a probe back."""
    return True


def hops(
    clock: Clock,
    probes: Sequence[Due],
    *,
    limit_ms: int,
    more: Callable[[Result], Sequence[Due]] = nothing_more,
    may_leave: Callable[[HopProbe], bool] = at_once,
    enough: Callable[[], bool] = lambda: False,
) -> Iterator[Result]:
    """Send ``probes`` when they are due and ``may_leave`` lets them, and yield what each met. ``more`` is asked after
    each for what to send next. Once there is ``enough``, what is still out is told as silent at once.

    Silence is claimed after ``limit_ms``, or later where the run has met long round trips (``Clock.patient_ms``). A way
    that this process does not have is said once for each protocol. Raises ``OutOfTimeError``.
    """
    loop = _Loop(clock, limit_ms, may_leave)
    loop.waiting.extend(probes)
    try:
        while loop.busy():
            for result in loop.turn():
                loop.waiting.extend(more(result))
                yield result
            if enough():
                yield from loop.give_up()
                return
    finally:
        loop.close()


class _Loop:
    def __init__(self, clock: Clock, limit_ms: int, may_leave: Callable[[HopProbe], bool]) -> None:
        self._clock = clock
        self._limit_ms = limit_ms
        self._may_leave = may_leave
        self._selector = selectors.DefaultSelector()
        self._syns: list[SynProbe] = []
        self._flows: dict[tuple[str, str, int, int, bool], DatagramFlow | RawFlow] = {}
        self._missing: set[tuple[str, str]] = set()
        self.waiting: deque[Due] = deque()

    def busy(self) -> bool:
        return bool(self.waiting or self._syns or any(flow.outstanding() for flow in self._flows.values()))

    def turn(self) -> list[Result]:
        """Send what is due, wait for the next event, and give what came of it."""
        if self._clock.time_left_ms() == 0:
            raise OutOfTimeError
        results = self._send_due()
        if not results:
            for key, _ in self._selector.select(self._wait_s()):
                results += self._read(key.data)
            results += self._expire()
        for result in results:
            if isinstance(result, HopReply) and result.rtt_us is not None:
                by_tcp = result.answer == "syn_ack"
                (self._clock.heard_by_tcp if by_tcp else self._clock.heard)(result.rtt_us)
        return results

    def _send_due(self) -> list[Result]:
        now = self._clock.now_ns()
        due = [item for item in self.waiting if item.at_ns <= now]
        self.waiting = deque(item for item in self.waiting if item.at_ns > now)
        results: list[Result] = []
        for item in due:
            if self._may_leave(item.probe):
                results += self._send(item.probe)
            else:
                self.waiting.append(item)
        return results

    def _send(self, probe: HopProbe) -> Sequence[Result]:
        if not probe.raw and not features.has_error_queue():
            return self._missing_once(probe, "unsupported", "the error queue")
        if probe.raw and not features.has_scapy():
            return self._missing_once(probe, "unsupported", "raw packets")
        if probe.protocol == "tcp" and not probe.raw:
            return self._send_syn(probe)
        key = (probe.protocol, probe.address, probe.port, probe.flow, probe.raw)
        if key not in self._flows:
            try:
                flow = open_raw_flow(self._clock, probe) if probe.raw else open_flow(self._clock, probe)
            except OSError as error:
                sent = answers.sent_now(self._clock, probe, None, "raw" if probe.raw else "unprivileged")
                failure = sending_failed(error.errno or 0)
                return [answers.reply(sent, self._clock.now_ns(), "not_sent", failure=failure)]
            if flow is None:
                return self._missing_once(probe, "no_privilege", "raw packets" if probe.raw else "ICMP sockets")
            self._flows[key] = flow
            self._selector.register(flow.socket, selectors.EVENT_READ, flow)
        return self._flows[key].send(probe)

    def _send_syn(self, probe: HopProbe) -> Sequence[Result]:
        try:
            syn = SynProbe(self._clock, probe)
        except OSError as error:  # a kernel without IPv6
            sent = answers.sent_now(self._clock, probe, None)
            failure = failure_of(error.errno or 0, None)
            return [answers.reply(sent, self._clock.now_ns(), "not_sent", failure=failure)]
        replies = syn.start()
        if not replies:
            self._syns.append(syn)
            self._selector.register(syn.socket, selectors.EVENT_WRITE, syn)
        return replies

    def _missing_once(
        self, probe: HopProbe, why: Literal["no_privilege", "unsupported"], what: str
    ) -> Sequence[Result]:
        if (probe.protocol, what) in self._missing:
            return ()
        self._missing.add((probe.protocol, what))
        return [probe.stamp.not_run(why, what, self._clock.now_ns(), detail=f"{probe.protocol} walk")]

    def _read(self, source: SynProbe | DatagramFlow | RawFlow) -> list[HopReply]:
        if not isinstance(source, SynProbe):
            return source.read()
        # The socket leaves the selector while it is still open: an answered SynProbe closes it.
        self._selector.unregister(source.socket)
        replies = source.read()
        if replies:
            self._syns.remove(source)
        elif source.may_answer():
            self._selector.register(source.socket, selectors.EVENT_WRITE, source)
        return replies

    def _expire(self) -> list[HopReply]:
        now = self._clock.now_ns()
        replies: list[HopReply] = []
        for syn in [syn for syn in self._syns if self._is_over(syn.outstanding(), now)]:
            replies += self._gone(syn)
        for flow in self._flows.values():
            for sent in flow.outstanding():
                if self._is_over([sent], now):
                    replies += flow.silent(sent)
        return replies

    def give_up(self) -> list[Result]:
        """Everything that is still out, as a silence that nobody waited for; what has not left never will."""
        self.waiting.clear()
        silent = [reply for syn in list(self._syns) for reply in self._gone(syn)]
        return [
            *silent,
            *(reply for flow in self._flows.values() for one in flow.outstanding() for reply in flow.silent(one)),
        ]

    def _gone(self, syn: SynProbe) -> list[HopReply]:
        self._forget(syn)
        return syn.silent()

    def _is_over(self, sent: Sequence[Sent], now_ns: int) -> bool:
        return all(now_ns - one.at_ns >= self._limit_ns() for one in sent)

    def _limit_ns(self) -> int:
        return self._clock.patient_ms(self._limit_ms) * 1_000_000

    def _forget(self, syn: SynProbe) -> None:
        self._syns.remove(syn)
        if syn.socket in self._selector.get_map():
            self._selector.unregister(syn.socket)

    def _wait_s(self) -> float:
        now = self._clock.now_ns()
        # What is due and still waits for its turn is asked about again soon, not at once.
        events = [item.at_ns if item.at_ns > now else now + int(_TURN_S * 1e9) for item in self.waiting]
        events += [sent.at_ns + self._limit_ns() for source in self._sources() for sent in source.outstanding()]
        return min(_SLICE_S, max(0.0, (min(events, default=now) - now) / 1e9))

    def _sources(self) -> list[SynProbe | DatagramFlow | RawFlow]:
        return [*self._syns, *self._flows.values()]

    def close(self) -> None:
        self._selector.close()
        for source in self._sources():
            source.close()
