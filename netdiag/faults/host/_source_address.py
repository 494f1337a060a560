"""How a block of one address shows besides plain silence: openly refused, cut off once accepted, or after a first
connection that worked."""

from netdiag.facts import AddressState, Facts
from netdiag.faults._ways import for_a_block, whence
from netdiag.faults.base import Finding, Lean, opposes
from netdiag.faults.host._mechanisms import of_accepted, of_icmp
from netdiag.faults.host._reading import (
    SMALL_PACKETS,
    VENDOR_CAPTURE,
    agent,
    from_the_host,
    may_end_before,
    perhaps_before,
    reached,
    size_excluded,
    witnesses,
)
from netdiag.faults.host._service import may_be_size, stopped, was_reset
from netdiag.faults.in_flow import FACTS as IN_FLOW
from netdiag.faults.in_flow import cut_before_the_vendor, met
from netdiag.faults.in_flow import where as where_inside
from netdiag.faults.losses import is_lossy, loss_explains
from netdiag.faults.reading import icmp_words, share_words
from netdiag.faults.sizes import is_matter_of_size

USED = ("target.addresses", "path.target4", "path.target6", "controls.any_healthy", "agent.runs")
WAYS = ("ways.outlasted", "ways.works_there")


def refused_here_alone(facts: Facts, states: tuple[AddressState, ...]) -> Finding | None:
    """An open refusal, by the target's own address, of what it accepts by a second way; asked here, there, and here
    again. The refusal's sender alone tells that no box on the way made it; a reset does not name its sender, so its
    distance must do (``from_the_host``). Whom it is about is proven only where the vendor is known to see another
    address by the second way: behind one NAT it may see the same, and refuse one connection of several."""
    others = facts.ways.seen_elsewhere.value or ()
    outlasted = facts.ways.outlasted.value or ()
    for state in states:
        connect = state.connect
        if connect is None or state.address not in outlasted or connect.worked:
            continue
        said = connect.icmp is not None and connect.how == "icmp" and connect.sender_place in ("target", "vendor")
        reset = connect.how == "refused" and connect.icmp is None and from_the_host(facts, state) is True
        if not (said or reset):
            continue
        by = f"{icmp_words(connect.icmp)} from {connect.icmp.sender}" if connect.icmp is not None else "a reset"
        return Finding(
            lean=Lean.SETTLES,
            because=f"Connections from this address to {state.address} on port {facts.port} are refused with {by}, "
            f"before and after the same address was reached {whence(facts)}{for_a_block(facts, states)}.",
            facts=(*USED, *WAYS),
            witnesses=witnesses(facts, state) + facts.ways.outlasted.witnesses,
            at_most_likely=reset or connect.sender_place != "target",
            at_most_possible=state.address not in others,
            settle_next=VENDOR_CAPTURE,
        )
    return None


def accepted_then_nothing(facts: Facts) -> Finding | None:
    """Accepted, then silence or an end without a byte, while another line is served by the same address: a block above
    the connection (HAProxy silent-drop or reject, tcp wrappers). A forged reset would look the same."""
    other, found = agent(facts), stopped(facts, "silent", "closed", "reset")
    if not found or not (other.works or other.capped_works):
        return None
    state, sent, acked = found[0]
    if is_matter_of_size(facts, state.address):
        return opposes(
            f"{state.address} answers as soon as both ends send small packets only.",
            "sizes.stalls",
            witnesses=facts.sizes.stalls.witnesses,
        )
    cut = cut_before_the_vendor(facts, state.address)
    if cut is not None:
        return opposes(
            f"The connection to {state.address} {met(cut)} {where_inside(cut)}.", *IN_FLOW, witnesses=cut.witnesses
        )
    known = of_accepted(state)
    lost = ", or its answers are lost on their way back" if may_be_size(state) else ""
    alike = "" if known is None else f" That is the way of {known}."
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"{state.address} accepts the connection and then answers nothing to {sent}, while the same address "
        f"answers it {whence(facts)}{for_a_block(facts, (state,))}{lost}"
        f"{perhaps_before(facts, state)}.{'' if may_end_before(facts, state) else alike}",
        facts=USED,
        witnesses=witnesses(facts, state) + other.witnesses,
        at_most_likely=True,
        at_most_possible=was_reset(state)
        or acked is False
        or (may_be_size(state) and not size_excluded(facts, state))
        or may_end_before(facts, state),
        settle_next=SMALL_PACKETS if may_be_size(state) and not size_excluded(facts, state) else VENDOR_CAPTURE,
    )


def worked_then_silent(facts: Facts) -> Finding | None:
    """A first connection worked, TLS included, and a later one of the same run got no answer: a limit that a few
    connections trip (a rate of SYNs, fail2ban), perhaps by netdiag's own. Packets that are known to be lost on the way
    do the same."""
    if agent(facts).fails or loss_explains(facts):
        return None
    for state in reached(facts):
        http = state.http
        good = state.tls is not None and state.tls.how == "ok"
        if state.works is False and good and http is not None and http.how == "failed":
            icmp = http.refused_by
            mechanism = of_icmp(icmp) if icmp is not None and icmp.sender == state.address else None
            told = "came to nothing"
            if icmp is not None and mechanism is not None:
                told = f"was refused by the target itself with {icmp_words(icmp)} ({mechanism.name})"
            return Finding(
                lean=Lean.SUPPORTS,
                because=f"A connection to {state.address} worked, TLS included, and a later one of the same run "
                f"{told}; netdiag's own connections may have triggered a limit"
                f"{_or_loss(facts) if mechanism is None else ''}.",
                facts=USED,
                witnesses=witnesses(facts, state),
                at_most_likely=True,
                # An error in the host's name says what it does; without one, anything on the way may have lost the
                # packets.
                at_most_possible=mechanism is None or facts.path.proxy_in_path.value is True,
                settle_next=VENDOR_CAPTURE,
                search_keys=() if mechanism is None else (("rule", mechanism.look),),
            )
    return None


def _or_loss(facts: Facts) -> str:
    lost = facts.losses.beyond_gateway.value
    if lost is None or not is_lossy(lost):
        return ""
    return f", or it was lost as {share_words(lost)} test packets beyond the gateway were"
