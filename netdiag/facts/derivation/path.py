"""Walks -> PathFacts: places, what is shared with healthy controls, what other answers clear."""

from collections.abc import Collection, Mapping, Sequence

from netdiag.evidence.bundle import Step
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import Echo
from netdiag.evidence.web import Exchange
from netdiag.facts.base import Fact, seen
from netdiag.facts.derivation.book import Book, is_direct
from netdiag.facts.derivation.members import derive_members
from netdiag.facts.derivation.owners import hop_names
from netdiag.facts.derivation.placing import Placing, Scene
from netdiag.facts.derivation.rewrites import derive_rewrites
from netdiag.facts.derivation.small import came_full, is_small
from netdiag.facts.derivation.walks import RawWalk
from netdiag.facts.machine import Egress
from netdiag.facts.path import HopPlace, PathFacts, Walk
from netdiag.facts.places import family, plain

_NEARER = 2
"""Hops by which the service may seem nearer than another protocol before something else must be answering for it
(fault-signatures 1: more than 2 is a middlebox)."""

_SAME_PLACE = 1
"""Two ways of measuring one distance may differ by a hop: the way back is not always the way there."""

_FIRST_TTLS = (64, 128, 255)
"""With which TTL systems send: what is missing at arrival is the number of routers on the way back."""


def derive_path(
    scene: Scene,
    *,
    healthy: Collection[str],
    failing: Collection[str],
    egress: Mapping[int, Fact[Egress]],
) -> PathFacts:
    """``healthy``: addresses of controls that were connected to; ``failing``: addresses of the target that failed."""
    book, raw, placing = scene.book, scene.walks, scene.placing
    clear = [walk for walk in raw if walk.role == "control" and walk.address in healthy]
    walks = {id(one): _walk(one, raw, clear, placing, book) for one in raw}
    port = book.bundle.target.port
    service = [one for one in raw if one.role == "target" and one.protocol == "tcp" and one.port == port]
    chosen = {version: _choose(service, version, failing) for version in (4, 6)}
    controls = tuple(walks[id(one)] for one in raw if one.role == "control")
    others = tuple(walks[id(one)] for one in raw if one.role == "target" and one not in chosen.values())
    return PathFacts(
        target4=_fact(chosen[4], walks),
        target6=_fact(chosen[6], walks),
        controls=seen(controls, tuple(w for walk in controls for w in walk.witnesses)) if controls else Fact(),
        others=seen(others, tuple(w for walk in others for w in walk.witnesses)) if others else Fact(),
        first_hop_only=_first_hop_only(raw, book),
        proxy_in_path=_proxy_in_path(service, tuple(egress.values()), scene),
        large_from=_large_from(book),
        hop_names=hop_names(book),
        rewrites=derive_rewrites(scene),
        members=derive_members(scene),
    )


def _fact(one: RawWalk | None, walks: dict[int, Walk]) -> Fact[Walk]:
    return Fact() if one is None else seen(walks[id(one)], walks[id(one)].witnesses)


def _choose(service: Sequence[RawWalk], version: int, failing: Collection[str]) -> RawWalk | None:
    mine = sorted((walk for walk in service if walk.family == version), key=lambda walk: walk.mode == "raw")
    return next((walk for walk in mine if walk.address in failing), mine[0] if mine else None)


def _walk(one: RawWalk, raw: Sequence[RawWalk], clear: Sequence[RawWalk], placing: Placing, book: Book) -> Walk:
    hops = placing.hops(one)
    last = next((hop for hop in hops if hop.ttl == one.last_seen), None)
    shared = None
    if one.role == "target":
        same = [found for other in clear if other.family == one.family and (found := _shared_until(one, other))]
        shared = max(same, default=None)
    return Walk(
        role=one.role,
        host=one.host,
        address=one.address,
        family=one.family,
        port=one.port,
        protocol=one.protocol,
        mode=one.mode,
        hops=hops,
        end=one.end,
        end_ttl=one.end_ttl,
        end_icmp=one.end_icmp,
        end_place=_end_place(one, placing),
        last_seen=one.last_seen,
        last_seen_address=last.repliers[0] if last is not None and last.repliers else None,
        last_seen_place=last.place if last is not None else None,
        first_missing=one.first_missing,
        same_flow=one.same_flow,
        shared_until=shared,
        beyond_cleared=_beyond(one, raw),
        nearer_by=_nearer_by(one, raw, book),
        witnesses=book.witnesses(one.records),
    )


def _end_place(one: RawWalk, placing: Placing) -> HopPlace | None:
    if one.end in ("open", "refused"):
        return "target"
    if one.end_icmp is None:
        return None
    places: dict[str, HopPlace] = {
        "gateway": "gateway", "private": "private", "shared": "shared", "path": "public", "vendor": "vendor",
        "target": "target",
    }  # fmt: skip
    return places.get(placing.sender(one.end_icmp.sender, one.address))


def _shared_until(one: RawWalk, other: RawWalk) -> int | None:
    """The last TTL at which both saw a common router, before the first at which both saw routers and none in common."""
    found = None
    for hop in one.hops:
        theirs = other.routers(hop.ttl)
        if hop.repliers and theirs:
            if not set(hop.repliers) & set(theirs):
                break
            found = hop.ttl
    return found


def _beyond(one: RawWalk, raw: Sequence[RawWalk]) -> int | None:
    """The largest TTL beyond ``last_seen`` at which another walk to this address was answered."""
    if one.end != "silent":
        return None
    far = [
        ttl
        for other in raw
        if other is not one and other.role == one.role and other.address == one.address
        for ttl in (other.last_seen, other.reached or 0)
        if ttl > one.last_seen and other.end != "loop"
    ]
    return max(far, default=None)


def _first_hop_only(raw: Sequence[RawWalk], book: Book) -> Fact[bool]:
    asked = [walk for walk in raw if walk.end != "local" and any(hop.ttl >= 2 for hop in walk.hops)]
    if not asked:
        return Fact()
    records = [r for walk in asked for r in walk.records if r.ttl >= 2 and r.answer not in ("none", "not_sent")]
    if records:
        return seen(False, book.witnesses(records), looked_at=sum(len(walk.records) for walk in asked))
    return seen(True, book.witnesses(r for walk in asked for r in walk.records))


def _proxy_in_path(service: Sequence[RawWalk], egress: Sequence[Fact[Egress]], scene: Scene) -> Fact[bool]:
    """The service port answered at TTL 1, or nearer than another protocol reaches the same address.

    A target on the own link, or on this very machine, is reached at TTL 1 by right. A way back that is longer than the
    way there shifts what echo replies tell: by them alone nothing is nearer for certain. A reset at TTL 1 is this
    machine's or its gateway's (machine.egress4).
    """
    book = scene.book
    tested_at = [step.address for step in book.bundle.plan if step.probe == "egress" and step.address]
    ends = (*tested_at, *(walk.address for walk in service))
    if any(scene.near.on_link(address) or scene.near.is_own(address) for address in ends):
        return Fact()
    for fact in egress:
        if fact.value is not None and "accepted" in (fact.value.target, fact.value.control):
            return seen(True, fact.witnesses)
    ended = [walk for walk in service if walk.end == "open" or (walk.end == "refused" and (walk.end_ttl or 0) > 1)]
    for walk in ended:
        if walk.end == "open" and walk.end_ttl == 1:
            return seen(True, book.witnesses(walk.records))
        by_walk = _walked(walk, scene.walks)
        if by_walk is not None and by_walk - (walk.end_ttl or 0) > _NEARER:
            return seen(True, book.witnesses(walk.records))
    gaps = [_nearer_by(walk, scene.walks, book) for walk in ended]
    if any(gap is None or gap > _SAME_PLACE for gap in gaps):
        return Fact()
    tested = [fact for fact in egress if fact.value is not None and fact.value.target not in (None, "refused_locally")]
    if gaps or tested:
        found = book.witnesses(r for walk in ended for r in walk.records)
        return seen(False, found + tuple(w for fact in tested for w in fact.witnesses))
    return Fact()


def _walked(walk: RawWalk, raw: Sequence[RawWalk]) -> int | None:
    """At which TTL another protocol reaches the address of this walk."""
    far = [
        other.reached
        for other in raw
        if other.address == walk.address and other.protocol != walk.protocol and other.reached is not None
    ]
    return min(far, default=None)


def _nearer_by(walk: RawWalk, raw: Sequence[RawWalk], book: Book) -> int | None:
    """Hops between the end of this walk and where other answers of the same address come from (0: no nearer)."""
    if walk.end not in ("open", "refused") or walk.end_ttl is None:
        return None
    distance = _walked(walk, raw)
    if distance is None:
        left = [
            echo.reply_ttl
            for echo, step in book.of(Echo)
            if is_direct(step) and echo.rtt_us is not None and echo.reply_ttl and plain(echo.address) == walk.address
        ]
        away = [min(first - ttl for first in _FIRST_TTLS if first >= ttl) + 1 for ttl in left]
        distance = min(away, default=None)
    return None if distance is None else max(distance - walk.end_ttl, 0)


def _large_from(book: Book) -> Fact[tuple[str, ...]]:
    """Addresses of the target from which packets came that are as large as the own link carries."""

    def is_plain(step: Step) -> bool:
        return step.role == "target" and is_direct(step) and not is_small(step)

    counted: list[tuple[str, Handshake | Exchange]] = []
    for handshake, step in book.of(Handshake):
        if is_plain(step) and step.address and handshake.tcp is not None:
            counted.append((plain(step.address), handshake))
    for exchange, step in book.of(Exchange):
        if is_plain(step) and exchange.address and exchange.tcp is not None:
            counted.append((plain(exchange.address), exchange))
    large = [
        (address, record)
        for address, record in counted
        if record.tcp is not None and came_full(record.tcp, family(address))
    ]
    if not counted:
        return Fact()
    found = tuple(dict.fromkeys(address for address, _ in large))
    return seen(found, book.witnesses(record for _, record in large or counted))
