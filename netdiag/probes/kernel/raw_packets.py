"""Packets of a raw flow: what all of them share, and what comes back, read down to the packet that a router quotes.

Every packet of a flow has the same 5-tuple, and a token that tells it from the others: the IPv4 identification, and
beside it the SYN's timestamp (RFC 7323; the host echoes it), the first bytes of the datagram, the echo's sequence
number. The SYN's sequence number stays the same, so that a host that gets two takes the second for a repetition.
"""

import ipaddress
import struct
from typing import Literal, NamedTuple

from netdiag.evidence.record import Icmp
from netdiag.evidence.transport import Label, Quote
from netdiag.probes.kernel import errqueue
from netdiag.probes.kernel.extensions import QUOTE_LEAST, labels
from netdiag.probes.kernel.numbers import V4, V6, Options
from netdiag.probes.kernel.packet import HEADER, UDP_HEADER

CHECKSUM_AT = {"tcp": 16, "udp": 6, "icmp": 2}
"""Where in the transport header the checksum stands: RFC 9293 3.1, RFC 768, RFC 792."""

_NUMBERS = {"tcp": {V4: 6, V6: 6}, "udp": {V4: 17, V6: 17}, "icmp": {V4: 1, V6: 58}}  # IANA protocol numbers
_ERRORS = {V4: {3, 11, 12}, V6: {1, 2, 3, 4}}  # RFC 792, RFC 4443
_ICMP_HEADER = 8
_V4_HEAD, _V6_HEAD = struct.Struct("!BB2xH2xBB2x4s4s"), struct.Struct("!I2xBB16s16s")  # RFC 791 3.1, RFC 8200 3
_SYN, _RST, _ACK = 0x02, 0x04, 0x10
_TIMESTAMP, _NOP = 8, 1  # RFC 7323 3.2; RFC 9293 3.2
_LENGTH_AT, _WORD = {V4: 5, V6: 4}, {V4: 4, V6: 8}  # RFC 4884 4: where the quote's length stands, and in which words

Answer = Literal["icmp", "syn_ack", "rst", "echo_reply", "data"]


class Flow(NamedTuple):
    """One 5-tuple, and what all of its packets share. ``port``: the source port; of ICMP the identifier."""

    options: Options
    protocol: Literal["tcp", "udp", "icmp"]
    source: str
    port: int
    target: str
    target_port: int
    sequence: int  # of every SYN
    clock: int  # timestamp of token 0


class Arrival(NamedTuple):
    """One packet that answers the flow. ``token`` None: it does not say which packet it answers. ``transport``: what
    an error quoted of ours from the transport header on, as far as it is not the router's filling."""

    answer: Answer
    replier: str
    ttl: int
    token: int | None
    icmp: Icmp | None = None
    next_mtu: int | None = None
    quoted: "Quoted | None" = None
    labels: tuple[Label, ...] = ()


class Quoted(NamedTuple):
    """The packet that an error quotes, as the router saw it. ``transport``: from the transport header on, with what the
    router may have filled it up with."""

    ttl: int
    tos: int
    source: str
    destination: str
    identification: int | None
    transport: bytes


def checksum_of(flow: Flow, packet: bytes) -> int:
    """The transport checksum of a packet of ours."""
    at = HEADER[flow.options] + CHECKSUM_AT[flow.protocol]
    return int.from_bytes(packet[at : at + 2])


def read(flow: Flow, data: bytes) -> Arrival | None:
    """What the IP packet ``data`` answers of ``flow``; None when it is none of its answers."""
    try:
        return _read(flow, data)
    except (struct.error, IndexError, ValueError):  # cut off
        return None


class _Packet(NamedTuple):
    """An IP packet in parts. ``identification``: IPv4's."""

    protocol: int
    ttl: int
    tos: int
    identification: int | None
    source: str
    destination: str
    body: bytes


def _packet(options: Options, data: bytes) -> _Packet:
    if options is V4:
        first, tos, identification, ttl, protocol, *ends = _V4_HEAD.unpack_from(data)
        body = data[(first & 0x0F) * 4 :]
    else:
        first, protocol, ttl, *ends = _V6_HEAD.unpack_from(data)
        tos, identification = first >> 20 & 0xFF, None
        body = data[HEADER[V6] :]
    source, destination = (str(ipaddress.ip_address(end)) for end in ends)
    return _Packet(protocol, ttl, tos, identification, source, destination, body)


def _read(flow: Flow, data: bytes) -> Arrival | None:
    options = flow.options
    outer = _packet(options, data)
    body, ttl, sender = outer.body, outer.ttl, outer.source
    if outer.protocol == options.icmp_protocol and body[0] in _ERRORS[options]:
        return _error(flow, sender, ttl, body)
    is_from_target = (sender, outer.destination) == (flow.target, flow.source)
    if outer.protocol != _NUMBERS[flow.protocol][options] or not is_from_target:
        return None
    if flow.protocol == "icmp":
        kind, identifier, sequence = body[0], int.from_bytes(body[4:6]), int.from_bytes(body[6:8])
        is_ours = (kind, identifier) == (options.echo_reply, flow.port)
        return Arrival("echo_reply", sender, ttl, sequence) if is_ours else None
    if struct.unpack_from("!HH", body) != (flow.target_port, flow.port):
        return None
    if flow.protocol == "udp":
        return Arrival("data", sender, ttl, None)
    flags = body[13]
    stamps = _stamps(body)
    token = None if stamps is None else (stamps[1] - flow.clock) & 0xFFFFFFFF
    if flags & _RST:
        return Arrival("rst", sender, ttl, token)
    return Arrival("syn_ack", sender, ttl, token) if flags & (_SYN | _ACK) == _SYN | _ACK else None


def _error(flow: Flow, sender: str, ttl: int, body: bytes) -> Arrival | None:
    options = flow.options
    quote = body[_ICMP_HEADER:]
    words = body[_LENGTH_AT[options]] * _WORD[options]
    begin = words or QUOTE_LEAST
    found = labels(quote[begin:], is_sure=words > 0)
    quoted = _quoted(flow, quote if found is None else quote[:begin])
    if quoted is None or not _is_ours(flow, quoted):
        return None
    icmp = Icmp(type=body[0], code=body[1], sender=sender, version=options.version)
    mtu = int.from_bytes(body[6:8] if options is V4 else body[4:8])  # RFC 1191 4, RFC 4443 3.2
    next_mtu = (mtu or None) if errqueue.is_too_big(icmp) else None
    return Arrival("icmp", sender, ttl, _token(flow, quoted), icmp, next_mtu, quoted, found or ())


def _quoted(flow: Flow, quote: bytes) -> Quoted | None:
    if len(quote) < HEADER[flow.options] + _ICMP_HEADER:
        return None
    inner = _packet(flow.options, quote)
    if inner.protocol != _NUMBERS[flow.protocol][flow.options]:
        return None
    return Quoted(inner.ttl, inner.tos, inner.source, inner.destination, inner.identification, inner.body)


def _is_ours(flow: Flow, quoted: Quoted) -> bool:
    """Does the quoted packet belong to the flow, even where one part of its 5-tuple was rewritten on the way?

    Flows to one address differ in the source port alone: another one is ours only with our sequence number.
    """
    same_address = quoted.destination == flow.target
    if flow.protocol == "icmp":
        return same_address and int.from_bytes(quoted.transport[4:6]) == flow.port
    port, target_port, sequence = struct.unpack_from("!HHI", quoted.transport)
    same_port = target_port == flow.target_port
    if port == flow.port:
        return same_address or same_port
    return same_address and same_port and flow.protocol == "tcp" and sequence == flow.sequence


def _token(flow: Flow, quoted: Quoted) -> int | None:
    if flow.protocol == "icmp":
        return int.from_bytes(quoted.transport[6:8])
    if flow.protocol == "udp" and len(quoted.transport) >= UDP_HEADER + 2:
        return int.from_bytes(quoted.transport[UDP_HEADER : UDP_HEADER + 2])
    stamps = _stamps(quoted.transport) if flow.protocol == "tcp" else None
    return quoted.identification if stamps is None else (stamps[0] - flow.clock) & 0xFFFFFFFF


def _stamps(header: bytes) -> tuple[int, int] | None:
    """The TCP timestamps option: the sender's, and the one that it echoes."""
    at, end = 20, min(len(header), (header[12] >> 4) * 4) if len(header) > 12 else 0
    while at + 1 < end and header[at] != 0:
        if header[at] == _NOP:
            at += 1
            continue
        if header[at] == _TIMESTAMP and at + 10 <= end:
            own, echoed = struct.unpack_from("!II", header, at + 2)
            return own, echoed
        at += max(header[at + 1], 2)
    return None


def stamp_of(flow: Flow, token: int) -> int:
    """The timestamp that the SYN with ``token`` bears."""
    return (flow.clock + token) & 0xFFFFFFFF


def quote_of(flow: Flow, quoted: Quoted, sent: bytes) -> Quote:
    """``quoted`` beside the packet that was ``sent``."""
    length = min(len(quoted.transport), len(sent) - HEADER[flow.options])
    transport = quoted.transport[:length]
    at = CHECKSUM_AT[flow.protocol]
    kept = int.from_bytes(transport[at : at + 2]) == checksum_of(flow, sent) if length >= at + 2 else None
    ports: tuple[int | None, int | None] = (None, None)
    if flow.protocol != "icmp":
        ports = struct.unpack_from("!HH", transport)
    tcp = errqueue.quote_of_tcp(transport) if flow.protocol == "tcp" else None
    return Quote(
        ttl=quoted.ttl,
        tos=quoted.tos,
        source_address=quoted.source,
        source_port=ports[0],
        destination_address=quoted.destination,
        destination_port=ports[1],
        mss=None if tcp is None else tcp.mss,
        checksum_kept=kept,
        length=length,
    )
