"""What a walk that ends near the customer says of the customer's routers."""

from netdiag.facts import Facts, Walk
from netdiag.faults.base import Finding, Lean, opposes, silent
from netdiag.faults.reading import control_walks, customers_own, has_a_network_of_its_own, hop_at, in_lan

BEYOND = ("public", "shared", "vendor", "target")
HTTPS = 443
FACTS = ("path.target4", "path.target6", "path.controls", "controls.any_healthy")


def judge_walk(facts: Facts, walk: Walk) -> Finding:
    """One failing walk: where its packets were seen last, beside a control's walk through the same first hop."""
    last = f"{walk.last_seen_address}, hop {walk.last_seen}"
    if walk.last_seen_place in BEYOND or walk.end == "open":
        return opposes(f"Packets to the target got beyond this network ({last}).", *FACTS, witnesses=walk.witnesses)
    if walk.end == "refused":
        return nearest_reset(facts, walk)
    if walk.last_seen < 1 or walk.end != "silent":
        return silent("The walk does not show that packets reach the gateway and end there.", *FACTS)
    if walk.last_seen_place != "gateway" and not customers_own(facts, walk.last_seen_address or ""):
        return silent(f"Packets were last seen at {last}, a private address that nothing ties to the customer.", *FACTS)
    if facts.port == HTTPS and facts.controls.port_443_fails.value is True:
        return Finding(
            lean=Lean.SUPPORTS,
            because=(
                f"Packets to port {walk.port} of every host were last seen at {last}, while those to other ports pass: "
                "that router, or the provider's first one, shuts the port."
            ),
            facts=(*FACTS, "controls.port_443_fails"),
            witnesses=walk.witnesses + facts.controls.port_443_fails.witnesses,
            at_most_possible=True,
            settle_next=f"The rules of the router {walk.last_seen_address}: does it drop port {walk.port}?",
        )
    through = [other for other in control_walks(facts, walk.family) if passes(other, walk)]
    nexts = [hop for other in through if (hop := hop_at(other, walk.last_seen + 1)) is not None and hop.repliers]
    if not nexts or facts.controls.any_healthy.value is not True:
        return silent("No control's walk shows a router after the gateway, so the silence says little.", *FACTS)
    inside = all(customers_own(facts, replier) for hop in nexts for replier in hop.repliers)
    return Finding(
        lean=Lean.SETTLES if inside else Lean.SUPPORTS,
        because=(
            f"Packets to {walk.address} port {walk.port} were last seen at {last}, and vanish before the next router, "
            f"{nexts[0].repliers[0]}{' (this network’s, too)' if inside else ''}, which passes those to other hosts on."
        ),
        facts=FACTS,
        witnesses=walk.witnesses + through[0].witnesses,
        at_most_likely=True,
        at_most_possible=not inside,
        settle_next=f"The log or the packet counters of the router {walk.last_seen_address}: does it drop these?",
    )


def passes(other: Walk, walk: Walk) -> bool:
    """The other walk goes on after the very router at which this one was seen last."""
    here = hop_at(other, walk.last_seen)
    return other.last_seen > walk.last_seen and here is not None and walk.last_seen_address in here.repliers


def nearest_reset(facts: Facts, walk: Walk) -> Finding:
    """A reset at TTL 1 cannot be the host's; unless a transparent proxy there resets on its behalf."""
    others = [one for one in control_walks(facts, walk.family) if one.last_seen >= 1 and one.end_ttl != 1]
    if walk.end_ttl != 1 or not others or facts.path.proxy_in_path.value is not False or in_lan(facts, walk.address):
        return silent("Who reset the connection is not clear: no router beyond this network was seen.", *FACTS)
    return Finding(
        lean=Lean.SETTLES,
        because=f"A packet to {walk.address} with TTL 1 was reset: the first hop, or this machine itself, refuses it, "
        "and passes others on.",
        facts=(*FACTS, "path.proxy_in_path"),
        witnesses=walk.witnesses + others[0].witnesses,
        at_most_possible=not has_a_network_of_its_own(facts),
        settle_next="Whose the first hop is, the customer's or the provider's, and its log.",
    )
