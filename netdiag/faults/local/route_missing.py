"""No route out of the customer's machine.

What is broken
    The machine has a link, and no default route: DHCP gave no address, or a VPN client or a script took the route away.

How it shows
    The route tables of both families have no default route; connections fail at once with ENETUNREACH.

What looks like it
    An IPv6-only network with NAT64: no IPv4 route is needed there, and it is no fault. A VPN that covers everything
    with two half-sized routes: other hosts answer then. A machine without IPv6: no fault by itself.

What would settle it
    No default route in either family, and the kernel's own refusal (ENETUNREACH) for the target or for every control.

What to tell the customer
    The machine has an interface and no way out of its own network; its address configuration is to be looked at.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.reading import outside_answers, target_reached

FACTS = ("machine.default_route4", "machine.default_route6")


def assess(facts: Facts) -> Finding:
    machine, controls = facts.machine, facts.controls
    refusal = machine.local_refusal.value
    refused = refusal is not None and refusal.how == "no_route"
    if target_reached(facts) or machine.target_leaves.value is True:
        return opposes("Packets to the target leave this machine, so it has a route.", "machine.target_leaves")
    if machine.default_route4.value is True:
        return opposes("The machine has an IPv4 default route.", "machine.default_route4")
    if machine.default_route4.value is None or machine.default_route6.value is None:
        return silent("The route table of one family was not read.", *FACTS)
    if machine.default_route6.value:
        return only_ipv6(facts, refused=refused)
    if outside_answers(facts):
        return opposes("Hosts outside answer, so packets leave by another route than a default one.", *FACTS)
    return Finding(
        lean=Lean.SETTLES if refused or controls.all_failed.value is True else Lean.SUPPORTS,
        because="This machine has no default route, neither for IPv4 nor for IPv6, so it cannot reach other networks.",
        facts=(*FACTS, "machine.local_refusal"),
        witnesses=machine.default_route4.witnesses + machine.default_route6.witnesses + machine.local_refusal.witnesses,
        settle_next="A connection to any host outside: the kernel refuses it at once when there is no route.",
    )


def only_ipv6(facts: Facts, *, refused: bool) -> Finding:
    """An IPv6 route and no IPv4 one: normal with NAT64 and where the target speaks IPv6."""
    nat64, states = facts.machine.nat64_prefix, facts.target.addresses.value or ()
    if nat64.value is not None or any(state.family == 6 and state.genuine is not False for state in states):
        return opposes("The machine has an IPv6 default route, and the target can be reached over IPv6.", *FACTS)
    if not (refused and states and nat64.known):
        return silent("The machine has only an IPv6 route; whether it needs an IPv4 one is not known.", *FACTS)
    return Finding(
        lean=Lean.SUPPORTS,
        because="This machine's network is IPv6 only and has no NAT64, while the target has only IPv4 addresses.",
        facts=(*FACTS, "machine.nat64_prefix", "machine.local_refusal"),
        witnesses=facts.machine.local_refusal.witnesses + nat64.witnesses,
        at_most_likely=True,
        settle_next="The same URL from a network that has IPv4.",
    )


FAULT = Fault(
    code="local.route.missing",
    title="The machine has no route to other networks",
    needs=FACTS,
    masked_by=("local.link.down",),
    assess=assess,
    reply=(
        "When the report was made, the machine had no route that leads to the target, so its connections ended before "
        "they left it. Please check that it has an address from its network (DHCP) and that no VPN client has taken "
        "the default route away, and run netdiag again."
    ),
)
