"""Readings of the facts that three or more faults share. Pure, and careful with the unknown: never a guess."""

from collections.abc import Iterable, Iterator

from netdiag.evidence.record import Icmp
from netdiag.facts import AddressState, ControlState, Facts, Hop, ResolverState, Walk
from netdiag.facts.base import Share, Witness
from netdiag.facts.places import classify, inside, is_nowhere, parse, plain
from netdiag.faults.base import Finding, Lean, opposes, silent

WIDE_BLOCKS = ("172.16.0.0/12", "192.168.0.0/16")
"""Private blocks that one customer's network is numbered from as a whole (RFC 1918, without 10/8)."""

UNREACHABLE4 = frozenset({0, 1, 6, 7, 8, 11, 12})  # ICMP type 3: net and host unreachable in all their forms
UNREACHABLE6 = frozenset({0, 2, 3})  # ICMPv6 type 1: no route, beyond scope, address unreachable
PROHIBITED4 = frozenset({9, 10, 13})
PROHIBITED6 = frozenset({1, 5, 6})
REJECTED4 = 3  # port unreachable for TCP: only a firewall's REJECT says so, never a closed port
REJECTED6 = 4


def target_reached(facts: Facts) -> bool:
    """The target works on the way that this machine uses: through the proxy where one applies, else directly, at an
    address that the system gives (for all that is known of it)."""
    proxy = facts.machine.proxy.value
    if proxy is not None:
        return proxy.target_ok is True and proxy.target_failure is None
    return facts.target.works.value is True and facts.target.works_by_name.value is not False


def answered_at_first_hop(facts: Facts) -> bool:
    """The target's service port answered a packet of TTL 1: what answers is no further away than the gateway."""
    walks = (facts.path.target4.value, facts.path.target6.value)
    return any(
        walk is not None and walk.end == "open" and walk.end_ttl == 1 and not in_lan(facts, walk.address)
        for walk in walks
    )


def excused(facts: Facts) -> Finding | None:
    """Why nothing on the direct path can be what fails: the target works, or its traffic goes through a proxy.
    A direct path that is shut beside a working proxy is policy, and no fault (design.md, The plan)."""
    proxy = facts.machine.proxy.value
    if target_reached(facts) or (proxy is None and facts.target.works.value is True):
        return opposes("The target itself works, so nothing on the way to it is broken.", "target.works")
    if proxy is None:
        return None
    if proxy.control_ok is True or proxy.target_ok is True:
        return opposes(
            f"Traffic to the target goes through the proxy {proxy.where}, which works; a closed direct path is policy.",
            "machine.proxy",
            witnesses=facts.machine.proxy.witnesses,
        )
    return silent(f"Traffic to the target goes through the proxy {proxy.where}, not directly.", "machine.proxy")


def offline(facts: Facts) -> bool:
    """Every direct control failed, and nothing beyond the first hop is known to have answered."""
    return (
        facts.controls.all_failed.value is True
        and facts.controls.any_healthy.value is not True
        and facts.machine.beyond_gateway_answers.value is not True
    )


def outside_answers(facts: Facts) -> bool:
    """Something beyond the first hop is known to have answered."""
    return facts.controls.any_healthy.value is True or facts.machine.beyond_gateway_answers.value is True


def failed_connects(facts: Facts) -> tuple[AddressState, ...]:
    """The target's addresses, not known to be false, where no attempt to connect ever worked. An address of a family
    that fails for the controls, too, is left out while another family works: it says nothing of the target."""
    states = [
        state
        for state in facts.target.addresses.value or ()
        if state.genuine is not False and state.connect is not None and state.connect.how != "open"
        if state.connect.worked == 0 and state.works is not True
        if not is_nowhere(state.address) or facts.names.needed.value is False
    ]
    return tuple(state for state in states if not family_is_dead(facts, state.family))


def family_is_dead(facts: Facts, family: int) -> bool:
    """No control works over this family while one works over the other."""
    healthy4, healthy6 = facts.controls.any_healthy4.value, facts.controls.any_healthy6.value
    mine, other = (healthy4, healthy6) if family == 4 else (healthy6, healthy4)
    return mine is False and other is True


def failing_walks(facts: Facts) -> tuple[Walk, ...]:
    """TCP walks to the service port of addresses of the target that could not be connected to."""
    failed = {state.address for state in failed_connects(facts)}
    walks = [facts.path.target4.value, facts.path.target6.value, *(facts.path.others.value or ())]
    return tuple(
        walk
        for walk in walks
        if walk is not None and walk.role == "target" and walk.protocol == "tcp"
        if walk.port == facts.port and walk.address in failed
    )


def control_walks(facts: Facts, family: int) -> tuple[Walk, ...]:
    """TCP walks of one family to controls."""
    walks = (facts.path.controls.value or ()) + (facts.path.others.value or ())
    return tuple(walk for walk in walks if walk.role == "control" and walk.family == family)


def carries_healthy_control(facts: Facts, router: str) -> bool:
    """A walk to a control that answered went through this router: it forwards for others than the vendor."""
    walks = (facts.path.controls.value or ()) + (facts.path.others.value or ())
    return any(
        router in hop.repliers
        for walk in walks
        if walk.role == "control" and walk.end == "open"
        for hop in walk.hops
        if walk.end_ttl is None or hop.ttl < walk.end_ttl
    )


def same_router_for_agent(facts: Facts) -> bool:
    """An uncapped run of the agent was refused in the same way, and by the very same router."""
    runs = facts.agent.runs.value or ()
    return any(run.usable and not run.caps and run.fails_same is True and run.same_sender is True for run in runs)


def unexplained(facts: Facts, explained: Iterable[str]) -> tuple[AddressState, ...]:
    """Failing addresses besides ``explained``: what ails some of them is not why the others fail."""
    held = set(explained)
    return tuple(
        state
        for state in failed_connects(facts)
        if state.address not in held and state.connect is not None and state.connect.how != "local"
    )


def icmp_errors(facts: Facts, *, places: Iterable[str], kinds: Iterable[str]) -> Iterator[tuple[AddressState, Icmp]]:
    """ICMP errors that refused connections to the target, from these places and of these kinds."""
    for state in failed_connects(facts):
        connect = state.connect
        if connect is None or connect.how != "icmp" or connect.icmp is None:
            continue
        if connect.sender_place is not None and connect.sender_place in places and kind_of(connect.icmp) in kinds:
            yield state, connect.icmp


def all_refused(facts: Facts) -> tuple[ControlState, ...]:
    """The controls that a router's ICMP error refused (no way, or a rule), when no control works, two or more hosts
    were refused and the others stayed silent (such errors are rate-limited). Empty: it is not so."""
    states = facts.controls.states.value or ()
    refused = tuple(state for state in states if state.connect.how == "icmp" and state.connect.icmp is not None)
    told = all(kind_of(icmp) in ("unreachable", "prohibited") for s in refused if (icmp := s.connect.icmp) is not None)
    others = all(state.connect.how in ("icmp", "silent") for state in states)
    enough = len({state.host for state in refused}) > 1
    return refused if facts.controls.all_failed.value is True and told and others and enough else ()


def kind_of(icmp: Icmp) -> str:
    """``unreachable``, ``prohibited``, ``rejected`` (port unreachable), ``loop`` (time exceeded), or ``other``."""
    four = icmp.version == 4
    if icmp.type == (11 if four else 3):
        return "loop"
    if icmp.type != (3 if four else 1):
        return "other"
    if icmp.code == (REJECTED4 if four else REJECTED6):
        return "rejected"
    if icmp.code in (PROHIBITED4 if four else PROHIBITED6):
        return "prohibited"
    return "unreachable" if icmp.code in (UNREACHABLE4 if four else UNREACHABLE6) else "other"


def icmp_words(icmp: Icmp) -> str:
    """``ICMP 3/13`` or ``ICMPv6 1/1``."""
    return f"{'ICMP' if icmp.version == 4 else 'ICMPv6'} {icmp.type}/{icmp.code}"


def in_lan(facts: Facts, address: str) -> bool:
    """Inside a prefix of one of this machine's own interfaces."""
    return inside(address, facts.machine.lan_prefixes.value or ())


def has_a_network_of_its_own(facts: Facts) -> bool:
    """A private address of this machine. Without one its first hop may be the provider's: a modem, a mobile line."""
    return any(classify(address) == "private" for address in facts.machine.own_addresses.value or ())


def customers_own(facts: Facts, address: str) -> bool:
    """An address that a second sign ties to the customer (design.md, Sides): it is the gateway's, inside a LAN prefix,
    or private and beside the configured proxy or in the LAN's own private block. In 10/8 the block must agree to 16
    bits, since providers number their access networks from 10/8, too. Shared space (100.64/10) never counts."""
    if classify(address) == "shared":
        return False
    if plain(address) in map(plain, facts.machine.gateways.value or ()) or in_lan(facts, address):
        return True
    if classify(address) != "private":
        return False
    proxy = facts.machine.proxy.value
    where = None if proxy is None else parse(host_of(proxy.where))
    if where is not None and inside(address, (f"{where}/{24 if where.version == 4 else 64}",)):
        return True
    block = next((found for found in WIDE_BLOCKS if inside(address, (found,))), None)
    block = block or f"{plain(address)}/{48 if ':' in address else 16}"
    return any(inside(prefix.partition("/")[0], (block,)) for prefix in facts.machine.lan_prefixes.value or ())


def host_of(where: str) -> str:
    """The host of ``host:port``, ``[v6]:port`` or ``http://host:port``."""
    rest = where.rpartition("://")[2]
    if rest.startswith("["):
        return rest[1:].partition("]")[0]
    return rest.rpartition(":")[0] if rest.count(":") == 1 else rest


def names_work(facts: Facts) -> Finding | None:
    """Why no resolver can be what fails: no name is needed, or this machine gets the target's true address. That the
    target works at an address which only an independent resolver gave proves nothing for the customer's own."""
    names = facts.names
    if names.needed.value is False:
        return opposes("The target is an address, so no name has to be resolved.", "names.needed")
    proxy = facts.machine.proxy.value
    if proxy is not None and (proxy.target_ok is True or proxy.control_ok is True):
        return opposes(f"The proxy {proxy.where} works, and it resolves names itself.", "machine.proxy")
    if facts.target.works_by_name.value is True:
        return opposes("The target works at the address that this machine resolves.", "target.works_by_name")
    if target_reached(facts) and names.system_resolves.value is not False:
        return opposes("The target itself works, its name included.", "target.works")
    if names.configured_lies.value:
        return None
    if names.configured_resolve.value is True:
        return opposes("A configured resolver gives the target's address.", "names.configured_resolve")
    if names.system_resolves.value is True:
        return opposes("This machine resolves the target's name.", "names.system_resolves")
    return None


def weakest(findings: Iterable[Finding]) -> Finding | None:
    """Of findings on several addresses, the one that says least: a fault must explain every address that fails."""
    order = (Lean.OPPOSES, Lean.SILENT, Lean.SUPPORTS, Lean.SETTLES)
    return min(findings, key=lambda finding: order.index(finding.lean), default=None)


def share_words(share: Share) -> str:
    """``12 of 40 (30 %, with 95 % confidence between 18 and 45 %)``: no rate goes without its interval."""
    rate = 100 * share.lost / max(share.sent, 1)
    between = f"between {100 * share.low:.0f} and {100 * share.high:.0f} %"
    return f"{share.lost} of {share.sent} ({rate:.0f} %, with 95 % confidence {between})"


def hop_at(walk: Walk, ttl: int) -> Hop | None:
    return next((hop for hop in walk.hops if hop.ttl == ttl), None)


def witnesses_of(states: Iterable[AddressState | Walk | ResolverState | ControlState]) -> tuple[Witness, ...]:
    """All witnesses, each once, in order."""
    return tuple(dict.fromkeys(witness for state in states for witness in state.witnesses))
