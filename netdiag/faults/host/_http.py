"""What the faults of HTTP answers share: whose answer it was."""

from netdiag.facts import AddressState, Facts, HttpState, Witness
from netdiag.faults.base import Finding, Lean
from netdiag.faults.host._reading import CONTROL_RUN, agent, controls, reached, witnesses

USED = ("target.scheme", "target.addresses", "controls.intercepting_issuer", "controls.portal", "agent.runs")
PLAIN_RIVALS = ("local.portal.captive", "local.tls.interception")


def answers(facts: Facts, *statuses: int) -> tuple[tuple[AddressState, HttpState], ...]:
    """Addresses that do not work and answered with one of these statuses."""
    return tuple(
        (state, state.http)
        for state in reached(facts)
        if state.works is not True
        and state.http is not None
        and state.http.how == "answered"
        and state.http.status in statuses
    )


def authentic(facts: Facts, state: AddressState) -> bool:
    """The answer came through TLS that proved the vendor's name, and nobody on this line is known to open TLS."""
    return state.tls is not None and state.tls.how == "ok" and controls(facts).interceptor is None


def proofs(facts: Facts, state: AddressState) -> tuple[Witness, ...]:
    return witnesses(facts, state) + agent(facts).witnesses


def answered(facts: Facts, state: AddressState, http: HttpState, because: str, *, sure: bool = True) -> Finding:
    """The vendor's own answer settles; over plain HTTP, or through opened TLS, somebody else may have written it."""
    settled = sure and (authentic(facts, state) or agent(facts).fails)
    return Finding(
        lean=Lean.SETTLES if settled else Lean.SUPPORTS,
        because=because,
        facts=USED,
        witnesses=proofs(facts, state),
        at_most_likely=not settled,
        settle_next=CONTROL_RUN,
        search_keys=http.search_keys,
    )


def page(http: HttpState) -> str:
    """`` (a page of nginx)``, when the maker is known."""
    return f" (a page of {http.product})" if http.product else ""
