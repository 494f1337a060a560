"""The vendor's zone fails at its own servers, or its signatures do not hold.

What is broken
    The zone's servers cannot load the zone, or its DNSSEC signatures are wrong or have expired.

How it shows
    The zone's own servers answer SERVFAIL; or they answer, and two or more independent resolvers say SERVFAIL with an
    extended error of DNSSEC (1, 2, 5 to 12), or answer the same question when told not to check.

What looks like it
    A resolver that is ill itself: it fails for other names, too, or alone.

What would settle it
    SERVFAIL from the zone's own servers and from an independent resolver, or the DNSSEC errors of two of them.

What to tell the customer
    That the vendor's zone is broken, and that switching off DNSSEC is no remedy.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, opposes
from netdiag.faults.host._zone import NEEDS, USED, authorities, excused, found, mixed, names_of, public

ZONE_ERRORS = frozenset({1, 2, *range(5, 13)})  # RFC 8914: DNSSEC of the zone itself


def assess(facts: Facts) -> Finding:
    bogus = tuple(
        one
        for one in public(facts, "servfail")
        if ZONE_ERRORS & set(one.extended_errors) or one.answers_unchecked is True
    )
    if len(bogus) >= 2:
        because = f"{len(bogus)} independent resolvers reject the zone's DNSSEC signatures"
        return found(facts, because, by=(), and_by=bogus)
    excuse = excused(facts)
    if excuse is not None:
        return excuse
    failing = tuple(one for one in authorities(facts) if one.outcome == "servfail")
    if not failing:
        return opposes("No server of the zone answers SERVFAIL.", *USED)
    if any(one.outcome in ("answers", "nxdomain", "nodata") for one in authorities(facts)):
        return mixed()
    because = f"The zone's own servers ({names_of(failing)}) answer SERVFAIL"
    return found(facts, because, by=failing, and_by=public(facts, "servfail"))


FAULT = Fault(
    code="host.dns.servfail",
    title="The vendor's zone is broken at its own servers",
    needs=NEEDS,
    assess=assess,
    rivals=("local.resolver.lying", "transit.resolver.lying"),
    reply=(
        "Your measurement shows that the name servers of our domain fail on it. Nothing on your side causes this. "
        "We are having the zone repaired; resolvers may need a while to notice."
    ),
)
