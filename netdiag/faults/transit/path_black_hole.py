"""Packets vanish on the way, in nobody's network that the customer or the vendor runs.

What is broken
    A router or link between the two loses every packet to the target: a blackhole route, a broken link, a filter.

How it shows
    The walk to the service port is seen up to a public router that is not the vendor's, and nothing comes from beyond.

What looks like it
    Answers that are lost on their way back: the packets then reach the vendor's network, and from one end nothing shows
    where the answers end. A silent drop at the vendor's border or host, behind routers that send no ICMP: from one end
    it is the same. So this stays a suspect unless something else shows that the place is not the vendor's border: walks
    to hosts of others vanish after the same router, or the next router, which a control's packets pass as well, answers
    another protocol to the same address. That another line fails as well does not clear the way, which may be one near
    the vendor. A drop between the gateway and the first router of the provider may be the gateway's.

What would settle it
    A packet capture at the vendor's border, or a walk to the same address from another line of the same provider.

What to tell the customer
    Between which two hops the packets vanish, and whose routers these are.
"""

from netdiag.facts import AddressState, Facts, Walk
from netdiag.facts.places import same_announcement
from netdiag.faults.base import CONTROL_RUN, Fault, Finding, Lean, opposes, silent
from netdiag.faults.reading import customers_own, excused, failing_walks, weakest
from netdiag.faults.transit._signs import (
    all_is_let_in,
    ends_among_strangers,
    may_be_the_customers,
    passed_by_other_packets,
    sent_in_vain,
    vanish_there,
)

HTTPS = 443
FACTS = ("path.target4", "path.target6", "path.controls", "path.others", "target.addresses", "agent.fails_elsewhere")
NEXT = f"{CONTROL_RUN} A packet capture at the vendor's border at these times."


def assess(facts: Facts) -> Finding:
    excuse = excused(facts)
    if excuse is not None:
        return excuse
    if all_is_let_in(facts):
        return opposes("The target accepts connections, so packets get there and back.", "target.addresses")
    answered = [one for one in sent_in_vain(facts) if one.connect and one.connect.how in {"refused", "icmp", "reset"}]
    if answered:
        return opposes(
            f"The connection to {answered[0].address} is answered, with a refusal: the packets do not vanish.",
            "target.addresses",
            witnesses=answered[0].witnesses,
        )
    found = weakest(judge(facts, walk) for walk in failing_walks(facts))
    return found or silent("No walk to the failing address shows where its packets end.", *FACTS)


def judge(facts: Facts, walk: Walk) -> Finding:
    """One failing walk to the service port."""
    last = f"{walk.last_seen_address} at hop {walk.last_seen}"
    if walk.end != "silent":
        return opposes(f"The walk to {walk.address} ends with an answer, not in silence.", *FACTS)
    if walk.last_seen_place in {"vendor", "target"}:
        return silent(
            f"Packets reach the vendor's network ({last}); whether the answers are lost on their way back, one end "
            "cannot tell.",
            *FACTS,
        )
    others = vanish_there(facts, walk)
    beyond = passed_by_other_packets(facts, walk)
    everywhere = facts.port == HTTPS and facts.controls.port_443_fails.value is True
    if everywhere and walk.first_missing is not None and walk.last_seen:
        return Finding(
            lean=Lean.SUPPORTS,
            because=f"Packets to port {walk.port} of every host vanish, the target's after {last}, while those to "
            "other ports pass: somebody near this line shuts the port.",
            facts=(*FACTS, "controls.port_443_fails"),
            witnesses=walk.witnesses + facts.controls.port_443_fails.witnesses,
            at_most_possible=True,
            settle_next=NEXT,
        )
    whole = others is None and beyond is None and not ends_among_strangers(facts, walk)
    if whole and reaches_otherwise(facts, walk):
        return silent(
            f"{walk.address} answers on another port or protocol, so the way to it is whole; whether the answers of "
            "this port are lost on their way back, one end cannot tell.",
            "target.addresses",
            "path.others",
        )
    foreign = walk.last_seen_place == "private" and not customers_own(facts, walk.last_seen_address or "")
    if (walk.last_seen_place not in {"public", "shared"} and not foreign) or walk.first_missing is None:
        return silent("The packets were last seen too near to this network to tell whose drop it is.", *FACTS)
    if walk.shared_until is not None and walk.shared_until > walk.last_seen:
        return opposes("A healthy control passes the same routers and those after them.", *FACTS)
    sibling = open_sibling(facts, walk.address)
    if sibling is not None and others is None and beyond is None and facts.agent.fails_elsewhere.value is True:
        return opposes(
            f"{sibling.address} in the same network is reached, and {walk.address} fails from another line as well.",
            "target.addresses",
            "agent.fails_elsewhere",
            witnesses=sibling.witnesses + facts.agent.fails_elsewhere.witnesses,
        )
    sign = ""
    if others is not None:
        sign = f"; those to {others.host}, which is not the vendor's, vanish after the same router"
    elif beyond is not None:
        sign = f"; routers behind it, not the vendor's, answer {beyond.protocol.upper()} packets to the same address"
    unclear = ", which does not show whose drop it is"
    if facts.agent.fails_elsewhere.value is True:
        unclear = "; another line fails as well, so the drop lies where the two ways are one, whosever that is"
    return Finding(
        lean=Lean.SETTLES if sign else Lean.SUPPORTS,
        because=f"Packets to {walk.address} port {walk.port} are seen up to {last} and not from hop "
        f"{walk.first_missing} on{sign or unclear}.",
        facts=FACTS,
        witnesses=walk.witnesses + (() if others is None else others.witnesses),
        at_most_likely=True,
        at_most_possible=not sign or foreign or not walk.same_flow or may_be_the_customers(facts, walk),
        settle_next=NEXT,
    )


def open_sibling(facts: Facts, address: str) -> AddressState | None:
    """Another address of the target in the same announcement, to which connections come about."""
    for state in facts.target.addresses.value or ():
        opens = state.connect is not None and state.connect.how == "open" and state.genuine is not False
        if opens and state.address != address and same_announcement(state.address, address):
            return state
    return None


def reaches_otherwise(facts: Facts, walk: Walk) -> bool:
    """The address answered something else, or its path is known to be whole beyond the last router seen."""
    if walk.beyond_cleared is not None and walk.beyond_cleared > walk.last_seen:
        return True
    states = facts.target.addresses.value or ()
    return any(state.address == walk.address and state.answers_otherwise is True for state in states)


FAULT = Fault(
    code="transit.path.black_hole",
    title="Packets vanish on the way",
    needs=("target.addresses",),
    masked_by=(
        "local.link.down",
        "local.route.missing",
        "local.gateway.dead",
        "local.portal.captive",
        "local.firewall.machine",
    ),
    # The vendor's drop is no rival: the sign that shows the drop on the way takes the vendor's away (stopped_before).
    rivals=("local.firewall.router",),
    assess=assess,
    reply=(
        "The packets to our address leave the local network and vanish at a router in between, which the report names, "
        "or the answers to them are lost on their way back. Please give the report to the internet "
        "provider; we are giving it to ours."
    ),
)
