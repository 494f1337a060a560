"""Something on the way drops the packets of a connection because of the name in them.

What is broken
    A filter between the customer and the vendor reads the server's name in the TLS greeting, or the Host of a request,
    and lets these packets vanish.

How it shows
    TCP connects; the greeting is never acknowledged, however often it is repeated, and with another name at the same
    address it is answered. With a rising TTL the greeting expires at the routers before the filter, and meets silence
    at those behind it, which do answer other packets.

What looks like it
    A path that loses large packets: a greeting with another name is as large, and would be lost, too. A firewall of the
    vendor that drops by name (host.block.by_name): a drop at the last router looks like one in the host. A filter of
    the customer's own network (local.firewall.by_name). A router that is slow to say that packets expired: so this
    fault is never established.

What would settle it
    A capture at the vendor's border, which shows whether the greeting arrives.

What to tell the customer
    Behind which router the packets vanish, and that it happens only when they name the site.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, opposes, silent
from netdiag.faults.in_flow import flows, minds_the_name, not_looked_into, was_swallowed
from netdiag.faults.reading import excused
from netdiag.faults.transit._tamper import judge, name_in


def assess(facts: Facts) -> Finding:
    excuse = excused(facts)
    if excuse is not None:
        return excuse
    if not facts.flow.states.known:
        return not_looked_into(facts)
    swallowed = [flow for flow in flows(facts) if was_swallowed(flow)]
    if not swallowed:
        return opposes("No packet with the vendor's name went without an acknowledgement.", "flow.states")
    by_name = [flow for flow in swallowed if minds_the_name(flow)]
    if not by_name:
        return silent("No other name was answered where the vendor's is not.", "flow.states")
    return judge(facts, by_name[0], name_in(facts, by_name[0]))


FAULT = Fault(
    code="transit.tamper.drop_by_name",
    title="Packets are dropped on the way because of the name in them",
    needs=("target.addresses",),
    masked_by=("local.portal.captive",),
    rivals=("host.block.by_name", "host.service.silent", "local.firewall.by_name"),
    assess=assess,
    reply=(
        "The connection is accepted, and the packets that name our site then vanish, while others pass. The report "
        "says behind which router, as far as it shows. Please give it to the internet provider if that router is the "
        "provider's; nothing needs to be changed meanwhile."
    ),
)
