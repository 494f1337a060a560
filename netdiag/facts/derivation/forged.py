"""Refusals in the target's own name that come from nearer than the target stands.

A firewall between two bridged ports refuses in the name of the packet's receiver, having no address of its own
(nft_reject_bridge.c, Linux), and some routers do likewise: the sender of an ICMP error alone proves nothing.
"""

from collections.abc import Sequence

from netdiag.evidence.transport import Echo
from netdiag.facts.derivation.book import Book, is_direct
from netdiag.facts.derivation.near import is_time_exceeded
from netdiag.facts.derivation.walks import RawWalk
from netdiag.facts.places import plain

_FIRST_TTLS = (64, 128, 255)
"""What systems begin with."""

_SAME_PLACE = 1
"""Hops by which two packets from one place may differ: not all of them go the same way."""

_WAYS_DIFFER = 3
"""Hops by which the way back, which an echo's TTL tells, may well be longer than the way there."""


def spoken_for(walks: Sequence[RawWalk], book: Book) -> frozenset[str]:
    """Addresses in whose name a TCP packet was refused by ICMP at a TTL that does not reach them."""
    return frozenset(walk.address for walk in walks if _is_refused(walk) and _is_short(walk, walks, book))


def _is_refused(walk: RawWalk) -> bool:
    said = walk.end_icmp
    return (walk.protocol, walk.end) == ("tcp", "icmp") and said is not None and plain(said.sender) == walk.address


def _is_short(walk: RawWalk, walks: Sequence[RawWalk], book: Book) -> bool:
    """Other packets to the address meet routers at larger TTLs; or its echo replies come from further away than the
    refusal, by the TTLs that both have left. Where one of these is not known: other packets are answered only at larger
    TTLs, with another TTL left in the answer than in the refusal, while echo replies do not come from where the refusal
    does; or, where no walk of another protocol got that far, they come from much further away."""
    end = walk.end_ttl or 0
    beside = [one for one in walks if one.address == walk.address and one.protocol != "tcp" and one.end != "loop"]
    beyond = [hop for one in beside for hop in one.hops if hop.ttl > end]
    if any(router != walk.address for hop in beyond for router in hop.repliers):
        return True
    away = _echo_distance(walk.address, book)
    back = min(map(_hops_back, _ttls_left(walk)), default=None)
    if away is not None and back is not None:
        return away - back > _SAME_PLACE
    if _left_alike(walk, beside):
        return False
    reached = [one.reached for one in beside if one.reached is not None]
    if reached:
        # Silence before it is how a host looks, too, that limits its ICMP errors (icmp_ratelimit, icmp(7)).
        return min(reached) > end + 1 and (away is None or away > end + 1)
    return away is not None and away - end > _WAYS_DIFFER


def _left_alike(walk: RawWalk, beside: Sequence[RawWalk]) -> bool:
    """What the address answered other packets came as far as the refusal did: both are ICMP errors, which one system
    begins with one TTL."""
    refusals = _ttls_left(walk)
    return any(abs(one - other) <= _SAME_PLACE for other in refusals for answer in beside for one in _ttls_left(answer))


def _ttls_left(walk: RawWalk) -> set[int]:
    """The TTLs with which refusals in the address' name arrived."""
    return {
        record.replier_ttl
        for record in walk.records
        if record.replier_ttl is not None
        and record.icmp is not None
        and not is_time_exceeded(record.icmp)
        and plain(record.icmp.sender) == walk.address
    }


def _echo_distance(address: str, book: Book) -> int | None:
    """How many hops away the nearest echo reply comes from, if systems begin as they usually do."""
    left = [
        echo.reply_ttl
        for echo, step in book.of(Echo)
        if is_direct(step) and echo.rtt_us is not None and echo.reply_ttl and plain(echo.address) == address
    ]
    return min(map(_hops_back, left), default=None)


def _hops_back(ttl: int) -> int:
    """How many hops away a packet began that arrived with ``ttl``."""
    return min(first - ttl for first in _FIRST_TTLS if first >= ttl) + 1
