"""Readings that several faults of the host share: addresses that may be judged, where a walk ended, the agent."""

import ipaddress

from netdiag.facts import AddressState, Facts, Walk, Witness
from netdiag.facts.base import Value
from netdiag.facts.places import classify
from netdiag.faults.base import Finding, opposes, silent
from netdiag.faults.sizes import is_no_matter_of_size
from netdiag.faults.transit._signs import (
    ends_among_strangers,
    only_the_vendor_follows,
    other_walks,
    passed_by_other_packets,
    vanish_there,
)

PROFILE = "The vendor's profile (--profile): it says which of the hops on the way are the vendor's."
VENDOR_CAPTURE = (
    "A packet capture and the block list at the vendor's border, for the customer's address at the times in the bundle."
)
SMALL_PACKETS = (
    "The same with small packets (MSS 536): a path that loses large ones then lets the answer through. And a capture "
    "at the vendor's border."
)
SILENT_RIVALS = ("local.firewall.machine", "local.firewall.router")
"""What drops packets to one address without a word, besides the vendor. A drop on the way there is told apart by
``stopped_before``; one on the way back leaves the same traces whosever it is, so silence is never more than likely."""

SAME_PLACE = 1
"""Distances measured in two ways may differ by a hop."""

NEIGHBOUR_WAIT_MS = 1000
"""A router gives up on a neighbour after about 3 s (Linux: three tries, a second apart); a route answers at once."""

HTTPS = 443

LOSSY = 0.02
"""The lower end of a loss share's 95 % interval above which silence may be loss."""
SEVERAL = 2

CLOCK_TOLERANCE_S = 300
"""A clock that is off by less does not make a good certificate look bad, but for the first minutes of its life."""


class Agent(Value, frozen=True, kw_only=True):
    """What was seen from elsewhere of the addresses that fail here: by the agent's runs, and by a second way out of
    the customer's own. ``works`` and ``fails`` come from uncapped runs, ``works`` also from a second way by which an
    address worked that failed here before and after."""

    works: bool = False
    fails: bool = False
    capped_works: bool = False
    capped_fails: bool = False
    witnesses: tuple[Witness, ...] = ()


class Controls(Value, frozen=True, kw_only=True):
    """What the controls say of TLS on this line. ``tls_works`` None: no control was asked over TLS."""

    tls_works: bool | None = None
    interceptor: str | None = None
    witnesses: tuple[Witness, ...] = ()


def agent(facts: Facts) -> Agent:
    """Sum up the usable control runs."""
    runs = tuple(run for run in facts.agent.runs.value or () if run.usable)
    ways, summed_up = facts.ways, not runs
    return Agent(
        works=any(run.works is True and not run.caps for run in runs)
        or (summed_up and facts.agent.works_elsewhere.value is True)
        or bool(ways.outlasted.value),
        fails=any(run.fails_same is True and not run.caps for run in runs)
        or (summed_up and facts.agent.fails_elsewhere.value is True),
        capped_works=any(run.works is True and bool(run.caps) for run in runs) or bool(ways.works_there.value),
        capped_fails=any(run.fails_same is True and bool(run.caps) for run in runs) or bool(ways.fails_there.value),
        witnesses=tuple(witness for run in runs for witness in run.witnesses)
        + ways.works_there.witnesses
        + ways.fails_there.witnesses,
    )


def names_fail_for_agent(facts: Facts) -> bool:
    """The name failed in the same way for an uncapped run of the agent."""
    return any(run.usable and run.names_fail_same is True and not run.caps for run in facts.agent.runs.value or ())


def controls(facts: Facts) -> Controls:
    """Sum up TLS at the controls. One good handshake is enough: the store, the clock and the line can do TLS."""
    spoken = tuple(state for state in facts.controls.states.value or () if state.tls is not None)
    works = any(state.tls is not None and state.tls.how == "ok" for state in spoken)
    return Controls(
        tls_works=works if spoken else None,
        interceptor=facts.controls.intercepting_issuer.value or None,
        witnesses=tuple(witness for state in spoken for witness in state.witnesses),
    )


def judged(facts: Facts) -> tuple[AddressState, ...]:
    """Addresses whose connection says something of the vendor: not known to be false, the packets not refused by this
    machine, and of a family in which controls are not dead too."""
    dead = {
        4: facts.controls.any_healthy4.value is False,
        6: facts.controls.any_healthy6.value is False,
    }
    return tuple(
        state
        for state in facts.target.addresses.value or ()
        if may_be_the_vendors(facts, state)
        and state.connect is not None
        and state.connect.how != "local"
        and (state.connect.how == "open" or not dead[state.family])
    )


def may_be_the_vendors(facts: Facts, state: AddressState) -> bool:
    """Not known to be false; and a private address is the vendor's only where the name is a private one, or where it
    is known to be true (a resolver or portal that lies answers with such addresses)."""
    if state.genuine is not None:
        return state.genuine
    return facts.private_target or classify(state.address) == "public"


def reached(facts: Facts) -> tuple[AddressState, ...]:
    """The judged addresses that accepted a connection."""
    return tuple(state for state in judged(facts) if state.connect is not None and state.connect.how == "open")


def proxied(facts: Facts) -> bool:
    """A proxy applies and works for controls: the proxied path is the customer's, direct failures are policy."""
    proxy = facts.machine.proxy.value
    return proxy is not None and proxy.control_ok is True


def kept_here(facts: Facts, state: AddressState) -> bool:
    """The packets to this address never left the customer's machine (fault-signatures P12)."""
    machine = facts.machine
    if machine.local_refusal.known or machine.target_leaves.value is False:
        return True
    if machine.target_leaves.value is True:
        return False
    egress = (machine.egress4 if state.family == 4 else machine.egress6).value
    if egress is None:
        return False
    return egress.target in ("refused_locally", "reset") or (egress.target == "silent" and egress.control == "gateway")


def unreachable(facts: Facts) -> tuple[AddressState, ...] | Finding:
    """The judged addresses when none of them accepts a connection; otherwise what to say instead."""
    excuse = _nothing_to_judge(facts)
    if excuse is not None:
        return excuse
    states, opened = judged(facts), reached(facts)
    if all(state.family == 6 for state in opened):
        states = tuple(state for state in states if state.family == 4)  # IPv6 alone is judged by ``shut``
        opened = () if states else opened
    if opened:
        return opposes(
            f"{opened[0].address} accepts TCP connections on port {facts.port}.",
            "target.addresses",
            witnesses=opened[0].witnesses,
        )
    return _not_stopped_before(facts, states)


def shut(facts: Facts) -> tuple[AddressState, ...] | Finding:
    """As ``unreachable``; where other addresses do accept connections, those that do not: a limit or a block often
    stands on one family alone, since programs prefer one, or at one of several addresses."""
    found = unreachable(facts)
    if not is_partial(facts):
        return found
    states = tuple(state for state in judged(facts) if state.connect is not None and state.connect.how != "open")
    return _not_stopped_before(facts, states) if states else found


def is_partial(facts: Facts) -> bool:
    """Some of the addresses that were judged accept connections, and some IPv4 is among them or has no part in it."""
    opened = reached(facts)
    alone6 = all(state.family == 6 for state in opened) and any(state.family == 4 for state in judged(facts))
    return _nothing_to_judge(facts) is None and bool(opened) and not alone6


def _nothing_to_judge(facts: Facts) -> Finding | None:
    """Why connections that fail say nothing of the vendor."""
    if proxied(facts):
        return silent("The customer's line uses a proxy that works, so direct connections that fail say nothing.")
    if facts.controls.any_healthy.value is not True:
        return silent(
            "No other host answers either, so the silence says nothing of the vendor.", "controls.any_healthy"
        )
    if not judged(facts):
        return silent("No address of the target could be judged from this line.", "target.addresses")
    if facts.port == HTTPS and facts.controls.port_443_fails.value is True:
        return silent(
            "Port 443 of other hosts cannot be reached on this line either, while their other ports can.",
            "controls.port_443_fails",
        )
    return None


def _not_stopped_before(facts: Facts, states: tuple[AddressState, ...]) -> tuple[AddressState, ...] | Finding:
    """``states``, unless their packets never leave the customer's machine, or are stopped on the way."""
    if all(kept_here(facts, state) for state in states):
        return opposes(
            "The packets never left the customer's machine.",
            "machine.local_refusal",
            "machine.target_leaves",
            witnesses=facts.machine.local_refusal.witnesses,
        )
    elsewhere = tuple(state for state in states if stopped_elsewhere(facts, state))
    if elsewhere:
        say = opposes if len(elsewhere) == len(states) else silent
        return say(
            f"Packets to {addresses(elsewhere)} port {facts.port} are stopped before a router that is not the "
            "vendor's, which other packets to the same address pass.",
            "path.target4",
            "path.target6",
            "path.others",
        )
    return states


def too_few(facts: Facts, *states: AddressState) -> bool:
    """The silence may be chance: one attempt alone, or packets that are seen to be lost and to come through by turns,
    to others or to the target itself."""
    if facts.losses.onset.known:
        return True
    line = (facts.machine.lan_loss.value, facts.controls.loss.value)
    if any(share is not None and share.low > LOSSY for share in line):
        return True
    if any(comes_and_goes(facts, state) for state in facts.target.addresses.value or ()):
        return True
    return all(state.connect is None or state.connect.attempts < SEVERAL for state in states)


def comes_and_goes(facts: Facts, state: AddressState) -> bool:
    """Some attempts at this address came through and others were lost: connects, echoes, or the walk to a port that is
    silent to connects."""
    connect, echo, walk = state.connect, state.echo, walk_to(facts, state.address)
    if connect is not None and (connect.syn_lost > 0 or (connect.how == "open" and connect.worked < connect.attempts)):
        return True
    if echo is not None and 0 < echo.lost < echo.sent:
        return True
    if walk is not None and _is_full_of_holes(facts, walk):
        return True
    return connect is not None and connect.how == "silent" and walk is not None and walk.end == "open"


def _is_full_of_holes(facts: Facts, walk: Walk) -> bool:
    """Before the last router that answered, several were silent to all of these packets, and answer others to the same
    address: where nearly all are lost, one that came through by chance does not show how far they get."""
    silent_at = [hop.ttl for hop in walk.hops if hop.ttl < walk.last_seen and hop.asked >= SEVERAL and not hop.answered]
    others = other_walks(facts, walk)
    answering = [ttl for ttl in silent_at if any(hop.repliers and hop.ttl == ttl for one in others for hop in one.hops)]
    return walk.end == "silent" and len(answering) >= SEVERAL


def may_end_before(facts: Facts, state: AddressState) -> bool:
    """Something nearer than the host may have accepted this connection. Only that it was accepted as far away as other
    answers of the address come from excludes it: of what is not known, or told by the longer way back of echoes alone,
    "not known" is no "no"."""
    if facts.path.proxy_in_path.value is not None:
        return facts.path.proxy_in_path.value
    walk = walk_to(facts, state.address)
    return walk is None or walk.nearer_by is None or walk.nearer_by > SAME_PLACE


def perhaps_before(facts: Facts, state: AddressState) -> str:
    """The same as a clause for a person; empty where it is excluded."""
    if not may_end_before(facts, state):
        return ""
    return "; whether the host accepted it, or a box on the way in its place, is not known"


def from_the_host(facts: Facts, state: AddressState) -> bool | None:
    """Whether a reset was sent where the address stands: at the distance of its other answers, or behind a router of
    the vendor's. False: from nearer. None: nothing tells."""
    walk = walk_to(facts, state.address)
    if walk is None or walk.end != "refused":
        return None
    if walk.nearer_by is not None:
        return walk.nearer_by <= SAME_PLACE
    return True if walk.last_seen_place in ("vendor", "target") else None


def stopped_before(facts: Facts, state: AddressState) -> bool:
    """The packets to this port may vanish before the vendor's network: at a router that others' packets meet, too, or
    with routers still ahead that answer other packets and that nothing marks as the vendor's. Whatever else answers at
    the address then says nothing of the port."""
    walk = walk_to(facts, state.address)
    if walk is None or walk.end != "silent" or walk.last_seen_place in ("vendor", "target"):
        return False
    return (
        flows_differ(facts, state)
        or ends_among_strangers(facts, walk)
        or stopped_elsewhere(facts, state)
        or vanish_there(facts, walk) is not None
    )


def flows_differ(facts: Facts, state: AddressState) -> bool:
    """Of several flows to this address some always pass and some never do: what answers on another port may have taken
    another way."""
    told = [one for one in facts.path.members.value or () if one.address == state.address]
    return any(one.never() and one.passing() for one in told)


def stopped_elsewhere(facts: Facts, state: AddressState) -> bool:
    """The packets to this port are stopped before a router that is not the vendor's, which other packets to the same
    address pass."""
    walk = walk_to(facts, state.address)
    return walk is not None and passed_by_other_packets(facts, walk) is not None


def size_excluded(facts: Facts, state: AddressState) -> bool:
    """The size of its answers is not what stops them: large packets came through from this address, or it is as silent
    to small segments, or it is this machine's own and no path lies between."""
    if classify(state.address) == "loopback":
        return True
    return state.address in (facts.path.large_from.value or ()) or is_no_matter_of_size(facts, state.address)


def tls_is_silent(facts: Facts) -> bool:
    """TLS was tried with other hosts, and none of them answered a greeting either."""
    spoken = [state.tls for state in facts.controls.states.value or () if state.tls is not None]
    return bool(spoken) and all(tls.how == "silent" for tls in spoken)


def walk_to(facts: Facts, address: str) -> Walk | None:
    """The TCP walk to the service port of this address."""
    for fact in (facts.path.target4, facts.path.target6):
        if fact.value is not None and fact.value.address == address:
            return fact.value
    return None


def border(facts: Facts, state: AddressState) -> str | None:
    """The second sign that packets reach the vendor's network, as a clause for a person; None without one. It says
    nothing of the way back."""
    walk = walk_to(facts, state.address)
    if walk is not None and walk.last_seen_place in ("vendor", "target"):
        return f"hop {walk.last_seen} ({walk.last_seen_address}), the last that answered, is in the vendor's network"
    near = walk is not None and only_the_vendor_follows(facts, walk)
    if state.answers_otherwise is True and near and not stopped_before(facts, state):
        return "the same address answers on another port or protocol"
    return None


def where(facts: Facts, state: AddressState) -> str:
    """Where the walk to the service port ended, as a clause for a person: an interval, never one hop."""
    walk = walk_to(facts, state.address)
    if walk is None:
        return "the path to it was not walked"
    if walk.last_seen == 0:
        return "no router on the way to it answered"
    seen = f"the last router that answered is {walk.last_seen_address} at hop {walk.last_seen}"
    return seen if walk.first_missing is None else f"{seen}, and nothing came from hop {walk.first_missing} on"


def witnesses(facts: Facts, *states: AddressState) -> tuple[Witness, ...]:
    """What was seen at these addresses and on the walks to them, each once."""
    found: list[Witness] = []
    for state in states:
        found.extend(state.witnesses)
        walk = walk_to(facts, state.address)
        found.extend(walk.witnesses if walk is not None else ())
    return tuple(dict.fromkeys(found))


def listed(values: tuple[str, ...]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} and {values[-1]}"


def addresses(states: tuple[AddressState, ...]) -> str:
    """The addresses for a sentence."""
    return listed(tuple(state.address for state in states))


def same_network(one: str, other: str) -> bool:
    """Two addresses share a /24 (IPv4) or a /48 (IPv6): the longest prefixes that networks commonly announce."""
    a, b = ipaddress.ip_address(one), ipaddress.ip_address(other)
    if a.version != b.version:
        return False
    return a in ipaddress.ip_network(f"{b}/{24 if b.version == 4 else 48}", strict=False)
