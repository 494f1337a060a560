"""Control bundles of a support agent, held against the customer's own facts (design.md, Judging)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, NamedTuple

from netdiag.evidence.bundle import Bundle
from netdiag.facts.agent import AgentFacts, AgentRun
from netdiag.facts.base import Fact, seen
from netdiag.facts.derivation.book import VendorProfile
from netdiag.facts.derivation.handshakes import is_public, names_a_public_issuer
from netdiag.facts.derivation.names import Told
from netdiag.facts.places import inside, is_special, plain, same_announcement
from netdiag.facts.target import AddressState, TlsState
from netdiag.facts.whole import Facts

Cap = Literal["inside_vendor", "private_path", "other_target", "too_far_apart", "other_pop"]

_MINUTES_APART = 30  # design.md, Judging: more than 30 minutes away


class Run(NamedTuple):
    """A bundle and what was derived from it alone. ``failing``: the addresses whose failing counts."""

    name: str
    bundle: Bundle
    facts: Facts
    failing: tuple[AddressState, ...]


def derive_agent(customer: Run, agents: Sequence[Run], profile: VendorProfile | None) -> AgentFacts:
    """One AgentRun per control bundle, and what the uncapped ones say together."""
    prefixes = () if profile is None else tuple(profile.prefixes)
    runs = tuple(_run(customer, agent, prefixes) for agent in agents)
    if not runs:
        return AgentFacts()
    free = [run for run in runs if run.usable and not run.caps]
    return AgentFacts(
        runs=seen(runs, tuple(w for run in runs for w in run.witnesses)),
        works_elsewhere=_sum_up([(run.works, run) for run in free]),
        fails_elsewhere=_sum_up([(run.fails_same, run) for run in free]),
    )


def vendor_routers(runs: Sequence[Run], customer: Bundle) -> dict[str, frozenset[str]]:
    """Routers of the vendor that the agents' walks show: of walks to the same host's addresses that the service itself
    answered, over no private path. They say where a router stands, whatever line is asked from."""
    found: dict[str, set[str]] = {}
    for run in runs:
        if run.facts.host.lower().rstrip(".") != customer.target.host.lower().rstrip(".") or _private_path(run):
            continue
        path = run.facts.path
        for walk in (path.target4.value, path.target6.value, *(path.others.value or ())):
            if walk is not None and walk.end == "open":
                routers = (router for hop in walk.hops if hop.place == "vendor" for router in hop.repliers)
                found.setdefault(walk.address, set()).update(routers)
    return {address: frozenset(routers) for address, routers in found.items()}


def told_names(runs: Sequence[Run], customer: Bundle) -> Told:
    """What the agents' runs of the same host say of its addresses. Where a run knows the true ones independently, these
    are all that it vouches for; else those that its system or resolvers give."""
    vouched: set[str] = set()
    true: set[str] = set()
    working: set[str] = set()
    served: set[str] = set()
    for run in runs:
        if run.facts.host.lower().rstrip(".") != customer.target.host.lower().rstrip("."):
            continue
        if run.facts.names.intercepted.value or run.facts.names.canary_answered.value:
            continue
        known = set(run.facts.names.true_addresses.value or ())
        states = run.facts.target.addresses.value or ()
        given = known or {
            state.address
            for state in states
            if state.genuine is not False and {"configured", "system", "public", "authority"} & set(state.source)
        }
        vouched |= given
        true |= known
        works = [state for state in states if state.works is True and state.address in given]
        working |= {state.address for state in works}
        served |= {state.address for state in works if state.http is not None and (state.http.status or 400) < 400}
    return Told(frozenset(vouched), frozenset(true), frozenset(working), frozenset(served))


def _sum_up(told: Sequence[tuple[bool | None, AgentRun]]) -> Fact[bool]:
    known = [(value, run) for value, run in told if value is not None]
    if not known:
        return Fact()
    value = any(value for value, _ in known)
    agreeing = [run for said, run in known if said == value]
    witnesses = tuple(w for run in agreeing for w in run.witnesses)
    return seen(value, witnesses, agree=len(agreeing), looked_at=len(known))


def _run(customer: Run, agent: Run, prefixes: tuple[str, ...]) -> AgentRun:
    """(1) Another host is another target: the run says nothing. (2) An agent whose own line is broken (every control
    failed), or whose machine refused to send, says nothing either. (3) Only addresses that fail for the customer and
    that the agent measured are compared, and not where the agent's own network stopped its packets. (4) Names are
    compared on their own."""
    mine = {state.address: state for state in customer.failing}
    theirs = {
        state.address: state
        for state in agent.facts.target.addresses.value or ()
        if state.works is not None and not _stopped_at_home(agent.facts, state)
    }
    shared = [(mine[address], theirs[address]) for address in mine if address in theirs]
    same_host = customer.facts.host.lower().rstrip(".") == agent.facts.host.lower().rstrip(".")
    fit = agent.facts.controls.any_healthy.value is not False and not agent.facts.machine.local_refusal.known
    names = _names_fail_same(customer.facts, agent.facts)
    usable = same_host and fit and bool(shared or theirs or names is not None)
    minutes = _minutes_apart(customer, agent)
    return AgentRun(
        name=agent.name,
        usable=usable,
        minutes_apart=minutes,
        same_addresses=tuple(state.address for state, _ in shared),
        works=_all([other.works is True for _, other in shared]) if usable else None,
        fails_same=_all([_same(state, other) for state, other in shared]) if usable else None,
        same_sender=_all([_same_sender(state, other) for state, other in shared]) if usable else None,
        same_certificate=_same_certificate(shared) if usable else None,
        names_fail_same=names if usable else None,
        loss=agent.facts.losses.onset.value if usable else None,
        caps=_caps(customer, agent, shared, minutes, prefixes),
        witnesses=tuple(dict.fromkeys(w for _, other in shared for w in other.witnesses)),
    )


def _stopped_at_home(facts: Facts, state: AddressState) -> bool:
    """The agent's own machine or network stopped its packets: a router near it refused them, or they were last seen
    there while others pass the same router."""
    connect = state.connect
    if connect is None or connect.how not in ("icmp", "silent"):
        return False
    if connect.how == "icmp":
        return connect.sender_place in ("self", "gateway", "private")
    if facts.machine.target_leaves.value is False:
        return True
    walk = next(
        (one for one in (facts.path.target4.value, facts.path.target6.value) if one and one.address == state.address),
        None,
    )
    if walk is None or walk.end != "silent" or walk.last_seen_place not in ("gateway", "private"):
        return False
    return any(
        hop.ttl == walk.last_seen and walk.last_seen_address in hop.repliers and other.last_seen > hop.ttl
        for other in facts.path.controls.value or ()
        for hop in other.hops
    )


def _all(told: Sequence[bool]) -> bool | None:
    """True when all are, False when none is, None between, and for nothing."""
    return None if not told or len(set(told)) > 1 else told[0]


def _same(mine: AddressState, theirs: AddressState) -> bool:
    """Both fail at the same layer in the same way."""
    if theirs.works is not False or mine.failed_at != theirs.failed_at:
        return False
    if mine.failed_at == "connect" and mine.connect is not None and theirs.connect is not None:
        one, other = mine.connect, theirs.connect
        kinds = [None if c.icmp is None else (c.icmp.type, c.icmp.code, c.sender_place) for c in (one, other)]
        return one.how == other.how and kinds[0] == kinds[1] and one.sender_place != "self"
    if mine.failed_at == "tls" and mine.tls is not None and theirs.tls is not None:
        one_tls, other_tls = mine.tls, theirs.tls
        # Of two certificates that are rejected alike by different issuers, one may be somebody else's.
        told = [(t.how, t.verify_code, t.alert, t.issuer) for t in (one_tls, other_tls)]
        return told[0] == told[1]
    if mine.failed_at == "http" and mine.http is not None and theirs.http is not None:
        return (mine.http.how, mine.http.status) == (theirs.http.how, theirs.http.status)
    return False


def _same_certificate(shared: Sequence[tuple[AddressState, AddressState]]) -> bool | None:
    """Whether the other line sees what this one sees, of certificates that no public authority answers for here. One
    address that is shown another's is enough: somebody stands between."""
    pairs = [(one.tls, other.tls) for one, other in shared if one.tls is not None and other.tls is not None]
    told = [_is_same(one, other) for one, other in pairs if one.leaf is not None and not is_public(one)]
    known = [same for same in told if same is not None]
    return all(known) if known else None


def _is_same(mine: TlsState, theirs: TlsState) -> bool | None:
    """None: the agent's line may be opened as well, or the issuer is the same and the key was renewed or is another
    server's."""
    if mine.leaf is None or theirs.leaf is None:
        return None
    if mine.leaf.key_sha256 == theirs.leaf.key_sha256:
        return True
    return False if names_a_public_issuer(theirs) and mine.issuer != theirs.issuer else None


def _same_sender(mine: AddressState, theirs: AddressState) -> bool:
    """One and the same router refused both."""
    one = None if mine.connect is None else mine.connect.icmp
    other = None if theirs.connect is None else theirs.connect.icmp
    return one is not None and other is not None and plain(one.sender) == plain(other.sender)


def _names_fail_same(mine: Facts, theirs: Facts) -> bool | None:
    """The name failed for both at independent servers, with one outcome in common."""
    if mine.names.independent_resolve.value is not False or not theirs.names.independent_resolve.known:
        return None
    if theirs.names.independent_resolve.value:
        return False
    return bool(_outcomes(mine) & _outcomes(theirs))


def _outcomes(facts: Facts) -> set[str | None]:
    resolvers = facts.names.resolvers.value or ()
    found: set[str | None] = {state.target for state in resolvers if state.server_class == "public"}
    found |= {state.outcome for state in facts.names.authorities.value or ()}
    return found - {None}


def _minutes_apart(customer: Run, agent: Run) -> int:
    """Whole minutes between the two runs (0 when they overlap), by true time where the clock offsets are known."""
    begins, ends = [], []
    for run in (customer, agent):
        try:
            began = run.bundle.began_at - timedelta(seconds=run.facts.machine.clock_offset_s.value or 0)
            begins.append(began)
            ends.append(began + timedelta(microseconds=run.bundle.duration_ns // 1000))
        except OverflowError:
            return _MINUTES_APART + 1
    return max(int((max(begins) - min(ends)).total_seconds() // 60), 0)


def _caps(
    customer: Run,
    agent: Run,
    shared: Sequence[tuple[AddressState, AddressState]],
    minutes: int,
    prefixes: tuple[str, ...],
) -> tuple[Cap, ...]:
    found: list[Cap] = []
    if _inside_vendor(agent.facts, prefixes):
        found.append("inside_vendor")
    if _private_path(agent):
        found.append("private_path")
    ours, its = customer.bundle.target, agent.bundle.target
    if (ours.host, ours.port, ours.scheme) != (its.host, its.port, its.scheme):
        found.append("other_target")
    if minutes > _MINUTES_APART:
        found.append("too_far_apart")
    pops = [(one.http.pop, other.http.pop) for one, other in shared if one.http is not None and other.http is not None]
    if any(one and other and one != other for one, other in pops):
        found.append("other_pop")
    return tuple(found)


def _inside_vendor(facts: Facts, prefixes: tuple[str, ...]) -> bool:
    """An own address in the vendor's prefixes or in the target's own announcement, or a vendor router as first hop."""
    own = facts.machine.own_addresses.value or ()
    targets = [state.address for state in facts.target.addresses.value or ()]
    if any(inside(address, prefixes) for address in own):
        return True
    if any(not is_special(a) and same_announcement(a, target) for a in own for target in targets):
        return True
    return any(
        hop.place == "vendor" and hop.ttl == 1
        for walk in (facts.path.target4.value, facts.path.target6.value)
        if walk is not None
        for hop in walk.hops
    )


def _private_path(agent: Run) -> bool:
    """A VPN, a private target, or a walk that reached the target and met private routers only."""
    if agent.facts.machine.target_by_tunnel.value is True or agent.bundle.target.private:
        return True
    for fact in (agent.facts.path.target4, agent.facts.path.target6):
        walk = fact.value
        if walk is None or walk.end != "open":
            continue
        routers = [hop.repliers[0] for hop in walk.hops if hop.repliers and hop.place != "target"]
        if is_special(walk.address) or (len(routers) > 1 and all(is_special(router) for router in routers)):
            return True
    return False
