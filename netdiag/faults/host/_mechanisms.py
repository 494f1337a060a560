"""Which mechanisms refuse in which way: as fine as the wire tells them apart, and no finer.

Each row names its sources. A host sends the same packet for many products, so a row is a group, never one of them.
"""

from typing import Final, NamedTuple

from netdiag.evidence.record import Icmp
from netdiag.facts import AddressState, ConnectState
from netdiag.faults.reading import kind_of


class Mechanism(NamedTuple):
    """``name``: what the answer says. ``makers``: what answers so, for "the answer of …". ``look``: where whoever runs
    such a machine finds the rule."""

    name: str
    makers: str
    look: str


_Code = tuple[int, int, int]
"""IP version, ICMP type, code."""

_PORT: Final = Mechanism(
    # Defaults: iptables-extensions(8), REJECT; nft(8), reject. fail2ban 1.0.2: action.d/iptables.conf and
    # nftables.conf, blocktype. ufw 0.36.2: iptables/user.rules, ufw-user-limit. firewalld 1.3.3: core/nftables.py, a
    # rich rule's reject without a type.
    "port unreachable",
    "iptables' and nftables' REJECT by default, and so of fail2ban, “ufw limit” and firewalld's rich rules",
    "fail2ban-client banned; iptables-save -c; nft list ruleset; ufw status",
)
_ADMINISTRATIVE: Final = Mechanism(
    # firewalld 1.3.3: core/nftables.py, _reject_fragment. RFC 1812 section 5.2.7.1: code 13 for routers that filter.
    # ip-route(8): prohibit.
    "administratively prohibited",
    "firewalld's zones on nftables, and of routers' access lists",
    "firewall-cmd --list-all-zones; nft list ruleset; access lists of the router that sent it",
)
_ADMINISTRATIVE_6: Final = Mechanism(
    # As above, and firewalld 1.3.3: core/ipXtables.py, DEFAULT_REJECT_TYPE of IPv6. RFC 4443 section 3.1, code 1.
    "administratively prohibited",
    "firewalld's zones, and of routers' access lists",
    "firewall-cmd --list-all-zones; ip6tables-save -c; nft list ruleset; access lists of the router that sent it",
)
_HOST: Final = Mechanism(
    # firewalld 1.3.3: core/ipXtables.py, DEFAULT_REJECT_TYPE of IPv4. RFC 1812 section 5.2.7.1: code 10 is obsolete for
    # routers.
    "host administratively prohibited",
    "firewalld's zones on iptables, and of older Red Hat systems' default rules",
    "firewall-cmd --list-all-zones; iptables-save -c",
)
_NET: Final = Mechanism(
    # RFC 1812 section 5.2.7.1: code 9 is obsolete for routers, and some still send it.
    "network administratively prohibited",
    "routers' access lists",
    "access lists of the router that sent it",
)
_SOURCE: Final = Mechanism(
    # RFC 4443 section 3.1, codes 5 and 6.
    "refused by a rule on source addresses or routes",
    "routers' checks of source addresses, and of reject routes",
    "source address checks and reject routes of the router that sent it",
)
_UNREACHABLE: Final = Mechanism(
    # iptables-extensions(8), REJECT --reject-with; nft(8), reject; ip-route(8), unreachable.
    "unreachable",
    "a REJECT whose type was chosen, and of unreachable routes",
    "iptables-save -c; nft list ruleset; ip route",
)

_PROTOCOL: Final = Mechanism(
    # iptables-extensions(8), REJECT --reject-with icmp-proto-unreachable; nft(8), reject with icmp prot-unreachable. A
    # host without TCP says so, too (RFC 1122 section 3.2.2.1), and serves nothing over it.
    "protocol unreachable",
    "a REJECT whose type was chosen",
    "iptables-save -c; nft list ruleset",
)

_BY_CODE: Final[dict[_Code, Mechanism]] = {
    (4, 3, 2): _PROTOCOL,
    (4, 3, 3): _PORT,
    (6, 1, 4): _PORT,
    (4, 3, 13): _ADMINISTRATIVE,
    (6, 1, 1): _ADMINISTRATIVE_6,
    (4, 3, 10): _HOST,
    (4, 3, 9): _NET,
    (6, 1, 5): _SOURCE,
    (6, 1, 6): _SOURCE,
}


def of_icmp(icmp: Icmp) -> Mechanism | None:
    """What refuses with this type and code; None for what is no refusal."""
    if kind_of(icmp) == "unreachable":
        return _UNREACHABLE
    return _BY_CODE.get((icmp.version, icmp.type, icmp.code))


def is_rule(connect: ConnectState | None) -> bool:
    """An ICMP error of the vendor's own side by which a rule refuses: the machine behind it is not dead. Unreachable,
    from a router, may as well mean that it is."""
    if connect is None or connect.how != "icmp" or connect.icmp is None or of_icmp(connect.icmp) is None:
        return False
    if connect.sender_place == "vendor":
        return kind_of(connect.icmp) != "unreachable"
    return connect.sender_place == "target"


_ACCEPTED: Final[dict[tuple[str, str], str]] = {
    # The layer that was tried last, and how it ended.
    # HAProxy 2.6 configuration manual: tcp-request connection reject, silent-drop (which resets packets that come
    # later, where the kernel lets it forget the connection without a word). hosts_access(5) for tcp wrappers.
    ("tls", "silent"): "HAProxy's silent-drop",
    ("tls", "closed"): "tcp wrappers, or HAProxy's reject of a connection",
    ("tls", "reset"): "HAProxy's reject of a connection or its silent-drop, or a SYN proxy before a rule",
    # nginx: ngx_http_rewrite_module, return 444. Caddy: abort. HAProxy: http-request reject, http-request silent-drop.
    ("http", "silent"): "HAProxy's silent-drop of a request",
    ("http", "closed"): "nginx' return 444, Caddy's abort, or HAProxy's reject of a request",
    ("http", "reset"): "HAProxy's silent-drop or reject of a request",
}


def of_accepted(state: AddressState) -> str | None:
    """What accepts a connection and then ends or abandons it in this way; None for other ways."""
    if state.http is not None:
        return _ACCEPTED.get(("http", state.http.how))
    return _ACCEPTED.get(("tls", state.tls.how)) if state.tls is not None else None
