"""The vendor's front refuses the request with a block page (HTTP 403 and relatives).

What is broken
    A web application firewall, a content network, a gateway or a rule of the web server refuses this address, its
    network or this client before the application is asked.

How it shows
    HTTP 403 (also 406, 451, and 200 where F5's firewall answers) with the page of a firewall or content network; words
    that the address is refused; or a bare 403, or another error, where another line is served. HAProxy's tarpit answers
    500 after seconds.

What looks like it
    The application's own 401 or 403, which asks for a login: no fault. A rule against netdiag's own client name: the
    customer's client name is then served. A challenge (host.block.challenge), a country that is shut out
    (host.block.region), a limit that answers 403 (host.limit.http). A filter page near the customer: it has no
    certificate of the vendor (local.firewall.filter_page). A content network's headers: they are on every answer.

What would settle it
    A known block page through TLS that proves the vendor's name; or the agent's run being served by the same address.

What to tell the customer
    That the vendor's front refuses this address or client, with the id that finds the rule.
"""

from netdiag.facts import Facts, HttpState
from netdiag.faults.base import Fault, Finding, opposes, silent
from netdiag.faults.host._http import (
    FIRST_ERROR,
    PLAIN_RIVALS,
    USED,
    answered,
    answers,
    held_up,
    let_through,
    meaning,
    page,
    passed,
)
from netdiag.faults.host._reading import agent

STATUSES = (403, 406, 451)
LIMITED = (420, 429, 509)
SERVER_ERRORS = 500
UNAUTHORIZED = 401
OTHERS = {
    "way": "the same address answers a second way out with",
    "line": "the same address answers another line with",
    "address": "another address of the target answers",
}
WHOM = {
    "address": ", and says that this address is refused",
    "network": ", and says that the network of this address is refused",
    "client": ", and says that this kind of client is refused",
}


def assess(facts: Facts) -> Finding:
    refused = [(state, http) for state, http in answers(facts) if is_refusal(http)]
    if not refused:
        return opposes("No address refuses the request with a block page.", "target.addresses")
    state, http = refused[0]
    client = http.other_agent_status
    if let_through(http):
        because = f"{state.address} refuses netdiag's client name only: another one got HTTP {client}."
        return opposes(because, *USED, witnesses=state.witnesses)
    code = f", number {http.page_code}" if http.page_code else ""
    said = f"{state.address} answers HTTP {http.status}{page(http)}{code}{WHOM.get(http.refuses or '', '')}"
    if held_up(http):
        said += f", {http.first_byte_ms} ms after it was asked, as its tarpit does"
    known = http.page in ("block", "filter") or http.refuses is not None
    other = agent(facts)
    if other.works or other.capped_works:
        because = f"{said}, while the same address serves another line: this one is refused."
        return answered(
            facts,
            state,
            http,
            because,
            sure=known or (other.works and (http.status in STATUSES or not _is_alone(http))),
        )
    if held_up(http):
        return answered(facts, state, http, f"{said}: a rule holds up and refuses the request.", sure=False)
    if http.refuses == "client":
        # netdiag is not the customer's program: that this one is refused, too, is a guess.
        return answered(facts, state, http, f"{said}{meaning(http)}.", sure=False)
    if known:
        both = ", and so it does to another line" if other.fails else ""
        because = f"{said}{both}: a rule refuses the request before the application is asked{meaning(http)}."
        return answered(facts, state, http, because)
    if http.elsewhere is not None:
        # Without a login here and there: but the two may be set up differently.
        because = f"{said}, while {OTHERS[http.elsewhere.where]} HTTP {http.elsewhere.status} to the same question."
        return answered(facts, state, http, because, sure=False)
    if state.works is False and (http.bare or client == http.status):
        whom = ", to another client name, too" if client == http.status else ""
        whom += ", and to another line" if other.fails else ""
        because = (
            f"{said}, a page that no application wrote{whom}: a rule or a setting of the vendor's server.{passed(http)}"
        )
        return answered(facts, state, http, because, sure=False)
    because = f"{said}; whether a rule refuses it or the application asks for a login is not known.{passed(http)}"
    return silent(because, *USED)


def is_refusal(http: HttpState) -> bool:
    """A refusal by rule, or an answer that may be one; challenges, regions and limits have faults of their own. A limit
    may say as well that the address is blocked. Any other error is one only where the same question is answered well
    elsewhere."""
    if http.challenge or http.refuses == "region" or http.page in ("limit", "origin"):
        return False
    if http.page == "filter":
        return http.status is not None and http.status < SERVER_ERRORS
    said = http.refuses is not None and http.status not in LIMITED
    return http.page == "block" or said or http.status in STATUSES or held_up(http) or _is_alone(http)


def _is_alone(http: HttpState) -> bool:
    """An error of the client's that another line, way or address does not give; a login it may ask of some alone."""
    status = http.status or 0
    is_clients = FIRST_ERROR <= status < SERVER_ERRORS and status not in (UNAUTHORIZED, *LIMITED)
    return http.elsewhere is not None and is_clients


FAULT = Fault(
    code="host.block.http_forbidden",
    title="The vendor's front refuses the request with a block page",
    needs=("target.addresses",),
    assess=assess,
    rivals=PLAIN_RIVALS,
    reply=(
        "Your measurement shows that a rule in front of our service refuses requests from this address or client, or "
        "from more than these. If the address is shared, someone else may have triggered the rule. We are looking for "
        "it with the ids in your measurement; nothing on your side needs to change meanwhile."
    ),
)
