"""What the faults of HTTP answers share: whose answer it was."""

from netdiag.facts import AddressState, Facts, HttpState, Witness
from netdiag.faults.base import CONTROL_RUN, Finding, Lean
from netdiag.faults.host._reading import agent, reached, witnesses
from netdiag.faults.opened import OPENERS_LOG, answered_nearer, may_be_the_boxs, opened, private, public, shown_alike

USED = (
    "target.scheme",
    "target.addresses",
    "path.proxy_in_path",
    "controls.intercepting_issuer",
    "controls.portal",
    "agent.runs",
)
PLAIN_RIVALS = ("local.portal.captive", "local.firewall.filter_page")
VENDORS_LOG = "The log of the service's front at the times in the bundle: whether these requests reached it at all."
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
    """The vendor wrote this: it came through TLS whose certificate browsers trust as well, or one that another line is
    shown, too. An authority that the customer's system alone trusts would let its filter write."""
    return public(state.tls) or (private(state.tls) and shown_alike(facts))


def authentic(facts: Facts, state: AddressState) -> bool:
    """The answer came through TLS that only the vendor can end: sealed, or of a private name, whose authority is no
    public one by right, where nobody is known to open TLS."""
    is_trusted = state.tls is not None and state.tls.how == "ok"
    return sealed(facts, state) or (is_trusted and facts.private_target and not opened(facts, state))


def anybodys(facts: Facts) -> bool:
    """Plain HTTP, whose answer anybody on the way can write: nothing shows that it comes from where the target stands.
    That the agent gets the same clears the customer's line, and not what both ways have in common."""
    return facts.target.scheme.value == "http" and facts.path.proxy_in_path.value is not False


def proofs(facts: Facts, state: AddressState) -> tuple[Witness, ...]:
    return witnesses(facts, state) + agent(facts).witnesses


def answered(facts: Facts, state: AddressState, http: HttpState, because: str, *, sure: bool = True) -> Finding:
    """The vendor's own answer settles; over plain HTTP, or through opened TLS, somebody else may have written it. One
    that a box on the way may well have written accuses nobody."""
    other = agent(facts)
    settled = sure and (authentic(facts, state) or (other.fails and not anybodys(facts)))
    return Finding(
        lean=Lean.SETTLES if settled else Lean.SUPPORTS,
        because=f"{because.removesuffix('.')}; {_anybody(facts, state)}." if anybodys(facts) else because,
        facts=USED,
        witnesses=proofs(facts, state),
        at_most_likely=not settled,
        at_most_possible=not settled and (anybodys(facts) or may_be_the_boxs(facts, state, http)),
        settle_next=_who_wrote(facts, state),
        search_keys=http.search_keys,
    )


def _anybody(facts: Facts, state: AddressState) -> str:
    end = answered_nearer(facts, state.address)
    from_there = "" if end is None else f", and its port is answered from hop {end}, nearer than the target stands"
    return f"in plain HTTP a box on the way may have written that{from_there}"


def _who_wrote(facts: Facts, state: AddressState) -> str:
    """What would tell, where the run from another line was made and does not."""
    if agent(facts).works and opened(facts, state):
        return OPENERS_LOG
    if agent(facts).fails and anybodys(facts):
        return VENDORS_LOG
    return CONTROL_RUN


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
