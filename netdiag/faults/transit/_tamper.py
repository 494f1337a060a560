"""What the faults of a box on the way share: how an interval inside a connection is judged."""

from netdiag.facts import Facts
from netdiag.facts.flow import FlowState
from netdiag.faults.base import CONTROL_RUN, Finding, Lean, opposes
from netdiag.faults.in_flow import FACTS, met, was_swallowed, where, whose
from netdiag.faults.transit._signs import CUSTOMERS_HOPS, natted

CAPTURE = "A packet capture at the vendor's border: do these packets arrive there, and does the vendor send the reset?"


def name_in(facts: Facts, flow: FlowState) -> str:
    """What is cut, as the subject of a sentence."""
    return f"Inside a connection to {flow.address} the name of {facts.host}"


def judge(facts: Facts, flow: FlowState, what: str) -> Finding:
    """Whether what ``what`` (the subject of a sentence) meets lies on the way: settled where nothing of the customer's
    and nothing of the vendor's can be meant.

    A drop is at most likely: that a router said nothing of an expired packet may have other reasons.
    """
    owner = whose(facts, flow)
    beside = f", while {flow.neutral_name} is answered" if flow.neutral == "data" else ""
    said = f"{what} {met(flow)} {where(flow)}{beside}."
    if owner in ("customer", "vendor"):
        return opposes(said, *FACTS, witnesses=flow.witnesses)
    if owner == "way":
        return Finding(
            lean=Lean.SETTLES,
            because=f"{said[:-1]}; that router carries the packets of healthy hosts, too.",
            facts=FACTS,
            witnesses=flow.witnesses,
            at_most_likely=was_swallowed(flow) or not _is_beyond_the_customers(facts, flow),
            settle_next=CAPTURE,
        )
    if owner is None:
        said = f"{said[:-1].replace(' ' + where(flow), '')}; where that happens, does not show."
    return Finding(
        lean=Lean.SUPPORTS,
        because=said,
        facts=FACTS,
        witnesses=flow.witnesses,
        at_most_possible=True,
        settle_next=f"{CONTROL_RUN} {CAPTURE}",
    )


def _is_beyond_the_customers(facts: Facts, flow: FlowState) -> bool:
    """NAT shows where the customer's network ends, or there are more routers before the interval than it commonly has;
    the first public routers of a network without NAT may be its own."""
    return (flow.family == 4 and natted(facts)) or flow.passed_place == "shared" or flow.passed > CUSTOMERS_HOPS
