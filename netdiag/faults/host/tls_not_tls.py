"""The vendor's port does not speak TLS.

What is broken
    Something other than a TLS server listens on the port: plain HTTP, another service, a wrong forwarding rule.

How it shows
    The connection opens, and the answer to the ClientHello is not TLS (OpenSSL: wrong version number).

What looks like it
    A captive portal or a proxy that answers every connection in plain HTTP (local.portal.captive): then controls on the
    same port do so, too. A URL with the wrong port.

What would settle it
    The same answer to the agent's line.

What to tell the customer
    That the port is reached and speaks something else.
"""

from netdiag.facts import Facts
from netdiag.faults.base import CONTROL_RUN, Fault, Finding, Lean, opposes, silent
from netdiag.faults.host._reading import agent, controls, reached, witnesses
from netdiag.faults.host._tls import may_be_a_boxs

USED = ("target.addresses", "controls.states", "path.proxy_in_path", "agent.runs")


def assess(facts: Facts) -> Finding:
    plain = tuple(state for state in reached(facts) if state.tls is not None and state.tls.how == "not_tls")
    if not plain:
        return opposes("No address answers with something other than TLS.", "target.addresses")
    on_line, other = controls(facts), agent(facts)
    if on_line.tls_works is False:
        return silent("Other hosts do not complete TLS on this line either.", *USED)
    if other.works:
        return opposes("The same address speaks TLS on another line.", *USED, witnesses=other.witnesses)
    state = plain[0]
    both = ", here and to another line alike" if other.fails else ", while other hosts speak TLS on this line"
    return Finding(
        lean=Lean.SETTLES if other.fails else Lean.SUPPORTS,
        because=f"{state.address} accepts connections on port {facts.port} and answers with something that is not TLS"
        f"{both}.",
        facts=USED,
        witnesses=witnesses(facts, state) + on_line.witnesses + other.witnesses,
        at_most_likely=not other.fails,
        at_most_possible=not other.fails and (on_line.tls_works is None or may_be_a_boxs(facts)),
        settle_next=CONTROL_RUN,
    )


FAULT = Fault(
    code="host.tls.not_tls",
    title="The vendor's port does not speak TLS",
    needs=("target.addresses",),
    assess=assess,
    rivals=("local.portal.captive", "local.tls.interception"),
    reply=(
        "Your measurement shows that our server answers on this port, but not with an encrypted connection. Please "
        "check that the port in the URL is the one we gave you. If it is, the fault is in our setting, and we are "
        "having it checked."
    ),
)
