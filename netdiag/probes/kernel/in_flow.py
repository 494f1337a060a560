"""Data with a limited TTL inside an established connection: where it stops, and where a reset comes from.

The data are sent once. What is not acknowledged the kernel repeats by itself, each time with the TTL that the socket
has then: so one connection serves several stages. On an established socket Linux tells of an ICMP error by ``SO_ERROR``
alone, without its sender (measured on 6.18).
"""

import contextlib
import errno
import os
import select
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

from netdiag.evidence.record import Failure, FailureCode, Native
from netdiag.evidence.transport import ArrivingTtl, InFlow, TcpInfo
from netdiag.probes.base import OutOfTimeError, Payload, Stage, Stamp, Stream
from netdiag.probes.clock import Clock
from netdiag.probes.kernel import errqueue, tcpinfo
from netdiag.probes.kernel.numbers import V6, Options, options_for
from netdiag.probes.library.greeting import UNFINISHED_RECORD, UNFINISHED_REQUEST, begins_server_hello
from netdiag.probes.library.sockets import socket_of
from netdiag.probes.ttl_search import TtlSearch

_SLICE_S = 0.01
"""How often the kernel's counters are read: a retransmission, or an acknowledgement, wakes no poll."""

_REPEAT_NS = 8_000_000_000
"""The longest wait for a repetition that carries the TTL of its stage: time-outs double, from 200 ms or so."""

_REQUIRED_RTTS = 4
_READ = 2**16

_IPV6_MULTICAST_HOPS = 18  # in6.h
_TCP_THIN_LINEAR_TIMEOUTS = 16  # linux/tcp.h

_DELAYED_ACK_NS = 60_000_000
"""How long an acknowledgement may be held back for data that come in order: Linux waits 40 ms. Repeated data are
acknowledged at once (RFC 5681 section 4.2), so a peer that waits longer is caught by the repetition."""

_Answer = Literal["expired", "reset", "closed", "data", "acked", "none", "icmp"]
_ENDS = ("reset", "closed", "data")


class _Event(NamedTuple):
    answer: _Answer
    failure: Failure | None = None
    server_hello: bool | None = None


def in_flow(
    clock: Clock, stamps: Callable[[], Stamp], stream: Stream, payload: Payload, stages: Iterable[Stage], *, data: bytes
) -> Iterator[InFlow]:
    """``World.in_flow``: ``data`` are the bytes of ``payload``. Raises ``OutOfTimeError``; ``TypeError`` for a stream
    without a socket."""
    flow = _Flow(clock, socket_of(stream), payload)
    for number, stage in enumerate(stages):
        clock.limit_ms(1)
        flow.enter(stage)
        began_ns = clock.now_ns()
        event = (flow.send(data) if number == 0 else None) or flow.watch(stage, is_first=number == 0)
        yield flow.record(stamps(), stage, began_ns, event)
        if event.answer in _ENDS or (event.answer == "acked" and stage.min_ttl is None):
            return


def _repeat_steadily(sock: socket.socket) -> None:
    """Let the first six repetitions come after one time-out each (200 ms and the round trip time), and not after ever
    longer ones (net/ipv4/tcp_timer.c, tcp_retransmit_timer: "thin" streams, up to three packets out). That holds only
    once congestion control has noticed a loss, which reno does at the first time-out, and BBR never."""
    for option, value in (
        (socket.TCP_NODELAY, 1),
        (_TCP_THIN_LINEAR_TIMEOUTS, 1),
        (socket.TCP_CONGESTION, b"reno"),
    ):
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


class _Flow:
    """One connection and what its stages have in common."""

    def __init__(self, clock: Clock, sock: socket.socket, payload: Payload) -> None:
        self._clock = clock
        self._sock = sock
        self._payload = payload
        peer, port = sock.getpeername()[:2]
        self._address, self._port = str(peer), int(port)
        self._source_port = int(sock.getsockname()[1])
        self._options = options_for(self._address)
        self._sent_ns = clock.now_ns()
        self._rtt_us: int | None = None

    def enter(self, stage: Stage) -> None:
        """Set what the stage asks for."""
        set_ttl(self._sock, self._options, stage.ttl)
        self._sock.setsockopt(self._options.level, self._options.min_ttl, stage.min_ttl or 0)

    def send(self, data: bytes) -> _Event | None:
        """Hand the kernel all of it at once; an event when the connection has ended already."""
        _repeat_steadily(self._sock)
        try:
            self._sock.send(data, socket.MSG_NOSIGNAL | socket.MSG_DONTWAIT)
        except OSError as error:
            return self._event_of(error.errno or 0, None)
        self._sent_ns = self._clock.now_ns()
        return None

    def watch(self, stage: Stage, *, is_first: bool) -> _Event:
        """What becomes of the data while the stage holds. Silence counts from the first packet that carried its TTL."""
        began_ns = self._clock.now_ns()
        info = tcpinfo.read(self._sock)
        repeats = 0 if info is None else info.total_retrans
        left = is_first or info is None or info.unacked == 0  # has anything left with this TTL?
        quiet_from_ns = began_ns
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        while True:
            if self._clock.time_left_ms() == 0:
                raise OutOfTimeError
            # Looked at each time: an error that met the socket in use wakes no poll (``sk_err_soft``).
            poll.poll(_SLICE_S * 1000)
            event = self._event(stage)
            is_late = event is not None and event.answer == "expired" and not left  # about the stage before
            if event is not None and not is_late:
                self._rtt_us = (self._clock.now_ns() - self._sent_ns) // 1000
                return event
            now_ns = self._clock.now_ns()
            info = tcpinfo.read(self._sock)
            if info is not None and info.total_retrans > repeats:
                repeats, self._sent_ns = info.total_retrans, now_ns
                quiet_from_ns = quiet_from_ns if left else now_ns
                left = True
            limit_ns = self._silence_ns(stage, info) if left else _REPEAT_NS
            if now_ns - quiet_from_ns >= limit_ns:
                self._rtt_us = None
                return _Event("acked" if info is not None and info.unacked == 0 else "none")

    def _silence_ns(self, stage: Stage, info: TcpInfo | None) -> int:
        measured_ms = 0 if info is None else _REQUIRED_RTTS * info.rtt_us // 1000
        return self._clock.patient_ms(max(stage.limit_ms, measured_ms)) * 1_000_000

    def _event(self, stage: Stage) -> _Event | None:
        """What there is to see now."""
        errqueue.drain(self._sock, self._options)
        number = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            return self._event_of(number, stage.ttl)
        try:
            data = self._sock.recv(_READ, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError as error:
            return self._event_of(error.errno or 0, stage.ttl)
        if not data:
            return _Event("closed")
        hello = begins_server_hello(data) if self._payload.kind == "client_hello" else None
        return _Event("data", server_hello=hello)

    def _event_of(self, number: int, ttl: int | None) -> _Event:
        if number in (errno.ECONNRESET, errno.EPIPE):
            return _Event("reset")
        if number == errno.EHOSTUNREACH and ttl is not None:
            return _Event("expired")
        code = FailureCode.UNREACHABLE if number in _SOFT else FailureCode.UNCLASSIFIED
        native = Native(kind="errno", number=number)
        return _Event("icmp", Failure(op="receive", code=code, native=native, errno=number, text=os.strerror(number)))

    def record(self, stamp: Stamp, stage: Stage, began_ns: int, event: _Event) -> InFlow:
        """The record of one stage."""
        return InFlow(
            id=stamp.id,
            step=stamp.step,
            attempt=stamp.attempt,
            caused_by=stamp.caused_by,
            began_ns=began_ns,
            ended_ns=self._clock.now_ns(),
            failure=event.failure,
            address=self._address,
            port=self._port,
            source_port=self._source_port,
            payload=self._payload.kind,
            name=self._payload.name,
            neutral=self._payload.neutral,
            ttl=stage.ttl,
            min_ttl=stage.min_ttl,
            limit_ms=stage.limit_ms,
            answer=event.answer,
            server_hello=event.server_hello,
            rtt_us=self._rtt_us,
            tcp=tcpinfo.read(self._sock),
        )


# What ICMP errors set on a socket (fault-signatures 2.1, 2.2), but for time exceeded where a TTL was limited.
_SOFT = frozenset(
    {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ECONNREFUSED, errno.EACCES, errno.ENOPROTOOPT, errno.EHOSTDOWN}
)


def set_ttl(sock: socket.socket, options: Options, ttl: int | None) -> None:
    """The TTL with which packets leave from now on; None: the kernel's own (-1, ip(7), ipv6(7))."""
    sock.setsockopt(options.level, options.ttl, -1 if ttl is None else ttl)


def arriving_ttl(clock: Clock, stamp: Stamp, stream: Stream, payload: Payload, *, limit_ms: int) -> ArrivingTtl:
    """``World.arriving_ttl``. Raises as ``in_flow`` does."""
    sock = socket_of(stream)
    options = options_for(str(sock.getpeername()[0]))
    began_ns = clock.now_ns()
    address, port = sock.getpeername()[:2]
    told = _told_by_kernel(sock) if options is V6 else None
    low, high = (told, told) if told is not None else _Bisection(clock, sock, options, payload, limit_ms).run()
    return ArrivingTtl(
        id=stamp.id,
        step=stamp.step,
        attempt=stamp.attempt,
        caused_by=stamp.caused_by,
        began_ns=began_ns,
        ended_ns=clock.now_ns(),
        address=str(address),
        port=int(port),
        of="ack",
        how="min_ttl" if told is None else "hop_limit",
        low=low,
        high=high,
    )


def _told_by_kernel(sock: socket.socket) -> int | None:
    """The hop limit of the last segment that came in order.

    With IPV6_RECVHOPLIMIT set, Linux notes it where it keeps the socket's hop limit for multicast
    (net/ipv6/tcp_ipv6.c, tcp_v6_do_rcv, ``ipv6_pktoptions``); a TCP socket has no other use for that.
    """
    with contextlib.suppress(OSError):
        found = sock.getsockopt(V6.level, _IPV6_MULTICAST_HOPS)
        return found if found > 1 else None  # 1 is what it begins with
    return None


class _Bisection:
    """Narrows the TTL down with which acknowledgements arrive: one more byte for each question.

    A floor that is too high hides the acknowledgement; the data are then repeated, and the acknowledgement comes again
    (at once, RFC 5681 section 4.2) when the floor was lowered. So each "too high" costs one time-out of the kernel.
    """

    def __init__(self, clock: Clock, sock: socket.socket, options: Options, payload: Payload, limit_ms: int) -> None:
        self._clock = clock
        self._sock = sock
        self._options = options
        self._bytes = iter(UNFINISHED_RECORD if payload.kind == "client_hello" else UNFINISHED_REQUEST)
        self._ends_ns = clock.now_ns() + clock.limit_ms(limit_ms) * 1_000_000
        _repeat_steadily(sock)

    def run(self) -> tuple[int | None, int | None]:
        """The smallest and the largest TTL that it may be; (None, None) when nothing was ever acknowledged."""
        search = TtlSearch()
        while (floor := search.guess()) is not None:
            arrives = self._arrives(floor)
            if arrives is None:
                break
            search.told(came=arrives)
        return search.found()

    def _arrives(self, floor: int) -> bool | None:
        """Do acknowledgements arrive with at least this TTL? None: out of time, or the connection has ended."""
        self._sock.setsockopt(self._options.level, self._options.min_ttl, floor)
        info = tcpinfo.read(self._sock)
        if info is None:
            return None
        waits_for_repetition = info.unacked > 0
        if not waits_for_repetition and not self._send_one():
            return None
        repeats, repeated_ns = info.total_retrans, None
        sent_ns = self._clock.now_ns()
        while self._clock.now_ns() < self._ends_ns:
            self._clock.sleep(_SLICE_S / 5)
            info = tcpinfo.read(self._sock)
            if info is None or info.state != _ESTABLISHED:
                return None
            now_ns = self._clock.now_ns()
            if info.unacked == 0:
                return True
            if info.total_retrans > repeats:
                repeated_ns = repeated_ns or now_ns
            due_ns = 2 * info.rtt_us * 1000 + _DELAYED_ACK_NS
            if repeated_ns is not None and now_ns - repeated_ns >= due_ns:
                return False
            if now_ns - sent_ns >= _REPEAT_NS:
                return None
        return None

    def _send_one(self) -> bool:
        byte = next(self._bytes, None)
        if byte is None:
            return False
        try:
            return self._sock.send(bytes([byte]), socket.MSG_NOSIGNAL | socket.MSG_DONTWAIT) == 1
        except OSError:
            return False


_ESTABLISHED = 1  # TCP_ESTABLISHED, net/tcp_states.h
