"""What an open refusal shares with a reset: whom it is about, and what is let in beside it."""

from netdiag.facts import AddressState, Facts
from netdiag.faults._ways import for_a_block, whence
from netdiag.faults.base import CONTROL_RUN, Finding, Lean, silent
from netdiag.faults.host._reading import (
    VENDOR_CAPTURE,
    Agent,
    addresses,
    from_the_host,
    is_partial,
    reached,
    witnesses,
)

USED = ("target.addresses", "agent.runs", "path.proxy_in_path")


def served_elsewhere(facts: Facts, state: AddressState) -> str:
    """What it says of the rule that the address works elsewhere, as a clause. By a second way the vendor may see the
    same address, and refuse one connection of several."""
    by_a_way = for_a_block(facts, (state,))
    if by_a_way and not any(run.usable and run.works is True for run in facts.agent.runs.value or ()):
        return by_a_way
    return "; the same address works from another line, so the rule is about this one"


def beside(facts: Facts) -> str:
    """That other addresses accept connections, as a clause: a limit that programs trip stands on what they prefer."""
    return f"; connections to {addresses(reached(facts))} come about" if is_partial(facts) else ""


def reset(facts: Facts, state: AddressState, other: Agent) -> Finding:
    """A reset alone is a closed port as well; that the port is open for another line makes it a refusal."""
    own = from_the_host(facts, state)
    if own is False:
        return silent(
            f"The reset comes from nearer than {state.address} answers from: a box on the way may send it.", *USED
        )
    if not other.works or facts.path.proxy_in_path.value is True:
        if other.fails or facts.path.proxy_in_path.value is True:
            return silent(f"{state.address} refuses with a reset, as a closed port does; a rule can do so, too.", *USED)
        return Finding(
            lean=Lean.SUPPORTS,
            because=f"{state.address} refuses port {facts.port} with a reset, which a rule against this address sends "
            "as well as a closed port.",
            facts=USED,
            witnesses=witnesses(facts, state),
            at_most_possible=True,
            settle_next=CONTROL_RUN,
        )
    whose = "" if own else "; whether the host sends it or a box on the way, is not known"
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"{state.address} refuses port {facts.port} with a reset, while it works {whence(facts)}{whose}"
        f"{beside(facts)}.",
        facts=USED,
        witnesses=witnesses(facts, state) + other.witnesses,
        at_most_likely=True,
        at_most_possible=not own,
        settle_next=VENDOR_CAPTURE,
    )
