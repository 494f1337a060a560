"""The one rule behind host.tls.expired and host.tls.not_yet_valid."""

from netdiag.facts import Facts
from netdiag.faults.base import CONTROL_RUN, Finding, Lean, opposes
from netdiag.faults.host._reading import addresses, agent, controls, witnesses
from netdiag.faults.host._tls import USED, clock_doubt, clock_off, excused, rejected, unproven


def judge(facts: Facts, code: int, says: str) -> Finding:
    """A chain that is trusted but for one date. ``says``: "expired" or "is not valid yet"."""
    found = rejected(facts, code)
    if not found:
        return opposes("No certificate is rejected for this date.", "target.addresses")
    doubt = excused(facts, found[0][1]) or clock_doubt(facts)
    if doubt is not None:
        return doubt
    other = agent(facts)
    names = addresses(tuple(state for state, _ in found))
    because = f"The certificate presented at {names} for {facts.host} {says}"
    proof = " (other hosts' certificates are accepted on this line at the same time)"
    if other.fails:
        proof = ", and it fails in the same way on another line"
    weak = unproven(facts) or clock_off(facts) or other.works
    return Finding(
        lean=Lean.SUPPORTS if weak and not other.fails else Lean.SETTLES,
        because=f"{because}{'' if weak and not other.fails else proof}.",
        facts=USED,
        witnesses=witnesses(facts, *(state for state, _ in found)) + controls(facts).witnesses + other.witnesses,
        at_most_likely=weak and not other.fails,
        settle_next=CONTROL_RUN,
    )
