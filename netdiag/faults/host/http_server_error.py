"""The vendor's application fails with HTTP 500.

What is broken
    The program that serves the URL crashes or gives up on the request.

How it shows
    HTTP 500 (also 501, 505, 507, 508, 510), through TLS that proves the vendor's name.

What looks like it
    Limits that answer 500 (HAProxy's tarpit, after an exact delay; mod_qos). A rule that answers one address so, while
    the same server serves others. A proxy or portal on the customer's side, over plain HTTP, or through TLS that it
    opens.

What would settle it
    The status itself, when the certificate of the server that sent it was good, and the page is none that a limiter
    sends; else the agent's run, answered in the same way.

What to tell the customer
    That the service was reached and failed inside.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, opposes
from netdiag.faults.host._http import PLAIN_RIVALS, USED, answered, answers, held_up, page, proofs, refuses
from netdiag.faults.host._reading import agent

STATUSES = (500, 501, 505, 507, 508, 510)
LIMITERS = {"HAProxy": "its tarpit", "Apache": "mod_qos"}
"""Servers whose own 500 is also what a limit of theirs answers (fault-signatures 7.3)."""


def assess(facts: Facts) -> Finding:
    found = [(state, http) for state, http in answers(facts, *STATUSES) if not refuses(http) and http.page != "origin"]
    if not found:
        return opposes("No address answers with an error of the application.", "target.addresses")
    state, http = found[0]
    said = f"{state.address} answers HTTP {http.status}{page(http)}"
    if held_up(http) and agent(facts).works:
        because = f"{said} late, as its tarpit does, while another line is served: the application does not fail."
        return opposes(because, *USED, witnesses=proofs(facts, state))
    if http.page == "bare" and http.product in LIMITERS and not agent(facts).fails:
        took = "" if http.first_byte_ms is None else f", {http.first_byte_ms} ms after it was asked"
        because = f"{said}{took}: the application fails, or {LIMITERS[http.product]} answers like that."
        return answered(facts, state, http, because, sure=False)
    if agent(facts).works:
        because = f"{said}, while the same address serves another line: it fails, or refuses, what comes from this one."
        return answered(facts, state, http, because, sure=False)
    return answered(facts, state, http, f"{said}: the application fails.")


FAULT = Fault(
    code="host.http.server_error",
    title="The vendor's application fails (HTTP 500)",
    needs=("target.addresses",),
    assess=assess,
    rivals=(*PLAIN_RIVALS, "host.limit.http"),
    reply=(
        "Your measurement shows that our service was reached and answered with an internal error. Nothing on your "
        "side causes this. We are passing it to the team that runs the service, with the ids in your measurement."
    ),
)
