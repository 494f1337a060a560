"""The kernel's routes and neighbours over rtnetlink(7), read only, by the standard library. Linux.

Message and attribute numbers are those of linux/rtnetlink.h, linux/neighbour.h and linux/netlink.h.
"""

import ipaddress
import os
import socket
import struct
from collections.abc import Iterator
from typing import Literal, NamedTuple

_NETLINK_ROUTE = 0
_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr: length, type, flags, sequence, port id
_RTMSG = struct.Struct("=BBBBBBBBI")  # family, dst_len, src_len, tos, table, protocol, scope, type, flags
_NDMSG = struct.Struct("=BBHiHBB")  # family, pad, pad, ifindex, state, flags, type
_NEXT_HOP = struct.Struct("=HBBi")  # struct rtnexthop: length, flags, hops, ifindex
_ATTRIBUTE = struct.Struct("=HH")  # struct rtattr: length, type

_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_RTM_GETROUTE, _RTM_GETNEIGH = 26, 30
_REQUEST, _DUMP = 1, 0x300
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_PREFSRC = 1, 4, 5, 6, 7
_RTA_METRICS, _RTA_MULTIPATH, _RTA_VIA = 8, 9, 18
_RTAX_MTU = 2
_NDA_DST = 1
_RTN_UNICAST = 1
_RTPROT_KERNEL = 2
_TABLE_MAIN = 254
# NLA_F_NESTED and NLA_F_NET_BYTEORDER are flags in an attribute's type.
_TYPE_MASK = 0x3FFF

_FAMILIES: dict[Literal[4, 6], int] = {4: socket.AF_INET, 6: socket.AF_INET6}

NeighbourState = Literal["reachable", "stale", "delay", "probe", "incomplete", "failed", "permanent", "noarp", "absent"]
# NUD_*; the strongest claim first, since they are bits.
_STATES: tuple[tuple[int, NeighbourState], ...] = (
    (0x80, "permanent"),
    (0x40, "noarp"),
    (0x02, "reachable"),
    (0x08, "delay"),
    (0x10, "probe"),
    (0x04, "stale"),
    (0x01, "incomplete"),
    (0x20, "failed"),
)


class NoNetlinkError(OSError):
    """This process may have no netlink socket: nothing is known of the routes, neither good nor bad."""


class Route(NamedTuple):
    """A route or a next hop of one. ``metric`` None: the kernel says none, which counts as 0."""

    gateway: str | None
    device: str | None
    source: str | None = None
    metric: int | None = None
    mtu: int | None = None


def default_routes(version: Literal[4, 6]) -> list[Route]:
    """Default routes of the main table, best metric first; one per next hop of a multipath. Raises ``OSError``."""
    family = _FAMILIES[version]
    found: list[Route] = []
    for body in _ask(_RTM_GETROUTE, _DUMP, _RTMSG.pack(family, 0, 0, 0, 0, 0, 0, 0, 0)):
        got_family, length, _, _, table, _, _, kind, _ = _RTMSG.unpack_from(body)
        # A kernel without IPv6 answers with all families.
        if (got_family, length, table, kind) == (family, 0, _TABLE_MAIN, _RTN_UNICAST):
            found += _routes(body)
    return sorted(found, key=lambda route: route.metric or 0)


def detours(version: Literal[4, 6]) -> set[str]:
    """Interfaces that some route of any table leads to particular networks by, beyond those of their own links: what
    goes there may take another way than the rest (a tunnel into one company's network). Raises ``OSError``."""
    family = _FAMILIES[version]
    found: set[str] = set()
    for body in _ask(_RTM_GETROUTE, _DUMP, _RTMSG.pack(family, 0, 0, 0, 0, 0, 0, 0, 0)):
        got_family, length, _, _, _, protocol, _, kind, _ = _RTMSG.unpack_from(body)
        if (got_family, kind) == (family, _RTN_UNICAST) and length and protocol != _RTPROT_KERNEL:
            found |= {route.device for route in _routes(body) if route.device is not None}
    return found


def route_to(destination: str) -> Route:
    """What the kernel would do with a packet to ``destination`` (``ip route get``).

    Raises ``OSError`` with the kernel's errno where it would not send: ENETUNREACH without a route, EHOSTUNREACH,
    EACCES and EINVAL for unreachable, prohibit and blackhole routes (fault-signatures 2.3).
    """
    address = ipaddress.ip_address(destination.partition("%")[0])
    family = _FAMILIES[4 if address.version == 4 else 6]
    head = _RTMSG.pack(family, address.max_prefixlen, 0, 0, 0, 0, 0, 0, 0)
    wanted = _attribute(_RTA_DST, address.packed)
    zone = destination.partition("%")[2]
    if zone:
        wanted += _attribute(_RTA_OIF, struct.pack("=i", socket.if_nametoindex(zone)))
    body = next(_ask(_RTM_GETROUTE, 0, head + wanted))
    return _routes(body)[0]


def neighbour(address: str) -> tuple[NeighbourState, str | None]:
    """State and device of ``address`` in the ARP or NDP table, without its link-layer address. Raises ``OSError``."""
    wanted = ipaddress.ip_address(address.partition("%")[0])
    family = _FAMILIES[4 if wanted.version == 4 else 6]
    for body in _ask(_RTM_GETNEIGH, _DUMP, _NDMSG.pack(family, 0, 0, 0, 0, 0, 0)):
        _, _, _, index, state, _, _ = _NDMSG.unpack_from(body)
        if _attributes(body[_NDMSG.size :]).get(_NDA_DST) == wanted.packed:
            named = next((name for bit, name in _STATES if state & bit), None)
            if named is not None:
                return named, _device(index)
    return "absent", None


def _ask(kind: int, flags: int, payload: bytes) -> Iterator[bytes]:
    """The bodies of the kernel's answers. Raises ``OSError`` with the errno that it answers instead."""
    try:
        made = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_ROUTE)
    except OSError as error:
        raise NoNetlinkError(error.errno, error.strerror) from error
    with made as sock:
        sock.settimeout(1.0)
        sock.sendto(_HEADER.pack(_HEADER.size + len(payload), kind, _REQUEST | flags, 1, 0) + payload, (0, 0))
        while True:
            data = sock.recv(1 << 18)
            while len(data) >= _HEADER.size:
                length, kind, _, _, _ = _HEADER.unpack_from(data)
                body, data = data[_HEADER.size : length], data[max(_HEADER.size, (length + 3) & ~3) :]
                if kind == _NLMSG_DONE:
                    return
                if kind == _NLMSG_ERROR:
                    number = -struct.unpack_from("=i", body)[0]
                    if number:
                        raise OSError(number, os.strerror(number))
                    return
                yield body
            if not flags:
                return


def _routes(body: bytes) -> list[Route]:
    attributes = _attributes(body[_RTMSG.size :])
    shared = Route(
        gateway=_gateway(attributes),
        device=_device(_number(attributes.get(_RTA_OIF))),
        source=_address(attributes.get(_RTA_PREFSRC)),
        metric=_number(attributes.get(_RTA_PRIORITY)),
        mtu=_number(_attributes(attributes.get(_RTA_METRICS, b"")).get(_RTAX_MTU)),
    )
    hops = attributes.get(_RTA_MULTIPATH, b"")
    found = []
    while len(hops) >= _NEXT_HOP.size:
        length, _, _, index = _NEXT_HOP.unpack_from(hops)
        own = _attributes(hops[_NEXT_HOP.size : length])
        found.append(shared._replace(gateway=_gateway(own), device=_device(index)))
        hops = hops[max(_NEXT_HOP.size, length) :]
    return found or [shared]


def _gateway(attributes: dict[int, bytes]) -> str | None:
    # RTA_VIA is a gateway of the other family (RFC 8950): two bytes of family before it.
    return _address(attributes.get(_RTA_GATEWAY)) or _address(attributes.get(_RTA_VIA, b"")[2:])


def _attributes(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        if length < _ATTRIBUTE.size:
            break
        found[kind & _TYPE_MASK] = data[_ATTRIBUTE.size : length]
        data = data[(length + 3) & ~3 :]
    return found


def _attribute(kind: int, data: bytes) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(data), kind) + data + bytes(-len(data) % 4)


def _address(data: bytes | None) -> str | None:
    return str(ipaddress.ip_address(data)) if data and len(data) in {4, 16} else None


def _number(data: bytes | None) -> int | None:
    return int(struct.unpack("=I", data)[0]) if data is not None and len(data) == 4 else None


def _device(index: int | None) -> str | None:
    try:
        return socket.if_indextoname(index) if index else None
    except OSError:
        return None
