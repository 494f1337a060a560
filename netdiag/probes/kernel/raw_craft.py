"""The packets of a raw flow, made by scapy: one of each size, from which the others differ by their TTL and token.

Scapy builds a packet in about 0.4 ms, and a walk sends all its TTLs in one moment: so the others are made by writing
over the few bytes that differ, and correcting the checksums by them (RFC 1624).
"""

import contextlib
import functools
import logging
import os
import struct
import tempfile
from collections.abc import Iterator
from typing import Any, NamedTuple

from netdiag.probes.kernel.numbers import V4, V6
from netdiag.probes.kernel.packet import HEADER, UDP_HEADER, echo_request, udp_payload
from netdiag.probes.kernel.raw_packets import CHECKSUM_AT, Flow, stamp_of

MSS = {V4: 1460, V6: 1440}
"""What our SYNs offer: Ethernet's 1500 bytes without headers (RFC 9293 3.7.1)."""

_IDENTIFICATION_AT, _TTL_AT, _HEADER_CHECKSUM_AT = 4, 8, 10  # RFC 791 3.1
_HOP_LIMIT_AT = 7  # RFC 8200 3
_STAMP_AT = 20 + 4 + 2 + 2  # the header, MSS, SACK permitted, and the timestamps option's kind and length
_SEQUENCE_AT = 6  # RFC 792, RFC 4443 4.1
_SIZES_KEPT = 256


def craft(flow: Flow, ttl: int, token: int, size: int = 0) -> bytes:
    """The packet with ``token``, of ``size`` bytes (UDP and ICMP; 0: as small as it goes)."""
    packet = bytearray(_first(flow, size))
    if flow.options is V4:
        _write(packet, _IDENTIFICATION_AT, token, _HEADER_CHECKSUM_AT)
        _write(packet, _TTL_AT, ttl << 8 | packet[_TTL_AT + 1], _HEADER_CHECKSUM_AT)
    else:
        packet[_HOP_LIMIT_AT] = ttl
    transport = HEADER[flow.options]
    checksum_at = transport + CHECKSUM_AT[flow.protocol]
    if flow.protocol == "tcp":
        stamp = stamp_of(flow, token)
        _write(packet, transport + _STAMP_AT, stamp >> 16, checksum_at)
        _write(packet, transport + _STAMP_AT + 2, stamp & 0xFFFF, checksum_at)
    elif flow.protocol == "udp":
        _write(packet, transport + UDP_HEADER, token, checksum_at)
        if packet[checksum_at : checksum_at + 2] == b"\0\0":  # would say that there is none (RFC 768)
            packet[checksum_at : checksum_at + 2] = b"\xff\xff"
    else:  # every sequence number has the same checksum
        echo = echo_request(flow.options, flow.port, token, size)
        packet[transport + _SEQUENCE_AT :] = echo[_SEQUENCE_AT:]
    return bytes(packet)


def _write(packet: bytearray, at: int, word: int, checksum_at: int) -> None:
    """Put ``word`` there, and correct the checksum by it: RFC 1624 3, equation 3."""
    (old,) = struct.unpack_from("!H", packet, at)
    (checksum,) = struct.unpack_from("!H", packet, checksum_at)
    total = (checksum ^ 0xFFFF) + (old ^ 0xFFFF) + word
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    struct.pack_into("!H", packet, at, word)
    struct.pack_into("!H", packet, checksum_at, total ^ 0xFFFF)


@functools.lru_cache(maxsize=_SIZES_KEPT)
def _first(flow: Flow, size: int) -> bytes:
    return build(flow, 1, 0, size)


def build(flow: Flow, ttl: int, token: int, size: int = 0) -> bytes:
    """What ``craft`` gives, all of it by scapy."""
    scapy = _scapy()
    options = flow.options
    if options is V4:
        head = scapy.IP(src=flow.source, dst=flow.target, ttl=ttl, id=token, flags="DF")
    else:
        head = scapy.IPv6(src=flow.source, dst=flow.target, hlim=ttl)
    if flow.protocol == "tcp":
        extras = [
            ("MSS", MSS[options]), ("SAckOK", b""), ("Timestamp", (stamp_of(flow, token), 0)), ("NOP", None),
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


def load() -> None:
    """Load scapy now, which takes a third of a second, and not when the first packet is to leave."""
    _scapy()


class _Scapy(NamedTuple):
    IP: Any
    IPv6: Any
    TCP: Any
    UDP: Any
    ICMP: Any
    ICMPv6EchoRequest: Any


@functools.cache
def _scapy() -> _Scapy:
    """Only here, since most runs make no raw packets; and it writes caches, which nobody asked for."""
    logging.getLogger("scapy.runtime").setLevel(logging.ERROR)  # it warns of machines without routes
    with tempfile.TemporaryDirectory() as folder, _caches_in(folder):
        from scapy.layers import inet, inet6  # noqa: PLC0415
    return _Scapy(inet.IP, inet6.IPv6, inet.TCP, inet.UDP, inet.ICMP, inet6.ICMPv6EchoRequest)


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
