"""What kind of address this is, by explicit prefixes.

Never by ``ipaddress.is_private``: its meaning changes with the Python version, and it calls shared space (CGNAT)
neither private nor global (design.md, Records). All functions take text, and answer None for what is no address.
"""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

AddressClass = Literal[
    "unspecified", "loopback", "link_local", "private", "shared", "benchmark", "reserved", "multicast", "public"
]

HopPlace = Literal["gateway", "private", "shared", "public", "vendor", "target"]
"""``private``: RFC 1918 or ULA beyond the gateway; ``shared``: 100.64/10; ``vendor``: in the profile's prefixes or in
the target's own network by a second sign: in its /24 or /48, with a confirmed reverse name under its domain, or
directly before it, as its own answer to some walk (of this line or of an agent's) shows, and on no walk to a control.
Beyond the first public hop, private and shared addresses count as ``public``."""

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PREFIXES: tuple[tuple[str, AddressClass], ...] = (
    ("0.0.0.0/8", "unspecified"),  # RFC 791 section 3.2, "this network"
    ("127.0.0.0/8", "loopback"),  # RFC 1122 section 3.2.1.3
    ("169.254.0.0/16", "link_local"),  # RFC 3927
    ("10.0.0.0/8", "private"),  # RFC 1918
    ("172.16.0.0/12", "private"),  # RFC 1918
    ("192.168.0.0/16", "private"),  # RFC 1918
    ("100.64.0.0/10", "shared"),  # RFC 6598: carrier-grade NAT
    ("198.18.0.0/15", "benchmark"),  # RFC 2544; in the field: the made-up answers of VPN and proxy clients
    ("224.0.0.0/4", "multicast"),  # RFC 5771
    ("240.0.0.0/4", "reserved"),  # RFC 1112 section 4, broadcast included
    ("::/128", "unspecified"),  # RFC 4291 section 2.5.2
    ("::1/128", "loopback"),  # RFC 4291 section 2.5.3
    ("fe80::/10", "link_local"),  # RFC 4291 section 2.5.6
    ("fc00::/7", "private"),  # RFC 4193: unique local
    ("100::/64", "reserved"),  # RFC 6666: discard-only
    ("ff00::/8", "multicast"),  # RFC 4291 section 2.7
)
# Documentation space (RFC 5737, RFC 3849) is absent on purpose: nothing routes it, so no bundle of the field shows it
# as a hop, and where a resolver answers with it, TLS tells. Examples and tests may so use it as public addresses.

_CLASSES: tuple[tuple[_Network, AddressClass], ...] = tuple(
    (ipaddress.ip_network(text), kind) for text, kind in _PREFIXES
)

NAT64_WELL_KNOWN = "64:ff9b::/96"
"""RFC 6052 section 2.1."""


@lru_cache(maxsize=4096)
def parse(text: str) -> _Address | None:
    """The address, without a zone; an IPv4-mapped one (RFC 4291 section 2.5.5.2) as IPv4."""
    try:
        found = ipaddress.ip_address(text.split("%", 1)[0])
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """The one usual spelling of an address (RFC 5952), so that two can be compared; other text as it is."""
    found = parse(text)
    return text if found is None else str(found)


@lru_cache(maxsize=4096)
def classify(text: str) -> AddressClass | None:
    """The class of an address."""
    found = parse(text)
    if found is None:
        return None
    for network, kind in _CLASSES:
        if found.version == network.version and found in network:
            return kind
    return "public"


def family(text: str) -> Literal[4, 6]:
    """4 or 6; text that is no address counts by its colon, as in ``host:port`` free records it can only be IPv6."""
    found = parse(text)
    if found is None:
        return 6 if ":" in text else 4
    return 4 if found.version == 4 else 6


def owner_of(host: str) -> str | None:
    """Whose a host name is, by the domain that somebody registered: its last two labels, or three under a registry such
    as co.uk (a short label before a country's). None for an address or a single label, which tell of nobody."""
    labels = host.rstrip(".").lower().split(".")
    if parse(host) is not None or len(labels) < 2:
        return None
    national = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3:] if national else labels[-2:])


def is_special(text: str) -> bool:
    """Not an address that the public can reach: a public name should not have it."""
    return classify(text) not in ("public", None)


def is_nowhere(text: str) -> bool:
    """An address that leads to no other machine, or to none beyond the link: what a resolver answers that hides a name,
    and nobody's service. What this machine does with it (a reset by itself, no route) says nothing of a firewall."""
    return classify(text) in ("unspecified", "loopback", "link_local", "reserved", "multicast")


@lru_cache(maxsize=256)
def network(text: str) -> _Network | None:
    """A prefix, host bits allowed."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def inside(text: str, prefixes: Iterable[str]) -> bool:
    """Whether the address lies in one of ``prefixes``."""
    found = parse(text)
    if found is None:
        return False
    for prefix in prefixes:
        held = network(prefix)
        if held is not None and held.version == found.version and found in held:
            return True
    return False


def same_announcement(one: str, other: str) -> bool:
    """Both in one /24 (IPv4) or /48 (IPv6): the longest prefixes that the Internet's routing carries (RFC 7454 section
    6.1.3), so both are announced by the same network."""
    first, second = parse(one), parse(other)
    if first is None or second is None or first.version != second.version:
        return False
    shift = 8 if first.version == 4 else 80
    return int(first) >> shift == int(second) >> shift


def embedded4(text: str, prefix: str) -> str | None:
    """The IPv4 address inside a NAT64 address under ``prefix`` (RFC 6052 section 2.2), for /96 prefixes, else by the
    layout with the reserved octet 64..71 left out."""
    found, held = parse(text), network(prefix)
    if found is None or held is None or found.version != 6 or held.version != 6 or found not in held:
        return None
    length = held.prefixlen
    if length not in (32, 40, 48, 56, 64, 96):
        return None
    octets = list(found.packed)
    if length != 96:
        del octets[8]
    start = length // 8 if length != 64 else 8
    return str(ipaddress.IPv4Address(bytes(octets[start : start + 4])))
