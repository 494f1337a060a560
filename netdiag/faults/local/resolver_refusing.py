"""The customer's own resolver refuses to resolve.

What is broken
    The resolver in the LAN answers every question with an error: its access list does not know this machine, or it
    has no upstream.

How it shows
    REFUSED (rcode 5) or SERVFAIL for control names as for the target's, often with an extended error, while
    independent resolvers give addresses.

What looks like it
    A home router's forwarder that hands on what the provider's resolver says: undecided between the two. An authority
    that refuses: control names resolve then.

What would settle it
    REFUSED for a control name from a resolver in the LAN that is not the gateway's forwarder.

What to tell the customer
    Which resolver refuses, that it does so for every name, and that its access list is the place to look.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes
from netdiag.faults.reading import witnesses_of
from netdiag.faults.resolvers import FACTS, broken, nothing_outside, servers


def assess(facts: Facts) -> Finding:
    found = broken(facts, "refusing")
    if isinstance(found, Finding):
        return found
    ours = tuple(one for one in found if one[1] != "provider")
    if not ours:
        return opposes("No resolver on this machine or in its LAN refuses questions.", *FACTS)
    doubt = nothing_outside(facts)
    if doubt is not None:
        return doubt
    decided = len(ours) == len(found) and all(whose == "customer" for _, whose in ours)
    rcodes = " and ".join(sorted({(one.control or "").upper() for one, _ in ours}))
    hints = sorted({code for one, _ in ours for code in one.extended_errors})
    extended = f" (extended error {', '.join(map(str, hints))})" if hints else ""
    return Finding(
        lean=Lean.SETTLES if decided else Lean.SUPPORTS,
        because=f"The configured resolver {servers(ours)} answers {rcodes}{extended} for other names, too.",
        facts=FACTS,
        witnesses=witnesses_of(one for one, _ in ours),
        at_most_possible=not decided,
        settle_next="The same question to the resolver that stands behind it (the provider's), asked directly.",
    )


FAULT = Fault(
    code="local.resolver.refusing",
    title="The customer's own name resolver refuses to resolve",
    needs=("names.resolvers",),
    masked_by=("local.link.down", "local.route.missing", "local.gateway.dead", "local.portal.captive"),
    rivals=("transit.resolver.refusing",),
    assess=assess,
    reply=(
        "The name resolver that the machine is set to use refuses every question, not only those for our name. Please "
        "ask whoever runs the resolver named in the report to allow this machine, or set another one for a test."
    ),
)
