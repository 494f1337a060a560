"""The host refuses connections to the port: nothing listens on it.

What is broken
    The machine is up and reachable, and no service listens on the port: it is stopped, or it listens elsewhere.

How it shows
    Connections are refused by a TCP reset, within one round trip, and no ICMP error comes with it. The reset appears at
    the distance at which the host stands, and it comes again on every attempt and from every line.

What looks like it
    A firewall that refuses with a reset, the vendor's for one address (host.block.rejected) or the customer's own
    (local.firewall.machine, local.firewall.router). A box on the way that resets (nearer than the host). A refusal with
    ICMP port unreachable is never a closed port.

What would settle it
    The same refusal from the agent's line, at the same address.

What to tell the customer
    The address answers, and refuses the connection at once, so the way to it is open. Nothing on the customer's side
    needs to change.
"""

from netdiag.facts import Facts
from netdiag.faults.base import CONTROL_RUN, Fault, Finding, Lean, opposes, silent
from netdiag.faults.host._reading import addresses, agent, border, unreachable, walk_to, witnesses

USED = ("target.addresses", "path.target4", "path.target6", "path.proxy_in_path", "agent.runs")


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
            "The same address accepts connections on this port from another line.", *USED, witnesses=other.witnesses
        )
    seen, named = witnesses(facts, *refused), addresses(refused)
    if other.fails:
        return Finding(
            lean=Lean.SETTLES,
            because=f"Connections to {named} on port {facts.port} are reset, here and from another line.",
            facts=USED,
            witnesses=seen + other.witnesses,
        )
    walk = walk_to(facts, refused[0].address)
    if walk is not None and walk.end == "refused" and (walk.end_ttl or 0) <= 2 and border(facts, refused[0]) is None:
        return silent(f"The reset comes from {walk.end_ttl} hops away: too near to tell the host from a router.", *USED)
    far = "" if walk is None or walk.end_ttl is None else f", from {walk.end_ttl} hops away, behind routers that answer"
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"Connections to {named} on port {facts.port} are refused with a TCP reset{far}; a rule that refuses "
        "this address alone could do the same.",
        facts=USED,
        witnesses=seen,
        at_most_likely=True,
        settle_next=CONTROL_RUN,
    )


FAULT = Fault(
    code="host.port.closed",
    title="Nothing listens on the port",
    needs=("target.addresses", "controls.any_healthy"),
    assess=assess,
    rivals=("local.firewall.machine", "local.firewall.router", "transit.path.prohibited", "host.block.rejected"),
    reply=(
        "Your measurement shows that our address is reached and refuses the connection at once, which is what a "
        "server does when the service behind it is not running. Nothing on your side causes this. We are having the "
        "service checked and will tell you when it accepts connections again."
    ),
)
