"""Something on the way resets connections because of the name in them.

What is broken
    A filter between the customer and the vendor reads the server's name in the TLS greeting and sends a forged reset.

How it shows
    TCP connects, and is reset right after the ClientHello; with another name in it the same address goes on.

What looks like it
    A load balancer or firewall of the vendor that resets names or clients it does not like (host.service.closes): from
    the bundle's facts of today it is the same, so this fault stays possible and accuses nobody. That another line fails
    in the same way proves nothing: it may pass the same filter, or another one with the same list.

What would settle it
    The TTL of the reset beside that of the server's own packets, the same address with a neutral name, or a walk inside
    the connection that shows from which hop on the reset comes.

What to tell the customer
    That the connection is cut at the moment when it names the site, and that it is not yet known by whom.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.reading import excused, witnesses_of

FACTS = ("target.addresses", "controls.states", "agent.fails_elsewhere")


def assess(facts: Facts) -> Finding:
    excuse = excused(facts)
    if excuse is not None:
        return excuse
    states = [one for one in facts.target.addresses.value or () if one.genuine is not False and one.tls is not None]
    if not states:
        return silent("No address of the target was spoken to over TLS.", "target.addresses")
    cut = [one for one in states if one.tls is not None and one.tls.how == "reset" and one.tls.server_hello is not True]
    if not cut:
        return opposes("No connection was reset after the ClientHello.", "target.addresses")
    both = ", here and from another line alike" if facts.agent.fails_elsewhere.value is True else ""
    return Finding(
        lean=Lean.SUPPORTS,
        because=(
            f"{cut[0].address} accepts the connection, which is then reset after the ClientHello{both}; who sends the "
            "reset, the vendor's side or a filter that reads the name, does not show."
        ),
        facts=FACTS,
        witnesses=witnesses_of(cut) + facts.agent.fails_elsewhere.witnesses,
        at_most_possible=True,
        settle_next="The same address with a neutral server name; the TTL of the reset beside the server's packets.",
    )


FAULT = Fault(
    code="transit.tamper.reset_by_name",
    title="Connections are reset on the way because of the name in them",
    needs=("target.addresses",),
    masked_by=("local.portal.captive",),
    rivals=("host.tls.handshake",),
    assess=assess,
    reply=(
        "The connection is accepted and then cut at the moment when it names our site. Whether that happens on our "
        "side or on the way is not known yet; we are looking at our side first. Nothing needs to be changed meanwhile."
    ),
)
