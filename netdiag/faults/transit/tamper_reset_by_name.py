"""Something on the way resets connections because of the name in them.

What is broken
    A filter between the customer and the vendor reads the server's name in the TLS greeting, or the Host of a request,
    and sends a forged reset, or closes in the server's place.

How it shows
    TCP connects, and is reset right after the greeting; with another name in it the same address goes on. The greeting
    with a TTL that cannot reach the vendor is reset, too.

What looks like it
    A load balancer or firewall of the vendor that resets names or clients it does not like (host.service.closes,
    host.block.by_name), or a filter in the customer's own network (local.firewall.by_name). Without the TTL at which
    the reset begins they are the same, so this fault then accuses nobody; nor while the interval touches another
    network. A filter may go on for minutes after it was triggered, and then resets every name (transit.tamper.reset).
    That another line fails alike proves nothing: it may pass the same filter, or another one with the same list.

What would settle it
    A reset at a TTL that expires at a router which forwards to healthy hosts, too, after one that expired beyond the
    customer's network, and an answer to a neutral name.

What to tell the customer
    Between which routers the connection is cut, that it happens when it names the site, and that only those who run
    them can change it.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.in_flow import FACTS as IN_FLOW
from netdiag.faults.in_flow import flow_to, flows, minds_no_name, minds_the_name, was_ended, where, whose
from netdiag.faults.reading import excused, witnesses_of
from netdiag.faults.transit._tamper import judge, name_in

FACTS = ("target.addresses", "controls.states", "agent.fails_elsewhere")


def assess(facts: Facts) -> Finding:
    excuse = excused(facts)
    if excuse is not None:
        return excuse
    inside = [flow for flow in flows(facts) if was_ended(flow)]
    by_name = [flow for flow in inside if minds_the_name(flow)]
    if by_name:
        return judge(facts, by_name[0], name_in(facts, by_name[0]))
    if inside and all(minds_no_name(flow) for flow in inside):
        alike = f"At {inside[0].address} a neutral name meets the same as the vendor's, {where(inside[0])}."
        if all(whose(facts, flow) in ("customer", "vendor") for flow in inside):
            return opposes(alike, *IN_FLOW, witnesses=inside[0].witnesses)
        return silent(f"At {inside[0].address} a neutral name meets the same as the vendor's.", *IN_FLOW)
    return _by_the_handshake(facts)


def _by_the_handshake(facts: Facts) -> Finding:
    """Where no connection was looked into: that the greeting was reset is all that is known."""
    states = [one for one in facts.target.addresses.value or () if one.genuine is not False and one.tls is not None]
    if not states:
        return silent("No address of the target was spoken to over TLS.", "target.addresses")
    cut = [one for one in states if one.tls is not None and one.tls.how == "reset" and one.tls.server_hello is not True]
    if not cut:
        return opposes("No connection was reset after the ClientHello.", "target.addresses")
    both = ", here and from another line alike" if facts.agent.fails_elsewhere.value is True else ""
    flow = flow_to(facts, cut[0].address)
    return Finding(
        lean=Lean.SUPPORTS,
        because=(
            f"{cut[0].address} accepts the connection, which is then reset after the ClientHello{both}; who sends the "
            "reset, the vendor's side or a filter that reads the name, does not show."
        ),
        facts=FACTS,
        witnesses=witnesses_of(cut) + facts.agent.fails_elsewhere.witnesses + (() if flow is None else flow.witnesses),
        at_most_possible=True,
        settle_next="The same address with a neutral server name; the TTL of the reset beside the server's packets.",
    )


FAULT = Fault(
    code="transit.tamper.reset_by_name",
    title="Connections are reset on the way because of the name in them",
    needs=("target.addresses",),
    masked_by=("local.portal.captive",),
    rivals=("host.tls.handshake", "host.service.closes", "host.block.by_name", "local.firewall.by_name"),
    assess=assess,
    reply=(
        "The connection is accepted and then cut at the moment when it names our site. The report says between which "
        "routers that happens, as far as it shows. Please give it to the internet provider if these are the "
        "provider's; nothing needs to be changed meanwhile."
    ),
)
