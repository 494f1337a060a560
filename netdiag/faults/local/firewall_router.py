"""A firewall on the customer's gateway, or on a further router of the customer's, drops or refuses the packets.

What is broken
    A rule on the home router or the office firewall stops connections to the target, or to its port everywhere.

How it shows
    An ICMP error from the gateway's address, or from a private hop that a second sign ties to the customer; a reset at
    TTL 1; or silence from the hop after the gateway on, while controls pass the same gateway.

What looks like it
    The first router of the provider: a walk that ends at the gateway may have been stopped by either, so it stays
    undecided unless the next router, seen on a control's walk, is the customer's as well. The first hop of a machine
    without a private address (a modem, a mobile line, a rented server) may be the provider's. Private hops that nothing
    ties to the customer are the provider's or undecided; 100.64/10 is the provider's. A transparent proxy at TTL 1.

What would settle it
    An ICMP error whose sender is the gateway, while other hosts answer through it.

What to tell the customer
    Which router of the network refuses, and for what; whoever runs it can lift the rule.
"""

from netdiag.evidence.record import Icmp
from netdiag.facts import AddressState, Facts
from netdiag.facts.places import classify
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.local._walks import judge_walk
from netdiag.faults.reading import (
    customers_own,
    excused,
    failing_walks,
    has_a_network_of_its_own,
    icmp_errors,
    icmp_words,
    in_lan,
    kind_of,
    weakest,
)
from netdiag.faults.transit._signs import all_is_let_in, sent_in_vain

KINDS = ("unreachable", "prohibited", "rejected")
FACTS = ("target.addresses", "path.target4", "path.target6", "path.controls", "controls.any_healthy")


def assess(facts: Facts) -> Finding:
    excuse, failed = excused(facts), sent_in_vain(facts)
    if excuse is not None:
        return excuse
    if all_is_let_in(facts):
        return opposes("The target accepts connections, so no router on the way stops them.", "target.addresses")
    if facts.machine.local_refusal.known:
        return opposes(
            "This machine itself refused the packets, so no router saw them.",
            "machine.local_refusal",
            witnesses=facts.machine.local_refusal.witnesses,
        )
    if facts.private_target and any(in_lan(facts, one.address) for one in failed):
        return opposes("The target is in this machine's own LAN, so no router is in between.", "machine.lan_prefixes")
    for state, icmp in icmp_errors(facts, places=("gateway", "private"), kinds=KINDS):
        if first_hop(state) or customers_own(facts, icmp.sender):
            return refusal(facts, state, icmp)
        return Finding(
            lean=Lean.SUPPORTS,
            because=f"{icmp.sender}, a private router beyond the gateway, refuses connections to {state.address} port "
            f"{facts.port} with {icmp_words(icmp)}; whose it is, is not known.",
            facts=FACTS,
            witnesses=state.witnesses,
            at_most_possible=True,
            settle_next=f"Whose router {icmp.sender} is: the customer's, or the provider's.",
        )
    if any(one.connect is not None and one.connect.how == "icmp" for one in failed):
        foreign = icmp_errors(facts, places=("path", "vendor", "target", "shared"), kinds=(*KINDS, "loop"))
        if any(True for _ in foreign):
            return opposes("The connection was refused from beyond the customer's network.", *FACTS)
        return _in_its_name(facts) or silent("Whose router refused the connection is not known.", *FACTS)
    found = weakest(judge_walk(facts, walk) for walk in failing_walks(facts))
    return found or silent("No walk to the failing address shows where its packets end.", *FACTS)


def _in_its_name(facts: Facts) -> Finding | None:
    """A box that refuses in the name of the address, between the customer's own router and the next one."""
    for state, icmp in icmp_errors(facts, places=("in_its_name",), kinds=KINDS):
        walks = (facts.path.target4.value, facts.path.target6.value)
        walk = next((one for one in walks if one is not None and one.address == state.address), None)
        if walk is not None and (walk.last_seen_place == "gateway" or walk.last_seen == 0):
            return Finding(
                lean=Lean.SUPPORTS,
                because=f"Connections to {state.address} port {facts.port} are refused by a rule ({icmp_words(icmp)}) "
                f"in the name of that address, at hop {walk.end_ttl}: by the customer's last router, or behind it.",
                facts=FACTS,
                witnesses=state.witnesses + walk.witnesses,
                at_most_possible=True,
                settle_next="The rules of the customer's own router and of bridges beside it.",
            )
    return None


def first_hop(state: AddressState) -> bool:
    """The gateway itself refused."""
    return state.connect is not None and state.connect.sender_place == "gateway"


def refusal(facts: Facts, state: AddressState, icmp: Icmp) -> Finding:
    """An ICMP error from the gateway or another router of the customer's. That it finds no route is weaker: its access
    line may be down, or (in a data centre) the vendor's network may be gone from its table."""
    no_route = kind_of(icmp) == "unreachable"
    # Where nothing passes directly, a proxy that the machine did not tell of may be meant to be used.
    all_refused = facts.controls.all_failed.value is True
    only_this = facts.controls.any_healthy.value is True and classify(icmp.sender) != "public"
    return Finding(
        lean=Lean.SETTLES if only_this or not no_route else Lean.SUPPORTS,
        because=(
            f"{icmp.sender}, a router of the customer's own network, refuses connections to {state.address} port "
            f"{facts.port} with {icmp_words(icmp)}."
        ),
        facts=FACTS,
        witnesses=state.witnesses,
        # The LAN's private block alone ties a router less firmly: providers number from the same blocks.
        at_most_likely=no_route or not (first_hop(state) or in_lan(facts, icmp.sender)),
        at_most_possible=all_refused or (no_route and not only_this) or not has_a_network_of_its_own(facts),
        settle_next="Connections to other hosts through the same router.",
    )


FAULT = Fault(
    code="local.firewall.router",
    title="A firewall of the customer's network stops the packets",
    needs=("target.addresses",),
    masked_by=(
        "local.link.down",
        "local.route.missing",
        "local.gateway.dead",
        "local.portal.captive",
    ),
    rivals=("transit.path.black_hole", "transit.access.outage"),
    assess=assess,
    reply=(
        "A router of this network, named in the report, stops packets to our address, while packets to other hosts "
        "pass it. Please ask whoever runs that router or firewall to look for a rule with our address or port. They "
        "did not reach our service."
    ),
)
