"""The vendor's own name servers say that the name does not exist.

What is broken
    The record is missing from the vendor's zone, or the zone from its parent: deleted, expired, misspelt, or published
    only inside the vendor's network.

How it shows
    The zone's own servers answer NXDOMAIN (or have no address for the name), and so do independent resolvers.

What looks like it
    A resolver that filters or lies (local.resolver.lying, transit.resolver.lying): the zone's own servers then give an
    address. A typing error in the URL leaves the same trace.

What would settle it
    NXDOMAIN from the zone's own servers and from an independent resolver.

What to tell the customer
    That the name does not exist at its own servers; first of all the spelling should be compared.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, opposes, silent
from netdiag.faults.host._zone import NEEDS, USED, authorities, excused, found, names_of, public

MISSING = ("nxdomain", "nodata")


def assess(facts: Facts) -> Finding:
    excuse = excused(facts)
    if excuse is not None:
        return excuse
    spoke = tuple(one for one in authorities(facts) if one.outcome not in ("silent", "unreachable"))
    missing = tuple(one for one in spoke if one.outcome in MISSING)
    if not missing:
        if facts.names.delegated.value is False:
            because = f"The parent zone itself says that the domain of {facts.host} does not exist"
            return found(facts, because, by=(), and_by=public(facts, "nxdomain"))
        return opposes("No server of the zone says that the name does not exist.", *USED)
    if any(one.outcome == "answers" for one in spoke):
        return silent("The zone's own servers disagree on whether the name exists.", *USED)
    said = "does not exist" if missing[0].outcome == "nxdomain" else "has no address"
    because = f"The zone's own servers ({names_of(missing)}) say that {facts.host} {said}"
    return found(facts, because, by=missing, and_by=public(facts, *MISSING))


FAULT = Fault(
    code="host.dns.nxdomain",
    title="The name does not exist at the vendor's name servers",
    needs=NEEDS,
    assess=assess,
    rivals=("local.resolver.lying", "transit.resolver.lying"),
    reply=(
        "Your measurement shows that the name in the URL does not exist at the name servers of its own domain. Please "
        "compare its spelling with what we gave you. If it is right, the record is missing on our side, and we are "
        "having it restored."
    ),
)
