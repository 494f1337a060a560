"""The vendor's front end does not reach its own back end (HTTP 502, 504, 520 to 527, 530).

What is broken
    A load balancer, proxy or content network of the vendor gets no answer, or no valid one, from the server behind it.

How it shows
    HTTP 502 or 504, or a content network's own status (520 to 527, 530), through TLS that proves the vendor's name.

What looks like it
    The customer's own proxy answering 502 or 504 (local.proxy.refusing): it does so outside the vendor's TLS.

What would settle it
    The status itself, when the certificate of the server that sent it was good.

What to tell the customer
    That the vendor's front was reached and what stands behind it was not.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, opposes
from netdiag.faults.host._http import PLAIN_RIVALS, answered, answers, page

STATUSES = (502, 504, *range(520, 528), 530)


def assess(facts: Facts) -> Finding:
    found = answers(facts, *STATUSES)
    if not found:
        return opposes("No address answers that it cannot reach the server behind it.", "target.addresses")
    state, http = found[0]
    because = (
        f"{state.address} answers HTTP {http.status}{page(http)}: the vendor's front end cannot reach its back end."
    )
    return answered(facts, state, http, because, relayed=False)


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
