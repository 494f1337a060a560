"""The host's machine is down, or cut off behind the vendor's last router.

What is broken
    The machine that owns the address does not answer its own router: it is off, crashed, or unplugged.

How it shows
    The last router before the address asks for the machine's hardware address, gets no answer, and sends ICMP host
    unreachable (3/1, in IPv6 1/3) after about three seconds. Where routers keep silent, nothing comes at all.

What looks like it
    A missing route further away (transit.path.unreachable): that answer comes at once, and from a router in mid-path.
    The customer's own gateway being dead: the sender is then the customer's own machine. A firewall that drops
    everything (host.block.everyone).

What would settle it
    The delay of the ICMP error together with the place of its sender; or silence on every port and protocol, from the
    agent's line, too, while the vendor's border answers.

What to tell the customer
    The packets reach the vendor's last router, which finds no machine behind it.
"""

from netdiag.facts import AddressState, Facts
from netdiag.faults._ways import whence
from netdiag.faults.base import CONTROL_RUN, Fault, Finding, Lean, opposes, silent
from netdiag.faults.host._reading import (
    NEIGHBOUR_WAIT_MS,
    PROFILE,
    SILENT_RIVALS,
    VENDOR_CAPTURE,
    agent,
    border,
    too_few,
    unreachable,
    walk_to,
    where,
    witnesses,
)
from netdiag.faults.reading import same_router_for_agent

USED = ("target.addresses", "path.target4", "path.target6", "agent.runs")


def assess(facts: Facts) -> Finding:
    states = unreachable(facts)
    if isinstance(states, Finding):
        return states
    other = agent(facts)
    if other.works:
        return opposes(
            f"The same address works {whence(facts)}, so the machine is up.", *USED, witnesses=other.witnesses
        )
    alive = next((state for state in states if state.answers_otherwise is True), None)
    if alive is not None:
        return opposes(f"{alive.address} answers on another port or protocol.", *USED, witnesses=alive.witnesses)
    for state in states:
        found = _unanswered(facts, state)
        if found is not None:
            return found
    silenced = next((state for state in states if state.connect is not None and state.connect.how == "silent"), None)
    if silenced is None:
        if any(
            state.connect is not None and state.connect.how == "icmp" and not state.connect.icmp for state in states
        ):
            return silent("An ICMP error came whose sender this machine could not tell.", *USED)
        return opposes("Something answers for the address, so it is not simply down.", *USED)
    sign = border(facts, silenced)
    if sign is None:
        return silent(f"{silenced.address} is silent, which a machine that is down would be, too.", *USED)
    lines = "here and from another line" if other.fails else "from this line"
    # Routers that answer a walk mostly tell of a machine that is down, too, so a drop is the better reading of silence.
    walk = walk_to(facts, silenced.address)
    tells = walk is not None and walk.last_seen_place == "vendor"
    why = ", and its routers, which answer walks, do not say that it is down" if tells else ""
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"{silenced.address} answers nothing at all {lines}, although {sign}{why}.",
        facts=USED,
        witnesses=witnesses(facts, silenced) + other.witnesses,
        at_most_likely=True,
        at_most_possible=tells or too_few(facts, silenced),
        settle_next=VENDOR_CAPTURE if other.fails else CONTROL_RUN,
    )


def _unanswered(facts: Facts, state: AddressState) -> Finding | None:
    """Host unreachable, after the wait for a neighbour, by a router next to the address."""
    connect = state.connect
    if connect is None or connect.how != "icmp" or connect.icmp is None:
        return None
    icmp, waited = connect.icmp, connect.elapsed_ms
    if (icmp.version, icmp.type, icmp.code) not in {(4, 3, 1), (6, 1, 3)}:
        return None
    if connect.sender_place in ("self", "gateway", "target"):
        return opposes(f"The host-unreachable message was sent by {icmp.sender}, no router before the host.", *USED)
    if waited is None or waited < NEIGHBOUR_WAIT_MS:
        if connect.sender_place != "vendor":
            return silent(f"{icmp.sender} said host unreachable without the wait for a neighbour that is down.", *USED)
        return Finding(
            lean=Lean.SUPPORTS,
            because=f"{icmp.sender}, in the vendor's network, says at once that {state.address} is unreachable.",
            facts=USED,
            witnesses=witnesses(facts, state),
            at_most_likely=True,
            settle_next=CONTROL_RUN,
        )
    said = f"{icmp.sender} said after {waited / 1000:.1f} s that {state.address} does not answer it"
    if connect.sender_place == "vendor":
        return Finding(
            lean=Lean.SETTLES,
            because=f"{said}: the vendor's last router finds no machine at that address.",
            facts=USED,
            witnesses=witnesses(facts, state),
        )
    if same_router_for_agent(facts):
        return Finding(
            lean=Lean.SETTLES,
            because=f"{said}, here and to another line alike: the last router before the address finds nobody there.",
            facts=USED,
            witnesses=witnesses(facts, state) + agent(facts).witnesses,
            at_most_likely=True,  # that this router is the vendor's, nothing shows
            settle_next=PROFILE,
        )
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"{said}, as a router next to a machine that is down would; {where(facts, state)}.",
        facts=USED,
        witnesses=witnesses(facts, state),
        at_most_likely=True,
        settle_next=CONTROL_RUN,
    )


FAULT = Fault(
    code="host.machine.down",
    title="The machine does not answer its own router",
    needs=("target.addresses", "controls.any_healthy"),
    assess=assess,
    rivals=(*SILENT_RIVALS, "transit.path.unreachable", "host.block.everyone"),
    reply=(
        "Your measurement reaches the edge of our network, and the machine behind it does not answer, or its "
        "answers are lost on their way back. Please leave everything as it is. We are having the machine checked and "
        "will tell you when it is back."
    ),
)
