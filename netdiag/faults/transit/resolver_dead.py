"""The provider's resolver does not answer.

What is broken
    The name resolver of the provider, which the machine is set to use, is down or cut off.

How it shows
    No configured resolver answers for any name, control names included; independent resolvers or the name servers
    above the vendor's zone answer, so DNS passes on this line.

What looks like it
    A network that lets no DNS out: then nobody outside answers. A home router that waits for this resolver: undecided
    (local.resolver.dead). An old setting that names another provider's resolver: from here the same.

What would settle it
    The same question to that resolver from another line of the provider.

What to tell the customer
    Which resolver is silent, and that another one resolves the name.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes
from netdiag.faults.reading import witnesses_of
from netdiag.faults.resolvers import FACTS, broken, dns_passes, nothing_outside, servers


def assess(facts: Facts) -> Finding:
    found = broken(facts, "dead")
    if isinstance(found, Finding):
        return found
    theirs = tuple(one for one in found if one[1] != "customer")
    if not theirs:
        return opposes("No resolver of the provider's is silent.", *FACTS)
    doubt = nothing_outside(facts)
    if doubt is not None:
        return doubt
    decided = len(theirs) == len(found) and all(whose == "provider" for _, whose in theirs)
    passes = dns_passes(facts)
    return Finding(
        lean=Lean.SUPPORTS,
        because=(
            f"The configured resolver {servers(theirs)} answers no question, those for other names included"
            f"{', while other name servers outside answer' if passes else ''}."
        ),
        facts=(*FACTS, "names.parents_answer"),
        witnesses=witnesses_of(one for one, _ in theirs),
        at_most_likely=True,
        at_most_possible=not (decided and passes),
        settle_next="The same question to that resolver from another line of the same provider.",
    )


FAULT = Fault(
    code="transit.resolver.dead",
    title="The provider's name resolver does not answer",
    needs=("names.resolvers",),
    masked_by=("local.link.down", "local.route.missing", "local.gateway.dead", "local.portal.captive"),
    rivals=("local.resolver.dead",),
    assess=assess,
    reply=(
        "The name resolver in the report, outside the local network, answers for no name at all, while others resolve "
        "ours. Please report this to the provider that runs it. Another resolver can be set meanwhile."
    ),
)
