"""The vendor publishes an IPv6 address that does not work.

What is broken
    The name has an AAAA record, and nothing answers at that address: a server without IPv6, a firewall that was opened
    for IPv4 only, a record that was left behind.

How it shows
    Connections to the IPv6 address fail, while the IPv4 address works and other hosts work over IPv6. Programs that try
    both lose a moment on every connection; those that do not, fail.

What looks like it
    Broken IPv6 at the customer (local.ipv6.dead): other hosts then fail over IPv6, too. A drop of IPv6 on the way
    (transit.path.black_hole). A limit or a block of this address that stands on IPv6 alone, since programs prefer it
    (host.block.source_address): another line is then let in. An ICMP error by which a rule of the vendor's refuses is
    no death at all (host.block.rejected).

What would settle it
    The same failure on the agent's line, or the vendor's last router saying that it finds no such machine.

What to tell the customer
    That IPv6 works on the line in general, and not to this service.
"""

from netdiag.facts import AddressState, ConnectState, Facts
from netdiag.faults._ways import whence
from netdiag.faults.base import CONTROL_RUN, Fault, Finding, Lean, opposes, silent
from netdiag.faults.host._mechanisms import is_rule
from netdiag.faults.host._reading import (
    NEIGHBOUR_WAIT_MS,
    SILENT_RIVALS,
    addresses,
    agent,
    border,
    may_be_the_vendors,
    proxied,
    too_few,
    where,
    witnesses,
)

_MAYBE_BLOCKED = " A block of this address over IPv6 alone would look the same from one line."

USED = ("target.addresses", "controls.any_healthy6", "path.target6", "agent.runs")


def assess(facts: Facts) -> Finding:
    every = tuple(state for state in facts.target.addresses.value or () if may_be_the_vendors(facts, state))
    dead = tuple(state for state in every if state.family == 6 and _fails(state))
    if proxied(facts) or not dead:
        return opposes("No IPv6 address of the target fails by itself.", "target.addresses")
    if len(dead) < sum(state.family == 6 for state in every):
        return opposes("Another IPv6 address of the target connects.", "target.addresses")
    if not any(state.family == 4 and state.connect is not None and state.connect.how == "open" for state in every):
        return silent("IPv4 to the target does not work either, so IPv6 is not what differs.", *USED)
    if facts.controls.any_healthy6.value is not True:
        return opposes("No other host answers over IPv6 on this line.", "controls.any_healthy6")
    other = agent(facts)
    if other.works:
        return opposes(f"{addresses(dead)} works {whence(facts)}, so it is not dead.", *USED, witnesses=other.witnesses)
    rule = next((state for state in dead if is_rule(state.connect)), None)
    if rule is not None:
        return opposes(
            f"A rule of the vendor's refuses connections to {rule.address}, so that address is not dead.",
            *USED,
            witnesses=rule.witnesses,
        )
    state = dead[0]
    connect, sign = state.connect, border(facts, state)
    by_vendor = _is_missed_by_its_router(connect)
    settled = other.fails or by_vendor
    proof = f", although {sign}" if sign else f"; {where(facts, state)}"
    return Finding(
        lean=Lean.SETTLES if settled else Lean.SUPPORTS,
        because=f"Connections to {addresses(dead)} fail, while IPv4 to the target and IPv6 to other hosts work"
        f"{', and they fail on another line, too' if other.fails else proof}.{'' if settled else _MAYBE_BLOCKED}",
        facts=USED,
        witnesses=witnesses(facts, *dead) + facts.controls.any_healthy6.witnesses + other.witnesses,
        # Two lines may share the vendor's own provider, which can fail for both.
        at_most_likely=not by_vendor,
        at_most_possible=not settled and (_silent_at_no_border(connect, sign) or too_few(facts, *dead)),
        settle_next=CONTROL_RUN,
    )


def _is_missed_by_its_router(connect: ConnectState | None) -> bool:
    """A router of the vendor's asked for the machine and got no answer: host unreachable after the wait."""
    if connect is None or connect.how != "icmp" or connect.sender_place != "vendor":
        return False
    return (connect.elapsed_ms or 0) >= NEIGHBOUR_WAIT_MS


def _silent_at_no_border(connect: ConnectState | None, sign: str | None) -> bool:
    return sign is None and (connect is None or connect.how != "refused")


def _fails(state: AddressState) -> bool:
    return state.connect is not None and state.connect.how not in ("open", "local")


FAULT = Fault(
    code="host.ipv6.dead",
    title="The vendor's IPv6 address does not work",
    needs=("target.addresses", "controls.any_healthy6"),
    assess=assess,
    # Shown to end on the way, at a router that carries others' traffic, the packets never reach the vendor's network.
    masked_by=("transit.path.loop", "transit.path.prohibited", "transit.path.unreachable"),
    rivals=(*SILENT_RIVALS, "local.ipv6.dead"),
    reply=(
        "Your measurement shows that our service works over IPv4 and not over the IPv6 address that we publish, while "
        "IPv6 works on your line in general. Please leave everything as it is. We are having the IPv6 address repaired "
        "or withdrawn; until then a program set to IPv4 works."
    ),
)
