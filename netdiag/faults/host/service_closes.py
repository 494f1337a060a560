"""The service accepts the connection and closes or resets it without an answer.

What is broken
    The server, a wrapper or a load balancer ends the connection after it was opened: no working server behind it, a
    rule that closes (nginx 444, HAProxy reject, tcp wrappers), or a program that crashes on the request.

How it shows
    TCP connects; then comes an end of stream or a reset instead of a byte of answer.

What looks like it
    A box on the way that resets connections (transit.tamper.reset_by_name, transit.tamper.reset), or one in the
    customer's network (local.firewall.by_name): who sent a reset shows only where the same data were sent with TTLs
    that end on the way. If they got as far as the last router before the host without one, and that router is the
    vendor's, the reset is the vendor's, too. A box that accepts in the host's place and closes stands nearer than the
    address' other answers come from, which excludes it only where that is known. A limit on connections of one address.

What would settle it
    The same ending on the agent's line, from where the host stands.

What to tell the customer
    That the service was reached and hung up.
"""

from netdiag.facts import Facts
from netdiag.faults.base import CONTROL_RUN, Fault, Finding, Lean, opposes, silent
from netdiag.faults.host._reading import VENDOR_CAPTURE, agent, may_end_before, perhaps_before, witnesses
from netdiag.faults.host._service import stopped, was_reset
from netdiag.faults.in_flow import FACTS, flow_to, is_before_the_host, was_ended, where, whose

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
    flow = flow_to(facts, state.address)
    owner = None if flow is None or not was_ended(flow) else whose(facts, flow)
    if flow is not None and owner in ("customer", "customer or way", "way", "way or vendor"):
        how = opposes if owner in ("customer", "way") else silent
        return how(f"The connection is ended {where(flow)}.", *USED, *FACTS)
    if flow is not None and owner == "vendor" and is_before_the_host(flow):
        return silent(f"The connection is ended before it is at the host: {where(flow)}.", *USED, *FACTS)
    if flow is not None and owner == "vendor":
        taken += f", {where(flow)}"
        seen += flow.witnesses
    before = owner != "vendor" and may_end_before(facts, state)
    # Before TLS is up, any box on the way can read the name and forge a reset, on another line, too.
    forgeable = reset and (state.tls is None or state.tls.how != "ok") and owner != "vendor"
    if other.fails and not forgeable:
        return Finding(
            lean=Lean.SETTLES,
            because=f"{taken}, here and from another line alike{perhaps_before(facts, state) if before else ''}.",
            facts=USED,
            witnesses=seen,
            at_most_likely=reset,
            at_most_possible=before,  # two lines may meet the same box
            settle_next=VENDOR_CAPTURE,
        )
    doubt = f"; who sent the {'reset' if reset else 'end'}, one line alone does not show"
    if other.fails:
        doubt = f", here and from another line alike; who sent the {'reset' if reset else 'end'}, nothing here shows"
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"{taken}{'' if owner == 'vendor' else doubt}.",
        facts=USED if owner is None else (*USED, *FACTS),
        witnesses=seen,
        at_most_likely=True,
        at_most_possible=forgeable
        or before
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
