"""Addresses classed by explicit prefixes, never by ``ipaddress.is_private`` (whose meaning changes with Python)."""

import ipaddress
from typing import Literal

AddressClass = Literal[
    "unspecified", "loopback", "private", "shared", "link_local", "documentation", "nat64", "multicast", "public"
]

_PREFIXES: tuple[tuple[str, AddressClass], ...] = (
    ("0.0.0.0/8", "unspecified"),  # RFC 1122 3.2.1.3
    ("127.0.0.0/8", "loopback"),  # RFC 1122 3.2.1.3
    ("10.0.0.0/8", "private"),  # RFC 1918
    ("172.16.0.0/12", "private"),  # RFC 1918
    ("192.168.0.0/16", "private"),  # RFC 1918
    ("100.64.0.0/10", "shared"),  # RFC 6598, carrier-grade NAT
    ("169.254.0.0/16", "link_local"),  # RFC 3927
    ("192.0.2.0/24", "documentation"),  # RFC 5737
    ("198.51.100.0/24", "documentation"),  # RFC 5737
    ("203.0.113.0/24", "documentation"),  # RFC 5737
    ("198.18.0.0/15", "documentation"),  # RFC 2544, benchmarking: never on the Internet
    ("224.0.0.0/4", "multicast"),  # RFC 5771
    ("240.0.0.0/4", "unspecified"),  # RFC 1112 section 4, reserved; 255.255.255.255 RFC 919
    ("::/128", "unspecified"),  # RFC 4291
    ("::1/128", "loopback"),  # RFC 4291
    ("fc00::/7", "private"),  # RFC 4193, ULA
    ("fe80::/10", "link_local"),  # RFC 4291
    ("2001:db8::/32", "documentation"),  # RFC 3849
    ("3fff::/20", "documentation"),  # RFC 9637
    ("64:ff9b::/96", "nat64"),  # RFC 6052
    ("64:ff9b:1::/48", "nat64"),  # RFC 8215
    ("ff00::/8", "multicast"),  # RFC 4291
)
_NETWORKS = tuple((ipaddress.ip_network(prefix), cls) for prefix, cls in _PREFIXES)


def classify(address: str) -> AddressClass:
    """The class of ``address`` (a zone such as ``%eth0`` is ignored; IPv4-mapped IPv6 counts as IPv4).

    Raises ``ValueError`` when it is not an address.
    """
    parsed = parse(address)
    for network, cls in _NETWORKS:
        if parsed in network:
            return cls
    return "public"


def parse(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address without its zone; ``::ffff:a.b.c.d`` as the IPv4 address it stands for. Raises ``ValueError``."""
    parsed = ipaddress.ip_address(address.split("%", 1)[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed


def family_of(address: str) -> Literal[4, 6]:
    """4 or 6. Raises ``ValueError`` when it is not an address."""
    return 4 if parse(address).version == 4 else 6


def is_address(text: str) -> bool:
    """Whether ``text`` is an IP address at all."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_public(address: str) -> bool:
    """Whether the Internet can route to ``address``; NAT64 addresses stand for public ones (RFC 6052)."""
    return classify(address) in {"public", "nat64"}
