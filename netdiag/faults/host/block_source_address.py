"""The vendor's side blocks what comes from this one address.

What is broken
    A ban list, a connection-rate rule or a reputation filter of the vendor drops or refuses packets from the customer's
    public address. That address may be shared by many (an office, a provider's NAT); someone else may have caused the
    ban.

How it shows
    Connections stay without an answer while all other hosts work. The walk to the service port reaches the vendor's
    border and ends there, or another port or protocol of the same address answers. From other lines the address works.
    Where the name has several addresses it may stand at one of them, or on one family alone, which programs prefer.
    Some blocks accept the connection first and then keep silent or hang up. Others refuse openly (host.block.rejected);
    that the same address works by a second way out at the same minutes then shows whom the refusal is about.

What looks like it
    A drop for everyone (host.block.everyone), a machine that is down, and, where other addresses of the name let this
    line in, a dead one (host.ipv6.dead, host.address.partly_dead), until another line was tried. A drop on the
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

from netdiag.facts import Facts
from netdiag.faults._ways import fails_there, for_a_block, next_measurement, whence
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.host._reading import (
    SILENT_RIVALS,
    VENDOR_CAPTURE,
    addresses,
    agent,
    border,
    is_partial,
    reached,
    shut,
    stopped_before,
    too_few,
    where,
    witnesses,
)
from netdiag.faults.host._source_address import USED, accepted_then_nothing, refused_here_alone, worked_then_silent


def assess(facts: Facts) -> Finding:
    accepted = accepted_then_nothing(facts) or worked_then_silent(facts)
    if accepted is not None:
        return accepted
    states = shut(facts)
    if isinstance(states, Finding):
        return states
    refused = refused_here_alone(facts, states)
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
    beside = f" (those to {addresses(reached(facts))} come about)" if is_partial(facts) else ""
    if beside and (not elsewhere or (sign is None and stopped_before(facts, state))):
        return silent(
            f"{addresses(dropped)} may be shut to this address alone{beside}: only another line would tell.", *USED
        )
    silence = f"Connections from this address to {addresses(dropped)} on port {facts.port} get no answer{beside}"
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
            settle_next=VENDOR_CAPTURE if elsewhere else next_measurement(facts),
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
        settle_next=VENDOR_CAPTURE if elsewhere else next_measurement(facts),
    )


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
        "fault at your end, so please leave everything as it is. We are looking for this address in our block lists."
    ),
)
