"""A link of the customer's own network loses large packets.

What is broken
    A link inside the customer's network carries smaller packets than those that use it, and nobody says so: a switch, a
    tunnel, or the router's own settings for its line (PPPoE leaves 1492 bytes, a VPN 1380 to 1420), with the ICMP
    messages that would tell the senders dropped.

How it shows
    Connections are accepted, small answers come, large ones never: every host alike. With a small MSS the same works.
    Large packets that expire on the way are answered up to a router of the customer's and not from the next one on.

What looks like it
    The same on the provider's side of the line: a gap between the customer's last router and the provider's first one
    belongs to either. A hole on the way back shows no gap on the way there; where it lies one end cannot tell, but that
    other hosts are hit as well. A gap towards the vendor alone is not the customer's.

What would settle it
    The MTU that the customer's routers and switches have set on their links, and whether they drop ICMP.

What to tell the customer
    Between which two of his own devices large packets vanish, and which size still passes.
"""

from netdiag.facts import Facts
from netdiag.facts.sizes import SizeWalk, Stall
from netdiag.faults import sizes
from netdiag.faults.base import Fault, Finding, opposes, silent
from netdiag.faults.reading import has_a_network_of_its_own
from netdiag.faults.sizes import FACTS, gap, supports


def assess(facts: Facts) -> Finding:
    return sizes.assess(facts, judge)


def judge(facts: Facts, stall: Stall) -> Finding:
    """One address whose stall is a matter of size."""
    walk = stall.walk
    if stall.for_whom == "target":
        return opposes("Large packets of other hosts come through this network.", *FACTS, witnesses=stall.witnesses)
    if stall.direction == "forward" and walk is not None:
        return _on_the_way_there(facts, stall, walk)
    where = "where on the way back large ones are lost, one end cannot tell"
    if stall.for_whom == "everyone":
        return supports(stall, f"other hosts do the same, and {where}", at_most_possible=True)
    return supports(stall, where, at_most_possible=True)


def _on_the_way_there(facts: Facts, stall: Stall, walk: SizeWalk) -> Finding:
    if not sizes.begins_inside(facts, walk):
        if sizes.may_begin_inside(walk):
            return supports(stall, f"{gap(walk)}: whose router this is, nothing tells", at_most_possible=True)
        return opposes(
            f"Large packets leave this network: they are answered by {walk.last_address} at hop "
            f"{walk.large_last_seen}.",
            *FACTS,
            witnesses=walk.witnesses,
        )
    if facts.machine.target_by_tunnel.value is True:
        return silent("A tunnel carries these packets, and its own way is not seen.", *FACTS)
    inside = sizes.ends_inside(facts, walk) and has_a_network_of_its_own(facts)
    return supports(
        stall,
        gap(walk) + ("" if inside else ": on this network's own line or on its provider's"),
        at_most_possible=not inside
        or stall.for_whom != "everyone"
        or facts.machine.target_by_tunnel.value is not False,
    )


FAULT = Fault(
    code="local.link.mtu",
    title="A link of the local network loses large packets",
    needs=("sizes.stalls",),
    masked_by=("local.link.down", "local.gateway.dead"),
    rivals=("transit.path.mtu", "host.path.mtu"),
    assess=assess,
    reply=(
        "Small packets pass between your network and ours, and large ones vanish inside your network, at the place "
        "that the report names. Please have the MTU of the devices there checked, and whether they drop ICMP messages: "
        "every service is affected, not only ours."
    ),
)
