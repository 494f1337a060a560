"""A link on the way loses large packets.

What is broken
    A link between the customer's network and the vendor's carries smaller packets than both ends send, and the router
    before it does not say so, or its message is dropped: a path MTU black hole (RFC 2923 section 2.1).

How it shows
    Connections are accepted, small answers come, large ones never; with a small MSS the same works at once. Large
    packets that expire on the way are answered up to some router and not from the next one on, small ones are.

What looks like it
    A gap that begins at the customer's last router may be his (local.link.mtu), one that ends at the vendor's first may
    be the vendor's (host.path.mtu), and where only the vendor's packets pass, a public router may be the vendor's, too.
    A hole on the way back shows no gap on the way there. A service that hangs is as silent to small packets. A router
    that says which size it carries is no fault: that is how senders learn it.

What would settle it
    The same gap towards another host, behind a router that the provider runs.

What to tell the customer
    Between which two routers large packets vanish, whose these are, and which size still passes.
"""

from netdiag.facts import Facts
from netdiag.facts.places import classify, family
from netdiag.facts.sizes import SizeWalk, Stall
from netdiag.faults import sizes
from netdiag.faults.base import Fault, Finding, opposes
from netdiag.faults.reading import carries_healthy_control
from netdiag.faults.sizes import FACTS, gap, supports


def assess(facts: Facts) -> Finding:
    return sizes.assess(facts, judge)


def judge(facts: Facts, stall: Stall) -> Finding:
    """One address whose stall is a matter of size."""
    walk = stall.walk
    if stall.direction == "forward" and walk is not None:
        return _on_the_way_there(facts, stall, walk)
    return supports(stall, "where on the way back large ones are lost, one end cannot tell", at_most_possible=True)


def _on_the_way_there(facts: Facts, stall: Stall, walk: SizeWalk) -> Finding:
    if sizes.begins_inside(facts, walk):
        if sizes.ends_inside(facts, walk):
            return opposes("Large packets do not even leave the customer's network.", *FACTS, witnesses=walk.witnesses)
        return supports(stall, f"{gap(walk)}: on the customer's line or on its provider's", at_most_possible=True)
    if sizes.may_begin_inside(walk):
        return supports(stall, f"{gap(walk)}: whose router this is, nothing tells", at_most_possible=True)
    if sizes.begins_at_vendor(walk):
        return opposes(
            f"Large packets get to the vendor's network: {walk.last_address} at hop {walk.large_last_seen} answers "
            "them.",
            *FACTS,
            witnesses=walk.witnesses,
        )
    if sizes.ends_at_vendor(walk):
        return supports(stall, f"{gap(walk)}: on the vendor's line or on its provider's", at_most_possible=True)
    if stall.for_whom == "everyone":
        where = f"{gap(walk)}, and other hosts are hit as well"
        return supports(stall, where, at_most_possible=False, settles=_is_behind_nat(facts, stall))
    # Controls whose large datagrams vanish there, and whose large answers come all the same, contradict the walk.
    is_clear = stall.for_whom == "target" and carries_healthy_control(facts, walk.missing_address or "")
    unclear = "" if is_clear else ", which does not show whose link it is"
    return supports(stall, gap(walk) + unclear, at_most_possible=not is_clear)


def _is_behind_nat(facts: Facts, stall: Stall) -> bool:
    """A private address of this machine shows that a public router is none of the customer's; an office with public
    addresses has routers of its own that look like its provider's."""
    own = [one for one in facts.machine.own_addresses.value or () if family(one) == stall.family]
    return stall.family == 4 and bool(own) and all(classify(one) == "private" for one in own)


FAULT = Fault(
    code="transit.path.mtu",
    title="A link on the way loses large packets",
    needs=("sizes.stalls",),
    masked_by=("local.link.down", "local.gateway.dead"),
    rivals=("local.link.mtu", "host.path.mtu"),
    assess=assess,
    reply=(
        "Small packets pass between your network and ours, and large ones are lost on the way, between the routers "
        "that the report names or on the way back. Please give the report to the internet provider; we are giving it "
        "to ours."
    ),
)
