"""The customer's own resolver does not answer.

What is broken
    The resolver on the machine or in its LAN is stopped, hangs, or refuses connections on port 53.

How it shows
    No configured resolver answers for any name, control names included, while hosts outside answer by address and
    independent resolvers answer DNS.

What looks like it
    A home router or stub that waits for a dead resolver of the provider: from here that is the same silence, so it
    stays undecided. A zone of the vendor that does not answer: control names resolve then. A dead line.

What would settle it
    A refusal (ICMP port unreachable, RST) from the resolver's own address: nothing listens there. A server that takes
    the question over TCP and hangs up lives, and waits for somebody else.

What to tell the customer
    Which resolver gives no answer, and that the vendor's name resolves elsewhere.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes
from netdiag.faults.reading import witnesses_of
from netdiag.faults.resolvers import FACTS, broken, closed, forwards, nothing_outside, servers


def assess(facts: Facts) -> Finding:
    found = broken(facts, "dead")
    if isinstance(found, Finding):
        return found
    ours = tuple(one for one in found if one[1] != "provider")
    if not ours:
        return opposes("No resolver on this machine or in its LAN is silent.", *FACTS)
    shut = all(closed(one) for one, _ in ours)
    doubt = nothing_outside(facts)
    if doubt is not None:
        return doubt
    decided = len(ours) == len(found) and all(whose == "customer" for _, whose in ours)
    # A gateway may redirect questions, and pass on the refusal of the server behind it in its own name.
    redirects = any(forwards(facts, one) and one.place != "own" for one, _ in ours)
    return Finding(
        lean=Lean.SETTLES if shut and decided else Lean.SUPPORTS,
        because=(
            f"The configured resolver {servers(ours)} {'itself refuses' if shut else 'answers'} "
            f"{'all questions' if shut else 'no question'}, those for other names included, while hosts outside answer."
        ),
        facts=(*FACTS, "controls.any_healthy"),
        witnesses=witnesses_of(one for one, _ in ours),
        at_most_likely=not shut or redirects,  # a resolver of the LAN, too, may wait for one that is not seen
        at_most_possible=not decided,
        settle_next="The same question to the resolver that stands behind it (the provider's), asked directly.",
    )


FAULT = Fault(
    code="local.resolver.dead",
    title="The customer's own name resolver does not answer",
    needs=("names.resolvers",),
    masked_by=("local.link.down", "local.route.missing", "local.gateway.dead", "local.portal.captive"),
    rivals=("transit.resolver.dead",),
    assess=assess,
    reply=(
        "The name resolver that the machine is set to use does not answer, for our name or for any other. Please have "
        "the resolver named in the report started or repaired, or set another one for a test. Independent resolvers "
        "can be asked for our name meanwhile."
    ),
)
