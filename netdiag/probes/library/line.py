"""The line of one HTTP exchange: TCP, then TLS, under one deadline, with the time of each phase.

requests sees only a connected socket. Each receive waits for the exchange's own deadline (a timeout per receive lets a
peer that drips hold it for ever), and the first byte's time is taken where it arrives.
"""

import contextlib
import socket
import ssl
from typing import Any, Self

from netdiag.evidence.record import Failure
from netdiag.evidence.transport import TcpInfo
from netdiag.probes.base import Stamp
from netdiag.probes.clock import Clock
from netdiag.probes.kernel import tcp, tcpinfo
from netdiag.probes.library.sockets import Deadline, failure_of
from netdiag.probes.library.transcript import JUDGEMENT_MS, Transcript, refusal, watch

# An answer may take its time, a connection does not: two SYNs are out by then, and a missing neighbour is reported.
_CONNECT_MS = 4000


class Line:
    """One connection for one exchange. ``failure`` says what broke while it was being made. ``syn_retries`` SYNs may
    follow the first: they count against the manners."""

    def __init__(self, clock: Clock, limit_ms: int, *, syn_retries: int = 1) -> None:
        self._clock = clock
        self._syn_retries = syn_retries
        self.began_ns = clock.now_ns()
        self.deadline = Deadline(clock, limit_ms)
        self.failure: Failure | None = None
        self.source_port: int | None = None
        self.connected_us: int | None = None
        self.secured_us: int | None = None
        self.first_byte_us: int | None = None
        self.transcript = Transcript()
        self.socket: socket.socket | None = None
        self._gauge: socket.socket | None = None

    def now_us(self) -> int:
        """Microseconds since the exchange began."""
        return (self._clock.now_ns() - self.began_ns) // 1000

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for end in (self.socket, self._gauge):
            if end is not None:
                end.close()

    def dial(self, stamp: Stamp, address: str, port: int, *, mss_clamp: int | None = None) -> None:
        """Connect, with the error queue on. Raises ``OSError`` after keeping the failure."""
        limit_ms = min(_CONNECT_MS, max(1, int(self.deadline.left_s() * 1000)))
        wish = tcp.Wish(address, port, limit_ms, self._syn_retries, mss_clamp=mss_clamp)
        record, stream = tcp.connect(self._clock, stamp, wish)
        self.source_port = record.source_port
        if stream is None:
            self.failure = record.failure
            raise OSError(record.failure.text if record.failure else "not connected")
        self.connected_us = self.now_us()
        self.adopt(stream.socket)

    def adopt(self, connected: socket.socket) -> None:
        """Go on with a connection that was made before (a tunnel); it is this line's to close from here on."""
        made = _TimedSocket(fileno=connected.detach())
        made.line = self
        self.socket = made
        self.source_port = made.getsockname()[1]
        made.setblocking(False)
        # Without it Nagle adds 40 ms ghosts to the first byte.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # requests closes its end when the body ends; this one still tells TCP_INFO then.
        self._gauge = made.dup()

    def release(self) -> socket.socket:
        """The connection, no longer this line's to close."""
        assert self.socket is not None
        return socket.socket(fileno=self.socket.detach())

    def secure(self, context: ssl.SSLContext, name: str) -> None:
        """TLS for ``name`` on the connection, verified by ``context``. Raises ``OSError`` after keeping it."""
        watch(context)
        context.sslsocket_class = _TimedTLS
        assert self.socket is not None
        try:
            made = context.wrap_socket(self.socket, server_hostname=name, do_handshake_on_connect=False)
            assert isinstance(made, _TimedTLS)
            self.socket = made
            made.line = self
            made.transcript = self.transcript
            made.setblocking(False)
            while True:
                try:
                    made.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    self.deadline.wait_readable(made)
                except ssl.SSLWantWriteError:
                    self.deadline.wait_writable(made)
            if self.transcript.certificate_asked:
                self._hear_judgement(made)
        except ssl.SSLError as error:
            self.failure = refusal("handshake", error, self.transcript)
            raise
        except OSError as error:
            self.failure = failure_of("handshake", error)
            raise
        self.secured_us = self.now_us()

    def _hear_judgement(self, secured: ssl.SSLSocket) -> None:
        """Let a server that asked for a certificate say what it thinks of none, before the request is written: a write
        to a connection that it has closed loses its alert. Raises ``ssl.SSLError`` for an alert."""
        patience = Deadline(self._clock, JUDGEMENT_MS)
        with contextlib.suppress(TimeoutError):
            while not self.transcript.ticket:
                try:
                    secured.read(1)
                    return
                except ssl.SSLWantReadError:
                    if not self.transcript.ticket:
                        patience.wait_readable(secured)

    def prepare_to_send(self) -> None:
        """Give the first write what time there is; each receive takes its own."""
        assert self.socket is not None
        self.socket.settimeout(self.deadline.left_s())

    def tcp_info(self) -> TcpInfo | None:
        """TCP_INFO of the connection, also after requests closed its end of it; None without one."""
        return tcpinfo.read(self._gauge) if self._gauge is not None else None

    def before_receive(self, end: socket.socket) -> None:
        """Wait until ``end`` has something, then leave it what time there is. Raises ``TimeoutError``."""
        if not (isinstance(end, ssl.SSLSocket) and end.pending()):
            self.deadline.wait_readable(end)
        end.settimeout(self.deadline.left_s())

    def after_receive(self, count: int) -> None:
        if count and self.first_byte_us is None:
            self.first_byte_us = self.now_us()


class _TimedSocket(socket.socket):
    line: Line

    def recv_into(self, *args: Any) -> int:
        self.line.before_receive(self)
        count = super().recv_into(*args)
        self.line.after_receive(count)
        return count


class _TimedTLS(ssl.SSLSocket):
    line: Line
    transcript: Transcript

    def recv_into(self, *args: Any) -> int:
        self.line.before_receive(self)
        count = super().recv_into(*args)
        self.line.after_receive(count)
        return count
