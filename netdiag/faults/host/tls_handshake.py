"""The vendor's server breaks off the TLS handshake.

What is broken
    Client and server find no common protocol version, cipher or name, or the server's TLS setting is broken.

How it shows
    The server answers the ClientHello with an alert: protocol version (70), handshake failure (40), unrecognised name
    (112), internal error (80) and others. Other hosts complete the handshake with the same client.

What looks like it
    A client that is too old or set up wrongly: then other hosts refuse it, too. A server that asks for a certificate of
    the client, which netdiag does not have: no fault. A box on the way that answers in the server's place.

What would settle it
    The same alert shown to the agent's line, while controls complete their handshakes here.

What to tell the customer
    Which alert the server sent, and that other servers accept the same client.
"""

from netdiag.facts import Facts
from netdiag.faults.base import CONTROL_RUN, Fault, Finding, Lean, opposes, silent
from netdiag.faults.host._reading import agent, controls, reached, witnesses
from netdiag.faults.host._tls import may_be_a_boxs

USED = ("target.addresses", "controls.states", "path.proxy_in_path", "agent.runs")

# RFC 8446 section 6 and the IANA registry of TLS alerts.
ALERTS = {
    40: "handshake failure",
    47: "illegal parameter",
    70: "protocol version",
    71: "insufficient security",
    80: "internal error",
    86: "inappropriate fallback",
    112: "unrecognised name",
    116: "certificate required",
    120: "no application protocol",
}
CERTIFICATE_REQUIRED = 116


def assess(facts: Facts) -> Finding:
    failed = tuple(
        (state, state.tls) for state in reached(facts) if state.tls is not None and state.tls.how in ("alert", "failed")
    )
    if not failed:
        return opposes("No handshake is broken off by an alert or a protocol error.", "target.addresses")
    on_line, other = controls(facts), agent(facts)
    if on_line.tls_works is False:
        return silent("Handshakes with other hosts fail on this line, too.", *USED)
    if other.works:
        return opposes("The same address completes the handshake on another line.", *USED, witnesses=other.witnesses)
    state, tls = next(((state, tls) for state, tls in failed if tls.how == "alert"), failed[0])
    seen = witnesses(facts, state) + on_line.witnesses + other.witnesses
    if tls.client_certificate_asked is True or tls.alert == CERTIFICATE_REQUIRED:
        return silent(f"{state.address} asks for a certificate of the client, which netdiag does not have.", *USED)
    name = f" ({ALERTS[tls.alert]})" if tls.alert in ALERTS else ""
    how = (
        "breaks off the TLS handshake" if tls.alert is None else f"ends the TLS handshake with alert {tls.alert}{name}"
    )
    both = ", here and from another line alike" if other.fails else ""
    return Finding(
        lean=Lean.SETTLES if other.fails else Lean.SUPPORTS,
        because=f"{state.address} {how}{both}, while other hosts complete theirs.",
        facts=USED,
        witnesses=seen,
        at_most_likely=not other.fails,
        at_most_possible=not other.fails and (tls.how != "alert" or on_line.tls_works is None or may_be_a_boxs(facts)),
        settle_next=CONTROL_RUN,
    )


FAULT = Fault(
    code="host.tls.handshake",
    title="The vendor's server breaks off the TLS handshake",
    needs=("target.addresses",),
    assess=assess,
    rivals=("local.tls.interception", "local.portal.captive"),
    reply=(
        "Your measurement shows that our server breaks off the encrypted connection while other servers accept it "
        "from your machine. We are having the server's TLS settings checked. If your program uses an unusually old "
        "TLS library, please tell us its version."
    ),
)
