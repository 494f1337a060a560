"""A router on the way has no route to the target.

What is broken
    A router in mid-path says that the network or host is unreachable: the route was withdrawn, or a null route stands
    there.

How it shows
    ICMP net or host unreachable (3/0, 3/1 and kin; in IPv6 1/0, 1/3) at once, from a public router that is neither the
    gateway nor at the vendor's end.

What looks like it
    The vendor's last router, which says host unreachable after about 3 s (host.machine.down). The vendor's own border.
    A prefix that the vendor itself no longer announces: every router on the way says the same then.

What would settle it
    That the router carries a control's traffic, so it is not the vendor's; and that the address works from another
    line.

What to tell the customer
    Which router says that it knows no way to the address.
"""

from netdiag.facts import Facts
from netdiag.faults.base import CONTROL_RUN, Fault, Finding, Lean, opposes, silent
from netdiag.faults.reading import (
    carries_healthy_control,
    excused,
    failed_connects,
    icmp_errors,
    icmp_words,
    same_router_for_agent,
    unexplained,
)
from netdiag.faults.transit._signs import not_the_vendors

FACTS = ("target.addresses", "path.controls", "agent.works_elsewhere")
WHOSE = "Who runs that router (its AS), and the vendor's profile with its prefixes (--profile)."
NEIGHBOUR_WAIT_MS = 2500
"""A router asks three times, a second apart, for a host that is down, before it says so (fault-signatures 2.3)."""


def assess(facts: Facts) -> Finding:
    excuse, failed = excused(facts), failed_connects(facts)
    if excuse is not None:
        return excuse
    if not failed:
        known = facts.target.addresses.known
        say = opposes if known else silent
        return say("No address of the target was refused.", "target.addresses")
    errors = list(icmp_errors(facts, places=("path", "shared"), kinds=("unreachable",)))
    best = [one for one in errors if not_the_vendors(facts, *one)] or errors
    for state, icmp in best:
        waited = state.connect is not None and (state.connect.elapsed_ms or 0) >= NEIGHBOUR_WAIT_MS
        if waited and same_router_for_agent(facts):
            return opposes(
                f"{icmp.sender} waited for a neighbour that does not answer, and says the same to another line: it is "
                "the last router before the address.",
                *FACTS,
                witnesses=state.witnesses + facts.agent.fails_elsewhere.witnesses,
            )
        foreign = carries_healthy_control(facts, icmp.sender)
        shared = state.connect is not None and state.connect.sender_place == "shared"
        elsewhere = facts.agent.works_elsewhere.value is True
        gone = facts.agent.fails_elsewhere.value is True
        whose = " that carries other hosts’ traffic" if foreign else ""
        # A router that waited may stand next to a machine that is down; not so when that machine serves another line.
        dead = waited and not (elsewhere and foreign)
        return Finding(
            lean=Lean.SETTLES if (foreign or shared) and not dead and not gone else Lean.SUPPORTS,
            because=(
                f"{icmp.sender}, a router on the way{whose}, says {icmp_words(icmp)}: it has no route to "
                f"{state.address}."
            ),
            facts=FACTS,
            witnesses=state.witnesses + facts.agent.works_elsewhere.witnesses,
            at_most_likely=not elsewhere or waited or not (foreign or shared) or len(best) < len(errors),
            at_most_possible=dead
            or gone
            or not (foreign or shared)
            or bool(unexplained(facts, [one.address for one, _ in errors])),
            settle_next=f"{CONTROL_RUN} {WHOSE}",
        )
    if any(True for _ in icmp_errors(facts, places=("private",), kinds=("unreachable",))):
        return silent("A private router beyond the gateway has no route; whose it is, is not known.", *FACTS)
    return opposes("No router on the way says that the target is unreachable.", *FACTS)


FAULT = Fault(
    code="transit.path.unreachable",
    title="A router on the way has no route to the target",
    needs=("target.addresses",),
    masked_by=("local.link.down", "local.route.missing", "local.gateway.dead", "local.portal.captive"),
    rivals=("host.machine.down", "host.block.rejected"),
    assess=assess,
    reply=(
        "A router on the way, named in the report, says that it has no route to our address; the packets did not reach "
        "us. Nothing on the local network causes this. Please give the report to the internet provider; we are "
        "checking how our address is announced."
    ),
)
