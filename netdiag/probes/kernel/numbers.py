"""Socket numbers that Python's ``socket`` lacks, and how one address family's options are called.

Linux UAPI: ``linux/in.h``, ``linux/in6.h``, ``linux/tcp.h``, ``linux/errqueue.h``, ``asm-generic/socket.h``.
"""

import ipaddress
import socket
import sys
from typing import Literal, NamedTuple

IS_LINUX = sys.platform.startswith("linux")
"""The error queue and these option numbers exist on Linux only; elsewhere the same numbers mean other things."""

MSG_ERRQUEUE = 0x2000
SO_TIMESTAMPNS = 35
TCP_SYNCNT = 7
IP_TTL = 2
IPV6_RTHDR = 57
IPV6_AUTOFLOWLABEL = 70
PMTU_PROBE = 3
"""IP_PMTUDISC_PROBE, IPV6_PMTUDISC_PROBE: "don't fragment", and only the own link's MTU counts (ip(7), ipv6(7))."""


class Options(NamedTuple):
    """How one family calls the same thing. ``ttl_message`` is the control message that carries a packet's TTL."""

    family: socket.AddressFamily
    version: Literal[4, 6]
    level: int
    receive_errors: int
    receive_ttl: int
    ttl: int
    ttl_message: int
    min_ttl: int
    icmp_protocol: int
    echo_request: int
    echo_reply: int
    pmtu_discovery: int
    receive_extensions: int


# in.h: IP_TTL 2, IP_MTU_DISCOVER 10, IP_RECVERR 11, IP_RECVTTL 12, IP_MINTTL 21, IP_RECVERR_RFC4884 26. Echo types: RFC
# 792.
V4 = Options(socket.AF_INET, 4, 0, 11, 12, IP_TTL, IP_TTL, 21, 1, 8, 0, 10, 26)
# in6.h: IPV6_UNICAST_HOPS 16, IPV6_MTU_DISCOVER 23, IPV6_RECVERR 25, IPV6_RECVERR_RFC4884 31, IPV6_RECVHOPLIMIT 51,
# IPV6_HOPLIMIT 52, IPV6_MINHOPCOUNT 73. RFC 4443.
V6 = Options(socket.AF_INET6, 6, 41, 25, 51, 16, 52, 73, 58, 128, 129, 23, 31)


def options_for(address: str) -> Options:
    """The options of ``address``'s family. ``ValueError`` when it is no IP literal (a scope id is allowed)."""
    return V4 if ipaddress.ip_address(address).version == 4 else V6


def endpoint(address: str, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    """``address`` and ``port`` as sockets take them. Python drops the zone of ``fe80::1%eth0`` from a pair, and the
    kernel then answers EINVAL; it has to be given as a number (RFC 4007). ``OSError`` for a zone that is not there."""
    host, _, zone = address.partition("%")
    if not zone:
        return address, port
    return host, port, 0, int(zone) if zone.isdecimal() else socket.if_nametoindex(zone)
