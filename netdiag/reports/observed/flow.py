"""What was seen inside connections: where the first data stop, and for which name."""

from collections.abc import Iterator

from netdiag.facts import Facts
from netdiag.facts.flow import FlowState
from netdiag.reports.observed.sight import Sight, sight
from netdiag.reports.words import listing

_OUTCOME = {
    "data": "answered",
    "reset": "reset",
    "closed": "closed",
    "acked": "acknowledged and never answered",
    "none": "not even acknowledged",
    "icmp": "answered by an ICMP error",
}
_PAYLOAD = {"client_hello": "A TLS greeting", "request": "A request"}


def of_flow(facts: Facts) -> Iterator[Sight]:
    """One sentence or two for each address that was looked into."""
    for state in facts.flow.states.value or ():
        says = " ".join(line for line in (_names(state), _place(state)) if line)
        if says:
            yield Sight(says=says, witnesses=state.witnesses)
    accepting = facts.flow.accepts_for_nobody
    if accepting.value:
        yield sight(
            f"A connection to {listing(accepting.value)}, where nobody is, was accepted: something on the way accepts"
            " for others.",
            accepting,
        )


def _names(state: FlowState) -> str:
    met = [
        f"with {name} it was {_OUTCOME[outcome]}"
        for name, outcome in (
            ("the vendor's name", state.vendor),
            (f"the name {state.neutral_name or 'of nobody'}", state.neutral),
        )
        if outcome is not None
    ]
    return f"{_PAYLOAD[state.payload]} inside a connection to {state.address}: {', '.join(met)}." if met else ""


def _place(state: FlowState) -> str:
    """The interval in which the vendor's data ended, as far as it is known."""
    if state.vendor in {None, "data"} or (not state.passed and state.stopped_at is None):
        return ""
    passed = "this machine" if not state.passed else _hop(state.passed, state.passed_address)
    if state.stopped_at is None:
        return f"The vendor's name got past {passed}."
    return f"What ended it stands between {passed} and {_hop(state.stopped_at, state.stopped_address)}."


def _hop(ttl: int, address: str | None) -> str:
    return f"hop {ttl}" + (f" ({address})" if address is not None else "")
