"""What the faults of HTTP answers share: whose answer it was."""

from netdiag.facts import AddressState, Facts, HttpState, Witness
from netdiag.faults.base import CONTROL_RUN, Finding, Lean
from netdiag.faults.host._reading import agent, controls, reached, witnesses

USED = (
    "target.scheme",
    "target.addresses",
    "path.proxy_in_path",
    "controls.intercepting_issuer",
    "controls.portal",
    "agent.runs",
)
PLAIN_RIVALS = ("local.portal.captive",)


def answers(facts: Facts, *statuses: int) -> tuple[tuple[AddressState, HttpState], ...]:
    """Addresses that do not work and answered with one of these statuses (any, when none is given). A filter's page,
    made near the customer, is nobody's answer here."""
    return tuple(
        (state, state.http)
        for state in reached(facts)
        if state.works is not True
        and state.http is not None
        and state.http.how == "answered"
        and state.http.page != "filter"
        and (not statuses or state.http.status in statuses)
    )


def opened(facts: Facts) -> bool:
    """Something on this line is known to open TLS, so good TLS does not prove who wrote the answer."""
    return controls(facts).interceptor is not None


def authentic(facts: Facts, state: AddressState) -> bool:
    """The answer came through TLS that proved the vendor's name, and nobody on this line is known to open TLS."""
    return state.tls is not None and state.tls.how == "ok" and not opened(facts)


def anybodys(facts: Facts) -> bool:
    """Plain HTTP, whose answer anybody on the way can write: nothing shows that it comes from where the target stands,
    and the agent does not get the same."""
    return (
        facts.target.scheme.value == "http" and facts.path.proxy_in_path.value is not False and not agent(facts).fails
    )


def proofs(facts: Facts, state: AddressState) -> tuple[Witness, ...]:
    return witnesses(facts, state) + agent(facts).witnesses


def answered(
    facts: Facts, state: AddressState, http: HttpState, because: str, *, sure: bool = True, relayed: bool = True
) -> Finding:
    """The vendor's own answer settles; over plain HTTP, or through opened TLS, somebody else may have written it.
    ``relayed`` False: a box that opens TLS would write this one itself when it cannot reach the vendor."""
    settled = sure and (authentic(facts, state) or agent(facts).fails)
    return Finding(
        lean=Lean.SETTLES if settled else Lean.SUPPORTS,
        because=because,
        facts=USED,
        witnesses=proofs(facts, state),
        at_most_likely=not settled,
        at_most_possible=not settled and (anybodys(facts) or (not relayed and opened(facts))),
        settle_next=CONTROL_RUN,
        search_keys=http.search_keys,
    )


def says_limit(http: HttpState) -> bool:
    """Its headers count requests. ``Retry-After`` alone does not: maintenance sends it as well."""
    return http.page == "limit" or any(not header.startswith("retry-after") for header in http.limit_headers)


def page(http: HttpState) -> str:
    """`` (a page of nginx)``, when the maker is known."""
    return f" (a page of {http.product})" if http.product else ""
