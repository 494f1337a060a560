"""The service accepts the connection, acknowledges what is sent, and never answers.

What is broken
    The machine lives, and the program behind the port does not: it hangs, its queue of connections is full, or a load
    balancer holds the connection with no working server behind it.

How it shows
    TCP connects; the request or the TLS greeting is acknowledged by the peer's TCP; no byte comes back in time.

What looks like it
    Data that never arrives (a path that loses large packets, a filter that drops by name): then nothing is
    acknowledged. Answers lost on the way back look the same from one end, and from two that share that way; of large
    ones something large that did come from the address tells; where no host answers a TLS greeting, it is the line's.
    A box on the way, the customer's or a provider's, accepts and acknowledges in the host's place: it stands nearer
    than the address' other answers come from, which excludes it only where that is known. A tarpit or a silent drop
    above the connection is the vendor's rule. Small segments tell size apart: a path that loses large packets lets
    these through, and a service that hangs is as silent to them.

What would settle it
    The same silence towards the agent's line, and with small packets.

What to tell the customer
    That the service was reached and did not answer.
"""

from netdiag.facts import Facts
from netdiag.faults.base import CONTROL_RUN, Fault, Finding, Lean, opposes, silent
from netdiag.faults.host._reading import (
    SMALL_PACKETS,
    VENDOR_CAPTURE,
    agent,
    controls,
    may_end_before,
    perhaps_before,
    size_excluded,
    tls_is_silent,
    witnesses,
)
from netdiag.faults.host._service import stopped
from netdiag.faults.sizes import is_matter_of_size

USED = (
    "target.addresses",
    "path.proxy_in_path",
    "path.large_from",
    "sizes.stalls",
    "controls.any_healthy",
    "agent.runs",
)


def assess(facts: Facts) -> Finding:
    found = stopped(facts, "silent")
    if not found:
        return opposes("No address accepts a connection and then stays silent.", "target.addresses")
    other = agent(facts)
    if other.works:
        return opposes(
            "The same address answers another line, so the service itself works.", *USED, witnesses=other.witnesses
        )
    found = tuple(one for one in found if not is_matter_of_size(facts, one[0].address))
    if not found:
        return opposes(
            "The address that stays silent answers as soon as both ends send small packets only.",
            *USED,
            witnesses=facts.sizes.stalls.witnesses,
        )
    state, sent, acked = next((one for one in found if one[2] is True), found[0])
    if acked is False:
        return opposes(
            f"{sent.capitalize()} to {state.address} was never acknowledged, so it may not have arrived.", *USED
        )
    seen = witnesses(facts, state) + other.witnesses
    if acked is None and not other.fails:
        return silent(f"Whether {sent} reached {state.address} is not known.", *USED)
    if state.http is None and tls_is_silent(facts):
        return silent(f"TLS to other hosts is as silent as TLS to {state.address}.", *USED, "controls.states")
    taken = f"{state.address} accepts the connection, acknowledges {sent}, and answers nothing"
    large = size_excluded(facts, state)
    unless = "" if large else "; a path that loses large packets, which no answer of it rules out, would look the same"
    if other.fails:
        return Finding(
            lean=Lean.SETTLES,
            because=f"{taken}, here and from another line alike{unless}{perhaps_before(facts, state)}.",
            facts=USED,
            witnesses=seen,
            at_most_likely=not large,
            at_most_possible=may_end_before(facts, state),  # two lines may meet the same box
            settle_next=SMALL_PACKETS if not large else VENDOR_CAPTURE,
        )
    at_tls = state.http is None
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"{taken}, while other hosts do{unless or ', or its answers are lost on their way back'}"
        f"{perhaps_before(facts, state)}.",
        facts=USED,
        witnesses=seen,
        at_most_likely=True,
        at_most_possible=not large
        or (at_tls and controls(facts).tls_works is not True)
        or may_end_before(facts, state)
        or facts.controls.any_healthy.value is not True,
        settle_next=CONTROL_RUN if large else f"{CONTROL_RUN} {SMALL_PACKETS}",
    )


FAULT = Fault(
    code="host.service.silent",
    title="The service accepts connections and does not answer",
    needs=("target.addresses",),
    assess=assess,
    reply=(
        "Your measurement shows that our server accepts the connection and receives the request, but does not "
        "answer, or that the answer is lost on its way back to you. Please leave everything as it is. We are having "
        "the service behind it and the way back checked, and will tell you when it answers again."
    ),
)
