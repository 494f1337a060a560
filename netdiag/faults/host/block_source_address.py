"""The vendor's side blocks what comes from this one address.

What is broken
    A ban list, a connection-rate rule or a reputation filter of the vendor drops or refuses packets from the customer's
    public address. That address may be shared by many (an office, a provider's NAT); someone else may have caused the
    ban.

How it shows
    Connections stay without an answer while all other hosts work. The walk to the service port reaches the vendor's
    border and ends there, or another port or protocol of the same address answers. From other lines the address works.
    Some blocks accept the connection first and then keep silent or hang up. Others refuse openly (host.block.rejected);
    that the same address works by a second way out at the same minutes then shows whom the refusal is about.

What looks like it
    A drop for everyone (host.block.everyone) and a machine that is down, until another line was tried. A drop on the
    way (transit.path.black_hole), on the return path, or in the customer's own machine or router. "Works for me" from
    the agent's line, or by a proxy, excludes the first two only, and never speaks against a block: it speaks for one. A
    second way that shares the customer's public address meets the same block: that it fails, too, says nothing.

What would settle it
    The vendor's block list or a packet capture at the vendor's border: one end cannot tell a drop of the request from a
    drop of the answer. A second way out of the same customer (``collect --via``) that works is a strong sign; where the
    target itself refuses the one and serves the other, in turn, it is proof.

What to tell the customer
    That this address seems to be blocked on the vendor's side, that this may have been caused by someone who shares it,
    and that restarting devices does not lift it.
"""

from netdiag.facts import AddressState, Facts
from netdiag.faults._ways import fails_there, for_a_block, whence
from netdiag.faults.base import CONTROL_RUN, Fault, Finding, Lean, opposes
from netdiag.faults.host._mechanisms import of_accepted, of_icmp
from netdiag.faults.host._reading import (
    SILENT_RIVALS,
    SMALL_PACKETS,
    VENDOR_CAPTURE,
    addresses,
    agent,
    border,
    from_the_host,
    reached,
    size_excluded,
    too_few,
    unreachable,
    where,
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


def assess(facts: Facts) -> Finding:
    accepted = _accepted_then_nothing(facts) or _worked_then_silent(facts)
    if accepted is not None:
        return accepted
    states = unreachable(facts)
    if isinstance(states, Finding):
        return states
    refused = _refused_here_alone(facts, states)
    if refused is not None:
        return refused
    dropped = tuple(state for state in states if state.connect is not None and state.connect.how == "silent")
    if not dropped:
        return opposes("The connections are not dropped in silence.", *USED)
    other = agent(facts)
    if other.fails and not other.works:
        return opposes(
            "The same address fails in the same way from another line, so it is not about this one.",
            *USED,
            witnesses=other.witnesses,
        )
    state = dropped[0]
    sign = border(facts, state)
    elsewhere = other.works or other.capped_works
    silence = f"Connections from this address to {addresses(dropped)} on port {facts.port} get no answer"
    also = fails_there(facts, dropped)
    if elsewhere:
        silence += f", while they work {whence(facts)}"
    elif also is not None:
        silence += f", and none by a second way ({also}), which leaves from another address"
    seen = witnesses(facts, *dropped) + other.witnesses
    if sign is None:
        return Finding(
            lean=Lean.SUPPORTS,
            because=f"{silence}; {where(facts, state)}, which does not show whose drop it is.",
            facts=USED,
            witnesses=seen,
            at_most_possible=True,
            settle_next=VENDOR_CAPTURE if elsewhere else CONTROL_RUN,
        )
    dead = for_a_block(facts, dropped)
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"{silence}, although other hosts answer and {sign}: the vendor drops them, or the answers are lost on "
        f"their way back{dead}.",
        facts=USED,
        witnesses=seen,
        # The answer may be lost on its way back, which no measurement from one end excludes (fault-signatures T16).
        at_most_likely=True,
        at_most_possible=too_few(facts, *dropped) or also is not None,
        settle_next=VENDOR_CAPTURE if elsewhere else CONTROL_RUN,
    )


def _refused_here_alone(facts: Facts, states: tuple[AddressState, ...]) -> Finding | None:
    """An open refusal, by the target's own address, of what it accepts by a second way; asked here, there, and here
    again. The refusal's sender alone tells that no box on the way made it; a reset does not name its sender, so its
    distance must do (``from_the_host``)."""
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
            settle_next=VENDOR_CAPTURE,
        )
    return None


def _accepted_then_nothing(facts: Facts) -> Finding | None:
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
    alike = "" if known is None else f" That is the way of {known}."
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"{state.address} accepts the connection and then answers nothing to {sent}, while the same address "
        f"answers it {whence(facts)}{for_a_block(facts, (state,))}.{alike}",
        facts=USED,
        witnesses=witnesses(facts, state) + other.witnesses,
        at_most_likely=True,
        at_most_possible=was_reset(state)
        or acked is False
        or (may_be_size(state) and not size_excluded(facts, state))
        or facts.path.proxy_in_path.value is True,
        settle_next=SMALL_PACKETS if may_be_size(state) and not size_excluded(facts, state) else VENDOR_CAPTURE,
    )


def _worked_then_silent(facts: Facts) -> Finding | None:
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


FAULT = Fault(
    code="host.block.source_address",
    title="The vendor's side blocks this address",
    needs=("target.addresses", "controls.any_healthy"),
    assess=assess,
    rivals=(*SILENT_RIVALS, "host.block.everyone", "host.machine.down"),
    reply=(
        "Your measurement shows that connections from this address reach our network and are not let in there, while "
        "the rest of the internet works from your line. That is how a block of this address on our side looks, or "
        "answers that are lost on their way back; if the address is shared, someone else may have triggered a block. "
        "That our service works through a proxy or from another line fits a block, and is no reason to look for the "
        "fault at your end. Restarting your devices would not change it, so please leave everything as it is. We are "
        "looking for this address in our block lists."
    ),
)
