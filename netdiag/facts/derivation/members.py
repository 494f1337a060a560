"""Replies of several flows -> Members: a split by flow is told from lost packets and from limited ICMP."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec

from netdiag.evidence.transport import Connect, HopReply
from netdiag.facts.base import Fact, seen
from netdiag.facts.derivation.book import is_direct
from netdiag.facts.derivation.connects import connect_state, is_plain
from netdiag.facts.derivation.near import is_time_exceeded
from netdiag.facts.derivation.placing import Scene
from netdiag.facts.members import FlowSeen, Link, Members, Node
from netdiag.facts.path import HopPlace
from netdiag.facts.places import family, plain

ENOUGH_FLOWS = 8
"""Over fewer flows nothing is said (fault-signatures T20: 8 to 16 source ports)."""

LEAST_TRIES = 2
"""A flow that was silent once says nothing: any packet can be lost."""

LEAST_CHANCE = 0.01
"""A split that lost packets could make more often than this is none."""


class _Flow(NamedTuple):
    protocol: str
    records: tuple[HopReply, ...]

    def at(self, ttl: int) -> tuple[HopReply, ...]:
        return tuple(record for record in self.records if record.ttl == ttl)

    def router(self, ttl: int) -> str | None:
        return next((plain(record.replier) for record in self.at(ttl) if record.replier is not None), None)

    def last(self) -> int:
        return max((record.ttl for record in self.records if record.answer != "none"), default=0)


def derive_members(scene: Scene) -> Fact[tuple[Members, ...]]:
    """One for each address and protocol that several flows were sent to."""
    groups: dict[tuple[str, str, int, str], dict[int, list[HopReply]]] = {}
    for record, step in scene.book.of(HopReply):
        told = record.answer != "not_sent" and (
            scene.book.waited(record) if record.answer == "none" else _expired_or_arrived(record)
        )
        if step.probe == "flows" and is_direct(step) and told:
            key = (step.subject, plain(record.address), record.port, record.protocol)
            groups.setdefault(key, {}).setdefault(record.flow, []).append(record)
    found = tuple(
        _members(host, address, port, [_Flow(protocol, tuple(records)) for records in flows.values()], scene)
        for (host, address, port, protocol), flows in groups.items()
    )
    return seen(found, tuple(w for one in found for w in one.witnesses)) if found else Fact()


def _expired_or_arrived(record: HopReply) -> bool:
    """A refusal on the way says nothing of where the flow would have got to."""
    return record.replier == record.address or (record.icmp is not None and is_time_exceeded(record.icmp))


def _members(host: str, address: str, port: int, flows: Sequence[_Flow], scene: Scene) -> Members:
    far = max((flow.last() for flow in flows), default=0)
    answered = {record.ttl for flow in flows for record in flow.records if record.answer != "none"}
    told = tuple(_flow(flow, far, answered) for flow in flows)
    nodes = _nodes(flows, address, scene)
    dead, chance = _split(flows, told, far, address, _silent_connects(address, scene))
    records = [record for flow in flows for record in flow.records]
    members = Members(
        host=host,
        address=address,
        family=family(address),
        port=port,
        protocol=records[0].protocol,
        flows=told,
        nodes=nodes,
        links=_links(flows),
        far=far,
        dead_member=dead,
        chance=chance,
        witnesses=scene.book.witnesses(records),
    )
    if dead is not True:
        return members
    silent = [flow for flow, one in zip(flows, told, strict=True) if one.passes is False]
    return _placed(members, silent, target_answers=any(flow.router(far) == address for flow in flows))


def _flow(flow: _Flow, far: int, answered: Collection[int]) -> FlowSeen:
    """A flow that was never answered at ``far`` was tried wherever it was silent beyond its own last answer, at a TTL
    at which others were ``answered``: the manners may not leave room for every try at one place."""
    tried, last = flow.at(far), flow.last()
    if tried and last < far:
        tried = tuple(record for record in flow.records if record.ttl > last and record.ttl in answered)
    return FlowSeen(
        source_port=next((record.source_port for record in flow.records if record.source_port is not None), None),
        tries=len(tried),
        answered=sum(record.answer != "none" for record in tried),
        last_seen=last,
        last_seen_address=flow.router(last) if last else None,
    )


def _silent_connects(address: str, scene: Scene) -> int:
    """How many connections to the service, each a flow of its own, are known to have met silence, as all of them did;
    0 where that is not so."""
    port = scene.book.bundle.target.port
    made = [
        record
        for record, step in scene.book.of(Connect)
        if is_direct(step) and is_plain(record) and (plain(record.address), record.port) == (address, port)
    ]
    state = connect_state(made, scene.book, scene.near, scene.placing)
    return state.attempts if state is not None and state.how == "silent" else 0


def _split(
    flows: Sequence[_Flow], told: Sequence[FlowSeen], far: int, address: str, silent_connects: int
) -> tuple[bool | None, float | None]:
    """Is there a dead member, and how likely would lost packets look like this split? Where every flow got to the
    address itself, a few are enough to tell that no dead member is what the silent connections all met."""
    if len(flows) < ENOUGH_FLOWS or far == 0:
        arrived = all(one.passes is True for one in told) and all(flow.router(far) == address for flow in flows)
        is_excluded = arrived and far > 0 and worst_chance(silent_connects, len(flows)) < LEAST_CHANCE
        return (False, None) if is_excluded else (None, None)
    asked = [one for one in told if one.tries]
    silent = [one for one in asked if one.passes is False]
    if any(one.passes is None for one in asked):  # what loses them may well hide a dead member beside it
        return (None if silent else False), None
    if not silent:
        return (False, None) if len(asked) == len(told) else (None, None)
    passing = [one for one in asked if one.passes is True]
    if not passing or any(one.tries < LEAST_TRIES for one in silent):
        return None, None
    chance = worst_chance(sum(one.tries - 1 for one in silent), sum(one.tries - 1 for one in passing))
    dead = [flow for flow, one in zip(flows, told, strict=True) if one.tries and one.passes is False]
    if chance >= LEAST_CHANCE or not _is_no_choice(flows, dead, far, address):
        return None, chance
    return True, chance


def worst_chance(silent: int, answered: int) -> float:
    """After each flow's first try, ``silent`` further tries of the silent flows were silent, and ``answered`` of the
    others answered. The largest probability of that over all rates of independent loss: p^silent (1-p)^answered has
    its maximum at p = silent / (silent + answered)."""
    if not silent or not answered:
        return 1.0
    rate = silent / (silent + answered)
    return float(rate**silent * (1 - rate) ** answered)


def _is_no_choice(flows: Sequence[_Flow], dead: Sequence[_Flow], far: int, address: str) -> bool:
    """A router that sends no ICMP is silent at its own TTL only. So the silence counts where the target itself answers
    the others, or where dead flows (two of them, if there are) are silent at one more TTL, at which others are
    answered."""
    if any(flow.router(far) == address for flow in flows):
        return True
    answered = {record.ttl for flow in flows for record in flow.records if record.answer != "none"}
    dropped = [
        flow
        for flow in dead
        if any(record.answer == "none" and record.ttl in answered and record.ttl < far for record in flow.records)
    ]
    return len(dropped) >= min(2, len(dead))


def _nodes(flows: Sequence[_Flow], address: str, scene: Scene) -> tuple[Node, ...]:
    routers: dict[int, list[str]] = {}
    for flow in flows:
        for record in flow.records:
            if record.icmp is not None and is_time_exceeded(record.icmp):
                routers.setdefault(record.ttl, []).append(plain(record.icmp.sender))
    return tuple(
        Node(ttl=ttl, routers=tuple(dict.fromkeys(found)), place=_place(scene, found[0], address))
        for ttl, found in sorted(routers.items())
    )


def _place(scene: Scene, router: str, address: str) -> HopPlace | None:
    place = scene.placing.sender(router, address)
    if place == "path":
        return "public"
    return None if place == "self" or place == "in_its_name" else place  # noqa: PLR1714 - a set narrows no type


def _links(flows: Sequence[_Flow]) -> tuple[Link, ...]:
    pairs: Counter[tuple[int, str, str]] = Counter()
    for flow in flows:
        for ttl in sorted({record.ttl for record in flow.records}):
            before, after = flow.router(ttl), flow.router(ttl + 1)
            if before is not None and after is not None:
                pairs[ttl, before, after] += 1
    return tuple(Link(ttl=ttl, before=one, after=two, flows=n) for (ttl, one, two), n in sorted(pairs.items()))


def _placed(members: Members, dead: Sequence[_Flow], *, target_answers: bool) -> Members:
    """With the interval in which the dead flows end: the farthest that any was seen, and what is silent next."""
    by_ttl = {node.ttl: node for node in members.nodes}
    last = max(flow.last() for flow in dead)
    seen_at = [flow.router(last) for flow in dead]
    missing = min(
        (record.ttl for flow in dead for record in flow.records if record.answer == "none" and record.ttl > last),
        default=members.far,
    )
    before, beyond = by_ttl.get(last), by_ttl.get(missing)
    missing_place = beyond.place if beyond is not None else None
    return msgspec.structs.replace(
        members,
        last_seen=last,
        last_seen_addresses=tuple(dict.fromkeys(one for one in seen_at if one is not None)),
        last_seen_place=before.place if before is not None else None,
        first_missing=missing,
        first_missing_place=missing_place or ("target" if target_answers and missing == members.far else None),
    )
