"""Sockets under one deadline, and how an ``OSError`` becomes a ``Failure``: classified here, once."""

import errno
import select
import socket
import struct
from typing import Literal

from netdiag.evidence.record import Failure, FailureCode, Native
from netdiag.probes.base import OutOfTimeError, Stream
from netdiag.probes.clock import Clock

Op = Literal["resolve", "connect", "handshake", "send", "receive", "look"]

# By errno alone, where no ICMP message is at hand (fault-signatures 2.1 and 2.3). EACCES on IPv6 is mostly a remote
# "administratively prohibited", so it is no local denial; what a ``prohibit`` route does, RouteLookup tells.
_CODES = {
    errno.ECONNREFUSED: FailureCode.REFUSED,
    errno.ECONNRESET: FailureCode.RESET,
    errno.ECONNABORTED: FailureCode.RESET,
    errno.EPIPE: FailureCode.RESET,
    errno.ETIMEDOUT: FailureCode.TIMED_OUT,
    errno.ENETUNREACH: FailureCode.UNREACHABLE,
    errno.EHOSTUNREACH: FailureCode.UNREACHABLE,
    errno.ENETDOWN: FailureCode.UNREACHABLE,
    errno.EHOSTDOWN: FailureCode.UNREACHABLE,
    errno.ENOPROTOOPT: FailureCode.UNREACHABLE,
    errno.EACCES: FailureCode.UNREACHABLE,
    errno.EPERM: FailureCode.DENIED_LOCALLY,
    errno.EMSGSIZE: FailureCode.TOO_BIG,
    errno.EPROTO: FailureCode.PROTOCOL,
}
# What the routing table alone says, it says of this machine: prohibit and blackhole routes (fault-signatures 2.3).
_REFUSING_ROUTES = frozenset({errno.EACCES, errno.EINVAL})


def socket_of(stream: Stream) -> socket.socket:
    """The kernel socket under a stream of the real world. Raises ``TypeError`` for any other."""
    found = getattr(stream, "socket", None)
    if not isinstance(found, socket.socket):
        raise TypeError(f"{type(stream).__name__} has no socket")
    return found


class SocketStream:
    """A connected TCP socket as a ``Stream``."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected

    def __enter__(self) -> "SocketStream":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close with a reset (linger 0; socket(7)), so that no TIME_WAIT holds the source port."""
        if self.socket.fileno() >= 0:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.socket.close()


class Deadline:
    """The end of one operation: its own limit, or the end of the run when that comes first. Where the run has met round
    trips that make silence take longer, the limit is as long (``Clock.patient_ms``)."""

    def __init__(self, clock: Clock, limit_ms: int) -> None:
        self._clock = clock
        self._limit_ms = clock.limit_ms(limit_ms)
        self._began_ns = clock.now_ns()

    def left_s(self) -> float:
        """Seconds left. Raises ``TimeoutError`` when none are; ``OutOfTimeError`` when it is the run that ended."""
        left = self._began_ns + self._clock.patient_ms(self._limit_ms) * 1_000_000 - self._clock.now_ns()
        if self._clock.time_left_ms() == 0:
            raise OutOfTimeError
        if left <= 0:
            raise TimeoutError("timed out")
        return left / 1e9

    def wait_readable(self, watched: socket.socket) -> None:
        """Wait until ``watched`` can be read (or has an error). Raises as ``left_s`` does."""
        self._wait(watched, select.POLLIN)

    def wait_writable(self, watched: socket.socket) -> None:
        """Wait until ``watched`` can be written (or has an error). Raises as ``left_s`` does."""
        self._wait(watched, select.POLLOUT)

    def _wait(self, watched: socket.socket, event: int) -> None:
        poll = select.poll()
        poll.register(watched, event)
        # In slices, so that a run that is stopped (Ctrl-C) does not wait for a silent peer.
        while not poll.poll(min(self.left_s(), 0.25) * 1000):
            pass


def failure_of(op: Op, error: OSError) -> Failure:
    """What ``error`` was, by its errno; a ``TimeoutError`` of our own has none."""
    number = error.errno
    if number is None:
        code = FailureCode.TIMED_OUT if isinstance(error, TimeoutError) else FailureCode.UNCLASSIFIED
        return Failure(op=op, code=code, text=str(error))
    code = _CODES.get(number, FailureCode.UNCLASSIFIED)
    if op == "look" and number in _REFUSING_ROUTES:
        code = FailureCode.DENIED_LOCALLY
    text = error.strerror or str(error)
    return Failure(op=op, code=code, native=Native(kind="errno", number=number), errno=number, text=text)


def send_all(connected: socket.socket, data: bytes, deadline: Deadline) -> None:
    """Send all of ``data``. Raises ``OSError``; ``TimeoutError`` at the deadline."""
    view = memoryview(data)
    while view:
        deadline.wait_writable(connected)
        view = view[connected.send(view, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL) :]


def receive(connected: socket.socket, size: int, deadline: Deadline) -> bytes:
    """Up to ``size`` bytes, empty at the end of the stream. Raises ``OSError``; ``TimeoutError`` at the deadline."""
    while True:
        deadline.wait_readable(connected)
        try:
            return connected.recv(size, socket.MSG_DONTWAIT)
        except BlockingIOError:
            continue
