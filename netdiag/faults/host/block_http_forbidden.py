"""The vendor's front refuses the request with a block page (HTTP 403 and relatives).

What is broken
    A web application firewall, a content network or a rule of the web server refuses this address, this client or this
    country before the application is asked.

How it shows
    HTTP 403 (also 405, 406, 451) with the page of a firewall or content network, or a challenge that only a browser can
    pass; or a bare 403 where another line is served.

What looks like it
    The application's own 401 or 403, which asks for a login: no fault. A rule against netdiag's own client name: the
    customer's client name is then served. A filter page on the customer's side: it has no certificate of the vendor.

What would settle it
    A known block page through TLS that proves the vendor's name; or the agent's run being served by the same address.

What to tell the customer
    That the vendor's front refuses this address or client, with the id that finds the rule.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, opposes, silent
from netdiag.faults.host._http import PLAIN_RIVALS, USED, answered, answers, page
from netdiag.faults.host._reading import agent

STATUSES = (403, 406, 451)


def assess(facts: Facts) -> Finding:
    refused = [
        (state, http)
        for state, http in answers(facts)
        if http.page == "block" or http.challenge or (http.status in STATUSES and http.page != "limit")
    ]
    if not refused:
        return opposes("No address refuses the request with a block page.", "target.addresses")
    state, http = refused[0]
    client = http.other_agent_status
    if client is not None and client < 400:
        because = f"{state.address} refuses netdiag's client name only: another one got HTTP {client}."
        return opposes(because, *USED, witnesses=state.witnesses)
    code = f", number {http.page_code}" if http.page_code else ""
    said = f"{state.address} answers HTTP {http.status}{page(http)}{code}"
    if http.challenge:
        return answered(facts, state, http, f"{said}: a challenge that only a browser can pass.", sure=False)
    other = agent(facts)
    if other.works or other.capped_works:
        words = ", and says that this address is refused" if http.says_blocked else ""
        because = f"{said}{words}, while the same address serves another line: this one is refused."
        sure = other.works or http.page == "block" or http.says_blocked
        return answered(facts, state, http, because, sure=sure)
    if http.page == "block" or http.says_blocked:
        because = f"{said}: a rule refuses the request before the application is asked."
        return answered(facts, state, http, because)
    if http.bare or client == http.status:
        whom = ", to another client name, too" if client == http.status else ""
        because = f"{said}, a page that no application wrote{whom}: a rule or a setting of the vendor's server."
        return answered(facts, state, http, because, sure=False)
    return silent(f"{said}; whether a rule refuses it or the application asks for a login is not known.", *USED)


FAULT = Fault(
    code="host.block.http_forbidden",
    title="The vendor's front refuses the request with a block page",
    needs=("target.addresses",),
    assess=assess,
    rivals=PLAIN_RIVALS,
    reply=(
        "Your measurement shows that a rule in front of our service refuses requests from this address or client. "
        "If the address is shared, someone else may have triggered the rule. We are looking for it with the ids in "
        "your measurement; nothing on your side needs to change meanwhile."
    ),
)
