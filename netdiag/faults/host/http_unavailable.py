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

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, opposes, silent
from netdiag.faults.host._http import PLAIN_RIVALS, USED, answered, answers, page
from netdiag.faults.host._reading import agent

STATUSES = (503, 529)


def assess(facts: Facts) -> Finding:
    found = answers(facts, *STATUSES)
    if not found:
        return opposes("No address says that it is unavailable.", "target.addresses")
    state, http = found[0]
    other = agent(facts)
    if http.limit_headers or any(status < 400 for status in http.statuses) or other.works:
        return silent(
            f"{state.address} answers HTTP {http.status}, with signs of a limit rather than of an outage.", *USED
        )
    wait = "" if http.retry_after_s is None else f", to be asked again after {http.retry_after_s} s"
    because = f"{state.address} answers HTTP {http.status}{page(http)}{wait}: the service calls itself unavailable."
    # The side is proven by the answer; whether it is an outage or a limit of this address, the agent's line shows.
    return answered(facts, state, http, because, sure=http.retry_after_s is None or other.fails)


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
