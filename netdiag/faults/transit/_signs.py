"""Second signs: packets that vanish do so neither at the vendor's border nor in the customer's network."""

from netdiag.facts import Facts, Walk
from netdiag.facts.places import classify, family
from netdiag.faults.reading import carries_healthy_control, control_walks, hop_at


def vanish_there(facts: Facts, walk: Walk) -> Walk | None:
    """A walk to somebody else's host that ends in silence after the same router, where no walk passes it."""
    through = [other for other in control_walks(facts, walk.family) if walk.last_seen_address is not None]
    passes = any(walk.last_seen_address in hop.repliers and hop.ttl < o.last_seen for o in through for hop in o.hops)
    same = [o for o in through if o.end == "silent" and o.last_seen_address == walk.last_seen_address]
    return None if passes or not same else same[0]


def passed_by_other_protocol(facts: Facts, walk: Walk) -> Walk | None:
    """A walk of another protocol to this address, through the same last router, on which the very hop that is missing
    answered; and that router forwards to a healthy control, so it is not the vendor's. The packets of this walk are
    stopped before it. A public router that only the vendor's packets pass may be the vendor's own."""
    for other in facts.path.others.value or ():
        if other.address == walk.address and other.protocol != walk.protocol and shares(walk, other):
            missing = None if walk.first_missing is None else hop_at(other, walk.first_missing)
            if missing is not None and any(carries_healthy_control(facts, one) for one in missing.repliers):
                return other
    return None


def may_be_the_customers(facts: Facts, walk: Walk) -> bool:
    """No control works, and no NAT shows where the customer's network ends: an office with public addresses that lets
    only its proxy out looks the same."""
    own = [one for one in facts.machine.own_addresses.value or () if family(one) == walk.family]
    natted = walk.family == 4 and bool(own) and all(classify(one) == "private" for one in own)
    return facts.controls.any_healthy.value is not True and not natted


def shares(walk: Walk, other: Walk) -> bool:
    """The other walk went through the last router that this one was seen at."""
    return any(walk.last_seen_address in hop.repliers for hop in other.hops if hop.ttl == walk.last_seen)
