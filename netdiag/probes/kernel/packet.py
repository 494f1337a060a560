"""The bytes of walk datagrams: UDP payloads and ICMP echoes, told apart by a token, of a given size where one is asked.

Sizes are those of whole IP packets, headers included, without IP options or extension headers.
"""

import struct

from netdiag.probes.kernel.numbers import V4, V6, Options

HEADER = {V4: 20, V6: 40}
"""Bytes of an IP header without options: RFC 791 3.1, RFC 8200 3."""
UDP_HEADER = 8
"""RFC 768."""
ECHO_LEAST = 10
"""Bytes of our smallest ICMP echo: the header and the balance of its checksum."""

_UDP_TEXT = b" netdiag path probe"  # so that whoever captures it knows what it is
_ECHO = struct.Struct("!BBHHHH")  # type, code, checksum, identifier, sequence, our own balance (RFC 792)


def udp_payload(options: Options, token: int, size: int = 0) -> bytes:
    """``token`` and who we are, as the payload of an IP packet of ``size`` bytes (0: as small as it goes)."""
    text = struct.pack("!H", token) + _UDP_TEXT
    return _filled(text, size - HEADER[options] - UDP_HEADER) if size else text


def echo_request(options: Options, identifier: int, sequence: int, size: int = 0) -> bytes:
    """An echo request, alone or of an IP packet of ``size`` bytes.

    Its checksum is the same for every sequence number, so that it stays one flow for routers that hash the ICMP header
    (Paris traceroute, IMC 2006). ICMPv6 checksums are the kernel's work (RFC 3542 3.1)."""
    balance = 0xFFFF - sequence
    packet = _ECHO.pack(options.echo_request, 0, 0, identifier, sequence, balance)
    if options is V4:  # the filling is zeros, which change no checksum
        packet = _ECHO.pack(options.echo_request, 0, checksum(packet), *_ECHO.unpack(packet)[3:])
    return _filled(packet, size - HEADER[options]) if size else packet


def _filled(text: bytes, length: int) -> bytes:
    return text[:length].ljust(length, b"\0")


def checksum(packet: bytes) -> int:
    """The internet checksum, RFC 1071."""
    even = packet + b"\0" * (len(packet) % 2)
    total: int = sum(struct.unpack(f"!{len(even) // 2}H", even))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def sequence_of_reply(options: Options, data: bytes, identifier: int, *, raw: bool) -> int | None:
    """The sequence number of an echo reply to ``identifier``; None for any other packet.

    Raw IPv4 sockets give the IP header too (raw(7)), ping sockets and IPv6 do not.
    """
    if raw and options is V4:
        data = data[(data[0] & 0x0F) * 4 :] if len(data) >= HEADER[V4] else b""
    if len(data) < 8:
        return None
    kind, replied_identifier, sequence = data[0], int.from_bytes(data[4:6]), int.from_bytes(data[6:8])
    return sequence if (kind, replied_identifier) == (options.echo_reply, identifier) else None
