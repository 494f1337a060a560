"""The socket error queue: which ICMP error met our packet, who sent it, and what it quoted.

With ``IP_RECVERR``/``IPV6_RECVERR`` set, the kernel queues a ``struct sock_extended_err`` (linux/errqueue.h) for each
ICMP error, also for a TCP socket in SYN_SENT (Linux 5.8, commit 45af29ca761c).
No privilege is needed. Manual pages ip(7), recvmsg(2).
"""

import contextlib
import ipaddress
import socket
import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from netdiag.evidence.record import Icmp
from netdiag.evidence.transport import Label, Quote
from netdiag.probes.kernel.extensions import QUOTE_LEAST, labels
from netdiag.probes.kernel.numbers import MSG_ERRQUEUE, SO_TIMESTAMPNS, V4, V6, Options
from netdiag.probes.kernel.packet import HEADER

# struct sock_extended_err: ee_errno u32; ee_origin, ee_type, ee_code, ee_pad u8; ee_info u32; ee_data u32, here as
# struct sock_ee_data_rfc4884: where in the quote the extensions begin u16, flags u8, reserved u8. Then the offender's
# sockaddr (SO_EE_OFFENDER).
_EXTENDED_ERR = struct.Struct("=IBBBBIHBB")
_INVALID_EXTENSIONS = 1  # SO_EE_RFC4884_FLAG_INVALID
_ORIGIN_ICMP = 2
_ORIGIN_ICMP6 = 3
# struct timespec of SCM_TIMESTAMPNS: two native longs.
_TIMESPEC = struct.Struct("ll")
_ADDRESS_OFFSET = {V4: _EXTENDED_ERR.size + 4, V6: _EXTENDED_ERR.size + 8}
_ADDRESS_LENGTH = {V4: 4, V6: 16}

# Larger than any quote that the kernel keeps: RFC 1812 4.3.2.3 (576 bytes), RFC 4443 2.4c (1280 bytes).
_QUOTE_ROOM = 2048
_CONTROL_ROOM = 1024

_TCP_OPTIONS_START = 20
_OPTION_END, _OPTION_NOP, _OPTION_MSS = 0, 1, 2  # RFC 9293 3.2

Ancillary = Iterable[tuple[int, int, bytes]]


class QueuedError(NamedTuple):
    """One entry of the error queue.

    ``icmp`` is None when the kernel itself, not the network, reports (a local EMSGSIZE). ``quoted`` is what the ICMP
    error quoted of our packet from the transport header on (UDP: from the payload on); the kernel cuts off the quoted
    IP header, so its TTL and TOS cannot be known here. ``received_ns`` is the kernel's wall clock at reception.
    ``info`` (ee_info): of what was too big, the MTU that it should have had; 0 when that was not told.
    ``extensions_at``: where in ``quoted`` the extensions begin (RFC 4884; Linux 5.9); 0 when the error does not say.
    """

    errno: int
    icmp: Icmp | None
    quoted: bytes
    replier_ttl: int | None
    received_ns: int | None
    info: int = 0
    extensions_at: int = 0


def enable(sock: socket.socket, options: Options) -> None:
    """Turn on the error queue, the arriving TTL and kernel timestamps. ``OSError`` where the kernel has no queue."""
    sock.setsockopt(options.level, options.receive_errors, 1)
    # Extras: without them the record only lacks the replier's TTL or labels, or has coarser times.
    extras = ((options.level, options.receive_ttl), (options.level, options.receive_extensions))
    for level, option in (*extras, (socket.SOL_SOCKET, SO_TIMESTAMPNS)):
        with contextlib.suppress(OSError):
            sock.setsockopt(level, option, 1)


def drain(sock: socket.socket, options: Options) -> list[QueuedError]:
    """Everything that is queued now, oldest first. Never waits."""
    errors: list[QueuedError] = []
    while True:
        try:
            quoted, ancillary, _, _ = sock.recvmsg(_QUOTE_ROOM, _CONTROL_ROOM, MSG_ERRQUEUE | socket.MSG_DONTWAIT)
        except OSError:
            return errors
        error = parse(quoted, ancillary, options)
        if error is not None:
            errors.append(error)


def parse(quoted: bytes, ancillary: Ancillary, options: Options) -> QueuedError | None:
    """One message of the error queue, or None when it is none (a lone timestamp, too short)."""
    messages = tuple(ancillary)
    for level, kind, data in messages:
        if (level, kind) != (options.level, options.receive_errors) or len(data) < _EXTENDED_ERR.size:
            continue
        errno, origin, icmp_type, code, _, info, begin, flags, _ = _EXTENDED_ERR.unpack_from(data)
        icmp = None
        if origin in (_ORIGIN_ICMP, _ORIGIN_ICMP6):
            # An IPv6 socket can meet an ICMPv4 error when it talks to a mapped address; keep the version it was.
            sender = _offender(data, options)
            if sender is not None:
                icmp = Icmp(type=icmp_type, code=code, sender=sender, version=4 if origin == _ORIGIN_ICMP else 6)
        begin = 0 if flags & _INVALID_EXTENSIONS or begin > len(quoted) else begin
        ttl, received_ns = arriving_ttl(messages, options), kernel_time_ns(messages)
        return QueuedError(errno, icmp, quoted, ttl, received_ns, info, begin)
    return None


def _offender(data: bytes, options: Options) -> str | None:
    begin = _ADDRESS_OFFSET[options]
    raw = data[begin : begin + _ADDRESS_LENGTH[options]]
    if len(raw) < _ADDRESS_LENGTH[options]:
        return None
    return str(ipaddress.ip_address(raw))


def arriving_ttl(ancillary: Ancillary, options: Options) -> int | None:
    """The TTL or hop limit with which a received packet arrived; None when the kernel does not tell."""
    for level, kind, data in ancillary:
        if (level, kind) == (options.level, options.ttl_message) and len(data) >= 4:
            (ttl,) = struct.unpack_from("i", data)
            return int(ttl)
    return None


def kernel_time_ns(ancillary: Ancillary) -> int | None:
    """The kernel's reception time of a packet: wall clock, ns since the epoch; None without a timestamp."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS) and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return None


def extended(error: QueuedError, options: Options, *, cut_off: int = 0) -> tuple[bytes, tuple[Label, ...]]:
    """What was quoted of our packet, and the labels after it. ``cut_off``: bytes of it that the kernel took away from
    ``quoted`` besides the IP header."""
    at = error.extensions_at
    begin = at or max(0, QUOTE_LEAST - HEADER[options] - cut_off)
    found = labels(error.quoted[begin:], is_sure=at > 0)
    return (error.quoted, ()) if found is None else (error.quoted[:begin], found)


def quote_of_tcp(quoted: bytes) -> Quote | None:
    """Source port and MSS option as they looked at the router, from a quoted TCP header of any length."""
    if len(quoted) < 2:
        return None
    (source_port,) = struct.unpack_from("!H", quoted)
    # A SYN is its header alone; what follows is the router's filling.
    length = min(len(quoted), (quoted[12] >> 4) * 4) if len(quoted) > 12 else len(quoted)
    return Quote(source_port=source_port, mss=_quoted_mss(quoted), length=length)


def _quoted_mss(quoted: bytes) -> int | None:
    if len(quoted) <= _TCP_OPTIONS_START:
        return None
    header_end = (quoted[12] >> 4) * 4
    option = _TCP_OPTIONS_START
    while option < min(header_end, len(quoted)):
        kind = quoted[option]
        if kind == _OPTION_END:
            return None
        if kind == _OPTION_NOP:
            option += 1
            continue
        length = quoted[option + 1] if option + 1 < len(quoted) else 0
        if length < 2:
            return None
        if kind == _OPTION_MSS:
            value = quoted[option + 2 : option + 4]
            return int.from_bytes(value) if len(value) == 2 else None
        option += length
    return None


def is_time_exceeded(icmp: Icmp) -> bool:
    """TTL or hop limit expired in transit: RFC 792 type 11 code 0, RFC 4443 type 3 code 0."""
    return (icmp.type, icmp.code) == ((11, 0) if icmp.version == 4 else (3, 0))


def is_too_big(icmp: Icmp) -> bool:
    """Fragmentation needed (RFC 1191, type 3 code 4) or packet too big (RFC 8201, type 2): no end of a connection."""
    return (icmp.type, icmp.code) == (3, 4) if icmp.version == 4 else icmp.type == 2


def first_decisive(errors: Sequence[QueuedError]) -> QueuedError | None:
    """The first ICMP error that ends an attempt: path MTU messages are normal operation."""
    return next((error for error in errors if error.icmp is not None and not is_too_big(error.icmp)), None)
