"""One of several equal paths inside the vendor's network loses everything: some source ports never get through.

What is broken
    A router, a firewall or a link of an equal-cost group in the vendor's network loses every packet that is spread onto
    it, and the group does not notice.

How it shows
    Of several flows with fixed source ports some are silent on every try from one hop on, which lies in the vendor's
    network by a second sign, and the others are answered on every try.

What looks like it
    The same before the vendor's border (transit.path.member_dead), told by where the flows end. Random loss, limited
    ICMP and members that send none, as said there. A dead member on the way back: one end cannot tell.

What would settle it
    A capture behind the vendor's border of connections from a source port that fails.

What to tell the customer
    That trying again helps, and that the vendor repairs it.
"""

from netdiag.facts import Facts
from netdiag.faults._members import FACTS, NEXT, OF_THE_VENDOR, dead_members, explains, no_member, told
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent


def assess(facts: Facts) -> Finding:
    found = dead_members(facts)
    if not found:
        return no_member(facts)
    inside = [one for one in found if one.last_seen_place in OF_THE_VENDOR]
    border = next((one for one in found if one.first_missing_place in OF_THE_VENDOR), None)
    if not inside and border is not None:
        return silent(f"{told(border)}: the link to the vendor's first router may be either's.", *FACTS)
    if not inside:
        return opposes(f"{told(found[0])}: that is before the vendor's network.", *FACTS, witnesses=found[0].witnesses)
    best = max(inside, key=lambda one: explains(facts, one))
    return Finding(
        lean=Lean.SETTLES,
        because=f"{told(best)}. They end in the vendor's network, before hop {best.first_missing}.",
        facts=FACTS,
        witnesses=best.witnesses,
        at_most_likely=True,
        explains=explains(facts, best),
        settle_next=NEXT,
    )


FAULT = Fault(
    code="host.path.member_dead",
    title="One of several equal paths in the vendor's network is dead",
    needs=("path.members",),
    assess=assess,
    reply=(
        "Your measurement shows that inside our network one of several equal paths loses everything: some connections "
        "fail every time, others always work, so trying again helps. Please leave everything as it is. We are taking "
        "the dead path out."
    ),
)
