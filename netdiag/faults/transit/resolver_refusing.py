"""The provider's resolver refuses to resolve.

What is broken
    The configured resolver outside answers every question with an error: it does not serve this line, or is ill.

How it shows
    REFUSED (rcode 5) or SERVFAIL for control names as for the target's, while independent resolvers answer.

What looks like it
    A home router's forwarder that hands this on: undecided (local.resolver.refusing). A setting left over from another
    provider, whose resolver serves its own customers alone. A zone of the vendor that is ill: control names resolve.

What would settle it
    The same question to that resolver from another line of the provider.

What to tell the customer
    Which resolver refuses, and that it refuses other names as well.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes
from netdiag.faults.reading import witnesses_of
from netdiag.faults.resolvers import FACTS, broken, nothing_outside, servers


def assess(facts: Facts) -> Finding:
    found = broken(facts, "refusing")
    if isinstance(found, Finding):
        return found
    theirs = tuple(one for one in found if one[1] != "customer")
    if not theirs:
        return opposes("No resolver of the provider's refuses questions.", *FACTS)
    doubt = nothing_outside(facts)
    if doubt is not None:
        return doubt
    decided = len(theirs) == len(found) and all(whose == "provider" for _, whose in theirs)
    rcodes = " and ".join(sorted({(one.control or "").upper() for one, _ in theirs}))
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"The configured resolver {servers(theirs)} answers {rcodes} for other names, too.",
        facts=FACTS,
        witnesses=witnesses_of(one for one, _ in theirs),
        at_most_likely=True,
        at_most_possible=not decided,
        settle_next="The same question to that resolver from another line of the same provider.",
    )


FAULT = Fault(
    code="transit.resolver.refusing",
    title="The provider's name resolver refuses to resolve",
    needs=("names.resolvers",),
    masked_by=("local.link.down", "local.route.missing", "local.gateway.dead", "local.portal.captive"),
    rivals=("local.resolver.refusing",),
    assess=assess,
    reply=(
        "The name resolver in the report, outside the local network, refuses every question, not only those for our "
        "name. Please ask the provider that runs it whether it serves this line. Another resolver can be set meanwhile."
    ),
)
