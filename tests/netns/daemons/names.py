"""What every name of "the rest of the internet" resolves to: fixed for well-known names, a stable hash for all others.

Different names live in different /16 networks (as far as 40 x 256 networks reach), like real control targets do.
"""

from __future__ import annotations

import hashlib
import ipaddress
from typing import Final

# As these names really resolve (or once did), so that transcripts look familiar.
WELL_KNOWN: Final[dict[str, tuple[str, ...]]] = {
    "one.one.one.one": ("1.1.1.1", "1.0.0.1", "2606:4700:4700::1111", "2606:4700:4700::1001"),
    "cloudflare-dns.com": ("104.16.248.249", "104.16.249.249", "2606:4700::6810:f8f9"),
    "dns.google": ("8.8.8.8", "8.8.4.4", "2001:4860:4860::8888", "2001:4860:4860::8844"),
    "dns.quad9.net": ("9.9.9.9", "149.112.112.112", "2620:fe::fe", "2620:fe::9"),
    "connectivitycheck.gstatic.com": ("142.250.185.99", "2a00:1450:4001:811::2003"),
    "www.gstatic.com": ("172.217.16.195", "2a00:1450:4001:82a::2003"),
    "cp.cloudflare.com": ("104.16.132.229", "2606:4700::6810:84e5"),
    "detectportal.firefox.com": ("34.107.221.82", "2600:1901:0:38d7::"),
    "captive.apple.com": ("17.253.57.203", "2620:149:a44::4"),
    "www.msftconnecttest.com": ("13.107.4.52", "2620:1ec:c::10"),
    "nmcheck.gnome.org": ("85.236.55.6", "2a01:238:427d::6"),
    "network-test.debian.org": ("151.101.130.132", "2a04:4e42:400::644"),
    "ipv4only.arpa": ("192.0.0.170", "192.0.0.171"),  # RFC 7050: never an AAAA
    "a.root-servers.net": ("198.41.0.4", "2001:503:ba3e::2:30"),
    "b.root-servers.net": ("170.247.170.2", "2801:1b8:10::b"),
    "k.root-servers.net": ("193.0.14.129", "2001:7fd::1"),
    "a.gtld-servers.net": ("192.5.6.30", "2001:503:a83e::2:30"),
    "b.gtld-servers.net": ("192.33.14.30", "2001:503:231d::2:30"),
    "a.arpa-servers.net": ("193.0.9.1", "2001:67c:e0::1"),
}
ROOT_SERVERS: Final = ("a.root-servers.net", "b.root-servers.net", "k.root-servers.net")
TLD_SERVERS: Final = ("a.gtld-servers.net", "b.gtld-servers.net")
ARPA_SERVERS: Final = ("a.arpa-servers.net",)

TOP_LEVEL: Final = frozenset(
    "app arpa at be biz ch cloud co com cz de dev dk edu es eu fi fr gov google info int io it me mil net nl no one "  # noqa: SIM905
    "online org pl pt se sh shop site tech tv uk us xyz".split()
)

# First octets of ordinary global space, none of which the lab's own blocks use.
_FIRST4: Final = (3, 5, 12, 15, 18, 20, 23, 31, 34, 35, 37, 40, 44, 46, 50, 52, 54, 63, 64, 66, 68, 71, 72, 76, 78, 87)
_FIRST6: Final = (
    0x2001_0470,
    0x2600_1F18,
    0x2603_1030,
    0x2607_F8B0,
    0x2620_0104,
    0x2A00_1450,
    0x2A03_2880,
    0x2A04_4E42,
)


def addresses(name: str) -> tuple[str, ...]:
    """All addresses of a name (lower case, no final dot), IPv4 and IPv6 mixed."""
    if name in WELL_KNOWN:
        return WELL_KNOWN[name]
    digest = hashlib.sha256(name.encode()).digest()
    four = ipaddress.IPv4Address(
        bytes((_FIRST4[digest[0] % len(_FIRST4)], digest[1], digest[2], 1 + digest[3] % 254)),
    )
    head = _FIRST6[digest[4] % len(_FIRST6)].to_bytes(4, "big")
    six = ipaddress.IPv6Address(head + digest[5:11] + bytes(4) + digest[11:13])
    return (str(four), str(six))


def exists(name: str) -> bool:
    """Whether a name exists at all: known top level, and no label that says of itself that it does not.

    ``nx-…`` and ``netdiag-…`` labels are the convention of this lab for names that must get NXDOMAIN.
    """
    labels = name.split(".")
    if labels == [""]:
        return True
    return labels[-1] in TOP_LEVEL and not any(label.startswith(("nx-", "netdiag-")) for label in labels)
