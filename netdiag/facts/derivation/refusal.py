"""Whether this machine itself refuses to send to the target, or a packet is known to have left it."""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from netdiag.evidence.machine import RouteLookup
from netdiag.evidence.transport import HopReply
from netdiag.facts.base import Fact, seen
from netdiag.facts.derivation.connects import is_no_route
from netdiag.facts.derivation.egress import answer_of, derive_egress, replies_to
from netdiag.facts.derivation.names import Named
from netdiag.facts.derivation.placing import Scene
from netdiag.facts.machine import Egress, LocalRefusal
from netdiag.facts.places import family, is_nowhere, plain
from netdiag.facts.target import AddressState

How = Literal["no_route", "reject_route", "policy", "own_icmp", "own_reset"]

_EPERM, _EACCES, _EINVAL, _ENETDOWN, _ENETUNREACH, _EHOSTUNREACH = 1, 13, 22, 100, 101, 113  # of Linux


def without_own_resets(states: tuple[AddressState, ...], scene: Scene) -> tuple[AddressState, ...]:
    """A "refused" that this machine made itself becomes ``local`` (fault-signatures L07).

    (1) The TTL-1 packet to the target's port was reset, too, and the one to the control was answered by the first hop:
        what resets lies before that hop, or is it.
    (2) It is this machine, not the hop, when the reset came faster than the first hop ever answers, or when a UDP
        datagram to the same port was denied with EPERM.
    (3) Never for a target on the own link, where TTL 1 reaches it.
    """
    return tuple(
        msgspec.structs.replace(state, connect=msgspec.structs.replace(state.connect, how="local", sender_place="self"))
        if state.connect is not None and state.connect.how == "refused" and _is_own_reset(state.address, scene)
        else state
        for state in states
    )


def _is_own_reset(address: str, scene: Scene) -> bool:
    book, near = scene.book, scene.near
    if near.on_link(address) or near.is_own(address) or _leads_nowhere(address, scene):
        return False
    resets = _resets_at_1(address, scene)
    others = [
        reply
        for reply, step in book.of(HopReply)
        if reply.ttl == 1 and reply.replier is not None and reply.rtt_us is not None
        and answer_of(reply, book, near) == "gateway" and family(reply.address) == family(address)
        and step.proxy is None
    ]  # fmt: skip
    if not resets or not others:
        return False
    nearest = min(reply.rtt_us for reply in others if reply.rtt_us is not None)
    times = [reply.rtt_us for reply in resets if reply.rtt_us is not None]
    return _udp_denied(address, scene) or (bool(times) and max(times) < nearest)


def _leads_nowhere(address: str, scene: Scene) -> bool:
    """A resolver's answer that no packet can follow (0.0.0.0, 127/8): a lie, and no refusal. Typed as the target, such
    an address is what the customer means."""
    return is_nowhere(address) and not scene.book.bundle.target.is_literal


def _resets_at_1(address: str, scene: Scene) -> list[HopReply]:
    to_port = replies_to(address, scene.book).get(scene.book.bundle.target.port, [])
    return [reply for reply in to_port if answer_of(reply, scene.book, scene.near) == "reset"]


def _udp_denied(address: str, scene: Scene) -> bool:
    found = derive_egress(family(address), scene.book, scene.near).value
    return found is not None and found.udp_denied is True


def local_refusal(
    states: Sequence[AddressState], egress: Mapping[int, Fact[Egress]], named: Named, scene: Scene
) -> Fact[LocalRefusal]:
    """Why nothing left this machine, when that is why every failing address fails.

    (1) A family that the machine does not have is no refusal (IPv6 without a global address, IPv4 behind NAT64), unless
        the target has no other; and an answer that leads nowhere says nothing of what this machine sends.
    (2) Silence is a refusal, too, when the TTL-1 test shows the target's packet swallowed and the control's not, and a
        UDP datagram to the same port was denied: an OUTPUT rule drops TCP without an error (trap 8).
    (3) Where nothing was connected, a route look-up that failed tells.
    """
    meant = [state for state in states if not _leads_nowhere(state.address, scene)]
    failing = [s for s in meant if s.connect is not None and s.works is False and s.genuine is not False]
    present = [state for state in failing if not _is_absent_family(state, named, scene)]
    if len({state.family for state in states}) < 2 and not present:
        present = failing
    found = [(state, how) for state in present if (how := _how(state, egress, scene)) is not None]
    if found and len(found) == len(present):
        state, how = found[0]
        errno = state.connect.errno if state.connect is not None and state.connect.how == "local" else _EPERM
        witnesses = [w for one, _ in found for w in one.witnesses]
        if state.connect is not None and state.connect.how == "silent":
            witnesses += egress[state.family].witnesses
        return seen(LocalRefusal(how=how, errno=errno), tuple(dict.fromkeys(witnesses)))
    return Fact() if states else _refused_route(scene)


def _is_absent_family(state: AddressState, named: Named, scene: Scene) -> bool:
    if state.connect is None or not is_no_route(state.connect, state.family, linux=scene.near.linux):
        return False
    if state.family == 6:
        return scene.near.global6()[0] is not True
    return named.nat64 is not None


def _how(state: AddressState, egress: Mapping[int, Fact[Egress]], scene: Scene) -> How | None:
    connect = state.connect
    if connect is None:
        return None
    if connect.how == "silent":
        found = egress[state.family].value
        swallowed = found is not None and (found.target, found.control) == ("silent", "gateway")
        return "policy" if swallowed and found is not None and found.udp_denied is True else None
    if connect.how != "local":
        return None
    if connect.sender_place == "self":
        return "own_icmp" if connect.icmp is not None else "own_reset"
    if is_no_route(connect, state.family, linux=scene.near.linux):
        return "no_route"
    if connect.errno in (_EINVAL, _EHOSTUNREACH):
        return "reject_route"
    if connect.errno == _EACCES:
        return "reject_route" if _route_failed(state.address, scene) else "policy"
    return "policy" if connect.errno in (_EPERM, None) else None


def _route_failed(address: str, scene: Scene) -> bool:
    return any(
        plain(record.destination) == address and record.failure is not None for record, _ in scene.book.of(RouteLookup)
    )


def _refused_route(scene: Scene) -> Fact[LocalRefusal]:
    for record, step in scene.book.of(RouteLookup):
        failure = record.failure
        if _leads_nowhere(record.destination, scene):
            continue
        if step.role == "target" and failure is not None and failure.errno is not None:
            no_route = failure.errno in (_ENETUNREACH, _ENETDOWN)
            if no_route and family(record.destination) == 6:
                continue
            how: How = "no_route" if no_route else "reject_route"
            return seen(LocalRefusal(how=how, errno=failure.errno), scene.book.witnesses((record,)))
    return Fact()


def target_leaves(states: Sequence[AddressState], refusal: Fact[LocalRefusal], scene: Scene) -> Fact[bool]:
    """True when anything but this machine answered a packet to the target's port. A reset that comes at TTL 1, too, may
    be this machine's own."""
    near_resets = {state.address for state in states if _resets_at_1(state.address, scene)}
    answered = [
        record
        for record, step in scene.book.of(HopReply)
        if step.proxy is None and record.protocol == "tcp"
        and record.port == scene.book.bundle.target.port
        and (step.role == "target" or (step.probe == "egress" and step.address == record.address))
        and record.replier is not None and not scene.near.is_own(record.replier)
        and not (record.answer == "rst" and plain(record.address) in near_resets)
    ]  # fmt: skip
    if answered:
        return seen(True, scene.book.witnesses(answered))
    for state in states:
        connect = state.connect
        if connect is None or connect.how in ("silent", "local") or scene.near.is_own(state.address):
            continue
        if _leads_nowhere(state.address, scene):
            continue
        if connect.how == "refused" and state.address in near_resets:
            continue
        if connect.how != "icmp" or (connect.icmp is not None and connect.sender_place != "self"):
            return seen(True, state.witnesses)
    return seen(False, refusal.witnesses) if refusal.known else Fact()
