"""IPv6 does not work on the customer's network.

What is broken
    The machine has a public IPv6 address, and nothing answers over IPv6: a router that announces IPv6 and does not
    forward it, a missing default route, a tunnel or VPN that carries IPv4 only.

How it shows
    Every control over IPv6 fails while controls over IPv4 work; the kernel itself refuses IPv6, or its first hop does
    not even answer address resolution.

What looks like it
    A machine without IPv6: no fault. The vendor's IPv6 alone (host.ipv6.dead): controls work over IPv6 then. A
    provider's IPv6 that fails beyond the gateway: the walk is seen to get there.

What would settle it
    The place where the IPv6 packets end: on the machine, at its first hop, or beyond.

What to tell the customer
    That IPv6 is set up on the network and leads nowhere, that other sites fail over it as well, and that IPv4 works.
"""

from netdiag.facts import Facts, Walk
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.reading import target_reached

FACTS = ("controls.any_healthy6", "controls.any_healthy4", "machine.global_ipv6", "machine.default_route6")


def assess(facts: Facts) -> Finding:
    machine, controls = facts.machine, facts.controls
    if machine.global_ipv6.value is False:
        return opposes("The machine has no public IPv6 address, which is no fault.", "machine.global_ipv6")
    if controls.any_healthy6.value is True:
        return opposes("Other hosts answer over IPv6.", *FACTS[:1], witnesses=controls.any_healthy6.witnesses)
    if controls.any_healthy6.value is None or controls.any_healthy4.value is not True:
        return silent("Whether other hosts answer over IPv6, and over IPv4, is not known.", *FACTS)
    if machine.proxy.value is not None:
        return silent("Traffic goes through a proxy, so IPv6 may be shut by policy.", "machine.proxy")
    walks = [walk for walk in ipv6_walks(facts) if walk.last_seen_place in {"public", "vendor", "target"}]
    if walks:
        return opposes(
            f"IPv6 packets get beyond this network, to {walks[0].last_seen_address} at hop {walks[0].last_seen}.",
            "path.target6",
            "path.controls",
            witnesses=walks[0].witnesses,
        )
    states = [state for state in controls.states.value or () if state.family == 6]
    here = [one for one in states if one.connect.how == "local" or one.connect.sender_place == "self"]
    no_route = machine.default_route6.value is False
    if machine.global_ipv6.value is not True:
        return silent("Whether the machine has a public IPv6 address is not known.", *FACTS)
    decided = no_route or (bool(states) and len(here) == len(states))
    where = (
        "without an IPv6 default route" if no_route else "and the machine itself gives up" if decided else "silently"
    )
    return Finding(
        lean=Lean.SETTLES if decided else Lean.SUPPORTS,
        because=f"This machine has a public IPv6 address, yet every other host fails over IPv6, {where}; IPv4 works.",
        facts=FACTS,
        witnesses=controls.any_healthy6.witnesses + tuple(w for state in states for w in state.witnesses),
        at_most_possible=not decided,
        explains=needed(facts),
        settle_next="A walk over IPv6 to a control: does it pass the first router?",
    )


def ipv6_walks(facts: Facts) -> list[Walk]:
    """All walks over IPv6."""
    first = () if facts.path.target6.value is None else (facts.path.target6.value,)
    walks = first + (facts.path.controls.value or ()) + (facts.path.others.value or ())
    return [walk for walk in walks if walk.family == 6]


def needed(facts: Facts) -> bool:
    """The target fails, and has no IPv4 address that this machine could use instead."""
    states = [state for state in facts.target.addresses.value or () if state.genuine is not False]
    return bool(states) and not target_reached(facts) and all(state.family == 6 for state in states)


FAULT = Fault(
    code="local.ipv6.dead",
    title="IPv6 is set up on the customer's network and leads nowhere",
    needs=("controls.any_healthy6", "machine.global_ipv6"),
    masked_by=("local.link.down", "local.route.missing", "local.gateway.dead"),
    rivals=("host.ipv6.dead", "transit.path.black_hole"),
    assess=assess,
    reply=(
        "The network gives the machine an IPv6 address, and no site at all answers over IPv6, while IPv4 works. Please "
        "have IPv6 on the router repaired or switched off. Sites that have only IPv6 fail for that reason, and others "
        "may be slow."
    ),
)
