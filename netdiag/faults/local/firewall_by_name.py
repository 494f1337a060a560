"""A filter in the customer's own network cuts the connection for the name in it.

What is broken
    A firewall, a content filter or security software of the customer's reads the server's name in the TLS greeting, or
    the Host of a request, and resets the connection or lets its packets vanish.

How it shows
    TCP connects; the greeting is reset, or never acknowledged, at a TTL that ends inside the customer's own network,
    while a neutral name at the same address is answered.

What looks like it
    The first router of the provider: behind the customer's last router either may do it, so it stays undecided unless
    the router at which the end begins is the customer's, too; and likely at most where the private block alone says so,
    since providers number from the same blocks. The first hop of a machine without a private address (a modem, a mobile
    line, a rented server) may be the provider's. A reset inside the customer's network is the customer's whatever the
    name; a silence there may be a path that loses large packets, and is none where a neutral name is as silent.

What would settle it
    A reset at TTL 1, or at a TTL that ends at a further router of the customer's; the filter's own log.

What to tell the customer
    Which of the own network's routers it is at; whoever runs it can lift the rule.
"""

from netdiag.facts import Facts
from netdiag.facts.flow import FlowState
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.in_flow import (
    FACTS,
    flows,
    minds_the_name,
    not_looked_into,
    told,
    was_ended,
    was_swallowed,
    whose,
)
from netdiag.faults.reading import excused, has_a_network_of_its_own, in_lan


def assess(facts: Facts) -> Finding:
    excuse = excused(facts)
    if excuse is not None:
        return excuse
    if not facts.flow.states.known:
        return not_looked_into(facts)
    cut = [flow for flow in flows(facts) if was_ended(flow) or (was_swallowed(flow) and minds_the_name(flow))]
    if not cut:
        return opposes("No connection to the target was seen to be cut for its name.", "flow.states")
    flow = cut[0]
    owner = whose(facts, flow)
    said = told(facts, flow)
    if owner in ("way", "way or vendor", "vendor"):
        return opposes(f"{said}.", *FACTS, witnesses=flow.witnesses)
    if owner is None:
        return silent("How far the data get does not show.", *FACTS)
    if owner == "customer":
        return Finding(
            lean=Lean.SETTLES,
            because=f"{said}, inside the customer's own network.",
            facts=FACTS,
            witnesses=flow.witnesses,
            at_most_likely=was_swallowed(flow) or not _is_firmly_the_customers(facts, flow),
            at_most_possible=not has_a_network_of_its_own(facts),
            settle_next="Who runs the router that the report names, and its log.",
        )
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"{said}: by the customer's last router, or before the provider's first.",
        facts=FACTS,
        witnesses=flow.witnesses,
        at_most_possible=True,
        settle_next="The log or the rules of the customer's own router: does it filter by name?",
    )


def _is_firmly_the_customers(facts: Facts, flow: FlowState) -> bool:
    """The router at which the end begins is the gateway or stands in the LAN."""
    return flow.stopped_place == "gateway" or (flow.stopped_address is not None and in_lan(facts, flow.stopped_address))


FAULT = Fault(
    code="local.firewall.by_name",
    title="A filter in the customer's own network cuts connections for the name in them",
    needs=("target.addresses",),
    masked_by=("local.portal.captive",),
    rivals=("host.service.closes", "host.service.silent", "host.block.by_name"),
    assess=assess,
    reply=(
        "The connection is cut inside your own network at the moment when it names our site; it does not get beyond "
        "the router that the report names. Please show the report to whoever runs your firewall, content filter or "
        "security software, and ask for our name to be let through."
    ),
)
