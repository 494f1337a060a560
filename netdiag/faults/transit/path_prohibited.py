"""A router on the way forbids the traffic.

What is broken
    An access list of a router in mid-path, the provider's or a further one's, does not let the packets pass.

How it shows
    ICMP administratively prohibited (3/13, 3/9, 3/10; in IPv6 1/1, 1/5, 1/6) or port unreachable for TCP, from a
    public router or from the provider's shared space (100.64/10).

What looks like it
    The same from the vendor's own border router, which nothing marks as the vendor's (host.block.rejected), and from
    a private hop that may be the customer's or the provider's. A box without an address of its own refuses in the name
    of the vendor's (host.block.rejected): it is told by the TTL at which it does so.

What would settle it
    That the router carries a control's traffic, so it is not the vendor's; or the vendor's prefixes, by its profile.

What to tell the customer
    Which router refuses the packets by a rule; only those who run it can lift it.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.reading import (
    carries_healthy_control,
    customers_own,
    excused,
    failed_connects,
    icmp_errors,
    icmp_words,
    unexplained,
)
from netdiag.faults.transit._signs import not_the_vendors

FACTS = ("target.addresses", "path.controls", "agent.fails_elsewhere")
KINDS = ("prohibited", "rejected")


def assess(facts: Facts) -> Finding:
    excuse, failed = excused(facts), failed_connects(facts)
    if excuse is not None:
        return excuse
    if not failed:
        known = facts.target.addresses.known
        say = opposes if known else silent
        return say("No address of the target was refused.", "target.addresses")
    ends = [one.address for one, _ in icmp_errors(facts, places=("vendor", "target"), kinds=KINDS)]
    if ends:
        return opposes(f"{ends[0]} is refused at the vendor's end.", "target.addresses")
    errors = list(icmp_errors(facts, places=("path", "shared"), kinds=KINDS))
    best = [one for one in errors if not_the_vendors(facts, *one)] or errors
    for state, icmp in best:
        foreign = carries_healthy_control(facts, icmp.sender)
        shared = state.connect is not None and state.connect.sender_place == "shared"
        everywhere = facts.agent.fails_elsewhere.value is True
        sure = (foreign or shared) and not everywhere
        whose = " that carries other hosts’ traffic" if foreign else ""
        return Finding(
            lean=Lean.SETTLES if sure else Lean.SUPPORTS,
            because=(
                f"{icmp.sender}, a router on the way{whose}, refuses connections to {state.address} port {facts.port} "
                f"by a rule ({icmp_words(icmp)})."
            ),
            facts=FACTS,
            witnesses=state.witnesses,
            at_most_likely=not sure or len(best) < len(errors),
            at_most_possible=everywhere
            or not (foreign or shared)
            or bool(unexplained(facts, [one.address for one, _ in errors])),
            settle_next="Who runs that router (its AS), and the vendor's profile with its prefixes (--profile).",
        )
    for state, icmp in icmp_errors(facts, places=("private",), kinds=KINDS):
        if customers_own(facts, icmp.sender):
            continue
        return Finding(
            lean=Lean.SUPPORTS,
            because=f"{icmp.sender}, a private router beyond the gateway, refuses connections to {state.address} port "
            f"{facts.port} by a rule ({icmp_words(icmp)}); whose it is, is not known.",
            facts=FACTS,
            witnesses=state.witnesses,
            at_most_possible=True,
            settle_next=f"Whose router {icmp.sender} is: the customer's, or the provider's.",
        )
    for state, icmp in icmp_errors(facts, places=("in_its_name",), kinds=KINDS):
        return Finding(
            lean=Lean.SUPPORTS,
            because=f"Connections to {state.address} port {facts.port} are refused by a rule ({icmp_words(icmp)}) in "
            "the name of that address, from nearer than it stands: by a box on the way, or in the customer's network.",
            facts=FACTS,
            witnesses=state.witnesses,
            at_most_possible=True,
            settle_next="A packet capture at the vendor's border: do these packets arrive there?",
        )
    return opposes("No router on the way refuses the connection by a rule.", *FACTS)


FAULT = Fault(
    code="transit.path.prohibited",
    title="A router on the way forbids the traffic",
    needs=("target.addresses",),
    masked_by=("local.link.down", "local.route.missing", "local.gateway.dead", "local.portal.captive"),
    rivals=("host.block.rejected", "local.firewall.router"),
    assess=assess,
    reply=(
        "A router on the way, named in the report, refuses the packets to our address by a rule; they did not reach "
        "us. Nothing on the local network causes this. Please give the report to the internet provider and ask for the "
        "rule to be lifted."
    ),
)
