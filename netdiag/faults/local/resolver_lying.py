"""The customer's own resolver gives a false address.

What is broken
    A filter or an entry in the LAN's resolver (ad blocker, parental control, split DNS, a compromised router) gives an
    address for the target's name that is not the vendor's.

How it shows
    The configured resolver alone gives a private, unspecified or foreign address, which fails TLS for the name; the
    zone's own servers and independent resolvers agree on others; or it denies a name that they
    have. Extended errors 15 to 17 say it openly.

What looks like it
    A CDN's different but valid answers: never counted, since TLS holds there. A home router that hands on the
    provider's lie (transit.resolver.lying): undecided, unless the address is of the LAN itself. A captive portal.

What would settle it
    A false address inside the customer's own LAN; else the same question to the provider's resolver, directly.

What to tell the customer
    Which resolver answers with which address, and which one the vendor's own servers give.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes
from netdiag.faults.reading import in_lan, witnesses_of
from netdiag.faults.resolvers import compared, liars, lie_words, true_address_fails

FACTS = ("names.configured_lies", "names.resolvers", "names.true_addresses")


def assess(facts: Facts) -> Finding:
    found = liars(facts)
    if isinstance(found, Finding):
        return found
    ours = tuple(one for one in found if one[1] != "provider")
    if not ours:
        return opposes("The false address comes from no resolver on this machine or in its LAN.", *FACTS)
    decided = len(ours) == len(found) and all(whose == "customer" for _, whose in ours)
    lies = facts.names.configured_lies.value or ()
    inside = bool(lies) and all(in_lan(facts, lie) for lie in lies)
    return Finding(
        # What a run of the agent knows leaves no fault of the zone as a rival, whatever was not asked on this line.
        lean=Lean.SETTLES
        if facts.names.known_elsewhere.value is True or (decided and inside and compared(facts))
        else Lean.SUPPORTS,
        because=lie_words(facts, ours),
        facts=FACTS,
        witnesses=facts.names.configured_lies.witnesses + witnesses_of(one for one, _ in ours),
        at_most_likely=not inside,
        at_most_possible=not decided or not compared(facts),
        explains=not true_address_fails(facts),
        settle_next="The same question to the resolver that stands behind it (the provider's), asked directly.",
    )


FAULT = Fault(
    code="local.resolver.lying",
    title="The customer's own name resolver gives a false address",
    needs=("names.resolvers",),
    masked_by=("local.hosts.override", "local.portal.captive"),
    rivals=("transit.resolver.lying",),
    assess=assess,
    reply=(
        "The name resolver on this network gives an address for our name that is not ours; our own name servers give "
        "another one. Please look for a filter or an entry for our name in the resolver named in the report, or set "
        "another resolver for a test."
    ),
)
