"""The vendor's front wants a proof of being a browser, which a program cannot give (a challenge).

What is broken
    A bot policy in front of the service asks for a script to be run or a puzzle to be solved. A program that calls an
    API can do neither, so it is shut out; a browser may pass.

How it shows
    A challenge's page or header (cf-mitigated, x-amzn-waf-action, Vercel, DataDome, HUMAN, Kasada, Anubis), with status
    403, 405, 429, 503, or even 200 and 202.

What looks like it
    A limit (host.limit.http): the status 429 alone does not tell them apart. A block page, which nothing passes
    (host.block.http_forbidden). A challenge for netdiag's client alone: the customer's client name is then served.

What would settle it
    The agent's run being served by the same address: this one is distrusted. The customer's own program getting the
    same; netdiag is neither it nor a browser.

What to tell the customer
    That the service asks clients at this address to prove that they are browsers, and that this is no limit.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, opposes
from netdiag.faults.host._http import PLAIN_RIVALS, USED, answered, answers, let_through, page
from netdiag.faults.host._reading import agent


def assess(facts: Facts) -> Finding:
    challenged = [(state, http) for state, http in answers(facts) if http.challenge]
    if not challenged:
        return opposes("No address answers with a challenge for browsers.", "target.addresses")
    state, http = challenged[0]
    if let_through(http):
        because = f"{state.address} challenges netdiag's client name only: another got HTTP {http.other_agent_status}."
        return opposes(because, *USED, witnesses=state.witnesses)
    said = f"{state.address} answers HTTP {http.status}{page(http)}: a challenge for browsers, and no limit"
    other = agent(facts)
    if other.works:
        because = f"{said}; another line is served without one, so it is this address that is distrusted."
        return answered(facts, state, http, because)
    if other.fails:
        return answered(facts, state, http, f"{said}; another line gets it as well.", sure=False)
    # A browser at this address may pass, and the customer's program may not be netdiag's like.
    return answered(facts, state, http, f"{said}.", sure=False)


FAULT = Fault(
    code="host.block.challenge",
    title="The vendor's front wants a proof of being a browser (a challenge)",
    needs=("target.addresses",),
    assess=assess,
    rivals=PLAIN_RIVALS,
    reply=(
        "Your measurement shows that a bot protection in front of our service asks clients to prove that they are "
        "browsers, which a program cannot do. This is no limit on requests, and trying more slowly does not help. We "
        "are checking, with the ids in your measurement, whether programs should be asked for it here."
    ),
)
