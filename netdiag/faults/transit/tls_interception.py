"""Something on the way answers encrypted connections in the vendor's place.

What is broken
    A box of the provider, or of a network further on, takes the connections to this address: to show a page that the
    site is blocked, to inspect, or because a rule sends them astray.

How it shows
    The vendor's port is answered from nearer than the vendor stands, beyond the customer's own network: with a
    certificate that does not fit, a TLS alert, plain text, or silence. Another line is served by the same address.

What looks like it
    A vendor whose front stands nearer than what answers his pings, and has the wrong certificate (host.tls.wrong_name,
    host.tls.self_signed, host.tls.handshake). One on the customer's side (local.tls.interception). So this fault is
    never more than possible.

What would settle it
    The agent's run, and the log of the vendor's front: these connections never reached it.

What to tell the customer
    That something answers in the vendor's place before the vendor is reached, and at which hop.
"""

from netdiag.facts import Facts
from netdiag.faults.base import CONTROL_RUN, Fault, Finding, Lean, opposes, silent
from netdiag.faults.opened import FIRST_HOP, served_elsewhere, shown, stand_in, tls_fails
from netdiag.faults.reading import has_a_network_of_its_own

USED = ("target.addresses", "path.target4", "path.target6", "path.proxy_in_path", "agent.works_elsewhere")
VENDORS_LOG = "The log of the vendor's front at the times in the bundle: whether these connections reached it at all."


def assess(facts: Facts) -> Finding:
    if facts.target.addresses.known and not tls_fails(facts):
        return opposes("No address ends TLS without an answer, with an error or with a rejected certificate.", *USED)
    box = stand_in(facts)
    if box is None and facts.path.proxy_in_path.value is False:
        return opposes("The port is answered from where the target stands.", *USED)
    if box is None:
        return silent("Nothing shows that TLS is answered from nearer than the target stands.", *USED)
    state, end = box
    if end <= FIRST_HOP and has_a_network_of_its_own(facts):
        return opposes("What answers is next to the customer's machine.", *USED, witnesses=state.witnesses)
    well = served_elsewhere(facts)
    beside = ", while another line reaches the service at the same address" if well else ""
    return Finding(
        lean=Lean.SUPPORTS,
        because=(
            f"Port {facts.port} of {state.address} is answered from hop {end}, nearer than the target stands, with "
            f"{shown(state)}{beside}: something on the way may answer in the vendor's place."
        ),
        facts=USED,
        witnesses=state.witnesses + facts.agent.works_elsewhere.witnesses,
        at_most_possible=True,
        settle_next=VENDORS_LOG if well else CONTROL_RUN,
    )


FAULT = Fault(
    code="transit.tls.interception",
    title="Something on the way answers encrypted connections in the vendor's place",
    needs=("target.addresses",),
    masked_by=("local.portal.captive",),
    assess=assess,
    reply=(
        "Something between your network and ours answers encrypted connections in our place; the report says at which "
        "hop, and what it shows. Nothing needs to be changed meanwhile: we are checking whether your connections reach "
        "us. Please do not switch off certificate checks because of it."
    ),
)
