"""Every packet that this machine sends and receives during a run, as the kernel's packet sockets show it (packet(7)).

Kept in memory and bounded; what belongs to the run is decided at its end, from its records (``probes/capture.py``).
"""

import contextlib
import socket
import struct
import sys
import threading
import time
from collections import defaultdict
from typing import Literal, NamedTuple

from netdiag.probes.clock import Clock
from netdiag.probes.kernel.errqueue import kernel_time_ns
from netdiag.probes.kernel.numbers import SO_TIMESTAMPNS

SNAP = 256
"""Bytes kept of a packet: all headers, and those that an ICMP error quotes with the labels behind them (RFC 4884: at
byte 128 of its body)."""

MOST_PACKETS, MOST_OF_A_FLOW = 60_000, 3_000
"""Packets kept in all, and of one direction of one flow: another program's download must not push out the run's own.
The largest transfer of a run (1 MB) has fewer."""

_EVERY_PROTOCOL, _IPV4, _IPV6 = 0x0003, 0x0800, 0x86DD  # linux/if_ether.h
_SOL_PACKET, _PACKET_STATISTICS = 263, 6  # linux/socket.h, linux/if_packet.h
_SO_RCVBUFFORCE = 33  # asm-generic/socket.h
_BUFFER = 4_000_000
_OUTGOING = 4  # PACKET_OUTGOING
_PROTOCOLS = frozenset({1, 6, 17, 58, 0, 43, 44, 60})  # ICMP, TCP, UDP, ICMPv6, and IPv6 headers before them
_SHORTEST = 28  # IPv4 (RFC 791) and the header of UDP or ICMP
_SLICE_S = 0.1
_LONGEST_ON_THE_WAY_NS = 10_000_000_000  # between the kernel's stamp and our reading; more is a clock that was set


class Caught(NamedTuple):
    """One packet, from its IP header on. ``at_ns``: by the run's clock; ``wall_ns``: the kernel's stamp, Unix time."""

    at_ns: int
    wall_ns: int
    device: str
    outgoing: bool
    data: bytes


class Haul(NamedTuple):
    """All that was caught. ``missed``: packets of anybody that the kernel could not hand over in time, or that were
    beyond the bounds."""

    packets: list[Caught]
    missed: int


class Recorder:
    """Catches from its making on until ``stop``. ``OSError`` where this process may not, or this system cannot."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._packets: list[Caught] = []
        self._of_flow: dict[bytes, int] = defaultdict(int)
        self._beyond = 0
        self._stopping = False
        self._socket = _packet_socket()
        self._thread = threading.Thread(target=self._read_on, daemon=True)
        self._thread.start()

    def stop(self) -> Haul:
        """Take what has arrived until now, and end."""
        self._stopping = True
        self._thread.join()
        dropped = 0
        with contextlib.suppress(OSError):
            dropped = struct.unpack("II", self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))[1]
        self._socket.close()
        return Haul(self._packets, self._beyond + dropped)

    def _read_on(self) -> None:
        while not self._stopping:
            with contextlib.suppress(TimeoutError):
                self._read_one()
        self._socket.setblocking(False)
        with contextlib.suppress(OSError):
            while True:
                self._read_one()

    def _read_one(self) -> None:
        data, ancillary, _, sender = self._socket.recvmsg(SNAP, 128)
        device, ethertype, kind = sender[:3]
        outgoing = kind == _OUTGOING
        if ethertype not in {_IPV4, _IPV6} or (device == "lo" and outgoing):  # on loopback each is seen twice
            return
        key = _flow(data)
        if key is None:
            return
        if len(self._packets) >= MOST_PACKETS or self._of_flow[key] >= MOST_OF_A_FLOW:
            self._beyond += 1
            return
        self._of_flow[key] += 1
        now_ns, wall_ns = self._clock.now_ns(), time.time_ns()
        stamp_ns = kernel_time_ns(ancillary)
        stamp_ns = wall_ns if stamp_ns is None else stamp_ns
        on_the_way_ns = wall_ns - stamp_ns
        if not 0 <= on_the_way_ns <= _LONGEST_ON_THE_WAY_NS:
            on_the_way_ns = 0
        self._packets.append(Caught(now_ns - on_the_way_ns, stamp_ns, device, outgoing, data))


def _packet_socket() -> socket.socket:
    """A socket that sees IP packets of all interfaces, without their link headers (so without MAC addresses)."""
    if sys.platform != "linux":
        raise OSError("no packet sockets")
    made = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_EVERY_PROTOCOL))
    try:
        made.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        with contextlib.suppress(OSError):
            made.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        made.settimeout(_SLICE_S)
    except OSError:
        made.close()
        raise
    return made


def _flow(data: bytes) -> bytes | None:
    """What tells one direction of one flow from others: protocol, addresses, ports. None for what no run sends."""
    if len(data) < _SHORTEST:
        return None
    if data[0] >> 4 == 4:
        protocol, ends, header = data[9], data[12:20], 4 * (data[0] & 15)
    else:
        protocol, ends, header = data[6], data[8:40], 40
    return bytes([protocol]) + ends + data[header : header + 4] if protocol in _PROTOCOLS else None


Why = Literal["no_privilege", "unsupported"]


def begin(clock: Clock) -> Recorder | Why:
    """Begin to catch packets, or say why that cannot be: found by trying."""
    try:
        return Recorder(clock)
    except PermissionError:
        return "no_privilege"
    except OSError:
        return "unsupported"
