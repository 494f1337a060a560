"""A firewall on the customer's own machine drops or refuses the packets.

What is broken
    A rule on the machine itself (a packet filter, endpoint security, a VPN client, a per-program control) stops
    connections to the target.

How it shows
    Refused at once with EPERM or EACCES and no ICMP error; or an ICMP error from the machine's own address; or a reset
    faster than the first hop can answer. A silent drop shows in the TTL-1 test alone (fault-signatures P12): the
    gateway answers for a packet to a control and not for one to the target. UDP to the target is refused with EPERM.

What looks like it
    A drop on the way or at the vendor gives the same time-out, but there the packet to the target reaches the gateway,
    too. A gateway that filters before it counts the TTL fails the TTL-1 test in the same way; it is on the same side.

What would settle it
    The machine's own refusal, or the TTL-1 test together with EPERM for UDP.

What to tell the customer
    The packets were stopped on the machine itself; its firewall or security software has the rule.
"""

from typing import get_args

from netdiag.facts import Egress, Facts
from netdiag.facts.target import SenderPlace
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.reading import excused, failed_connects, in_lan, weakest

WORDS = {
    "policy": "this machine refused to send to the target at once, by its own policy",
    "own_icmp": "an ICMP error from one of this machine's own addresses refused the connection",
    "own_reset": "the connection was reset faster than the first hop can answer, and no packet left this machine",
}
HTTPS = 443
FACTS = ("machine.local_refusal", "machine.target_leaves", "machine.egress4", "machine.egress6", "target.addresses")


def assess(facts: Facts) -> Finding:
    excuse, machine = excused(facts), facts.machine
    if excuse is not None:
        return excuse
    if machine.target_leaves.value is True:
        return opposes(
            "A packet to the target's port was answered from beyond this machine, so it left.",
            "machine.target_leaves",
            witnesses=machine.target_leaves.witnesses,
        )
    refusal = machine.local_refusal
    if refusal.value is not None:
        if refusal.value.how not in WORDS:
            return opposes("This machine refused the packets for want of a route.", "machine.local_refusal")
        errno = "" if refusal.value.errno is None else f" (errno {refusal.value.errno})"
        said = WORDS[refusal.value.how]
        return Finding(
            lean=Lean.SETTLES,
            because=f"{said[0].upper()}{said[1:]}{errno}.",
            facts=("machine.local_refusal",),
            witnesses=refusal.witnesses,
        )
    failed = failed_connects(facts)
    if facts.target.addresses.known and not failed:
        return opposes("The target accepts connections, so packets to it leave this machine.", "target.addresses")
    outsiders = set(get_args(SenderPlace)) - {"self"}
    answered = [one for one in failed if one.connect is not None and one.connect.sender_place in outsiders]
    if answered:
        return opposes(
            "An ICMP error from beyond this machine answered, so packets to the target leave it.",
            "target.addresses",
            witnesses=answered[0].witnesses,
        )
    families = {one.family for one in failed if not in_lan(facts, one.address)}
    tests = [fact for family, fact in ((4, machine.egress4), (6, machine.egress6)) if family in families and fact.known]
    for fact in tests:
        if fact.value is not None and fact.value.target == "gateway":
            return opposes(
                "The gateway answered for a TTL-1 packet to the target, so it left this machine.",
                "machine.egress4",
                witnesses=fact.witnesses,
            )
    if not tests or any(fact.value is None for fact in tests):
        return silent("Whether packets to the target leave this machine was not tested.", *FACTS)
    if machine.target_by_tunnel.value is True:
        return silent("The target is reached by a tunnel, whose far end need not answer the TTL-1 test.", *FACTS)
    found = [judge(facts, fact.value, fact.witnesses) for fact in tests if fact.value is not None]
    return weakest(found) or silent("Whether packets to the target leave this machine was not tested.", *FACTS)


def judge(facts: Facts, egress: Egress, witnesses: tuple[str, ...]) -> Finding:
    """The TTL-1 test of one family; the target's packet brought no answer from the gateway. A first hop that limits its
    ICMP keeps silent as well, now and then: for a port that is shut everywhere, connections to others say so, too."""
    passes = egress.control == "gateway"
    everywhere = facts.port == HTTPS and facts.controls.port_443_fails.value is True and not seen_at_first_hop(facts)
    if egress.target == "refused_locally":
        said = "this machine itself refused a packet to the target"
    elif egress.target == "silent" and passes:
        said = "the first hop answered for a packet to another host, and not for the same packet to the target"
    elif egress.target == "silent" and egress.other_port == "gateway" and everywhere:
        said = f"the first hop answers for another port and never for port {facts.port}, which fails for every host"
    elif egress.target == "reset" and passes and facts.path.proxy_in_path.value is False:
        said = "a packet to the target was reset by this machine or its first hop, which passes those to other hosts on"
    else:
        return silent("The TTL-1 test shows no difference between the target and another host.", *FACTS)
    denied = egress.udp_denied is True
    return Finding(
        lean=Lean.SETTLES,
        because=f"With TTL 1, {said}{', and UDP to it is refused by a rule (EPERM)' if denied else ''}.",
        facts=FACTS,
        witnesses=witnesses,
        at_most_likely=not denied and egress.target == "silent",
        settle_next="The packet counters of the interface around one attempt, or a list of the machine's filter rules.",
    )


def seen_at_first_hop(facts: Facts) -> bool:
    """The first hop answered for a packet to the target's port on some walk."""
    walks = [walk for walk in (facts.path.target4.value, facts.path.target6.value) if walk is not None]
    return any(hop.ttl == 1 and bool(hop.repliers) for walk in walks for hop in walk.hops)


FAULT = Fault(
    code="local.firewall.machine",
    title="A firewall on the customer's machine stops the packets",
    needs=("target.addresses",),
    masked_by=("local.link.down", "local.route.missing", "local.gateway.dead"),
    assess=assess,
    reply=(
        "The packets to our address were stopped on the machine itself and never reached the network, while packets to "
        "other hosts leave it. Please look for a rule in the firewall, security software or VPN client of the machine "
        "that names our address or port, and run netdiag again without it."
    ),
)
