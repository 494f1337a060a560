"""A box of the vendor's cuts the connection for the name in it.

What is broken
    The vendor's border, firewall or load balancer reads the server's name in the TLS greeting, or the Host of a
    request, and resets the connection or lets its packets vanish: a name that is blocked, or not set up there.

How it shows
    TCP connects; the greeting is reset, or never acknowledged; a neutral name at the same address is answered. With a
    rising TTL the greeting expires at the routers on the way, and meets its end only behind a router of the vendor's.

What looks like it
    A filter on the way (transit.tamper.reset_by_name, transit.tamper.drop_by_name): whose a public router is, often
    does not show, so that only an end behind one that is the vendor's by a second sign counts. The server itself
    (host.service.closes): a drop or reset at the last router looks the same as one in the host.

What would settle it
    The log of the vendor's boxes for the times in the bundle.

What to tell the customer
    That the packets reach the vendor's network and are stopped there for the name they carry.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.host._reading import VENDOR_CAPTURE, agent
from netdiag.faults.in_flow import (
    FACTS,
    flows,
    is_before_the_host,
    minds_the_name,
    not_looked_into,
    told,
    was_ended,
    was_swallowed,
    whose,
)


def assess(facts: Facts) -> Finding:
    if not facts.flow.states.known:
        return not_looked_into(facts)
    cut = [flow for flow in flows(facts) if minds_the_name(flow) and (was_ended(flow) or was_swallowed(flow))]
    if not cut:
        return opposes("No address cuts the vendor's name and answers another.", "flow.states")
    flow, other = cut[0], agent(facts)
    owner = whose(facts, flow)
    said = f"{told(facts, flow)}."
    if owner in ("customer", "way", "customer or way"):
        return opposes(said, *FACTS, witnesses=flow.witnesses)
    if owner is None:
        return silent("How far the data get does not show.", *FACTS)
    if other.works:
        return silent("The same address takes the vendor's name from another line.", *FACTS, "agent.runs")
    short = owner == "vendor" and is_before_the_host(flow)
    return Finding(
        lean=Lean.SUPPORTS,
        because=said,
        facts=FACTS,
        witnesses=flow.witnesses + other.witnesses,
        at_most_likely=True,
        at_most_possible=not short
        and not (owner == "vendor" and was_swallowed(flow) and facts.controls.any_healthy.value is True),
        settle_next=VENDOR_CAPTURE,
    )


FAULT = Fault(
    code="host.block.by_name",
    title="A box of the vendor's cuts connections for the name in them",
    needs=("target.addresses",),
    masked_by=("local.portal.captive",),
    rivals=("transit.tamper.reset_by_name", "transit.tamper.drop_by_name", "local.firewall.by_name"),
    assess=assess,
    reply=(
        "Your measurement shows that your packets reach our network and are stopped there at the moment when they name "
        "our site. Nothing on your side needs to change. We are checking the rules of our firewalls and load balancers."
    ),
)
