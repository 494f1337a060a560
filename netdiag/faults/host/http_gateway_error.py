"""The vendor's front end does not reach its own back end (HTTP 502, 504, 520 to 527, 530).

What is broken
    A load balancer, proxy or content network of the vendor gets no answer, or no valid one, from the server behind it.

How it shows
    HTTP 502 or 504, or a content network's or balancer's own status (520 to 527, 530; 463, 464, 561), through TLS that
    proves the vendor's name. The page names the tier that says so, and often what is wrong behind it.

What looks like it
    The customer's own proxy answering 502 or 504 (local.proxy.refusing): it does so outside the vendor's TLS.

What would settle it
    The status itself, when the certificate of the server that sent it was good.

What to tell the customer
    That the vendor's front was reached and what stands behind it was not.
"""

from netdiag.facts import Facts, HttpState
from netdiag.faults.base import Fault, Finding, opposes
from netdiag.faults.host._http import PLAIN_RIVALS, answered, answers, meaning, page, refuses
from netdiag.faults.host._reading import agent

STATUSES = (502, 504, *range(520, 528), 530)
UNAVAILABLE = (503, 529)
"""With these, the same words are an outage (host.http.unavailable)."""


def assess(facts: Facts) -> Finding:
    found = [(state, http) for state, http in answers(facts) if is_of_a_tier(http)]
    if not found:
        return opposes("No address answers that it cannot reach the server behind it.", "target.addresses")
    state, http = found[0]
    code = f", number {http.page_code}" if http.page_code else ""
    said = f"{state.address} answers HTTP {http.status}{page(http)}{code}"
    beside = ", while the same address serves another line" if agent(facts).works else ""
    because = f"{said}{beside}: the vendor's front end cannot reach its back end{meaning(http)}."
    return answered(facts, state, http, because, sure=not beside)


def is_of_a_tier(http: HttpState) -> bool:
    """A status that only front ends send, unless the page says something else; or a page that says so."""
    if http.page == "origin":
        return http.status not in UNAVAILABLE
    return http.status in STATUSES and not refuses(http)


FAULT = Fault(
    code="host.http.gateway_error",
    title="The vendor's front end cannot reach its back end",
    needs=("target.addresses",),
    assess=assess,
    rivals=PLAIN_RIVALS,
    reply=(
        "Your measurement shows that our front end was reached and could not reach the service behind it. Nothing "
        "on your side causes this. We are passing it to the team that runs the service, with the ids in your "
        "measurement."
    ),
)
