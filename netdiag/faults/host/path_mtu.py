"""A link of the vendor's network loses large packets.

What is broken
    Between the vendor's border and its server a link or tunnel carries smaller packets than the server sends or is
    sent, and the ICMP messages that would say so are dropped: by the firewall, or by a load balancer that does not
    pass them on to the server (RFC 7690).

How it shows
    Connections are accepted, small answers come, large ones never; with a small MSS the same works at once. Large
    packets that expire on the way are answered up to a router of the vendor's and not from the next one on.

What looks like it
    A gap that ends at the vendor's first router may be its provider's (transit.path.mtu). A hole on the way back shows
    no gap on the way there. A service that hangs is as silent to small packets (host.service.silent).

What would settle it
    The MTU of the vendor's links and tunnels, and whether its firewall lets ICMP 3/4 and ICMPv6 2 pass.

What to tell the customer
    That large packets are lost in the vendor's network, and that it is not his line.
"""

from netdiag.facts import Facts
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
    if stall.for_whom == "everyone":
        return opposes("Large packets of other hosts are lost as well.", *FACTS, witnesses=stall.witnesses)
    if stall.direction == "forward" and walk is not None:
        return _on_the_way_there(facts, stall, walk)
    return supports(stall, "where on the way back large ones are lost, one end cannot tell", at_most_possible=True)


def _on_the_way_there(facts: Facts, stall: Stall, walk: SizeWalk) -> Finding:
    if sizes.begins_at_vendor(walk):
        return supports(stall, gap(walk), at_most_possible=False)
    if sizes.begins_inside(facts, walk):
        return opposes("Large packets do not even get to the provider.", *FACTS, witnesses=walk.witnesses)
    if sizes.ends_at_vendor(walk):
        return supports(stall, f"{gap(walk)}: on the vendor's line or on its provider's", at_most_possible=True)
    if walk.missing_address is not None and carries_healthy_control(facts, walk.missing_address):
        return opposes(
            f"Large packets vanish before {walk.missing_address}, a router that carries others' packets, too.",
            *FACTS,
            "path.controls",
            witnesses=walk.witnesses,
        )
    return supports(stall, f"{gap(walk)}, which does not show whose link it is", at_most_possible=True)


FAULT = Fault(
    code="host.path.mtu",
    title="A link of the vendor's network loses large packets",
    needs=("sizes.stalls",),
    rivals=("local.link.mtu", "transit.path.mtu"),
    assess=assess,
    reply=(
        "Your measurement shows that small packets pass between your network and ours and that large ones are lost, "
        "most likely on our side. We are having the links in front of our server checked. Nothing needs to be changed "
        "at your end."
    ),
)
