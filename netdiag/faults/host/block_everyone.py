"""The vendor's firewall refuses or drops connections to the port from everyone.

What is broken
    A rule of the vendor's firewall, security group or border drops or refuses every connection to the service.

How it shows
    Connections stay without an answer, or are refused by ICMP from the vendor's own addresses, while the vendor's
    border, another port or another protocol of the address answers. From other lines it is the same.

What looks like it
    A block of one source address (host.block.source_address): the same on this line, but other lines work. A machine
    that is down (host.machine.down). A drop on the way (transit.path.black_hole) or on the customer's own machine or
    router.

What would settle it
    The agent's run from another line, failing at the same address in the same way.

What to tell the customer
    The service cannot be reached from elsewhere either.
"""

from netdiag.facts import Facts
from netdiag.faults._ways import whence
from netdiag.faults.base import CONTROL_RUN, Fault, Finding, Lean, opposes
from netdiag.faults.host._reading import (
    PROFILE,
    SILENT_RIVALS,
    VENDOR_CAPTURE,
    addresses,
    agent,
    border,
    reached,
    too_few,
    unreachable,
    where,
    witnesses,
)

USED = ("target.addresses", "path.target4", "path.target6", "agent.runs")


def assess(facts: Facts) -> Finding:
    states = unreachable(facts)
    if isinstance(states, Finding):
        return states
    other = agent(facts)
    if other.works:
        return opposes(
            f"The same address works {whence(facts)}, so it is not shut for everyone.",
            *USED,
            witnesses=other.witnesses,
        )
    refused = tuple(
        state
        for state in states
        if state.connect is not None and state.connect.icmp and state.connect.sender_place in ("vendor", "target")
    )
    if refused and other.fails:
        return Finding(
            lean=Lean.SETTLES,
            because=f"The vendor's side refuses {addresses(refused)} by ICMP, here and from another line alike.",
            facts=USED,
            witnesses=witnesses(facts, *refused) + other.witnesses,
        )
    dropped = tuple(state for state in states if state.connect is not None and state.connect.how == "silent")
    if not dropped:
        return opposes("The connections are not dropped in silence.", *USED)
    state = dropped[0]
    sign, seen = border(facts, state), witnesses(facts, *dropped) + other.witnesses
    silence = f"Connections to {addresses(dropped)} on port {facts.port} get no answer"
    opened = reached(facts)
    if opened:
        silence += f" (to {addresses(opened)} they come about: it is not the whole service, or packets are lost)"
    back = "the vendor drops them, or the answers are lost on their way back"
    if sign is None:
        return Finding(
            lean=Lean.SUPPORTS,
            because=f"{silence}, and {where(facts, state)}; that does not show whose drop it is.",
            facts=USED,
            witnesses=seen,
            at_most_possible=True,
            settle_next=PROFILE if other.fails else CONTROL_RUN,
        )
    if other.fails:
        return Finding(
            lean=Lean.SUPPORTS,
            because=f"{silence}, here and from another line alike, although {sign}: {back}.",
            facts=USED,
            witnesses=seen,
            # Two lines may share the vendor's own provider, which can drop for both.
            at_most_likely=True,
            at_most_possible=too_few(facts, *dropped),
            settle_next=VENDOR_CAPTURE,
        )
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"{silence}, although {sign}: {back}. One line cannot tell a drop for everyone from a block of one "
        "address.",
        facts=USED,
        witnesses=seen,
        at_most_likely=True,
        at_most_possible=too_few(facts, *dropped),
        settle_next=CONTROL_RUN,
    )


FAULT = Fault(
    code="host.block.everyone",
    title="The vendor's firewall shuts the service for everyone",
    needs=("target.addresses", "controls.any_healthy"),
    assess=assess,
    rivals=(*SILENT_RIVALS, "host.block.source_address", "host.machine.down"),
    reply=(
        "Your measurement shows that packets reach our network and no answer comes back: we drop them, or the answers "
        "are lost on their way back to you. Please leave everything as it is. We are having the firewall in front of "
        "the service and the way back checked, and will tell you when it is reachable again."
    ),
)
