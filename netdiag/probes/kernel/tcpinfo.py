"""Decoding of ``struct tcp_info`` (linux/tcp.h) by offset: it grows with the kernel, so that short ones are normal."""

import socket
import struct
from typing import NamedTuple

from netdiag.evidence.transport import TcpInfo
from netdiag.probes.kernel.numbers import IS_LINUX

_ROOM = 512  # 280 bytes on Linux 6.18

_STATE, _RETRANSMITS, _BACKOFF, _OPTIONS = 0, 2, 4, 5

# Offsets of u32 fields that every kernel since 2.6 has (104 bytes).
_U32 = {
    "snd_mss": 16,
    "rcv_mss": 20,
    "unacked": 24,
    "lost": 32,
    "last_data_recv_ms": 52,
    "pmtu": 60,
    "rtt_us": 68,
    "rttvar_us": 72,
    "total_retrans": 100,
}
_OLD_LENGTH = 104

# Fields that came later: name -> (offset, format).
_LATER = {
    "bytes_acked": (120, "Q"),  # Linux 4.1
    "bytes_received": (128, "Q"),  # 4.1
    "segs_out": (136, "I"),  # 4.2
    "segs_in": (140, "I"),  # 4.2
    "min_rtt_us": (148, "I"),  # 4.6
    "data_segs_in": (152, "I"),  # 4.6
    "data_segs_out": (156, "I"),  # 4.6
    "bytes_retrans": (208, "Q"),  # 4.19
}
_RECEIVER_RTT, _OUT_OF_ORDER = 92, 224  # u32; since 2.6, and Linux 5.4
_NO_MIN_RTT = 0xFFFFFFFF  # the kernel's initial value: nothing was measured yet


def read(sock: socket.socket) -> TcpInfo | None:
    """TCP_INFO of ``sock``; None where the platform has none (or another structure under the number)."""
    if not IS_LINUX:
        return None
    try:
        return decode(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ROOM))
    except OSError:
        return None


def decode(raw: bytes) -> TcpInfo | None:
    """``raw`` as far as it reaches. None when it is shorter than any Linux's."""
    if len(raw) < _OLD_LENGTH:
        return None
    fields: dict[str, int] = {name: struct.unpack_from("=I", raw, offset)[0] for name, offset in _U32.items()}
    later: dict[str, int] = {
        name: struct.unpack_from("=" + kind, raw, offset)[0]
        for name, (offset, kind) in _LATER.items()
        if offset + struct.calcsize("=" + kind) <= len(raw)
    }
    if later.get("min_rtt_us") == _NO_MIN_RTT:
        del later["min_rtt_us"]
    return TcpInfo(
        state=raw[_STATE],
        retransmits=raw[_RETRANSMITS],
        backoff=raw[_BACKOFF],
        options=raw[_OPTIONS],
        **fields,
        **later,
    )


class Receiving(NamedTuple):
    """What the kernel knows as the receiver of data: the round trip time to the sender, which it keeps while it sends
    nothing but acknowledgements (None: no estimate yet), and the packets that came out of order."""

    rtt_us: int | None
    out_of_order: int | None


def read_receiving(sock: socket.socket) -> Receiving:
    """``tcpi_rcv_rtt`` and ``tcpi_rcv_ooopack`` of ``sock``; None where this kernel has them not."""
    if not IS_LINUX:
        return Receiving(None, None)
    try:
        raw = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ROOM)
    except OSError:
        return Receiving(None, None)
    return Receiving(_later_u32(raw, _RECEIVER_RTT) or None, _later_u32(raw, _OUT_OF_ORDER))


def _later_u32(raw: bytes, offset: int) -> int | None:
    if len(raw) < offset + 4:
        return None
    value: int = struct.unpack_from("=I", raw, offset)[0]
    return value
