"""The vendor's service says that it is unavailable (HTTP 503), without a sign of a limit.

What is broken
    The service is overloaded, in maintenance, or no server is left behind the load balancer.

How it shows
    HTTP 503 (or 529) on every request, at any pace, through TLS that proves the vendor's name.

What looks like it
    A request limit that answers 503 (nginx limit_req does by default, byte for byte the same): then some requests of
    the same run succeed, or headers speak of a limit (host.limit.http).

What would settle it
    The agent's run, answered in the same way at the same time: a limit on one address would spare it.

What to tell the customer
    That the service was reached and declared itself unavailable.
"""

from netdiag.evidence.retry_after import wait_words
from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, opposes
from netdiag.faults.host._http import PLAIN_RIVALS, USED, answered, answers, meaning, page, refuses, says_limit
from netdiag.faults.host._reading import agent

STATUSES = (503, 529)


def assess(facts: Facts) -> Finding:
    found = [(state, http) for state, http in answers(facts, *STATUSES) if not refuses(http)]
    if not found:
        return opposes("No address says that it is unavailable.", "target.addresses")
    (state, http), other = found[0], agent(facts)
    said = f"{state.address} answers HTTP {http.status}{page(http)}"
    if http.page != "origin" and (says_limit(http) or any(status < 400 for status in http.statuses) or other.works):
        return opposes(f"{said}, with signs of a limit rather than of an outage.", *USED, witnesses=state.witnesses)
    wait = "" if http.retry_after_s is None else f", to be asked again after {wait_words(http.retry_after_s)}"
    # A limit of this address may look the same, byte for byte; the agent's line shows it (fault-signatures 7.3).
    sure = (http.page == "origin" and not other.works) or other.fails
    beside = ", while the same address serves another line" if other.works else ""
    because = f"{said}{wait}{beside}: the service calls itself unavailable{meaning(http)}."
    return answered(facts, state, http, because, sure=sure)


FAULT = Fault(
    code="host.http.unavailable",
    title="The vendor's service says that it is unavailable",
    needs=("target.addresses",),
    assess=assess,
    rivals=(*PLAIN_RIVALS, "host.limit.http"),
    reply=(
        "Your measurement shows that our service was reached and declared itself unavailable. Nothing on your side "
        "causes this. We are passing it to the team that runs the service and will tell you when it is back."
    ),
)
