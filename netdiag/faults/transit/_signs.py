"""Second signs: packets that vanish do so neither at the vendor's border nor in the customer's network."""

from netdiag.evidence.record import Icmp
from netdiag.facts import AddressState, Facts, Hop, Walk
from netdiag.facts.places import classify, family
from netdiag.faults.reading import carries_healthy_control, control_walks, failed_connects, hop_at

CUSTOMERS_HOPS = 2
"""The gateway, and a router of the customer's own behind it (an office's border)."""


def sent_in_vain(facts: Facts) -> tuple[AddressState, ...]:
    """Addresses of the target at which no attempt ever worked, though this machine did send to them: of what it refused
    to send, for want of a route, no router saw anything."""
    return tuple(one for one in failed_connects(facts) if one.connect is not None and one.connect.how != "local")


def all_is_let_in(facts: Facts) -> bool:
    """The target's addresses are known, and what this machine sent to them was let in."""
    opened = any(
        state.connect is not None and state.connect.how == "open" and state.genuine is not False
        for state in facts.target.addresses.value or ()
    )
    return facts.target.addresses.known and not sent_in_vain(facts) and (opened or not failed_connects(facts))


def vanish_there(facts: Facts, walk: Walk) -> Walk | None:
    """A walk to somebody else's host that ends in silence after the same router, where no walk passes it."""
    through = [other for other in control_walks(facts, walk.family) if walk.last_seen_address is not None]
    passes = any(walk.last_seen_address in hop.repliers and hop.ttl < o.last_seen for o in through for hop in o.hops)
    same = [o for o in through if o.end == "silent" and o.last_seen_address == walk.last_seen_address]
    return None if passes or not same else same[0]


def passed_by_other_packets(facts: Facts, walk: Walk) -> Walk | None:
    """A walk of another protocol or port to this address on which the very hop that this one met in silence, or with a
    reset, is a router that forwards to a healthy control, so it is not the vendor's. The packets of this walk are
    stopped before it. A public router that only the vendor's packets pass may be the vendor's own.

    The vendor's profile tells as well: this walk ends at a router that carries others' traffic, and another router that
    is not the vendor's follows before the first one that is. The one directly before that one does not count: the
    vendor's border answers with the number that its provider gave to their link."""
    ttl = walk.first_missing if walk.end == "silent" else walk.end_ttl
    if ttl is None:
        return None
    for other in other_walks(facts, walk):
        stopper = hop_at(other, ttl)
        if stopper is None or not follows(walk, other, stopper):
            continue
        foreign = any(carries_healthy_control(facts, one) for one in stopper.repliers)
        if foreign or (facts.profile_given and ttl < first_of_the_vendor(other) - 1 and carried(facts, walk)):
            return other
    return None


def ends_among_strangers(facts: Facts, walk: Walk) -> bool:
    """Routers that nothing marks as the vendor's answer other packets to this address from beyond the end of this walk,
    which ends in silence: whoever drops these packets may stand before them. What else answers at the address then
    says nothing of its port."""
    if walk.end != "silent":
        return False
    return any(
        hop.ttl > walk.last_seen and hop.repliers and hop.place not in ("vendor", "target")
        for other in other_walks(facts, walk)
        for hop in other.hops
    )


def only_the_vendor_follows(facts: Facts, walk: Walk) -> bool:
    """Other packets got to the address itself, and behind the last router that this walk was seen at nobody answered
    them who is not the vendor's: whoever drops these packets stands at the address, or before it among routers that
    nothing shows to be another's. Of a hop that was not asked nothing is known."""
    return any(
        other.end_ttl is not None
        and all(
            (hop := hop_at(other, ttl)) is not None and (not hop.repliers or hop.place in ("vendor", "target"))
            for ttl in range(walk.last_seen + 1, other.end_ttl)
        )
        for other in other_walks(facts, walk)
        if _reaches(other)
    )


def _reaches(walk: Walk) -> bool:
    """It ended at the address: a reset from nearer than that does not count."""
    return walk.end == "open" or (walk.end == "icmp" and walk.end_place == "target")


def other_walks(facts: Facts, walk: Walk) -> list[Walk]:
    """Walks of another protocol or port to the same address."""
    return [
        other
        for other in facts.path.others.value or ()
        if other.address == walk.address and (other.protocol, other.port) != (walk.protocol, walk.port)
    ]


def follows(walk: Walk, other: Walk, next_: Hop) -> bool:
    """``next_`` comes after the last router that this walk was seen at: the other walk went through that router, too,
    or it began behind it (the first walk left only that open)."""
    seen = hop_at(other, walk.last_seen)
    if not next_.repliers or walk.last_seen_address is None:
        return False
    return seen is None or not seen.repliers or walk.last_seen_address in seen.repliers


def carried(facts: Facts, walk: Walk) -> bool:
    """The last router that this walk was seen at carries others' traffic."""
    return walk.last_seen_address is not None and carries_healthy_control(facts, walk.last_seen_address)


def first_of_the_vendor(walk: Walk) -> int:
    """The smallest TTL of this walk at which a router of the vendor's answered (0: none)."""
    return min((hop.ttl for hop in walk.hops if hop.place == "vendor"), default=0)


def may_be_the_customers(facts: Facts, walk: Walk) -> bool:
    """No control works, and no NAT shows where the customer's network ends: an office with public addresses that lets
    only its proxy out looks the same."""
    return facts.controls.any_healthy.value is not True and not (walk.family == 4 and natted(facts))


def not_the_vendors(facts: Facts, state: AddressState, icmp: Icmp) -> bool:
    """The router that refused this address is the provider's: in its shared space, or on the way to a control."""
    shared = state.connect is not None and state.connect.sender_place == "shared"
    return shared or carries_healthy_control(facts, icmp.sender)


def natted(facts: Facts) -> bool:
    """This machine has private IPv4 addresses alone: a public router on its way stands behind its network's NAT."""
    own = [one for one in facts.machine.own_addresses.value or () if family(one) == 4]
    return bool(own) and all(classify(one) == "private" for one in own)


def repeated(walk: Walk) -> list[Hop]:
    """The hops whose routers answered at two or more TTLs that are not neighbours: one router that answers for two TTLs
    in a row is common and no circle."""
    seen: dict[str, list[int]] = {}
    for hop in walk.hops:
        for replier in hop.repliers:
            seen.setdefault(replier, []).append(hop.ttl)
    circling = {router for router, ttls in seen.items() if ttls[-1] - ttls[0] >= 2}
    return [hop for hop in walk.hops if circling & set(hop.repliers)]
