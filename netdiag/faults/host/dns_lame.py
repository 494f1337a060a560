"""The servers that are named for the vendor's zone do not serve it.

What is broken
    The parent zone points to name servers that refuse the zone or answer without authority: an unfinished move, an
    expired contract.

How it shows
    The zone's servers answer REFUSED or without authority, and independent resolvers fail (SERVFAIL, often with
    extended error 22: no reachable authority).

What looks like it
    A box on the way that answers DNS in the servers' place: independent resolvers then succeed.

What would settle it
    An independent resolver failing as well, or the agent's run.

What to tell the customer
    That the vendor's name servers are set up wrongly.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, opposes
from netdiag.faults.host._zone import NEEDS, USED, authorities, excused, found, mixed, names_of, public

LAME = ("lame", "refused", "other_rcode")


def assess(facts: Facts) -> Finding:
    excuse = excused(facts)
    if excuse is not None:
        return excuse
    lame = tuple(one for one in authorities(facts) if one.outcome in LAME)
    if not lame:
        return opposes("No server of the zone refuses the zone or answers without authority.", *USED)
    if any(one.outcome in ("answers", "nxdomain", "nodata") for one in authorities(facts)):
        return mixed()
    because = f"The servers named for the zone ({names_of(lame)}) do not serve it"
    return found(facts, because, by=lame, and_by=public(facts, "servfail", "refused", "silent"))


FAULT = Fault(
    code="host.dns.lame",
    title="The vendor's name servers do not serve the zone",
    needs=NEEDS,
    assess=assess,
    rivals=("local.resolver.lying", "transit.resolver.lying"),
    reply=(
        "Your measurement shows that the name servers of our domain do not answer for it. Nothing on your side causes "
        "this. We are having the domain's name servers corrected; resolvers may need a while to notice."
    ),
)
