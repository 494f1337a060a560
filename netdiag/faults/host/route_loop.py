"""A routing loop inside the vendor's network.

What is broken
    The vendor announces the address and has no route to it inside: its border or firewall sends the packets back where
    they came from, until their TTL runs out.

How it shows
    The walk repeats the same routers to its end, one of the vendor's among them: what reaches it is sent out again. A
    connection with the usual TTL ends in ICMP time exceeded (11/0, in IPv6 3/0) from one of them.

What looks like it
    A loop on the way (transit.path.loop). One between the vendor's border and its provider: both ends of their link are
    numbered by the provider, so the addresses do not show whose mistake it is.

What would settle it
    A router of the circle inside the vendor's prefixes, by its profile; all of them, to be sure.

What to tell the customer
    The packets reach the vendor's network and go in a circle there.
"""

from netdiag.facts import AddressState, Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.host._reading import PROFILE, VENDOR_CAPTURE, unreachable, walk_to, witnesses
from netdiag.faults.reading import kind_of
from netdiag.faults.transit._signs import repeated

USED = ("target.addresses", "path.target4", "path.target6")


def assess(facts: Facts) -> Finding:
    states = unreachable(facts)
    if isinstance(states, Finding):
        return states
    walks = [(state, walk) for state in states if (walk := walk_to(facts, state.address)) and walk.end == "loop"]
    if not walks:
        return opposes("No router repeats on the way to the target.", *USED)
    state, walk = walks[0]
    hops = repeated(walk)
    routers = tuple(dict.fromkeys(router for hop in hops for router in hop.repliers))
    circle = " and ".join(routers)
    own = [hop.place in ("vendor", "target") for hop in hops]
    if not any(own) or not (all(own) or facts.profile_given):
        return silent(f"Not all routers of the circle ({circle}) are known to be the vendor's.", *USED)
    proven = walk.same_flow or expired_there(state, routers)
    whose = "in the vendor's network" if all(own) else "one of which is the vendor's and sends them out again"
    return Finding(
        lean=Lean.SETTLES if proven else Lean.SUPPORTS,
        because=f"From hop {hops[0].ttl} on, packets to {walk.address} circle between {circle}, {whose}.",
        facts=USED,
        witnesses=witnesses(facts, state),
        at_most_likely=not (all(own) and facts.profile_given and proven),
        at_most_possible=len(walks) < len(states),
        settle_next=VENDOR_CAPTURE if facts.profile_given else PROFILE,
    )


def expired_there(state: AddressState, routers: tuple[str, ...]) -> bool:
    """A connection of the usual TTL ran out at one of these routers."""
    icmp = None if state.connect is None else state.connect.icmp
    return icmp is not None and kind_of(icmp) == "loop" and icmp.sender in routers


FAULT = Fault(
    code="host.route.loop",
    title="Packets go in a circle inside the vendor's network",
    needs=("target.addresses", "controls.any_healthy"),
    assess=assess,
    rivals=("transit.path.loop",),
    reply=(
        "Your measurement shows that the packets reach our network and go in a circle between our own routers. Please "
        "leave everything as it is. We are having the route to the service repaired and will tell you when it is "
        "reachable again."
    ),
)
