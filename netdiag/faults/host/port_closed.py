"""The host refuses connections to the port: nothing listens on it.

What is broken
    The machine is up and reachable, and no service listens on the port: it is stopped, or it listens elsewhere.

How it shows
    Connections are refused by a TCP reset, within one round trip, and no ICMP error comes with it. The reset appears at
    the distance at which the host stands, and it comes again on every attempt and from every line.

What looks like it
    A firewall that refuses with a reset, the vendor's for one address (host.block.rejected) or the customer's own
    (local.firewall.machine, local.firewall.router). A box on the way that resets (nearer than the host). A refusal with
    ICMP port unreachable is never a closed port. Two lines may meet the same box. So a reset counts as the host's only
    where it comes from as far away as the address' other answers do, or from behind a router of the vendor's.

What would settle it
    The same refusal from the agent's line, at the same address, from where the host stands.

What to tell the customer
    The address answers, and refuses the connection at once, so the way to it is open. Nothing on the customer's side
    needs to change.
"""

from netdiag.facts import AddressState, Facts, Walk
from netdiag.faults._ways import whence
from netdiag.faults.base import CONTROL_RUN, Fault, Finding, Lean, opposes, silent
from netdiag.faults.host._reading import (
    SAME_PLACE,
    VENDOR_CAPTURE,
    addresses,
    agent,
    border,
    from_the_host,
    unreachable,
    walk_to,
    witnesses,
)
from netdiag.faults.in_flow import refusal_of

USED = ("target.addresses", "path.target4", "path.target6", "path.proxy_in_path", "flow.refusals", "agent.runs")


def assess(facts: Facts) -> Finding:
    states = unreachable(facts)
    if isinstance(states, Finding):
        return states
    refused = tuple(
        state
        for state in states
        if state.connect is not None and state.connect.how == "refused" and not state.connect.icmp
    )
    if not refused:
        return opposes("The connection is not refused by a TCP reset.", "target.addresses")
    if facts.path.proxy_in_path.value is True:
        return opposes(
            "The refusal comes from nearer than the host stands.",
            "path.proxy_in_path",
            witnesses=facts.path.proxy_in_path.witnesses,
        )
    other = agent(facts)
    if other.works:
        return opposes(
            f"The same address accepts connections on this port {whence(facts)}.", *USED, witnesses=other.witnesses
        )
    seen, named = witnesses(facts, *refused), addresses(refused)
    walk, own = walk_to(facts, refused[0].address), _from_the_host(facts, refused[0])
    if own is False and walk is not None:
        return silent(
            f"The reset comes from {walk.end_ttl} hops away, {walk.nearer_by} nearer than {walk.address} answers from: "
            "a box on the way may send it.",
            *USED,
        )
    far = "" if walk is None or walk.end_ttl is None else f", from {walk.end_ttl} hops away"
    far += _standing(walk) if own else "; whether the host sends it or a box on the way, is not known"
    if other.fails:
        return Finding(
            lean=Lean.SETTLES if own else Lean.SUPPORTS,
            because=f"Connections to {named} on port {facts.port} are reset, here and from another line"
            f"{far if own else '; how far away the host stands is not known'}.",
            facts=USED,
            witnesses=seen + other.witnesses,
            at_most_likely=not own,
            settle_next=VENDOR_CAPTURE,
        )
    if walk is not None and walk.end == "refused" and (walk.end_ttl or 0) <= 2 and border(facts, refused[0]) is None:
        return silent(f"The reset comes from {walk.end_ttl} hops away: too near to tell the host from a router.", *USED)
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"Connections to {named} on port {facts.port} are refused with a TCP reset{far}. A rule that refuses "
        "this address alone could do the same.",
        facts=USED,
        witnesses=seen,
        at_most_likely=True,
        at_most_possible=not (own or _agrees(facts, refused[0])),
        settle_next=CONTROL_RUN,
    )


def _standing(walk: Walk | None) -> str:
    """Where the reset comes from, as a clause, of one that counts as the host's: a router or a firewall right before it
    may send it in its name, and is the vendor's as well."""
    if walk is None or walk.nearer_by is None:
        return ", behind a router of the vendor's"
    if walk.nearer_by == 0:
        return ", where the host stands"
    return f", {walk.nearer_by} hop nearer than other answers of the host: from right before it, or from itself"


def _from_the_host(facts: Facts, state: AddressState) -> bool | None:
    """As ``from_the_host``; unknown where the resets arrive with another TTL than an answer of another port: a box may
    send them, or another machine behind the same address."""
    told, own = refusal_of(facts, state.address), from_the_host(facts, state)
    if own is True and told is not None and abs(told.nearer_by) > SAME_PLACE:
        return None
    return own


def _agrees(facts: Facts, state: AddressState) -> bool:
    """The resets arrive as another port's answers do, and from as far away as the walk met them. A box nearer by that
    copies the host's TTL would be met nearer."""
    told, walk = refusal_of(facts, state.address), walk_to(facts, state.address)
    if told is None or walk is None or walk.end != "refused" or walk.end_ttl is None:
        return False
    return told.nearer_by == 0 and abs(walk.end_ttl - told.hops) <= SAME_PLACE


FAULT = Fault(
    code="host.port.closed",
    title="Nothing listens on the port",
    needs=("target.addresses", "controls.any_healthy"),
    assess=assess,
    rivals=("local.firewall.machine", "local.firewall.router", "transit.path.prohibited", "host.block.rejected"),
    reply=(
        "Your measurement shows that our address is reached and refuses the connection at once, which is what a "
        "server does when the service behind it is not running. We are having the service checked and will tell you "
        "when it accepts connections again. Please leave everything as it is."
    ),
)
