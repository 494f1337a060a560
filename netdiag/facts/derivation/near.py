"""What belongs to the customer's own machine and first hop: everything else is placed relative to it."""

from collections.abc import Iterable
from typing import Literal

from netdiag.evidence.machine import DefaultRoute, Interface, Platform
from netdiag.evidence.record import Icmp
from netdiag.evidence.transport import Connect, HopReply
from netdiag.facts.derivation.book import Book, Entry, is_direct
from netdiag.facts.places import classify, inside, is_special, network, plain

_LINUX = "Linux"


class Near:
    """Own addresses, LAN prefixes and first hops.

    ``gateways`` are those of the default routes; ``first_hops`` are these and whoever answered a packet of TTL 1, since
    an IPv6 gateway is configured by its link-local address and answers with another one.
    """

    def __init__(self, book: Book) -> None:
        self.interfaces = _first_by_name(book.of(Interface))
        self.own: dict[str, Interface] = {}
        lan: dict[str, Interface] = {}
        for interface in self.interfaces:
            if interface.link == "loopback" or not interface.is_up:
                continue
            for held in interface.addresses:
                self.own[plain(held.address)] = interface
                whole = 128 if ":" in held.address else 32
                if classify(held.address) not in (None, "link_local", "loopback") and held.prefix_length < whole:
                    lan[str(network(f"{plain(held.address)}/{held.prefix_length}"))] = interface
        self.lan = lan
        self.routes = [entry.record for entry in book.of(DefaultRoute)]
        self.gateways = {plain(route.gateway): route for route in self.routes if route.gateway}
        self.first_hops = set(self.gateways) | _answered_ttl_1(book.of(HopReply), self.own)
        self.loopbacks = {plain(held.address) for i in self.interfaces if i.link == "loopback" for held in i.addresses}
        platforms = [entry.record for entry in book.of(Platform)]
        self.error_queue = _error_queue(book, platforms)
        self.linux = all(one.system == _LINUX for one in platforms)

    def is_own(self, address: str) -> bool:
        """One of this machine's addresses, its loopback included."""
        return plain(address) in self.own or plain(address) in self.loopbacks or classify(address) == "loopback"

    def on_link(self, address: str) -> bool:
        """In a prefix that is on one of this machine's links: reached without a gateway."""
        return inside(address, self.lan)

    def has_default(self, family: Literal[4, 6]) -> bool | None:
        """Whether there is a default route of the family."""
        known = [route for route in self.routes if route.family == family and route.failure is None]
        return any(route.exists for route in known) if known else None

    def global6(self) -> tuple[bool | None, Interface | None]:
        """Whether an interface has an IPv6 address of the public Internet, and which one.

        Unknown, not False, while the interface of a default route is missing from the records.
        """
        if not self.interfaces:
            return None, None
        for address, interface in self.own.items():
            if ":" in address and not is_special(address):
                return True, interface
        names = {interface.name for interface in self.interfaces}
        if any(route.exists and route.device and route.device not in names for route in self.routes):
            return None, None
        return False, None


def is_time_exceeded(error: Icmp) -> bool:
    """TTL or hop limit exceeded in transit: 11/0, in IPv6 3/0 (RFC 792, RFC 4443)."""
    return error.code == 0 and error.type == (3 if error.version == 6 else 11)


def _first_by_name(entries: Iterable[Entry[Interface]]) -> list[Interface]:
    """One record per interface: the first, whose addresses the measurements began with."""
    found: dict[str, Interface] = {}
    for entry in entries:
        found.setdefault(entry.record.name, entry.record)
    return list(found.values())


def _error_queue(book: Book, platforms: Iterable[Platform]) -> bool | None:
    """Whether ICMP errors about TCP are seen: as the platform says, or because one was."""
    said = next((one.error_queue for one in platforms if one.error_queue is not None), None)
    if said is not None:
        return said
    hops = any(record.icmp is not None and record.protocol == "tcp" for record, _ in book.of(HopReply))
    connects = any(record.failure and isinstance(record.failure.native, Icmp) for record, _ in book.of(Connect))
    return True if hops or connects else None


def _answered_ttl_1(entries: Iterable[Entry[HopReply]], own: Iterable[str]) -> set[str]:
    mine = set(own)
    found = set()
    for record, step in entries:
        if record.ttl == 1 and is_direct(step) and record.replier and record.icmp is not None:
            who = plain(record.replier)
            if is_time_exceeded(record.icmp) and who not in mine:
                found.add(who)
    return found
