"""Says time exceeded with an MPLS label, in the kernel's place.

``python -m tests.netns.probes.label_router FILE LABEL``: ``FILE`` is made when it is ready. Needs CAP_NET_RAW and
CAP_NET_ADMIN. What it sends carries ``MARK``, so that a rule can hold the kernel's own errors back.
"""

import socket
import struct
import sys
from pathlib import Path

from netdiag.probes.kernel.packet import checksum

MARK = 7
_EVERY_PROTOCOL = 3  # ETH_P_ALL
_IPV4, _IPV6 = 0x0800, 0x86DD
_SO_MARK = 36
_OUTGOING = 4
_QUOTE = 128  # RFC 4884 section 3
_ERRORS = {1, 58}  # ICMP, ICMPv6: about errors no error is sent; our walks here use neither


def _extension(label: int) -> bytes:
    stack = struct.pack("!HBBI", 8, 1, 1, label << 12 | 1 << 8 | 1)  # RFC 4950, RFC 3032
    plain = struct.pack("!HH", 2 << 12, 0) + stack
    return plain[:2] + checksum(plain).to_bytes(2) + plain[4:]


def _error(version: int, packet: bytes, label: int) -> bytes:
    """RFC 4884: the length of the quote in words of 4 bytes (ICMP, byte 5) or of 8 (ICMPv6, byte 4)."""
    quote = packet[:_QUOTE].ljust(_QUOTE, b"\0") + _extension(label)
    if version == 6:
        return struct.pack("!BBHBBH", 3, 0, 0, _QUOTE // 8, 0, 0) + quote
    plain = struct.pack("!BBHBBH", 11, 0, 0, 0, _QUOTE // 4, 0) + quote
    return plain[:2] + checksum(plain).to_bytes(2) + plain[4:]


def main(argv: list[str]) -> None:
    """Until killed."""
    file, label = Path(argv[0]), int(argv[1])
    senders = {
        4: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        6: socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6),
    }
    for sender in senders.values():
        sender.setsockopt(socket.SOL_SOCKET, _SO_MARK, MARK)
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_EVERY_PROTOCOL)) as listener:
        file.write_text("ready")
        while True:
            data, (_, kind, way, *_) = listener.recvfrom(2048)
            if way == _OUTGOING or kind not in {_IPV4, _IPV6}:
                continue
            version = 4 if kind == _IPV4 else 6
            ttl, protocol = (data[8], data[9]) if version == 4 else (data[7], data[6])
            if ttl == 1 and protocol not in _ERRORS:
                source = socket.inet_ntop(
                    *((socket.AF_INET, data[12:16]) if version == 4 else (socket.AF_INET6, data[8:24]))
                )
                senders[version].sendto(_error(version, data, label), (source, 0))


if __name__ == "__main__":
    main(sys.argv[1:])
