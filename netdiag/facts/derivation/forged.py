"""Refusals in the target's own name that come from nearer than the target stands.

A firewall between two bridged ports refuses in the name of the packet's receiver, having no address of its own
(nft_reject_bridge.c, Linux), and some routers do likewise: the sender of an ICMP error alone proves nothing.
"""

from collections.abc import Sequence

from netdiag.evidence.transport import Echo
from netdiag.facts.derivation.book import Book, is_direct
from netdiag.facts.derivation.walks import RawWalk
from netdiag.facts.places import plain

_FIRST_TTLS = (64, 128, 255)
"""What systems begin with."""

_WAYS_DIFFER = 3
"""Hops by which the way back, which an echo's TTL tells, may well be longer than the way there."""


def spoken_for(walks: Sequence[RawWalk], book: Book) -> frozenset[str]:
    """Addresses in whose name a TCP packet was refused by ICMP at a TTL that does not reach them."""
    return frozenset(walk.address for walk in walks if _is_refused(walk) and _is_short(walk, walks, book))


def _is_refused(walk: RawWalk) -> bool:
    said = walk.end_icmp
    return (walk.protocol, walk.end) == ("tcp", "icmp") and said is not None and plain(said.sender) == walk.address


def _is_short(walk: RawWalk, walks: Sequence[RawWalk], book: Book) -> bool:
    """Other packets to the address meet routers at larger TTLs; or, where no walk of another protocol got that far, its
    echo replies come from much further away."""
    end = walk.end_ttl or 0
    beside = [one for one in walks if one.address == walk.address and one.protocol != "tcp" and one.end != "loop"]
    beyond = [hop for one in beside for hop in one.hops if hop.ttl > end]
    if any(router != walk.address for hop in beyond for router in hop.repliers):
        return True
    if any(one.reached is not None for one in beside):
        return any(one.reached > end + 1 for one in beside if one.reached is not None)
    left = [
        echo.reply_ttl
        for echo, step in book.of(Echo)
        if is_direct(step) and echo.rtt_us is not None and echo.reply_ttl and plain(echo.address) == walk.address
    ]
    away = [min(first - ttl for first in _FIRST_TTLS if first >= ttl) + 1 for ttl in left]
    return bool(away) and min(away) - end > _WAYS_DIFFER
