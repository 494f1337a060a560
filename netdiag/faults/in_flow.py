"""Readings of what data met inside connections: whose network lies where they end."""

from typing import Literal

from netdiag.facts import Facts
from netdiag.facts.flow import FlowState, Refusal
from netdiag.faults.base import Finding, opposes, silent
from netdiag.faults.reading import carries_healthy_control, control_walks, customers_own, hop_at

Whose = Literal["customer", "customer or way", "way", "way or vendor", "vendor"]
"""Of the interval in which data end. ``way``: beyond the customer's network, and before a router that carries a
healthy control's packets, too, or is that router. ``vendor``: at the last router before the host, at the host, or
behind a router of the vendor's."""

FACTS = ("flow.states", "path.target4", "path.target6", "path.controls")

_BEYOND = ("shared", "public", "vendor")


def flows(facts: Facts) -> tuple[FlowState, ...]:
    """Addresses that are not known to be false, where the vendor's name was not answered inside a connection."""
    false = {state.address for state in facts.target.addresses.value or () if state.genuine is False}
    working = {state.address for state in facts.target.addresses.value or () if state.works is True}
    return tuple(
        flow
        for flow in facts.flow.states.value or ()
        if flow.address not in false | working and flow.vendor is not None and flow.vendor != "data"
    )


def not_looked_into(facts: Facts) -> Finding:
    """What can be said of a name that is minded where no connection was looked into: that nothing was reset, and
    everything acknowledged, excludes it."""
    if not facts.target.addresses.known:
        return silent("No address of the target was connected to.", "target.addresses")
    states = [state for state in facts.target.addresses.value or () if state.genuine is not False]
    layers = [layer for state in states for layer in (state.tls, state.http) if layer is not None]
    if any(layer.how == "reset" or (layer.how == "silent" and layer.acked is not True) for layer in layers):
        return silent("No connection was looked into.", "flow.states")
    return opposes("No connection was reset, or left without an acknowledgement, once it was made.", "target.addresses")


def flow_to(facts: Facts, address: str) -> FlowState | None:
    """What was seen inside connections to this address."""
    return next((flow for flow in facts.flow.states.value or () if flow.address == address), None)


def cut_before_the_vendor(facts: Facts, address: str) -> FlowState | None:
    """Inside a connection to this address the vendor's name is ended, or alone of two names vanishes, on the customer's
    side or on the way there: no rule of the vendor's."""
    flow = flow_to(facts, address)
    if flow is None or not (was_ended(flow) or (was_swallowed(flow) and minds_the_name(flow))):
        return None
    return flow if whose(facts, flow) in ("customer", "customer or way", "way") else None


def refusal_of(facts: Facts, address: str) -> Refusal | None:
    """With which TTL the resets of this address' service port arrive, where that was measured."""
    return next((one for one in facts.flow.refusals.value or () if one.address == address), None)


def was_ended(flow: FlowState) -> bool:
    """The vendor's name was answered by a reset, or an end of stream in its place."""
    return flow.vendor in ("reset", "closed")


def was_swallowed(flow: FlowState) -> bool:
    """The vendor's name was never acknowledged."""
    return flow.vendor == "none"


def minds_the_name(flow: FlowState) -> bool:
    """A neutral name was answered at the same address."""
    return flow.neutral == "data"


def minds_no_name(flow: FlowState) -> bool:
    """A neutral name met the same."""
    return flow.neutral is not None and flow.neutral == flow.vendor


def is_before_the_host(flow: FlowState) -> bool:
    """A box that minds the name, and is not the host: the end came short of the last router, or arrived with another
    TTL than the host's own packets, which answer a neutral name."""
    return flow.on_the_way is True or (minds_the_name(flow) and flow.arrived_with in ("higher", "lower"))


def whose(facts: Facts, flow: FlowState) -> Whose | None:
    """In whose network the data end; None when nothing shows how far they get."""
    if flow.on_the_way is None:
        return None
    if flow.on_the_way is False:
        return "vendor" if _is_last_router_the_vendors(facts, flow) else None
    begins_at_customer = flow.passed == 0 or _is_customers(facts, flow.passed_address, flow.passed_place)
    begins_beyond = not begins_at_customer and flow.passed_place in _BEYOND
    carries = flow.stopped_address is not None and carries_healthy_control(facts, flow.stopped_address)
    if _is_customers(facts, flow.stopped_address, flow.stopped_place):
        return "customer"
    if flow.passed_place == "vendor":
        return "vendor"
    if begins_beyond:
        return "way" if carries else "way or vendor"
    return "customer or way" if carries or flow.stopped_place in ("private", "shared") else None


def _is_last_router_the_vendors(facts: Facts, flow: FlowState) -> bool:
    """It stands directly before the host. One that kept silent to the walk, and so has no name, may be a control's,
    too, where a walk to one met silence at the same TTL."""
    if flow.passed_place is not None:
        return flow.passed_place == "vendor"
    others = [walk for walk in control_walks(facts, flow.family) if walk.end_ttl is None or walk.end_ttl > flow.passed]
    hops = [hop_at(walk, flow.passed) for walk in others]
    return all(hop is not None and bool(hop.repliers) for hop in hops)


def told(facts: Facts, flow: FlowState) -> str:
    """What the vendor's name met inside a connection, and where, as a sentence without its full stop."""
    beside = f", while {flow.neutral_name} is answered" if minds_the_name(flow) else ""
    return f"Inside a connection to {flow.address} the name of {facts.host} {met(flow)} {where(flow)}{beside}"


def where(flow: FlowState) -> str:
    """The interval, as a clause for a person: ``at hop 2 (a) or between hops 2 and 3 (b)``."""
    begin = f"hop {flow.passed}" + (f" ({flow.passed_address})" if flow.passed_address else "")
    if flow.passed == 0:
        begin = "this machine"
    if flow.on_the_way is not True or flow.stopped_at is None:
        return f"at {begin}, the last router, or at the host"
    end = f"hop {flow.stopped_at}" + (f" ({flow.stopped_address})" if flow.stopped_address else "")
    return f"at {begin}, or between it and {end}"


def met(flow: FlowState) -> str:
    """What the vendor's name meets, as a verb for a person."""
    return {"reset": "is reset", "closed": "is closed", "none": "gets no acknowledgement"}.get(
        str(flow.vendor), "gets no answer"
    )


def _is_customers(facts: Facts, address: str | None, place: str | None) -> bool:
    return place == "gateway" or (address is not None and place != "vendor" and customers_own(facts, address))
