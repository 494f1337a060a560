"""Writes down every packet that one node of the lab receives or forwards: ``python -m tests.netns.sniffer FILE``.

Needs CAP_NET_RAW. The file has one JSON line a packet; its first line comes when listening has begun. What is counted
here is counted by the kernel of the receiver, before any rule of it can drop the packet.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.netns.lab import Lab

_EVERY_PROTOCOL = 3  # ETH_P_ALL, linux/if_ether.h
_OUTGOING = 4  # PACKET_OUTGOING, linux/if_packet.h
_IPV4, _IPV6 = 0x0800, 0x86DD
_TCP, _UDP, _ICMP, _ICMPV6 = 6, 17, 1, 58
_READY_S = 10.0

FIN, SYN, RST, ACK = 1, 2, 4, 16


class Packet(NamedTuple):
    """One packet as it arrived. ``flags`` and ports are 0 where there are none; ``kind`` is the ICMP type."""

    at: float
    source: str
    target: str
    ttl: int
    protocol: int
    source_port: int
    port: int
    flags: int
    kind: int

    @property
    def is_syn(self) -> bool:
        """The first packet of a connection."""
        return self.protocol == _TCP and self.flags & (SYN | ACK) == SYN

    @property
    def is_accepting(self) -> bool:
        """The answer of who takes the connection: SYN and ACK."""
        return self.protocol == _TCP and self.flags & (SYN | ACK) == SYN | ACK

    @property
    def is_probe(self) -> bool:
        """What a walk sends: a SYN, a datagram, an echo request."""
        return self.is_syn or self.protocol == _UDP or (self.protocol, self.kind) in {(_ICMP, 8), (_ICMPV6, 128)}


def parse(at: float, kind: int, data: bytes) -> Packet | None:
    """A packet from its IP header on; None for what is neither IPv4 nor IPv6, or cut off."""
    if kind == _IPV4 and len(data) >= 20:
        head, ttl, protocol = (data[0] & 15) * 4, data[8], data[9]
        source, target = str(ipaddress.IPv4Address(data[12:16])), str(ipaddress.IPv4Address(data[16:20]))
    elif kind == _IPV6 and len(data) >= 40:
        head, protocol, ttl = 40, data[6], data[7]
        source, target = str(ipaddress.IPv6Address(data[8:24])), str(ipaddress.IPv6Address(data[24:40]))
    else:
        return None
    rest = data[head:]
    has_ports = protocol in (_TCP, _UDP) and len(rest) >= 4
    source_port, port = struct.unpack_from("!HH", rest) if has_ports else (0, 0)
    flags = rest[13] if protocol == _TCP and len(rest) >= 14 else 0
    return Packet(at, source, target, ttl, protocol, source_port, port, flags, 0 if has_ports or not rest else rest[0])


@contextmanager
def sniffing(lab: Lab, *roles: str) -> Iterator[dict[str, list[Packet]]]:
    """What each of ``roles`` receives while the block runs; filled when it ends."""
    files = {role: lab.home / f"sniffed-{role}-{time.monotonic_ns()}" for role in roles}
    argv = [sys.executable, "-m", "tests.netns.sniffer"]
    programs = [lab.popen(role, [*argv, str(file)], ordinary=False) for role, file in files.items()]
    try:
        end = time.monotonic() + _READY_S
        while not all(file.exists() and file.stat().st_size for file in files.values()):
            assert time.monotonic() < end, "a sniffer did not start"
            time.sleep(0.01)
        found: dict[str, list[Packet]] = {role: [] for role in roles}
        yield found
        time.sleep(0.1)  # what was sent last is still on its way
        for role, file in files.items():
            lines = file.read_text().splitlines()[1:]
            found[role] += [Packet(*json.loads(line)) for line in lines]
    finally:
        for program in programs:
            program.kill()
            program.wait()


def main(argv: list[str]) -> None:
    """Listen until killed."""
    with (
        socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_EVERY_PROTOCOL)) as listener,
        Path(argv[0]).open("w", buffering=1) as out,
    ):
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        out.write("[]\n")
        while True:
            data, (_, kind, way, *_) = listener.recvfrom(2048)
            packet = parse(time.monotonic(), kind, data) if way != _OUTGOING else None
            if packet is not None:
                out.write(json.dumps(packet) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
