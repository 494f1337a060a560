"""Packets of a raw flow: crafted by scapy, and what comes back read down to the packet that a router quotes.

Every packet of a flow has the same 5-tuple, and a token that tells it from the others: the IPv4 identification, and
beside it the SYN's timestamp (RFC 7323; the host echoes it), the first bytes of the datagram, the echo's sequence
number. The SYN's sequence number stays the same, so that a host that gets two takes the second for a repetition.
"""

import contextlib
import functools
import ipaddress
import logging
import os
import struct
import tempfile
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from netdiag.evidence.record import Icmp
from netdiag.evidence.transport import Label, Quote
from netdiag.probes.kernel import errqueue
from netdiag.probes.kernel.extensions import QUOTE_LEAST, labels
from netdiag.probes.kernel.numbers import V4, V6, Options
from netdiag.probes.kernel.packet import HEADER, UDP_HEADER, echo_request, udp_payload

MSS = {V4: 1460, V6: 1440}
"""What our SYNs offer: Ethernet's 1500 bytes without headers (RFC 9293 3.7.1)."""

_NUMBERS = {"tcp": {V4: 6, V6: 6}, "udp": {V4: 17, V6: 17}, "icmp": {V4: 1, V6: 58}}  # IANA protocol numbers
_ERRORS = {V4: {3, 11, 12}, V6: {1, 2, 3, 4}}  # RFC 792, RFC 4443
_ICMP_HEADER = 8
_CHECKSUM_AT = {"tcp": 16, "udp": 6, "icmp": 2}
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


def craft(flow: Flow, ttl: int, token: int, size: int = 0) -> bytes:
    """The packet with ``token``, of ``size`` bytes (UDP and ICMP; 0: as small as it goes)."""
    scapy = _scapy()
    options = flow.options
    if options is V4:
        head = scapy.IP(src=flow.source, dst=flow.target, ttl=ttl, id=token, flags="DF")
    else:
        head = scapy.IPv6(src=flow.source, dst=flow.target, hlim=ttl)
    if flow.protocol == "tcp":
        extras = [
            ("MSS", MSS[options]), ("SAckOK", b""), ("Timestamp", (_stamp(flow, token), 0)), ("NOP", None),
            ("WScale", 7),
        ]  # fmt: skip
        body = scapy.TCP(sport=flow.port, dport=flow.target_port, seq=flow.sequence, flags="S", window=64240,
                         options=extras)  # fmt: skip
    elif flow.protocol == "udp":
        body = scapy.UDP(sport=flow.port, dport=flow.target_port) / udp_payload(options, token, size)
    else:
        echo = echo_request(options, flow.port, token, size)
        body = scapy.ICMP(echo) if options is V4 else scapy.ICMPv6EchoRequest(id=flow.port, seq=token, data=echo[8:])
    return bytes(head / body)


def _stamp(flow: Flow, token: int) -> int:
    return (flow.clock + token) & 0xFFFFFFFF


class _Scapy(NamedTuple):
    IP: Any
    IPv6: Any
    TCP: Any
    UDP: Any
    ICMP: Any
    ICMPv6EchoRequest: Any
    IPerror: Any
    IPerror6: Any


@functools.cache
def _scapy() -> _Scapy:
    """Only here, since importing it takes a third of a second; and it writes caches, which nobody asked for."""
    logging.getLogger("scapy.runtime").setLevel(logging.ERROR)  # it warns of machines without routes
    with tempfile.TemporaryDirectory() as folder, _caches_in(folder):
        from scapy.layers import inet, inet6  # noqa: PLC0415
    return _Scapy(
        inet.IP, inet6.IPv6, inet.TCP, inet.UDP, inet.ICMP, inet6.ICMPv6EchoRequest, inet.IPerror, inet6.IPerror6
    )


@contextlib.contextmanager
def _caches_in(folder: str) -> Iterator[None]:
    """The folders of the XDG base directory specification are ``folder`` meanwhile."""
    names = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    os.environ.update(dict.fromkeys(names, folder))
    try:
        yield
    finally:
        for name in names:
            del os.environ[name]
        os.environ.update(kept)


def checksum_of(flow: Flow, packet: bytes) -> int:
    """The transport checksum of a packet that ``craft`` made."""
    at = HEADER[flow.options] + _CHECKSUM_AT[flow.protocol]
    return int.from_bytes(packet[at : at + 2])


def read(flow: Flow, data: bytes) -> Arrival | None:
    """What the IP packet ``data`` answers of ``flow``; None when it is none of its answers."""
    try:
        return _read(flow, data)
    except (struct.error, IndexError, ValueError):  # cut off
        return None


def _read(flow: Flow, data: bytes) -> Arrival | None:
    options = flow.options
    if len(data) < HEADER[options]:
        return None
    scapy = _scapy()
    outer = scapy.IP(data) if options is V4 else scapy.IPv6(data)
    number, ttl = (outer.proto, outer.ttl) if options is V4 else (outer.nh, outer.hlim)
    body = data[outer.ihl * 4 if options is V4 else HEADER[V6] :]
    sender = str(ipaddress.ip_address(outer.src))
    if number == options.icmp_protocol and body[0] in _ERRORS[options]:
        return _error(flow, sender, ttl, body)
    if number != _NUMBERS[flow.protocol][options] or sender != flow.target or outer.dst != flow.source:
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
    options = flow.options
    scapy = _scapy()
    if len(quote) < HEADER[options] + _ICMP_HEADER:
        return None
    if options is V4:
        inner = scapy.IPerror(quote)
        if inner.proto != _NUMBERS[flow.protocol][V4]:
            return None
        transport = quote[inner.ihl * 4 :]
        return Quoted(inner.ttl, inner.tos, inner.src, inner.dst, inner.id, transport)
    inner = scapy.IPerror6(quote)
    if inner.nh != _NUMBERS[flow.protocol][V6]:
        return None
    source, destination = (str(ipaddress.ip_address(one)) for one in (inner.src, inner.dst))
    return Quoted(inner.hlim, inner.tc, source, destination, None, quote[HEADER[V6] :])


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


def quote_of(flow: Flow, quoted: Quoted, sent: bytes) -> Quote:
    """``quoted`` beside the packet that was ``sent``."""
    length = min(len(quoted.transport), len(sent) - HEADER[flow.options])
    transport = quoted.transport[:length]
    at = _CHECKSUM_AT[flow.protocol]
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
