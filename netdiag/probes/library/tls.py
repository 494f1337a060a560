"""One TLS handshake on a connected stream, recorded also when it fails.

OpenSSL runs on memory, and the bytes are moved here. So the deadline holds against a peer that drips, what a peer
said that does not speak TLS is kept, the end of the stream is told from a reset, and the socket stays the stream's.
"""

import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Literal

from netdiag.evidence.record import Failure, FailureCode
from netdiag.evidence.tls import Handshake, Verification
from netdiag.evidence.transport import TcpInfo
from netdiag.probes.base import Stamp, Stream
from netdiag.probes.clock import Clock
from netdiag.probes.kernel import tcpinfo
from netdiag.probes.library import certificates, trust
from netdiag.probes.library.hostnames import is_literal, without_zone
from netdiag.probes.library.sockets import Deadline, failure_of, receive, send_all, socket_of
from netdiag.probes.library.text import printable
from netdiag.probes.library.transcript import JUDGEMENT_MS, Transcript, WatchedObject, refusal, watch

_Op = Literal["handshake", "receive"]

_FIRST_BYTES = 200


def handshake(
    clock: Clock, stamp: Stamp, stream: Stream, server_name: str | None, *, limit_ms: int, offer_h2: bool = True
) -> Handshake:
    """Shake hands on ``stream``, verified against the system's store; the certificate must be good for ``server_name``.

    An address literal (or None: the peer's address) sends no SNI and is looked for among the iPAddress names. A peer
    that did not ask for a client certificate costs no extra wait; one that did is listened to for 1 s at most.
    Raises ``OutOfTimeError`` when the run ends, ``TypeError`` for a stream without a socket.
    """
    raw = socket_of(stream)
    name = without_zone(server_name) if server_name else _peer_address(raw)
    # Loading a trust store is no part of the handshake.
    context = trust.context("system", ("h2", "http/1.1") if offer_h2 else ("http/1.1",))
    began_ns = clock.now_ns()
    deadline = Deadline(clock, limit_ms)
    try:
        wire = _Wire(raw, context, name)
    except ValueError as error:
        # No certificate and no SNI can hold such a name: a label over 63 octets, a leading dot.
        unfit = Failure(op="handshake", code=FailureCode.UNCLASSIFIED, text=f"not a server name: {error}")
        return Handshake(
            id=stamp.id,
            step=stamp.step,
            attempt=stamp.attempt,
            caused_by=stamp.caused_by,
            began_ns=began_ns,
            ended_ns=clock.now_ns(),
            server_name=server_name,
            failure=unfit,
        )
    failure = wire.shake_hands(deadline)
    if failure is None and wire.transcript.certificate_asked:
        failure = wire.hear_judgement(Deadline(clock, JUDGEMENT_MS))
    ended_ns = clock.now_ns()
    info = tcpinfo.read(raw)
    chain = wire.tls.chain()
    cipher = wire.tls.cipher()
    return Handshake(
        id=stamp.id,
        step=stamp.step,
        attempt=stamp.attempt,
        caused_by=stamp.caused_by,
        began_ns=began_ns,
        ended_ns=ended_ns,
        failure=failure,
        server_name=None if is_literal(name) else name,
        protocol=wire.tls.version() or wire.transcript.protocol,
        cipher=cipher[0] if cipher else None,
        alpn=wire.tls.selected_alpn_protocol(),
        server_hello=wire.transcript.server_hello if wire.transcript.works else None,
        client_certificate_asked=wire.transcript.certificate_asked if wire.transcript.server_hello else None,
        acked=_is_acked(info, failure, wire.transcript),
        chain=certificates.records_of(chain),
        verifications=_verifications(chain, name, wire.verified),
        alerts=tuple(wire.transcript.alerts),
        first_bytes=wire.foreign_words(),
        tcp=info,
    )


class _Wire:
    """OpenSSL on memory, and the socket beside it."""

    def __init__(self, raw: socket.socket, context: ssl.SSLContext, name: str) -> None:
        watch(context)
        self._raw = raw
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        made = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        assert isinstance(made, WatchedObject)
        made.transcript = Transcript()
        self.tls = made
        self.first_bytes = b""
        self.verified: Verification | None = None

    @property
    def transcript(self) -> Transcript:
        return self.tls.transcript

    def shake_hands(self, deadline: Deadline) -> Failure | None:
        failure = self._drive("handshake", self.tls.do_handshake, deadline)
        if failure is None:
            self.verified = Verification(store="system", code=0)
        return failure

    def hear_judgement(self, deadline: Deadline) -> Failure | None:
        """Listen for what a peer that asked for a certificate says to our having none. Silence is no failure."""

        def listen() -> None:
            # A session ticket is sent once the server has accepted our last flight; any data says so too.
            with contextlib.suppress(ssl.SSLWantReadError):
                self.tls.read(1)
                return
            if not self.transcript.ticket:
                raise ssl.SSLWantReadError

        failure = self._drive("receive", listen, deadline)
        return None if failure is not None and failure.code is FailureCode.TIMED_OUT else failure

    def foreign_words(self) -> str | None:
        """How the peer began, when that was no TLS record (RFC 8446 section 5.1: content type, then version 3.x)."""
        looks_like_tls = self.first_bytes[1:2] == b"\x03" and 20 <= self.first_bytes[0] <= 24
        return printable(self.first_bytes, _FIRST_BYTES) if self.first_bytes and not looks_like_tls else None

    def _drive(self, op: _Op, step: Callable[[], object], deadline: Deadline) -> Failure | None:
        """Repeat ``step`` until it no longer wants to read, and move its bytes."""
        while True:
            try:
                step()
                self._flush(deadline)
            except ssl.SSLWantReadError:
                failure = self._turn(op, deadline)
                if failure is not None:
                    return failure
            except ssl.SSLError as error:
                with contextlib.suppress(OSError):
                    self._flush(deadline)
                if isinstance(error, ssl.SSLCertVerificationError):
                    self.verified = Verification(store="system", code=error.verify_code, message=error.verify_message)
                return refusal(op, error, self.transcript)
            except OSError as error:
                return failure_of(op, error)
            else:
                return None

    def _turn(self, op: _Op, deadline: Deadline) -> Failure | None:
        """Send what OpenSSL wrote and hand it what comes."""
        unsent: OSError | None = None
        try:
            try:
                self._flush(deadline)
            except ConnectionError as error:
                # A peer that refuses may say why and reset at once: its words are still in the receive queue.
                unsent = error
            data = receive(self._raw, 2**16, deadline)
        except OSError as error:
            return failure_of(op, unsent or error)
        if not data:
            self._incoming.write_eof()
            return None
        self.first_bytes = self.first_bytes or data[:_FIRST_BYTES]
        self._incoming.write(data)
        return None

    def _flush(self, deadline: Deadline) -> None:
        if self._outgoing.pending:
            send_all(self._raw, self._outgoing.read(), deadline)


def _is_acked(info: TcpInfo | None, failure: Failure | None, transcript: Transcript) -> bool | None:
    """Did the peer's TCP acknowledge our ClientHello? An answer says so, and so does an empty retransmission queue;
    but a reset empties the queue too (``tcp_write_queue_purge``), so after one without an answer it is unknown."""
    if transcript.server_hello or transcript.alerts:
        return True
    if info is None or (failure is not None and failure.code is FailureCode.RESET):
        return None
    return info.unacked == 0


def _verifications(chain: tuple[bytes, ...], name: str, verified: Verification | None) -> tuple[Verification, ...]:
    """The verdict of the handshake itself, and Mozilla's on the same chain."""
    mozilla = trust.second_opinion("mozilla", chain, name) if chain else None
    return tuple(verdict for verdict in (verified, mozilla) if verdict is not None)


def _peer_address(raw: socket.socket) -> str:
    """The peer's address, or the unspecified one when the connection has already gone."""
    try:
        return without_zone(str(raw.getpeername()[0]))
    except OSError:
        return "::"
