"""Something on the way resets every connection to the vendor.

What is broken
    A filter between the customer and the vendor refuses connections to the vendor's address with a reset, or resets
    them once data flow, whatever name is in them.

How it shows
    A reset comes back for a packet whose TTL ends before the vendor: for the first packet of a connection, or for data
    inside an accepted one, with a neutral name, too.

What looks like it
    A closed port or a service that hangs up (host.port.closed, host.service.closes), a vendor's firewall that refuses
    (host.block.rejected), a firewall of the customer's (local.firewall.router, local.firewall.by_name). So it takes a
    router that answers at the very TTL at which the reset begins, and forwards to healthy hosts. A filter that was
    triggered by a name may reset all others for minutes (transit.tamper.reset_by_name).

    The TTL with which the resets arrive, beside that of another port's answers (``--deep``), tells of a box nearer by,
    but a box may copy it, and a balancer may have its own.

What would settle it
    The smallest TTL at which a reset comes, beside the router that another protocol's walk meets there.

What to tell the customer
    Between which routers the connection is refused, and that only those who run them can change it.
"""

from netdiag.facts import Facts
from netdiag.facts.flow import FlowState
from netdiag.faults.base import Fault, Finding, opposes, silent
from netdiag.faults.in_flow import flows, minds_no_name, refusal_of, was_ended
from netdiag.faults.reading import excused, failing_walks, hop_at
from netdiag.faults.transit._tamper import judge

NEARER = 2
"""Distances measured in two ways may differ by a hop: walks of two protocols, or the TTLs of two ports' answers."""


def assess(facts: Facts) -> Finding:
    excuse = excused(facts)
    if excuse is not None:
        return excuse
    for flow in flows(facts):
        if was_ended(flow) and minds_no_name(flow):
            return judge(facts, flow, f"Inside a connection to {flow.address} any name")
    refused = refused_on_the_way(facts)
    if refused:
        return judge(facts, refused[0], f"A connection to {refused[0].address} port {facts.port}")
    say = opposes if facts.target.addresses.known else silent
    return say("No reset came for a packet that ended before the vendor.", "flow.states", "path.others")


def refused_on_the_way(facts: Facts) -> tuple[FlowState, ...]:
    """Addresses whose service port is reset at a TTL at which another protocol's packets meet a router: in the terms of
    what happens inside connections, since it is judged alike. At TTL 1 it is the gateway's, or the machine's own."""
    found: list[FlowState] = []
    for walk in failing_walks(facts):
        if walk.end != "refused" or walk.end_ttl is None or walk.end_ttl < 2:
            continue
        told = refusal_of(facts, walk.address)
        nearer_by = walk.nearer_by if walk.nearer_by is not None else 0 if told is None else told.nearer_by
        if nearer_by < NEARER:
            continue
        others = (one for one in facts.path.others.value or () if one.address == walk.address and one.protocol != "tcp")
        hop = next((hop for one in others if (hop := hop_at(one, walk.end_ttl)) is not None and hop.repliers), None)
        if hop is not None and hop.place != "target":
            found.append(
                FlowState(
                    address=walk.address,
                    family=walk.family,
                    payload="request",
                    vendor="reset",
                    passed=walk.last_seen,
                    passed_address=walk.last_seen_address,
                    passed_place=walk.last_seen_place,
                    stopped_at=walk.end_ttl,
                    stopped_address=hop.repliers[0],
                    stopped_place=hop.place,
                    on_the_way=True,
                    witnesses=walk.witnesses + (() if told is None else told.witnesses),
                )
            )
    return tuple(found)


FAULT = Fault(
    code="transit.tamper.reset",
    title="Connections to the vendor are reset on the way",
    needs=("target.addresses",),
    masked_by=("local.portal.captive",),
    rivals=(
        "host.port.closed",
        "host.service.closes",
        "host.block.rejected",
        "local.firewall.router",
        "local.firewall.by_name",
    ),
    assess=assess,
    reply=(
        "Connections to our address are reset before they reach us. The report says between which routers, as far as "
        "it shows. Please give it to the internet provider if these are the provider's; nothing needs to be changed "
        "meanwhile."
    ),
)
