"""One of the vendor's addresses is dead, while another works.

What is broken
    The name has several addresses of one family, and one of them leads to a machine or a load balancer that is gone.

How it shows
    Connections to one address fail on every attempt, and those to its sibling work. Programs fail now and then,
    depending on the address they pick.

What looks like it
    A drop on the way to one address only (transit.path.black_hole), which is excluded when the siblings share a network
    or the walk reaches the vendor's border. A dead IPv6 side (host.ipv6.dead). A limit or a block of the customer at
    the one address only (host.block.source_address): another line is then let in. An ICMP error by which a rule of the
    vendor's refuses is no death (host.block.rejected).

What would settle it
    The same address failing on the agent's line.

What to tell the customer
    Which address fails and which works.
"""

from netdiag.facts import AddressState, Facts
from netdiag.faults._ways import whence
from netdiag.faults.base import CONTROL_RUN, Fault, Finding, Lean, opposes
from netdiag.faults.host._mechanisms import is_rule
from netdiag.faults.host._reading import (
    SILENT_RIVALS,
    agent,
    border,
    judged,
    kept_here,
    proxied,
    same_network,
    where,
    witnesses,
)

USED = ("target.addresses", "path.target4", "path.target6", "agent.runs")


def assess(facts: Facts) -> Finding:
    states = judged(facts)
    pairs = [
        (dead, alive)
        for dead in states
        for alive in states
        if dead.family == alive.family and not _opens(dead) and _opens(alive) and not kept_here(facts, dead)
    ]
    if proxied(facts) or not pairs:
        return opposes("The target's addresses do not differ in whether they accept connections.", "target.addresses")
    other = agent(facts)
    if other.works:
        return opposes(
            f"The addresses that accept no connection from here work {whence(facts)}, so they are not dead.",
            *USED,
            witnesses=other.witnesses,
        )
    rule = next((dead for dead, _ in pairs if is_rule(dead.connect)), None)
    if rule is not None:
        return opposes(
            f"A rule of the vendor's refuses connections to {rule.address}, so that address is not dead.",
            *USED,
            witnesses=rule.witnesses,
        )
    dead, alive = max(pairs, key=lambda pair: same_network(pair[0].address, pair[1].address))
    near, sign = same_network(dead.address, alive.address), border(facts, dead)
    proof = "in the same network" if near else f"although {sign}" if sign else where(facts, dead)
    return Finding(
        lean=Lean.SETTLES if other.fails else Lean.SUPPORTS,
        because=f"{dead.address} accepts no connection, while {alive.address} does, "
        f"{'and it fails on another line, too' if other.fails else proof}."
        f"{'' if other.fails else ' A block of this address there alone would look the same from one line.'}",
        facts=USED,
        witnesses=witnesses(facts, dead, alive) + other.witnesses,
        at_most_likely=True,  # two lines may share the vendor's own provider, which can drop one address for both
        at_most_possible=not other.fails and not near and sign is None,
        settle_next=CONTROL_RUN,
    )


def _opens(state: AddressState) -> bool:
    return state.connect is not None and state.connect.how == "open"


FAULT = Fault(
    code="host.address.partly_dead",
    title="One of the vendor's addresses is dead",
    needs=("target.addresses", "controls.any_healthy"),
    assess=assess,
    rivals=SILENT_RIVALS,
    reply=(
        "Your measurement shows that one of the addresses of our service does not answer while another does, so "
        "connections fail now and then. Please leave everything as it is. We are having the dead address repaired or "
        "withdrawn."
    ),
)
