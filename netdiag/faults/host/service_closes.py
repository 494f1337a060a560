"""The service accepts the connection and closes or resets it without an answer.

What is broken
    The server, a wrapper or a load balancer ends the connection after it was opened: no working server behind it, a
    rule that closes (nginx 444, HAProxy reject, tcp wrappers), or a program that crashes on the request.

How it shows
    TCP connects; then comes an end of stream or a reset instead of a byte of answer.

What looks like it
    A box on the way that resets connections by the name asked for (transit.tamper.reset_by_name): who sent a reset, one
    end often cannot tell. A limit on connections of one address.

What would settle it
    The same ending on the agent's line.

What to tell the customer
    That the service was reached and hung up.
"""

from netdiag.facts import Facts
from netdiag.faults.base import CONTROL_RUN, Fault, Finding, Lean, opposes
from netdiag.faults.host._reading import VENDOR_CAPTURE, agent, witnesses
from netdiag.faults.host._service import stopped, was_reset

USED = ("target.addresses", "path.proxy_in_path", "controls.any_healthy", "agent.runs")


def assess(facts: Facts) -> Finding:
    found = stopped(facts, "closed", "reset")
    if not found:
        return opposes("No address accepts a connection and then ends it without an answer.", "target.addresses")
    other, (state, sent, _) = agent(facts), found[0]
    if other.works:
        return opposes(
            "The same address answers another line, so the service itself works.", *USED, witnesses=other.witnesses
        )
    reset = was_reset(state)
    ending = "resets it" if reset else "closes it"
    taken = f"{state.address} accepts the connection and {ending} after {sent}, without a byte of answer"
    seen = witnesses(facts, state) + other.witnesses
    # Before TLS is up, any box on the way can read the name and forge a reset, on another line, too.
    forgeable = reset and (state.tls is None or state.tls.how != "ok")
    if other.fails and not forgeable:
        return Finding(
            lean=Lean.SETTLES,
            because=f"{taken}, here and from another line alike.",
            facts=USED,
            witnesses=seen,
            at_most_likely=reset,
        )
    lines = ", here and from another line alike; who sent the" if other.fails else "; who sent the"
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"{taken}{lines} {'reset' if reset else 'end'}, "
        f"{'nothing here shows' if other.fails else 'one line alone does not show'}.",
        facts=USED,
        witnesses=seen,
        at_most_likely=True,
        at_most_possible=forgeable
        or facts.path.proxy_in_path.value is True
        or facts.controls.any_healthy.value is not True,
        settle_next=CONTROL_RUN if not other.fails else VENDOR_CAPTURE,
    )


FAULT = Fault(
    code="host.service.closes",
    title="The service accepts connections and closes them without an answer",
    needs=("target.addresses",),
    assess=assess,
    rivals=("transit.tamper.reset_by_name", "local.portal.captive"),
    reply=(
        "Your measurement shows that the connection to our server is opened and then ended without an answer, from "
        "your line and possibly from others. Please leave everything as it is. We are comparing it with our own "
        "measurement and checking the service."
    ),
)
