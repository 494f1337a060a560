"""A routing loop on the way.

What is broken
    Two or more routers send packets to the target back to each other until their TTL runs out.

How it shows
    The walk repeats the same routers to its end, and a connection with the normal TTL ends in ICMP time exceeded
    (11/0, in IPv6 3/0) from one of them.

What looks like it
    False loops of a walk whose packets take several ways: a walk on one flow has none. A loop between the vendor's
    border and its provider, for addresses that the vendor announces and does not use: it is the vendor's then, and one
    among the vendor's own routers is host.route.loop.

What would settle it
    The loop on one flow, at routers that carry other hosts' traffic as well, or outside the vendor's known prefixes.

What to tell the customer
    Which routers send the packets in a circle; only those who run them can end it.
"""

from collections.abc import Sequence

from netdiag.evidence.record import Icmp
from netdiag.facts import AddressState, Facts, Walk
from netdiag.facts.places import classify
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.reading import (
    carries_healthy_control,
    excused,
    failing_walks,
    icmp_errors,
    icmp_words,
    unexplained,
)
from netdiag.faults.transit._signs import all_is_let_in, repeated

FACTS = ("path.target4", "path.target6", "path.controls", "target.addresses")


def assess(facts: Facts) -> Finding:
    excuse = excused(facts)
    if excuse is not None:
        return excuse
    if all_is_let_in(facts):
        return opposes("The target accepts connections, so packets get there.", "target.addresses")
    walks = failing_walks(facts)
    looping = [walk for walk in walks if walk.end == "loop"]
    expired = list(icmp_errors(facts, places=("path", "shared"), kinds=("loop",)))
    if looping:
        return judge(facts, looping[0], expired)
    if expired:
        return judge_expired(facts, *expired[0])
    if not walks:
        return silent("No walk to the failing address was made.", *FACTS)
    return opposes("No router repeats on the way to the target.", *FACTS, witnesses=walks[0].witnesses)


def judge(facts: Facts, walk: Walk, expired: Sequence[tuple[AddressState, Icmp]]) -> Finding:
    """Whose routers are in the circle. That it is one, and not several ways mixed, is shown by one flow on which it
    repeats, or by a connection of the usual TTL that expired at one of its routers."""
    circle = repeated(walk)
    routers = tuple(dict.fromkeys(router for hop in circle for router in hop.repliers))
    places = {hop.place for hop in circle}
    if not routers or not places <= {"public", "shared", "vendor", "target"}:
        return silent("The circle reaches into private space, so whose routers it is made of is not clear.", *FACTS)
    if places <= {"vendor", "target"}:
        return opposes(f"The packets circle inside the vendor's network ({' and '.join(routers)}).", *FACTS)
    if "vendor" in places and facts.profile_given:
        return silent(
            f"A router of the vendor's is in the circle ({' and '.join(routers)}): it sends them out again.", *FACTS
        )
    died = [state for state, icmp in expired if state.address == walk.address and icmp.sender in routers]
    proven = walk.same_flow or bool(died)
    # The other end of a link may be the vendor's border, numbered by its provider: one known router makes it likely.
    known = [carries_healthy_control(facts, router) or classify(router) == "shared" for router in routers]
    others = unexplained(facts, [walk.address, *(state.address for state, _ in expired)])
    ending = "; a connection with the usual TTL expired there" if died else ""
    return Finding(
        lean=Lean.SETTLES if any(known) and proven else Lean.SUPPORTS,
        because=f"From hop {circle[0].ttl} on, packets to {walk.address} circle between {' and '.join(routers)}"
        f"{ending}.",
        facts=FACTS,
        witnesses=tuple(dict.fromkeys((*walk.witnesses, *(w for state in died for w in state.witnesses)))),
        at_most_likely=not all(known) or not proven,
        at_most_possible="vendor" in places or not any(known) or not proven or bool(others),
        settle_next="Who runs these routers (their AS), and the vendor's profile with its prefixes (--profile).",
    )


def judge_expired(facts: Facts, state: AddressState, icmp: Icmp) -> Finding:
    """A connection of the usual TTL expired on the way, and no walk shows between which routers."""
    known = carries_healthy_control(facts, icmp.sender) or classify(icmp.sender) == "shared"
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"A connection to {state.address} with the usual TTL expired at {icmp.sender} ({icmp_words(icmp)}), as "
        "it does in a circle of routers.",
        facts=FACTS,
        witnesses=state.witnesses,
        at_most_likely=True,
        at_most_possible=not known or bool(unexplained(facts, [state.address])),
        settle_next="A walk to the same address on one flow: which routers repeat?",
    )


FAULT = Fault(
    code="transit.path.loop",
    title="Packets go in a circle on the way",
    needs=("target.addresses",),
    masked_by=("local.link.down", "local.route.missing", "local.gateway.dead", "local.portal.captive"),
    assess=assess,
    reply=(
        "The packets to our address go in a circle between the routers that the report names and never arrive. Nothing "
        "on the local network causes this. Please give the report to the internet provider; we are giving it to ours."
    ),
)
