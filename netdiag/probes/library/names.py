"""One DNS question to one server, over one socket of ours: dnspython writes and reads the messages.

A connected UDP socket takes answers of that server alone, and with the error queue it tells who refused (ICMP type,
code and sender). Ports and ids are random (RFC 5452); the name is sent as it is.
"""

import contextlib
import socket
import struct
from collections.abc import Iterable

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset
import msgspec

from netdiag.evidence.names import ExtendedError, Lookup, ResourceRecord
from netdiag.evidence.record import Failure, FailureCode
from netdiag.probes.base import Question, Stamp
from netdiag.probes.clock import Clock
from netdiag.probes.kernel import errqueue, tcp
from netdiag.probes.kernel.numbers import IS_LINUX, endpoint, options_for
from netdiag.probes.library.sockets import Deadline, failure_of, receive, send_all
from netdiag.probes.library.text import printable

# The payload that fits any path without fragments (DNS flag day 2020; RFC 9715).
_PAYLOAD = 1232
# A stranger's answer must not swell the bundle.
_MOST_RECORDS = 40
_LONGEST_DATA = 300
# The header's flags that a record keeps (RFC 1035 section 4.1.1, RFC 4035 section 3.1.6).
_FLAGS = (("AA", 0x0400), ("TC", 0x0200), ("RA", 0x0080), ("AD", 0x0020), ("CD", 0x0010))


class _Try:
    """One question on its way: how long it may take, and the local port that it left from once it has one."""

    def __init__(self, clock: Clock, limit_ms: int) -> None:
        self.clock = clock
        self.deadline = Deadline(clock, limit_ms)
        self.source_port: int | None = None


class _Unreadable(Exception):  # noqa: N818
    """The server answered our question with bytes that are no DNS message."""


def query(clock: Clock, stamp: Stamp, question: Question) -> Lookup:
    """Ask ``question`` once. A reply of any rcode is a working lookup.

    Failures: TIMED_OUT; REFUSED or UNREACHABLE with the ICMP error; RESET or CLOSED (TCP); PROTOCOL for a reply that
    cannot be read; UNCLASSIFIED for a name that no message can hold. Raises ``OutOfTimeError`` when the run ends,
    ``ValueError`` when the server is no address.
    """
    options_for(question.server)
    began_ns = clock.now_ns()
    made = _Try(clock, question.limit_ms)
    reply: dns.message.Message | None = None
    failure: Failure | None = None
    try:
        asked = _message(question)
        if question.transport == "udp":
            reply, failure = _by_udp(asked, question, made)
        else:
            reply, failure = _by_tcp(asked, question, stamp, made)
    except _Unreadable as error:
        failure = Failure(op="receive", code=FailureCode.PROTOCOL, text=str(error))
    except dns.exception.DNSException as error:
        failure = Failure(op="send", code=FailureCode.UNCLASSIFIED, text=f"not a question: {error}")
    return Lookup(
        id=stamp.id,
        step=stamp.step,
        attempt=stamp.attempt,
        caused_by=stamp.caused_by,
        began_ns=began_ns,
        ended_ns=clock.now_ns(),
        failure=failure,
        name=question.name,
        rrtype=question.rrtype,
        server=question.server,
        server_class=question.server_class,
        server_name=question.server_name,
        transport=question.transport,
        source_port=made.source_port,
        recursion_desired=question.recursion_desired,
        checking_disabled=question.checking_disabled,
        zone=question.zone,
        rcode=int(reply.rcode()) if reply is not None else None,
        flags=tuple(name for name, bit in _FLAGS if reply is not None and reply.flags & bit),  # type: ignore[misc]
        answers=_records(reply.answer) if reply is not None else (),
        authority=() if reply is None or reply.answer else _records(reply.authority),
        glue=() if reply is None or reply.answer else _records(reply.additional),
        extended_errors=_extended_errors(reply) if reply is not None else (),
    )


def _message(question: Question) -> dns.message.QueryMessage:
    made = dns.message.make_query(dns.name.from_text(question.name), question.rrtype, use_edns=0, payload=_PAYLOAD)
    made.flags = 0
    if question.recursion_desired:
        made.flags |= dns.flags.RD
    if question.checking_disabled:
        made.flags |= dns.flags.CD
    return made


def _by_udp(
    asked: dns.message.QueryMessage, question: Question, attempt: _Try
) -> tuple[dns.message.Message | None, Failure | None]:
    options = options_for(question.server)
    garbage: _Unreadable | None = None
    try:
        made = socket.socket(options.family, socket.SOCK_DGRAM)
    except OSError as error:  # a kernel without IPv6
        return None, msgspec.structs.replace(tcp.failure_of(error.errno or 0, None), op="send")
    with made as sock:
        try:
            if IS_LINUX:
                with contextlib.suppress(OSError):
                    errqueue.enable(sock, options)
            sock.connect(endpoint(question.server, question.port))
            attempt.source_port = sock.getsockname()[1]
            sock.send(asked.to_wire())
            while True:
                attempt.deadline.wait_readable(sock)
                try:
                    wire = sock.recv(65535, socket.MSG_DONTWAIT)
                except BlockingIOError:
                    continue
                try:
                    reply = _read(wire, asked)
                except _Unreadable as error:
                    garbage = error
                    continue
                if reply is not None:
                    return reply, None
        except TimeoutError as error:
            if garbage is not None:
                raise garbage from error
            return None, failure_of("receive", error)
        except OSError as error:
            queued = errqueue.first_decisive(errqueue.drain(sock, options)) if IS_LINUX else None
            failure = tcp.failure_of(error.errno or 0, queued)
            return None, msgspec.structs.replace(failure, op="receive" if queued is not None else "send")


def _by_tcp(
    asked: dns.message.QueryMessage, question: Question, stamp: Stamp, attempt: _Try
) -> tuple[dns.message.Message | None, Failure | None]:
    """RFC 7766: the message after its length, on a connection of its own."""
    wish = tcp.Wish(question.server, question.port, question.limit_ms, syn_retries=1)
    # Names are asked from where the kernel likes, over TCP as over UDP.
    made, stream = tcp.connect(attempt.clock, msgspec.structs.replace(stamp, source=None), wish)
    attempt.source_port = made.source_port
    if stream is None:
        return None, made.failure
    with stream:
        try:
            send_all(stream.socket, asked.to_wire(prepend_length=True), attempt.deadline)
            head = _exactly(stream.socket, 2, attempt.deadline)
            wire = _exactly(stream.socket, struct.unpack("!H", head)[0], attempt.deadline)
        except EOFError:
            return None, Failure(op="receive", code=FailureCode.CLOSED)
        except OSError as error:
            return None, failure_of("receive", error)
    reply = _read(wire, asked)
    if reply is None:
        raise _Unreadable("an answer to another question")
    return reply, None


def _exactly(connected: socket.socket, size: int, deadline: Deadline) -> bytes:
    data = b""
    while len(data) < size:
        piece = receive(connected, size - len(data), deadline)
        if not piece:
            raise EOFError
        data += piece
    return data


def _read(wire: bytes, asked: dns.message.QueryMessage) -> dns.message.Message | None:
    """The reply in ``wire``; None when it is a reply to something else (a late or forged one: wait on)."""
    try:
        reply = dns.message.from_wire(wire, ignore_trailing=True, raise_on_truncation=False)
    except (dns.exception.DNSException, ValueError, struct.error) as error:
        raise _Unreadable(f"{type(error).__name__}: {printable(str(error).encode(), 100)}") from error
    return reply if _is_answer(reply, asked) else None


def _is_answer(reply: dns.message.Message, asked: dns.message.QueryMessage) -> bool:
    """The same id, and the same question or, in an error, none (RFC 1035 section 4.1.2; servers that refuse a whole
    class of questions leave it out)."""
    if reply.id != asked.id or not reply.flags & dns.flags.QR:
        return False
    return reply.question == asked.question or (not reply.question and reply.rcode() != 0)


def _records(section: Iterable[dns.rrset.RRset]) -> tuple[ResourceRecord, ...]:
    found = [
        ResourceRecord(
            name=rrset.name.to_text(omit_final_dot=True).lower(),
            rrtype=dns.rdatatype.to_text(rrset.rdtype),
            data=_presented(data.to_text()),
            ttl=rrset.ttl,
        )
        for rrset in section
        for data in rrset
    ]
    return tuple(found[:_MOST_RECORDS])


def _presented(data: str) -> str:
    """Presentation form (RFC 1035 section 5.1 escapes what is not printable); a lone name without its final dot."""
    return data[:_LONGEST_DATA].removesuffix(".") if " " not in data else data[:_LONGEST_DATA]


def _extended_errors(reply: dns.message.Message) -> tuple[ExtendedError, ...]:
    found = [option for option in reply.options if isinstance(option, dns.edns.EDEOption)]
    return tuple(
        ExtendedError(code=int(one.code), text=printable((one.text or "").encode(), _LONGEST_DATA)) for one in found
    )
