"""The vendor's front refuses the country or region that the address is counted to (a geographic block).

What is broken
    A rule of the vendor shuts out whole countries or regions. Where an address is, a database says: it may be wrong,
    and a shared or tunnelled address is where its exit is.

How it shows
    A page that says so: CloudFront's "configured to block access from your country", Cloudflare's 1009, or words of the
    site's own.

What looks like it
    A rule on this very address (host.block.http_forbidden), whose page names the address or nobody. A filter near the
    customer: it has no certificate of the vendor (local.firewall.filter_page).

What would settle it
    The page itself, through TLS that proves the vendor's name.

What to tell the customer
    That the service refuses the region that this address is counted to, and that this may be an error of the database.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, opposes
from netdiag.faults.host._http import PLAIN_RIVALS, USED, answered, answers, let_through, page
from netdiag.faults.host._reading import agent


def assess(facts: Facts) -> Finding:
    shut = [(state, http) for state, http in answers(facts) if http.refuses == "region"]
    if not shut:
        return opposes("No address says that it refuses a country or region.", "target.addresses")
    state, http = shut[0]
    if let_through(http):
        because = f"{state.address} refuses netdiag's client name only: another got HTTP {http.other_agent_status}."
        return opposes(because, *USED, witnesses=state.witnesses)
    code = f", number {http.page_code}" if http.page_code else ""
    said = f"{state.address} answers HTTP {http.status}{page(http)}{code}, and says that it refuses the country or"
    beside = ", while the same address serves another line" if agent(facts).works else ""
    return answered(facts, state, http, f"{said} region that this address is counted to{beside}.")


FAULT = Fault(
    code="host.block.region",
    title="The vendor's front refuses the region that the address is counted to",
    needs=("target.addresses",),
    assess=assess,
    rivals=PLAIN_RIVALS,
    reply=(
        "Your measurement shows that our service refuses requests from the country or region that this address is "
        "counted to. The database that we use may be wrong, and a company's or provider's exit may be elsewhere. "
        "Please tell us in which country the line is; we check the rule and the entry for this address."
    ),
)
