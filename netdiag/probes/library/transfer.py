"""One download inside a strict budget, with how it went along. Nothing of the body is kept."""

import socket
import statistics
import threading
from typing import Self

import requests
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from netdiag.evidence.record import Failure
from netdiag.evidence.transport import Bursts, Progress, Transfer
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
_ACKNOWLEDGED_S = 0.001  # how often the kernel is asked whether the request was acknowledged

MOST_UNREAD = 131_072
"""Bytes that the peer may have sent ahead: what it sends too much at the end stays below that, and a line of 600 ms
still carries 200 kB/s."""

LOOK_US, PAUSE_US = 10_000, 50_000
"""How often it is looked how much has come; and what is a pause: no line that is of use to anybody is silent for so
long between two packets of one burst (1500 bytes in 50 ms are 240 kbit/s)."""


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


class Pieces:
    """What came without a pause, piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[tuple[int, int]] = []
        self._began_us = self._grew_us = 0
        self._base = self._last = 0

    def look(self, at_us: int, received: int) -> None:
        """So much was there at that time."""
        if received == self._last:
            return
        if self._last == self._base or at_us - self._grew_us >= PAUSE_US:
            self._close()
            self._began_us = at_us
        self._grew_us, self._last = at_us, received

    def _close(self) -> None:
        if self._last > self._base:
            self._pieces.append((self._last - self._base, self._grew_us - self._began_us + LOOK_US))
            self._base = self._last

    def ended(self) -> Bursts | None:
        """The medians; None when nothing came."""
        self._close()
        if not self._pieces:
            return None
        sizes, times = zip(*self._pieces, strict=True)
        return Bursts(
            count=len(self._pieces),
            median_bytes=round(statistics.median(sizes)),
            median_us=round(statistics.median(times)),
        )


class _WatchedLine(Line):
    """A line that notes when the request was sent, when it was acknowledged, and how the answer came."""

    sent_us: int | None = None
    acked_us: int | None = None

    def __enter__(self) -> Self:
        self.series = Series()
        self.pieces = Pieces()
        self.body_bytes = 0
        self._heard_before = 0
        self._is_over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        return super().__enter__()

    def __exit__(self, *exc: object) -> None:
        self.stop_watching()
        super().__exit__(*exc)

    def prepare_to_send(self) -> None:
        super().prepare_to_send()
        self._heard_before = self._heard()

    def before_receive(self, end: socket.socket) -> None:
        if self.sent_us is None:
            self.sent_us = self.now_us()
            self._watcher.start()
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
            self._clock.sleep(_ACKNOWLEDGED_S)

    def since_sent_us(self) -> int:
        """Microseconds since the request was sent; 0 before."""
        return 0 if self.sent_us is None else self.now_us() - self.sent_us

    def _heard(self) -> int:
        info = self.tcp_info()
        return self.body_bytes if info is None or info.bytes_received is None else info.bytes_received

    def progress(self) -> Progress:
        """How far it is now."""
        gauge = tcpinfo.Receiving(None, None) if self._gauge is None else tcpinfo.read_receiving(self._gauge)
        return Progress(
            at_us=self.since_sent_us(),
            received=max(0, self._heard() - self._heard_before),
            rtt_us=gauge.rtt_us,
            out_of_order=gauge.out_of_order,
        )

    def _watch(self) -> None:
        """In a thread of its own: a TLS record comes in many packets, and is read at once when the last is there."""
        while not self._is_over.wait(LOOK_US / 1e6):
            now = self.progress()
            self.pieces.look(now.at_us, now.received)
            if self.first_byte_us is not None:
                self.series.add(now)

    def stop_watching(self) -> Progress:
        """How far it came in the end."""
        self._is_over.set()
        if self._watcher.is_alive():
            self._watcher.join()
        return self.progress()

    def let_come(self, count: int) -> None:
        """Let the peer send ``count`` bytes more and hardly any beyond: what is on its way when it is closed
        was sent, too (tcp(7), TCP_WINDOW_CLAMP)."""
        if self._gauge is not None and hasattr(socket, "TCP_WINDOW_CLAMP"):
            self._gauge.setsockopt(socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP, max(1, min(MOST_UNREAD, count)))


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
        last = line.stop_watching()
        line.pieces.look(last.at_us, last.received)
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
        progress=() if first is None else line.series.ended(last),
        bursts=None if first is None else line.pieces.ended(),
        tcp=info,
    )


class _Body:
    """The body of one answer, counted and let go."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self.status: int | None = None
        self.received = 0
        self.complete: bool | None = None

    def read(self, response: BaseHTTPResponse, line: _WatchedLine) -> None:
        """Up to the limit, or until the line's time is up: both are how a transfer ends, and no failure."""
        self.status = response.status
        self.complete = False
        while self.received < self._limit_bytes and not self.complete:
            try:
                piece = response.read1(min(_PIECE, self._limit_bytes - self.received), decode_content=False)
            except (HTTPError, TimeoutError) as error:
                if is_time_up(error):
                    return
                raise
            self.complete = not piece
            self.received += len(piece)
            line.body_bytes = self.received
            line.let_come(self._limit_bytes - self.received)


def is_time_up(error: BaseException) -> bool:
    """A time-out of our own, at the limit, which urllib3 may have wrapped."""
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, TimeoutError) and below.errno is None:
            return True
        below = below.__cause__ or below.__context__
    return False
