"""One download inside a strict budget, with how it went along. Nothing of the body is kept."""

import socket

import requests
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from netdiag.evidence.record import Failure
from netdiag.evidence.transport import Progress, Transfer
from netdiag.evidence.urls import clean_url
from netdiag.probes.base import Request, Stamp
from netdiag.probes.clock import Clock
from netdiag.probes.kernel import tcpinfo
from netdiag.probes.library import trust
from netdiag.probes.library.answer import failure_behind
from netdiag.probes.library.line import Line
from netdiag.probes.library.web import Goal, Identity, ask

MOST_SAMPLES = 50
_FIRST_SPACING_US = 10_000
_PIECE = 16_384
_LOOK_S = 0.001  # how often the kernel is asked whether the request was acknowledged


class Series:
    """At most ``MOST_SAMPLES`` entries, evenly spread: where there were more, every other goes, and they come half as
    often from then on."""

    def __init__(self) -> None:
        self._kept: list[Progress] = []
        self._spacing_us = _FIRST_SPACING_US

    def add(self, entry: Progress) -> None:
        """One entry, unless it is too soon after the last."""
        if self._kept and entry.at_us < self._kept[-1].at_us + self._spacing_us:
            return
        self._kept.append(entry)
        if len(self._kept) == MOST_SAMPLES:
            del self._kept[1::2]
            self._spacing_us *= 2

    def ended(self, last: Progress) -> tuple[Progress, ...]:
        """All of it, the end included."""
        return (*(one for one in self._kept if one.at_us < last.at_us), last)


class _WatchedLine(Line):
    """A line that notes when the request was sent, and when it was acknowledged."""

    sent_us: int | None = None
    acked_us: int | None = None

    def before_receive(self, end: socket.socket) -> None:
        if self.sent_us is None:
            self.sent_us = self.now_us()
            self._await_acknowledgement()
        super().before_receive(end)

    def _await_acknowledgement(self) -> None:
        """The first byte of an answer carries it at the latest, so that this does not hold the reading up. Raises
        ``TimeoutError``."""
        while (info := self.tcp_info()) is not None:
            if info.unacked == 0:
                self.acked_us = self.now_us()
                return
            self.deadline.left_s()
            self._clock.sleep(_LOOK_S)

    def since_sent_us(self) -> int:
        return 0 if self.sent_us is None else self.now_us() - self.sent_us

    def progress(self, received: int) -> Progress:
        """How far it is now."""
        gauge = self.receiving()
        return Progress(
            at_us=self.since_sent_us(), received=received, rtt_us=gauge.rtt_us, out_of_order=gauge.out_of_order
        )

    def let_come(self, count: int) -> None:
        """Let the peer send ``count`` bytes more and hardly any beyond: what is on its way when it is closed
        was sent, too (tcp(7), TCP_WINDOW_CLAMP)."""
        if self._gauge is not None and hasattr(socket, "TCP_WINDOW_CLAMP"):
            self._gauge.setsockopt(socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP, max(1, count))

    def receiving(self) -> tcpinfo.Receiving:
        return tcpinfo.Receiving(None, None) if self._gauge is None else tcpinfo.read_receiving(self._gauge)


def transfer(
    clock: Clock,
    stamp: Stamp,
    request: Request,
    identity: Identity,
    *,
    limit_bytes: int,
    syn_retries: int = 1,
) -> Transfer:
    """``World.transfer``: GET ``request``, which has an address, on a connection of its own, verified by the system's
    store. A redirect is recorded by its status and not followed.

    ``request.limit_ms`` bounds all of it, connecting included. Raises ``OutOfTimeError`` when the run ends.
    """
    goal = Goal(request)
    assert goal.address is not None
    context = trust.context("system", ("http/1.1",)) if goal.is_tls else None
    failure: Failure | None = None
    body = _Body(limit_bytes)
    with _WatchedLine(clock, request.limit_ms, syn_retries=syn_retries) as line:
        try:
            line.dial(stamp, goal.address, goal.port)
            line.let_come(limit_bytes)
            if context is not None:
                line.secure(context, goal.host)
            line.prepare_to_send()
            with ask(line, goal, request, identity) as response:
                body.read(response, line)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            failure = line.failure or failure_behind(error, line)
        info = line.tcp_info()
        last = line.progress(body.received)
    sent, first = line.sent_us, line.first_byte_us
    return Transfer(
        id=stamp.id,
        step=stamp.step,
        attempt=stamp.attempt,
        caused_by=stamp.caused_by,
        began_ns=line.began_ns,
        ended_ns=clock.now_ns(),
        failure=failure,
        address=goal.address,
        port=goal.port,
        url=clean_url(request.url),
        limit_bytes=limit_bytes,
        limit_ms=request.limit_ms,
        status=body.status,
        connected_us=line.connected_us,
        secured_us=line.secured_us,
        acked_us=None if sent is None or line.acked_us is None else line.acked_us - sent,
        first_byte_us=None if sent is None or first is None else first - sent,
        finished_us=None if sent is None else last.at_us,
        received=body.received,
        complete=body.complete,
        progress=() if first is None else body.series.ended(last),
        tcp=info,
    )


class _Body:
    """The body of one answer, counted and let go."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self.status: int | None = None
        self.received = 0
        self.complete: bool | None = None
        self.series = Series()

    def read(self, response: BaseHTTPResponse, line: _WatchedLine) -> None:
        """Up to the limit, or until the line's time is up: both are how a transfer ends, and no failure."""
        self.status = response.status
        self.complete = False
        self.series.add(line.progress(0))
        while self.received < self._limit_bytes and not self.complete:
            try:
                piece = response.read1(min(_PIECE, self._limit_bytes - self.received), decode_content=False)
            except (HTTPError, TimeoutError) as error:
                if is_time_up(error):
                    return
                raise
            self.complete = not piece
            self.received += len(piece)
            line.let_come(self._limit_bytes - self.received)
            self.series.add(line.progress(self.received))


def is_time_up(error: BaseException) -> bool:
    """A time-out of our own, at the limit, which urllib3 may have wrapped."""
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, TimeoutError) and below.errno is None:
            return True
        below = below.__cause__ or below.__context__
    return False
