"""Readings of transparent proxies: who accepts connections for others, and what then becomes of the target's."""

from netdiag.facts import AddressState, Facts
from netdiag.faults.base import Finding, Lean, opposes, silent
from netdiag.faults.reading import answered_at_first_hop, excused, witnesses_of

FACTS = ("flow.accepts_for_nobody", "target.addresses")

_UNANSWERED = ("closed", "reset", "silent")

NEXT = "The same URL from a line without the proxy; and the proxy's own log for the times in the bundle."


def is_nearest(facts: Facts) -> bool:
    """It accepts a packet of TTL 1: the gateway, or this machine."""
    tests = (facts.machine.egress4.value, facts.machine.egress6.value)
    tested = any(test is not None and "accepted" in (test.target, test.control) for test in tests)
    return tested or answered_at_first_hop(facts)


def judge(facts: Facts, *, nearest: bool) -> Finding:
    """A dead host behind a working proxy leaves the same traces, so nothing here is more than possible."""
    excuse = excused(facts)
    if excuse is not None:
        return excuse
    taken = facts.flow.accepts_for_nobody
    if not taken.known:
        return silent("Nobody was asked where nobody is.", "flow.accepts_for_nobody")
    if not taken.value:
        return opposes("Connections to where nobody is are not accepted.", *FACTS, witnesses=taken.witnesses)
    failing = [state for state in facts.target.addresses.value or () if _is_taken_and_unanswered(state)]
    if not failing or is_nearest(facts) is not nearest:
        return silent("The proxy that accepts for others is another one, or the target answers through it.", *FACTS)
    where = "at the first hop, or on this machine," if nearest else "on the way"
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"Something {where} accepts connections to {taken.value[0]}, where nobody is, so it accepts those to "
        f"{failing[0].address}, too, which then get no answer: it fails, or the host behind it does.",
        facts=FACTS,
        witnesses=taken.witnesses + witnesses_of(failing),
        at_most_possible=True,
        settle_next=NEXT,
    )


def _is_taken_and_unanswered(state: AddressState) -> bool:
    accepted = state.connect is not None and state.connect.how == "open"
    layers = [layer for layer in (state.tls, state.http) if layer is not None]
    return accepted and state.works is False and any(layer.how in _UNANSWERED for layer in layers)
