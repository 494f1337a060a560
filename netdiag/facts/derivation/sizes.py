"""Large and small packets to the target and to controls -> SizeFacts."""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from netdiag.evidence.bundle import Step
from netdiag.evidence.record import Observed
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import Connect, HopReply
from netdiag.evidence.web import Exchange
from netdiag.facts.base import Fact, seen
from netdiag.facts.derivation import exchanges, handshakes
from netdiag.facts.derivation.book import Book, is_direct
from netdiag.facts.derivation.placing import Placing, Scene
from netdiag.facts.derivation.small import is_small, largest_packet, needed_several
from netdiag.facts.places import family, plain
from netdiag.facts.sizes import SizeFacts, SizeWalk, Stall, Told
from netdiag.facts.target import AddressState, SenderPlace

_ENOUGH_SILENT = 2
"""One large packet without an answer is chance (RFC 8899 section 4.2: loss is no sign of size by itself)."""

_ROLES: dict[str, Literal["target", "control"]] = {"target": "target", "control": "control"}


class _Key(NamedTuple):
    role: Literal["target", "control"]
    host: str
    address: str


class _Try(NamedTuple):
    """A connection with small segments."""

    role: str
    address: str
    how: Literal["works", "fails"] | None
    record: Observed


def derive_sizes(scene: Scene, states: Sequence[AddressState]) -> SizeFacts:
    """``states``: the target's addresses, whose plain attempts tell which of them stall."""
    book = scene.book
    walks = tuple(_walks(scene))
    tries = list(_tries(book))
    stalls = tuple(
        stall for state in states if (stall := _stall(state, walks, tries, book)) is not None and _looked_at(stall)
    )
    return SizeFacts(
        walks=seen(walks, tuple(w for walk in walks for w in walk.witnesses)) if walks else Fact(),
        stalls=seen(stalls, tuple(w for stall in stalls for w in stall.witnesses)) if stalls else Fact(),
    )


def _looked_at(stall: Stall) -> bool:
    return stall.small is not None or stall.walk is not None


def _walks(scene: Scene) -> Iterable[SizeWalk]:
    groups: dict[_Key, list[HopReply]] = {}
    for record, step in scene.book.of(HopReply):
        role = _ROLES.get(step.role)
        if step.probe == "sizes" and is_direct(step) and role is not None:
            told = record.answer != "none" or scene.book.waited(record)
            if told and record.answer != "not_sent":
                groups.setdefault(_Key(role, step.subject, plain(record.address)), []).append(record)
    for key, records in groups.items():
        asked = max((record.size for record in records if record.size), default=None)
        if asked is not None:
            yield _walk(key, asked, records, scene)


def _walk(key: _Key, asked: int, records: Sequence[HopReply], scene: Scene) -> SizeWalk:
    told = _told(key, records, scene.placing)
    size = min((one.next_mtu for one in told if one.next_mtu), default=asked)
    small = {record.ttl: record for record in records if not record.size and _passed(record)}
    large = {record.ttl: record for record in records if record.size == size and _passed(record)}
    last = max(large, default=0)
    limit = min((ttl for ttl in small if ttl > last), default=None)
    lost = [one for one in records if one.size == size and one.answer == "none" and one.ttl > last]
    end = max(small, default=0)
    if limit is not None and not (_silent(lost, limit) >= _ENOUGH_SILENT and _silent(lost, end) >= _ENOUGH_SILENT):
        limit = None
    at_limit = [record for record in records if record.ttl == limit and record.size]
    passed = max((record.size or 0 for record in at_limit if _passed(record)), default=None)
    return SizeWalk(
        role=key.role,
        host=key.host,
        address=key.address,
        family=family(key.address),
        asked=asked,
        size=size,
        told=told,
        small_last_seen=end,
        large_last_seen=last,
        last_address=_replier(large.get(last)),
        last_place=_place(large.get(last), key.address, scene.placing),
        first_missing=limit,
        missing_address=None if limit is None else _replier(small[limit]),
        missing_place=None if limit is None else _place(small[limit], key.address, scene.placing),
        largest_passed=passed,
        smallest_lost=min((r.size or 0 for r in at_limit if r.answer == "none" and (r.size or 0) > (passed or 0)),
                          default=None),
        whole=_replier(large.get(last)) == key.address,
        witnesses=scene.book.witnesses(records),
    )  # fmt: skip


def _silent(lost: Iterable[HopReply], ttl: int) -> int:
    return sum(record.ttl == ttl for record in lost)


def _passed(record: HopReply) -> bool:
    """Somebody answered it, and not that it is too big."""
    return record.answer != "none" and not _is_too_big(record)


def _is_too_big(record: HopReply) -> bool:
    """Fragmentation needed, or packet too big: RFC 792 type 3 code 4, RFC 4443 type 2."""
    error = record.icmp
    if error is None:
        return False
    return (error.type, error.code) == (3, 4) if error.version == 4 else error.type == 2


def _told(key: _Key, records: Sequence[HopReply], placing: Placing) -> tuple[Told, ...]:
    first: dict[tuple[str, int | None], HopReply] = {}
    for record in sorted(records, key=lambda one: one.ttl):
        if _is_too_big(record) and record.icmp is not None:
            first.setdefault((plain(record.icmp.sender), record.next_mtu), record)
    return tuple(
        Told(ttl=record.ttl, router=router, place=placing.sender(router, key.address), next_mtu=mtu)
        for (router, mtu), record in first.items()
    )


def _replier(record: HopReply | None) -> str | None:
    return None if record is None or record.replier is None else plain(record.replier)


def _place(record: HopReply | None, target: str, placing: Placing) -> SenderPlace | None:
    who = _replier(record)
    return None if who is None else placing.sender(who, target)


def _tries(book: Book) -> Iterable[_Try]:
    small = {connect.id for connect, step in book.of(Connect) if is_small(step) and connect.mss_clamp is not None}
    for handshake, step in book.of(Handshake):
        if is_small(step) and handshake.caused_by in small and step.address:
            # An alert is a small packet with large segments, too.
            how = handshakes.how_of(handshake, book)
            yield _Try(step.role, plain(step.address), _outcome(how, ("ok", "untrusted")), handshake)
    for exchange, step in book.of(Exchange):
        if is_small(step) and exchange.address:
            good = ("answered",) if needed_several(exchange, step) else ()
            answer = exchanges.how_of(exchange, book)
            yield _Try(step.role, plain(exchange.address), _outcome(answer, good), exchange)


def _outcome(how: str | None, good: Iterable[str]) -> Literal["works", "fails"] | None:
    if how == "silent":
        return "fails"
    return "works" if how is not None and how in good else None


def _stall(state: AddressState, walks: Sequence[SizeWalk], tries: Sequence[_Try], book: Book) -> Stall | None:
    layer: Literal["tls", "http"]
    if state.http is not None and state.http.how == "silent":
        layer, acked = "http", state.http.acked
    elif state.http is None and state.tls is not None and state.tls.how == "silent":
        layer, acked = "tls", state.tls.acked
    else:
        return None
    mine = [one for one in tries if one.role == "target" and one.address == state.address and one.how is not None]
    walk = next((one for one in walks if one.role == "target" and one.address == state.address), None)
    small = mine[0].how if mine else None
    direction = _direction(walk, small, acked=acked)
    control = next((one for one in walks if one.role == "control" and one.family == state.family), None)
    others = _Others(state.family, tries, book, lost=None if walk is None else walk.smallest_lost)
    whom, told_by = _for_whom(walk, control, direction, others)
    return Stall(
        address=state.address,
        family=state.family,
        layer=layer,
        acked=acked,
        small=small,
        walk=walk,
        direction=direction,
        for_whom=whom,
        witnesses=tuple(
            dict.fromkeys(
                [
                    *state.witnesses,
                    *book.witnesses(one.record for one in mine),
                    *(() if walk is None else walk.witnesses),
                    *told_by,
                ]
            )
        ),
    )


def _direction(
    walk: SizeWalk | None, small: Literal["works", "fails"] | None, *, acked: bool | None
) -> Literal["forward", "back"] | None:
    if walk is None or small != "works":
        return None
    if walk.first_missing is not None:
        return "forward"
    return "back" if walk.whole and acked is True else None


class _Others:
    """What connections to the controls of one family met. ``lost``: the size that is known to vanish towards the
    target; what came from a control must be as large to tell anything (None: as large as the own link carries)."""

    def __init__(self, family_: Literal[4, 6], tries: Sequence[_Try], book: Book, *, lost: int | None) -> None:
        self.helped = [
            one.record
            for one in tries
            if one.role == "control" and family(one.address) == family_ and one.how == "works"
        ]
        self.large = _large_answers(family_, book, lost)
        self.witnesses = book.witnesses([*self.helped, *self.large])


def _for_whom(
    walk: SizeWalk | None, control: SizeWalk | None, direction: Literal["forward", "back"] | None, others: _Others
) -> tuple[Literal["everyone", "target"] | None, tuple[str, ...]]:
    """Controls tell: those that stall and do not with small segments, those whose large answers come, and how far large
    packets come towards one of them. Signs against each other tell nothing."""
    ails = bool(others.helped) or _same_gap(walk, control)
    # That large packets arrive at a control is news only where those to the target do not.
    arrives = control is not None and control.whole and direction == "forward"
    passes = bool(others.large) or arrives
    witnesses = others.witnesses + (() if control is None else control.witnesses)
    if ails == passes:
        return None, witnesses
    return ("everyone" if ails else "target"), witnesses


def _same_gap(walk: SizeWalk | None, control: SizeWalk | None) -> bool:
    """Large packets to both vanish behind the same router."""
    if walk is None or control is None or walk.first_missing is None:
        return False
    return (control.large_last_seen, control.last_address) == (walk.large_last_seen, walk.last_address) and (
        control.first_missing is not None
    )


def _large_answers(family_: Literal[4, 6], book: Book, lost: int | None) -> list[Observed]:
    """Plain connections to controls that brought large packets."""
    told: list[tuple[str | None, Step, Handshake | Exchange]] = []
    told += [(step.address, step, record) for record, step in book.of(Handshake)]
    told += [(record.address, step, record) for record, step in book.of(Exchange)]
    found: list[Observed] = []
    for address, step, record in told:
        plain_control = step.role == "control" and is_direct(step) and not is_small(step)
        if plain_control and address and family(address) == family_ and record.tcp is not None:
            needed = record.tcp.pmtu if lost is None else lost
            if largest_packet(record.tcp, family_) >= needed:
                found.append(record)
    return found
