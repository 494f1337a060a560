"""One of several equal paths on the way loses everything: some source ports never get through, others always do.

What is broken
    A router, a line card or a link of an equal-cost group or a bundle on the way loses every packet that is spread onto
    it, and the group does not notice.

How it shows
    Of several flows with fixed source ports some are silent on every try from one hop on, and the others are answered
    on every try. Connections fail now and then, and work when a program tries again from another port.

What looks like it
    Random loss, which mixes within one flow: a split as clean must be less likely than one in a hundred whatever the
    rate of loss. Routers that limit their ICMP, which is a matter of time and not of the flow. A member that sends no
    ICMP and forwards everything: its flows are answered from beyond. A dead member in the vendor's own network
    (host.path.member_dead), told by where the flows end; between the last public router and the vendor's first the
    link may be either's. One dead machine behind the vendor's load balancer, which drops nothing on the way. A dead
    member on the way back, where it spreads by the ports that an ICMP error quotes: one end cannot tell.

What would settle it
    A capture at the vendor's border of connections from a source port that fails: none arrives.

What to tell the customer
    That trying again helps, between which hops it is, and which source ports show it to the provider.
"""

from netdiag.facts import Facts
from netdiag.facts.members import Members
from netdiag.faults._members import FACTS, NEXT, OF_THE_VENDOR, dead_members, explains, no_member, told
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent

ON_THE_WAY = frozenset({"public", "shared"})


def assess(facts: Facts) -> Finding:
    found = dead_members(facts)
    if not found:
        return no_member(facts)
    on_the_way = [one for one in found if one.last_seen_place in ON_THE_WAY]
    if not on_the_way:
        one = found[0]
        if one.last_seen_place in OF_THE_VENDOR:
            return opposes(f"{told(one)}: that is in the vendor's network.", *FACTS, witnesses=one.witnesses)
        return silent(f"{told(one)}: that is too near to this network to tell whose it is.", *FACTS)
    best = max(on_the_way, key=lambda one: (explains(facts, one), not _at_the_border(one)))
    border = ", the vendor's first router; the link between them may be either's" if _at_the_border(best) else ""
    return Finding(
        lean=Lean.SETTLES,
        because=f"{told(best)}. They end before hop {best.first_missing}{border}.",
        facts=FACTS,
        witnesses=best.witnesses,
        at_most_likely=True,
        at_most_possible=_at_the_border(best),
        explains=explains(facts, best),
        settle_next=NEXT,
    )


def _at_the_border(one: Members) -> bool:
    return one.first_missing_place in OF_THE_VENDOR


FAULT = Fault(
    code="transit.path.member_dead",
    title="One of several equal paths on the way is dead",
    needs=("path.members",),
    assess=assess,
    masked_by=("local.link.down", "local.route.missing", "local.gateway.dead", "local.portal.captive"),
    rivals=("host.path.member_dead", "local.firewall.machine"),
    reply=(
        "Between your network and ours, traffic is spread over several equal paths, and one of them loses everything: "
        "some connections fail every time, others always work, so trying again helps. Please give the report to the "
        "internet provider; it shows between which routers it is, and from which source ports it can be seen."
    ),
)
