"""A packet's headers: who sent it to whom, and where they end; of an ICMP error, those of the packet that it quotes."""

import ipaddress
import struct
from typing import Literal, NamedTuple

Protocol = Literal["tcp", "udp", "icmp"]

_TCP, _UDP, _ICMP, _ICMP6 = 6, 17, 1, 58
_EXTENSIONS = frozenset({0, 43, 60})  # RFC 8200 section 4: hop-by-hop options, routing header, destination options
_FRAGMENT = 44
_ERRORS4 = frozenset({3, 4, 5, 11, 12})  # RFC 792
_ERRORS6 = frozenset({1, 2, 3, 4})  # RFC 4443 section 2.1
_ECHO4, _ECHO6 = (8, 0), (128, 129)  # request, reply
_ICMP_HEADER = 8
_LEAST = 8  # bytes of a transport header that every quote has
_QUOTE = 128
"""RFC 4884 section 5.5: where extensions follow, what is quoted is padded to this length, or longer."""


class Ends(NamedTuple):
    """Both ends of a flow. For ICMP echoes the identifier stands for the port of the one who asks, 0 for the other."""

    protocol: Protocol
    source: str
    source_port: int
    destination: str
    destination_port: int


class Headers(NamedTuple):
    """``ends``: of the packet, or of the one that it reports an error about (``error``). ``sender``: who sent it.
    ``length``: bytes of the whole packet. ``payload``: from where to where its data lie; what follows are headers again
    (the extensions of an ICMP error)."""

    ends: Ends
    sender: str
    ttl: int
    error: bool
    length: int
    payload: tuple[int, int]


class _Ip(NamedTuple):
    source: str
    destination: str
    ttl: int
    protocol: int
    begin: int
    length: int


def dissect(data: bytes) -> Headers | None:
    """The headers of the packet that ``data`` begins with; None for what is cut off, a later fragment, or neither TCP,
    UDP, ICMP echo nor an ICMP error about these."""
    try:
        return _dissect(data)
    except (struct.error, IndexError, ValueError):
        return None


def _dissect(data: bytes) -> Headers | None:
    outer = _ip(data, 0)
    if outer is None:
        return None
    version = data[0] >> 4
    if outer.protocol == (_ICMP if version == 4 else _ICMP6) and data[outer.begin] in (
        _ERRORS4 if version == 4 else _ERRORS6
    ):
        quoted = _ip(data, outer.begin + _ICMP_HEADER)
        found = None if quoted is None else _ends(data, quoted)
        if found is None:
            return None
        ends, header_end = found
        # RFC 4884 section 3: the length of what is quoted, 0 where no extension follows.
        words = data[outer.begin + (5 if version == 4 else 4)]
        quote_end = outer.begin + _ICMP_HEADER + max(_QUOTE, words * (4 if version == 4 else 8)) if words else len(data)
        payload = (min(header_end, len(data)), max(header_end, quote_end))
        return Headers(ends, outer.source, outer.ttl, True, outer.length, payload)
    found = _ends(data, outer)
    if found is None:
        return None
    ends, header_end = found
    return Headers(ends, outer.source, outer.ttl, False, outer.length, (header_end, len(data)))


def _ip(data: bytes, at: int) -> _Ip | None:
    if data[at] >> 4 == 4:
        length, _, fragment, ttl, protocol = struct.unpack_from("!HHHBB", data, at + 2)
        if fragment & 0x1FFF:  # RFC 791: not the first fragment
            return None
        source, destination = (str(ipaddress.IPv4Address(data[at + n : at + n + 4])) for n in (12, 16))
        return _Ip(source, destination, ttl, protocol, at + 4 * (data[at] & 15), length)
    if data[at] >> 4 != 6:
        return None
    length, protocol, ttl = struct.unpack_from("!HBB", data, at + 4)
    source, destination = (str(ipaddress.IPv6Address(data[at + n : at + n + 16])) for n in (8, 24))
    begin = at + 40
    while protocol in _EXTENSIONS or protocol == _FRAGMENT:
        if protocol == _FRAGMENT and struct.unpack_from("!H", data, begin + 2)[0] & 0xFFF8:
            return None
        step = 8 if protocol == _FRAGMENT else 8 * (data[begin + 1] + 1)
        protocol, begin = data[begin], begin + step
    return _Ip(source, destination, ttl, protocol, begin, length + 40)


def _ends(data: bytes, packet: _Ip) -> tuple[Ends, int] | None:
    """The ends of ``packet``, and where its transport header ends: as far as it is there."""
    begin = packet.begin
    if packet.protocol in {_TCP, _UDP}:
        source, destination = struct.unpack_from("!HH", data, begin)
        if packet.protocol == _UDP:
            return Ends("udp", packet.source, source, packet.destination, destination), begin + 8
        # A quote may hold 8 bytes of it only, or these and padding (RFC 792, RFC 4884).
        header = 4 * (data[begin + 12] >> 4) if len(data) > begin + 12 else 0
        return Ends("tcp", packet.source, source, packet.destination, destination), begin + max(header, _LEAST)
    if packet.protocol not in {_ICMP, _ICMP6}:
        return None
    request, reply = _ECHO4 if packet.protocol == _ICMP else _ECHO6
    kind, _, _, identifier = struct.unpack_from("!BBHH", data, begin)
    if kind not in {request, reply}:
        return None
    asks = kind == request
    ends = Ends("icmp", packet.source, identifier if asks else 0, packet.destination, 0 if asks else identifier)
    return ends, begin + _ICMP_HEADER
