"""No host beyond the gateway answers.

What is broken
    The access line: the provider's network, the line itself, or the gateway's own uplink.

How it shows
    The gateway answers, and no packet to any host brings an answer from beyond it: no hop, no control, no resolver. Or
    a router beyond the customer's network answers for every host: it has no route (3/0, 3/1; in IPv6 1/0, 1/3), or, in
    the provider's shared space (100.64/10), lets nothing pass (3/13; a translator without free ports, RFC 5508, 6). Or
    walks to hosts of others all end in silence behind the provider's first routers.

What looks like it
    A gateway that has lost its login to the provider, is told to block everything, or waits for a sign-in: from inside
    it is the same silence. An office that lets nothing out but through a proxy. So silence makes it a suspect, never a
    verdict; and a public router that forbids everything may be the office's own.

What would settle it
    The gateway's own view of its line (its status page), or another device on the same line.

What to tell the customer
    Every host fails in the same way, not the vendor alone; the line or the gateway's uplink is down.
"""

from netdiag.facts import ControlState, Facts, Walk
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.reading import (
    all_refused,
    excused,
    icmp_words,
    kind_of,
    witnesses_of,
)
from netdiag.faults.resolvers import dns_passes
from netdiag.faults.transit._signs import natted

FACTS = ("machine.gateway_answers", "machine.beyond_gateway_answers", "controls.all_failed")


def assess(facts: Facts) -> Finding:
    machine, excuse = facts.machine, excused(facts)
    if excuse is not None:
        return excuse
    if facts.controls.any_healthy.value is True or dns_passes(facts):
        return opposes("Hosts beyond the gateway answer.", *FACTS, witnesses=machine.beyond_gateway_answers.witnesses)
    refused, ends = all_refused(facts), ending_beyond(facts)
    if refused and all(state.connect.sender_place in ("path", "shared") for state in refused):
        return refusal(facts, refused)
    if ends:
        return silence(facts, ends)
    if machine.gateway_answers.value is False or machine.gateway_neighbour_alive.value is False:
        if machine.gateway_neighbour_alive.value is False:
            return opposes("The gateway itself is dead, so the line behind it cannot be judged.", *FACTS)
        return silent("The gateway does not answer, so the line behind it cannot be judged.", *FACTS)
    if facts.controls.all_failed.value is not True or machine.gateway_answers.value is None:
        return silent("Not everything that would show an outage was measured.", *FACTS)
    routers = "; a router behind it does" if machine.beyond_gateway_answers.value is True else ""
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"The gateway answers, and no host beyond it does, whichever is asked{routers}.",
        facts=FACTS,
        witnesses=machine.gateway_answers.witnesses + facts.controls.all_failed.witnesses,
        at_most_possible=True,
        settle_next="The line's state on the gateway's status page, or a run from another device on the same line.",
    )


def refusal(facts: Facts, refused: tuple[ControlState, ...]) -> Finding:
    """Routers beyond the gateway refuse what is sent to any control."""
    errors = [state.connect.icmp for state in refused if state.connect.icmp is not None]
    senders = tuple(dict.fromkeys(icmp.sender for icmp in errors))
    words = tuple(dict.fromkeys(icmp_words(icmp) for icmp in errors))
    shared = any(state.connect.sender_place == "shared" for state in refused)
    no_way = all(kind_of(icmp) == "unreachable" for icmp in errors)
    return Finding(
        lean=Lean.SETTLES,
        because=f"{' and '.join(senders)} beyond the gateway {'answers' if len(senders) == 1 else 'answer'} "
        f"{' and '.join(words)} for hosts of several owners, and no host answers.",
        facts=(*FACTS, "controls.states", "machine.own_addresses"),
        witnesses=witnesses_of(refused),
        at_most_likely=True,
        at_most_possible=not (shared or (no_way and natted(facts))),
        settle_next=f"Whose router {senders[0]} is, and its state: the provider knows.",
    )


def ending_beyond(facts: Facts) -> tuple[Walk, ...]:
    """Walks to controls, when no control answers: they all end in silence behind a router of the provider's. With a
    public router, the customer's NAT must stand before it."""
    walks = tuple(one for one in facts.path.controls.value or () if one.protocol == "tcp" and one.end != "local")
    if facts.controls.all_failed.value is not True or not walks:
        return ()
    theirs = ("shared", "public") if natted(facts) else ("shared",)
    outside = [one for one in walks if one.end == "silent" and one.first_missing and one.last_seen_place in theirs]
    return walks if len(outside) == len(walks) and any(one.family == 4 for one in walks) else ()


def silence(facts: Facts, walks: tuple[Walk, ...]) -> Finding:
    """Walks to others' hosts end in silence behind the customer's network."""
    ends = tuple(dict.fromkeys(f"{one.last_seen_address} at hop {one.last_seen}" for one in walks))
    return Finding(
        lean=Lean.SETTLES,
        because=f"No host answers, and packets to {' and '.join(one.host or one.address for one in walks)} are seen up "
        f"to {' and '.join(ends)}, beyond this network, and no further.",
        facts=(*FACTS, "path.controls", "machine.own_addresses"),
        witnesses=facts.controls.all_failed.witnesses + witnesses_of(walks),
        at_most_likely=True,
        settle_next="The provider's own view of the routers behind that one.",
    )


FAULT = Fault(
    code="transit.access.outage",
    title="No host beyond the gateway answers",
    needs=("machine.gateway_answers", "controls.all_failed"),
    masked_by=("local.link.down", "local.route.missing", "local.gateway.dead", "local.portal.captive"),
    rivals=("local.firewall.router", "local.firewall.machine"),
    assess=assess,
    reply=(
        "From this line no host on the internet answers, ours included, while the gateway does. Please look at the "
        "gateway's own status page: it says whether its line is up. If it is down, the provider is the one to call."
    ),
)
