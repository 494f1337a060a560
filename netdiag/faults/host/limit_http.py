"""The vendor limits requests (HTTP 429, or 503 with signs of a limit).

What is broken
    Nothing: a limit on requests or connections has been reached, by this address, by someone who shares it, or by
    everyone.

How it shows
    HTTP 429 (also 420, 509), or 503 beside requests that succeed or with headers that speak of a limit (RateLimit,
    X-RateLimit-*, Retry-After). Or in a rate section, on consent (collect --rate-limit): requests on one connection are
    served, and then one of them is refused.

What looks like it
    Overload: 503 on the first request after a pause, and for other lines at the same time (host.http.unavailable). A
    challenge for browsers with status 429 (host.block.challenge). A rule that answers 429 to every client whose name it
    does not like, netdiag's for one. A box that opens TLS on the way and answers in the vendor's place.

What would settle it
    Status 429 through TLS that only the vendor can end, with words or headers that speak of a limit, beside requests
    that succeed, or while the agent is served; for 503, the agent's run, answered normally at the same time.

What to tell the customer
    That requests come faster than the service allows, and when it may be asked again.
"""

from netdiag.evidence.limits import is_a_limiters
from netdiag.evidence.retry_after import wait_words
from netdiag.facts import Facts, HttpState
from netdiag.faults.base import Fault, Finding, Lean, opposes
from netdiag.faults.host._http import FIRST_ERROR, PLAIN_RIVALS, USED, answered, answers, authentic, page, says_limit
from netdiag.faults.host._limits import met, told
from netdiag.faults.host._reading import agent, reached

LIMITED = (420, 429, 509)
UNAVAILABLE = (503, 529)


def assess(facts: Facts) -> Finding:
    other = agent(facts)
    for state, http in answers(facts):
        if http.challenge or http.page in ("origin", "block"):
            continue
        wait = "" if http.retry_after_s is None else f", to be asked again after {wait_words(http.retry_after_s)}"
        said = f"{state.address} answers HTTP {http.status}{page(http)}{wait}"
        if http.status in LIMITED or http.page == "limit":
            whom = ", and so it does to another line: a limit on requests" if other.fails else ": a limit on requests"
            shown = " of this address" if other.works else ""
            told = counts(http) or other.works
            maybe = "" if told else ", or a rule on netdiag's client name; another client was not tried"
            return answered(facts, state, http, f"{said}{whom}{shown}{maybe}.", sure=told)
        mixed = any(status < FIRST_ERROR for status in http.statuses)
        if http.status not in UNAVAILABLE:
            continue
        if other.fails:
            return opposes(f"{said}, and so it does to another line.", *USED, witnesses=other.witnesses)
        if says_limit(http):
            sign = "with headers that count requests"
        elif other.works or other.capped_works:
            sign = "while another line is served: a limit of this address, or a rule against it"
        elif mixed:
            sign = "while other requests of the same run succeed"
        else:
            sign = "which a limit of this address does as well as an outage"
        return answered(facts, state, http, f"{said}, {sign}.", sure=says_limit(http) and (mixed or other.works))
    if met(facts, "request_rate") is not None:
        return _on_purpose(facts)
    return opposes("No answer speaks of a limit.", "target.addresses")


def counts(http: HttpState) -> bool:
    """More than the status speaks of a limit: its page or headers say so, or other requests of the same client were
    served in the same run. Some fronts answer 429 to every client whose name they do not like."""
    return http.page == "limit" or bool(http.limit_headers) or any(status < FIRST_ERROR for status in http.statuses)


def _on_purpose(facts: Facts) -> Finding:
    """Met by a rate section. An HTTP answer through TLS that proves the vendor's name is the vendor's."""
    refusal, states = facts.limits.refusal.value, reached(facts)
    status = refusal.status if refusal is not None and refusal.outcome in ("refused_http", "challenge") else None
    limits = status is not None and status != 403 and is_a_limiters(status)
    vendors = limits and any(authentic(facts, state) for state in states)
    lean = Lean.SETTLES if vendors and facts.limits.kinds.value == ("request_rate",) else Lean.SUPPORTS
    return told(facts, "request_rate", "requests in a time", lean=lean, vendors=vendors)


FAULT = Fault(
    code="host.limit.http",
    title="The vendor limits requests",
    needs=("target.addresses",),
    assess=assess,
    rivals=(*PLAIN_RIVALS, "host.http.unavailable"),
    reply=(
        "Your measurement shows that our service limits requests at the moment. A limit may count this address, and "
        "others behind it if it is shared, one kind of program, or everyone. Please let the program wait as long as "
        "the answer says before it asks again; we are checking whether the limit fits your use."
    ),
)
