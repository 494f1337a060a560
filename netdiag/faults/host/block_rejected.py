"""The vendor's firewall refuses the connection openly, with an ICMP error or a reset.

What is broken
    A rule at the vendor's host, firewall or border router refuses the connection and says so: fail2ban, firewalld, ufw,
    an nftables or iptables REJECT, or a router's access list. Often for one source address only.

How it shows
    An ICMP error from the host's own address or from the vendor's last hop: port unreachable (3/3, in IPv6 1/4: the
    default of iptables and nftables, so of fail2ban and ufw limit), host prohibited (3/10: firewalld on iptables) or
    communication prohibited (3/13, in IPv6 1/1: firewalld on nftables, routers' access lists). A few send a TCP reset.

What looks like it
    A closed port (host.port.closed) resets, without ICMP. An access list on the way (transit.path.prohibited) or the
    customer's own: the sender tells, and the TTL at which it comes, since bridges refuse in the receiver's name.

What would settle it
    The sender of the ICMP error. The agent's run says whether the rule is about this address or about everyone.

What to tell the customer
    That a rule on the vendor's side refuses the connection.
"""

from netdiag.evidence.record import Icmp
from netdiag.facts import AddressState, Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.host._mechanisms import of_icmp
from netdiag.faults.host._reading import (
    NEIGHBOUR_WAIT_MS,
    PROFILE,
    Agent,
    agent,
    shut,
    witnesses,
)
from netdiag.faults.host._refused import USED, beside, reset, served_elsewhere
from netdiag.faults.reading import carries_healthy_control, icmp_errors, icmp_words, kind_of
from netdiag.faults.transit._signs import not_the_vendors


def assess(facts: Facts) -> Finding:
    states = shut(facts)
    if isinstance(states, Finding):
        return states
    other = agent(facts)
    refusals = [found for state in states if (found := _refusal(facts, state, other)) is not None]
    for lean in (Lean.SETTLES, Lean.SUPPORTS, Lean.SILENT):
        for found in refusals:
            if found.lean is lean:
                return found
    return opposes("The connections end without a refusal by ICMP from the vendor's side.", *USED)


def _refusal(facts: Facts, state: AddressState, other: Agent) -> Finding | None:
    connect = state.connect
    if connect is None:
        return None
    if connect.how == "refused" and connect.icmp is None:
        return reset(facts, state, other)
    icmp = connect.icmp
    mechanism = None if icmp is None else of_icmp(icmp)
    if connect.how == "icmp" and icmp is None:
        return silent(f"{state.address} is refused by an ICMP error whose sender this machine could not tell.", *USED)
    if icmp is None or mechanism is None or connect.sender_place in ("self", "gateway"):
        return None
    if connect.sender_place == "in_its_name":
        return silent(
            f"The refusal has the address of {state.address}, and comes from nearer than it answers from: a box on the "
            "way may send it.",
            *USED,
        )
    if connect.sender_place not in ("target", "vendor"):
        if carries_healthy_control(facts, icmp.sender):
            return None
        return _strangers(facts, state, icmp)
    place = "the target itself" if connect.sender_place == "target" else "in the vendor's network"
    said = f"{icmp.sender}, {place}, refuses port {facts.port} with {icmp_words(icmp)} ({mechanism.name})"
    whom = "; it refuses another line in the same way" if other.fails else ""
    if other.works or other.capped_works:
        whom = served_elsewhere(facts, state)
    ambiguous = kind_of(icmp) == "unreachable" and connect.sender_place == "vendor"
    if ambiguous and (connect.elapsed_ms or 0) >= NEIGHBOUR_WAIT_MS:
        return None  # the wait for a neighbour: host.machine.down
    proven = connect.sender_place == "target" or (facts.profile_given and not ambiguous)
    return Finding(
        lean=Lean.SETTLES if proven else Lean.SUPPORTS,
        because=f"{said}: a firewall's rule{whom}{beside(facts)}. It is the answer of {mechanism.makers}.",
        facts=USED,
        witnesses=witnesses(facts, state) + other.witnesses,
        at_most_likely=not proven,
        settle_next=PROFILE,
        search_keys=(("rule", mechanism.look),),
    )


def _strangers(facts: Facts, state: AddressState, icmp: Icmp) -> Finding:
    """A router whose owner nothing tells refuses: the vendor's border, numbered by its provider, looks like this."""
    refusal = f"refuses port {facts.port} with {icmp_words(icmp)}"
    unknown = f"Whether {icmp.sender}, which {refusal}, is the vendor's is not known."
    waited = kind_of(icmp) == "unreachable" and state.connect and (state.connect.elapsed_ms or 0) >= NEIGHBOUR_WAIT_MS
    alike = icmp_errors(facts, places=("path", "shared"), kinds=(kind_of(icmp),))
    provider = any(not_the_vendors(facts, *one) for one in alike)
    if waited or provider or state.connect is None or state.connect.sender_place != "path":
        return silent(unknown, *USED)
    return Finding(
        lean=Lean.SUPPORTS,
        because=unknown,
        facts=USED,
        witnesses=witnesses(facts, state),
        at_most_possible=True,
        settle_next=PROFILE,
    )


FAULT = Fault(
    code="host.block.rejected",
    title="The vendor's firewall refuses the connection",
    needs=("target.addresses", "controls.any_healthy"),
    assess=assess,
    masked_by=("host.block.source_address",),
    rivals=("local.firewall.machine", "local.firewall.router", "transit.path.prohibited", "host.port.closed"),
    reply=(
        "Your measurement shows that a rule on our side refuses connections from this address. If the address is "
        "shared, someone else may have triggered the rule. Restarting your devices would not change it, so please "
        "leave everything as it is. We are looking for the rule."
    ),
)
