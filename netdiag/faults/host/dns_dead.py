"""The vendor's name servers do not answer.

What is broken
    All name servers of the vendor's zone are down or cut off.

How it shows
    They stay silent, or something in front of them refuses for them, while the servers of the parent zones answer, and
    independent resolvers fail for this name only.

What looks like it
    A line on which only its own resolvers may be asked: the parent zones' servers are then silent, too. A resolver of
    the customer that is dead: it fails for other names as well.

What would settle it
    Questions to the servers being refused, here and for an independent resolver (it asks from its own place) or the
    agent's run. Silence alone may be a drop on the way to them, and stays likely.

What to tell the customer
    That the vendor's name servers are silent.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, opposes, silent
from netdiag.faults.host._zone import NEEDS, USED, authorities, excused, found, names_of, public

DEAD = ("silent", "unreachable")


def assess(facts: Facts) -> Finding:
    excuse = excused(facts)
    if excuse is not None:
        return excuse
    every = authorities(facts)
    if not every or any(one.outcome not in DEAD for one in every):
        return opposes("Name servers of the zone answer.", *USED)
    failing = public(facts, "servfail", "silent")
    if facts.names.parents_answer.value is not True:
        return silent("The parent zones' servers are not heard on this line either.", *USED)
    because = f"None of the zone's name servers ({names_of(every)}) answers, while those of its parent zones do"
    silence = all(one.outcome == "silent" for one in every)
    return found(facts, because, by=every, and_by=failing, silence=silence)


FAULT = Fault(
    code="host.dns.dead",
    title="The vendor's name servers do not answer",
    needs=NEEDS,
    assess=assess,
    rivals=("local.resolver.dead", "transit.resolver.dead"),
    reply=(
        "Your measurement shows that the name servers of our domain do not answer. Nothing on your side causes this. "
        "We are having them checked and will tell you when the name can be resolved again."
    ),
)
