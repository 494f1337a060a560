"""Whether the addresses that fail are known to be the vendor's at all: while they are not, no fault of the host is
more than possible."""

import functools

import msgspec

from netdiag.facts import Facts
from netdiag.faults.base import CONTROL_RUN, Fault, Finding, Lean
from netdiag.faults.host._reading import judged

INDEPENDENT = "The name's addresses, asked of its own name servers or of an independent resolver from another line."


def in_doubt(facts: Facts) -> bool:
    """Nobody but the customer's own resolvers, hosts file or system says that the addresses which fail are the
    vendor's: no independent server that can be trusted on this line, no certificate, no run of the agent. A literal
    needs nobody."""
    failing = [state for state in judged(facts) if state.works is False]
    if facts.names.needed.value is not True or not failing:
        return False
    untold = not facts.names.true_addresses.known
    return all(
        state.genuine is None and (untold or "public" in state.source or "authority" in state.source)
        for state in failing
    )


def cautious(fault: Fault) -> Fault:
    """The fault, which suspects and never convicts while every address it speaks of may be somebody else's."""

    @functools.wraps(fault.assess)
    def assess(facts: Facts) -> Finding:
        finding = fault.assess(facts)
        if finding.lean not in (Lean.SETTLES, Lean.SUPPORTS) or not in_doubt(facts):
            return finding
        measure = INDEPENDENT if facts.agent.runs.known else CONTROL_RUN
        return msgspec.structs.replace(finding, lean=Lean.SUPPORTS, at_most_possible=True, settle_next=measure)

    return msgspec.structs.replace(fault, assess=assess)
