"""The provider's resolver gives a false address.

What is broken
    A filter, a court order or an error at the provider makes its resolver answer for the target's name with an address
    that is not the vendor's.

How it shows
    The configured resolver outside alone gives that address, which fails TLS for the name, while the zone's own
    servers and independent resolvers agree on others; or it denies a name that they have. Extended errors 15 to
    17 say it openly.

What looks like it
    A CDN's different but valid answers: never counted. A filter in the customer's own network or a home router that
    hands the lie on (local.resolver.lying). A filtering resolver that the customer chose.

What would settle it
    The answer of the same resolver to another line of the provider.

What to tell the customer
    Which resolver answers with which address, and which one the vendor's own servers give.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes
from netdiag.faults.reading import witnesses_of
from netdiag.faults.resolvers import compared, liars, lie_words, true_address_fails

FACTS = ("names.configured_lies", "names.resolvers", "names.true_addresses")


def assess(facts: Facts) -> Finding:
    found = liars(facts)
    if isinstance(found, Finding):
        return found
    theirs = tuple(one for one in found if one[1] != "customer")
    if not theirs:
        return opposes("The false address comes from the customer's own network.", *FACTS)
    return Finding(
        # What a run of the agent knows leaves no fault of the zone as a rival, whatever was not asked on this line.
        lean=Lean.SETTLES if facts.names.known_elsewhere.value is True else Lean.SUPPORTS,
        because=lie_words(facts, theirs),
        facts=FACTS,
        witnesses=facts.names.configured_lies.witnesses + witnesses_of(one for one, _ in theirs),
        at_most_likely=True,
        at_most_possible=(
            len(theirs) != len(found) or any(whose == "either" for _, whose in theirs) or not compared(facts)
        ),
        explains=not true_address_fails(facts),
        settle_next="The same question to that resolver from another line of the same provider.",
    )


FAULT = Fault(
    code="transit.resolver.lying",
    title="The provider's name resolver gives a false address",
    needs=("names.resolvers",),
    masked_by=("local.hosts.override", "local.portal.captive"),
    rivals=("local.resolver.lying",),
    assess=assess,
    reply=(
        "The name resolver in the report, outside the local network, gives an address for our name that is not ours; "
        "our own name servers give another one. Please ask the provider that runs it why. Another resolver can be set "
        "for a test."
    ),
)
