"""The service accepts the connection, acknowledges what is sent, and never answers.

What is broken
    The machine lives, and the program behind the port does not: it hangs, its queue of connections is full, or a load
    balancer holds the connection with no working server behind it.

How it shows
    TCP connects; the request or the TLS greeting is acknowledged by the peer's TCP; no byte comes back in time.

What looks like it
    Data that never arrives (a path that loses large packets, a filter that drops by name): then nothing is
    acknowledged. Large answers lost on the way back look the same from one end. A transparent proxy close to the
    customer acknowledges in the host's place. A tarpit or a silent drop above the connection is the vendor's rule.

What would settle it
    The same silence towards the agent's line.

What to tell the customer
    That the service was reached and did not answer.
"""

from netdiag.facts import Facts
from netdiag.faults.base import CONTROL_RUN, Fault, Finding, Lean, opposes, silent
from netdiag.faults.host._reading import agent, witnesses
from netdiag.faults.host._service import stopped

USED = ("target.addresses", "path.proxy_in_path", "controls.any_healthy", "agent.runs")


def assess(facts: Facts) -> Finding:
    found = stopped(facts, "silent")
    if not found:
        return opposes("No address accepts a connection and then stays silent.", "target.addresses")
    other = agent(facts)
    if other.works:
        return opposes(
            "The same address answers another line, so the service itself works.", *USED, witnesses=other.witnesses
        )
    state, sent, acked = next((one for one in found if one[2] is True), found[0])
    if acked is False:
        return opposes(
            f"{sent.capitalize()} to {state.address} was never acknowledged, so it may not have arrived.", *USED
        )
    seen = witnesses(facts, state) + other.witnesses
    if acked is None and not other.fails:
        return silent(f"Whether {sent} reached {state.address} is not known.", *USED)
    taken = f"{state.address} accepts the connection, acknowledges {sent}, and answers nothing"
    if other.fails:
        return Finding(
            lean=Lean.SETTLES, because=f"{taken}, here and from another line alike.", facts=USED, witnesses=seen
        )
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"{taken}, while other hosts do.",
        facts=USED,
        witnesses=seen,
        at_most_likely=True,
        at_most_possible=facts.path.proxy_in_path.value is True or facts.controls.any_healthy.value is not True,
        settle_next=CONTROL_RUN,
    )


FAULT = Fault(
    code="host.service.silent",
    title="The service accepts connections and does not answer",
    needs=("target.addresses",),
    assess=assess,
    reply=(
        "Your measurement shows that our server accepts the connection and receives the request, but does not "
        "answer. Nothing on your side causes this. We are having the service behind it checked and will tell you "
        "when it answers again."
    ),
)
