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
PLAIN_RIVALS = ("local.portal.captive", "local.firewall.filter_page")
FIRST_ERROR = 400
TARPIT_MS = 1000
"""HAProxy holds a tarpitted request for ``timeout tarpit``, else ``timeout connect`` (its manual): seconds. An error of
its own comes at once."""


def answers(facts: Facts, *statuses: int) -> tuple[tuple[AddressState, HttpState], ...]:
    """Addresses that do not work and answered with one of these statuses (any, when none is given). A filter's page,
    made near the customer, is nobody's answer here, unless it came sealed by the vendor's own certificate."""
    return tuple(
        (state, state.http)
        for state in reached(facts)
        if state.works is not True
        and state.http is not None
        and state.http.how == "answered"
        and (state.http.page != "filter" or sealed(facts, state))
        and (not statuses or state.http.status in statuses)
    )


def sealed(facts: Facts, state: AddressState) -> bool:
    """Nobody near the customer wrote this: it came through TLS whose certificate browsers trust as well. A company's
    own authority, which the customer's system trusts, would let its filter write."""
    return authentic(facts, state) and state.tls is not None and state.tls.mozilla_code == 0


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


def refuses(http: HttpState) -> bool:
    """The page refuses, challenges or limits, whatever its status says."""
    return http.page in ("block", "challenge", "limit") or http.refuses is not None


def held_up(http: HttpState) -> bool:
    """HAProxy's own 500 after a wait: what its tarpit answers. An application's error has the application's page."""
    return (
        http.status == 500
        and http.product == "HAProxy"
        and http.page == "bare"
        and http.first_byte_ms is not None
        and http.first_byte_ms >= TARPIT_MS
    )


def let_through(http: HttpState) -> bool:
    """Another client was served, so only netdiag's own was refused."""
    return (
        http.other_agent_status is not None
        and http.other_agent_status < FIRST_ERROR
        and http.other_agent_page in (None, "bare")
    )


def page(http: HttpState) -> str:
    """`` (a page of nginx)``, when the maker is known."""
    return f" (a page of {http.product})" if http.product else ""


def meaning(http: HttpState) -> str:
    """``; Cloudflare means by it: the origin refused the connection``, when its maker gives it a meaning."""
    return f"; {http.product} means by it: {http.page_says}" if http.page_says else ""


def passed(http: HttpState) -> str:
    """What stands in front of who decided: a sentence of its own, or nothing."""
    ways = [front for front in http.fronts if front != http.product]
    if not ways:
        return ""
    put = "puts its" if len(ways) == 1 else "put their"
    return f" It came by way of {' and '.join(ways)}, which {put} headers on every answer and need not have decided."
