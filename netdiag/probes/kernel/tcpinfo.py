"""Decoding of ``struct tcp_info`` (linux/tcp.h) by offset: it grows with the kernel, so that short ones are normal."""

import socket
import struct

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
