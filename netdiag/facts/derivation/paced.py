"""Paced packets -> LossFacts: what each hop and the end lost, where loss begins, and who only limits answers.

The rules (fault-signatures T08, T09; section 8, 1 and 2):

(1) Whoever never answered is left out: it does not answer such packets, and says nothing of loss.
(2) A router that loses significantly more than everybody beyond it, or as regularly as a clock, limits its answers. The
    path to it loses no more than the path beyond.
(3) Loss begins in an interval of hops (``statistics.onsets``), and only where the end loses, too, and TCP to it, which
    no such limit touches: of few packets one may be lost by chance, so two of TCP, or one of TCP beside echoes.
"""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Literal, NamedTuple

from netdiag.evidence.record import FailureCode, Observed
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import Connect, Echo, HopReply
from netdiag.evidence.web import Exchange
from netdiag.facts.base import Fact, Share, seen
from netdiag.facts.derivation.book import is_direct
from netdiag.facts.derivation.connects import is_plain, syns_again
from netdiag.facts.derivation.losses import retransmits
from netdiag.facts.derivation.placing import Scene
from netdiag.facts.derivation.statistics import Count, loses_more, onsets, regular, share
from netdiag.facts.losses import HopLoss, LossFacts, Onset, PathLoss
from netdiag.facts.path import HopPlace
from netdiag.facts.places import plain

BACKGROUND = 0.02
"""Loss that nobody is troubled by: a healthy line may lose so much in a busy moment."""

_CHANCE = 0.01
"""What is less probable than this is not taken for chance."""

_UNUSUAL = 0.05
"""Two things that are each no more probable than this make one that is not taken for chance."""

_ENOUGH_LOST = 2
"""One packet lost at the end is chance."""

_SILENCE_FLOOR_NS, _RTTS_OF_SILENCE = 1_000_000_000, 4
"""Silence is claimed only after max(1 s, 4 x the largest round trip) (design.md, Records)."""

_SLOW = 0.95

_REPETITION_US = 900_000
"""TCP sends a SYN and its answer again after 1 s (RFC 6298 section 2.1); timers are a little early."""


class _Place(NamedTuple):
    """Whom paced packets met at one TTL: a router (``address``), or the end."""

    ttl: int
    address: str | None
    records: tuple[HopReply, ...]

    @property
    def counted(self) -> Count:
        return Count(len(self.records), sum(record.answer == "none" for record in self.records))


def derive_losses(scene: Scene) -> LossFacts:
    """Loss along the path that was sampled, and towards a control."""
    told = _sampled(scene, "target")
    control = _control(scene)
    facts = LossFacts(control=control, gateway_ms=_gateway_ms(scene))
    if not told:
        return facts
    path, routers, end = _path(told, scene)
    clear = [one for one, hop in zip(routers, path.hops, strict=True) if not hop.limited]
    found = _onset(clear, end, path, silent=_tcp_is_silent(scene, path.address))
    witnesses = scene.book.witnesses(told)
    return LossFacts(
        path=seen(path, witnesses),
        onset=Fact() if found is None else seen(found, witnesses),
        control=control,
        beyond_gateway=_beyond_gateway(clear, end, path, control),
        shared=_shared(path, found, control),
        one_flow=_one_flow(path),
        limited_hops=seen(tuple(hop.ttl for hop in path.hops if hop.limited), witnesses),
        gateway_ms=facts.gateway_ms,
    )


def _sampled(scene: Scene, role: Literal["target", "control"]) -> list[HopReply]:
    """Answers and silences of paced packets; those not waited for long enough count neither way.

    Long enough for this path: the run's longest round trip is often that of a packet that was lost and sent again, and
    to leave out silences for it would hide the very loss.
    """
    met = [
        record
        for record, step in scene.book.of(HopReply)
        if step.probe == "paced" and step.role == role and is_direct(step) and record.answer != "not_sent"
    ]
    longest_us = max((record.rtt_us or 0 for record in met if record.protocol != "tcp"), default=0)
    patience_ns = max(_SILENCE_FLOOR_NS, _RTTS_OF_SILENCE * longest_us * 1000)
    return [record for record in met if record.answer != "none" or record.ended_ns - record.began_ns >= patience_ns]


def _path(told: Sequence[HopReply], scene: Scene) -> tuple[PathLoss, list[_Place], _Place | None]:
    """The path, its answering routers from near to far, and the end where it answers."""
    address = plain(told[0].address)
    routers, end = _places([record for record in told if plain(record.address) == address])
    limited = _limited(routers, end)
    hops = tuple(_hop(place, scene, address, is_limited=place in limited) for place in routers)
    own, others = _flows(told)
    path = PathLoss(
        address=address,
        hops=hops,
        end=None if end is None else share(*end.counted),
        tcp=_tcp(scene, address),
        flow=share(*own),
        other_flows=share(*others),
        witnesses=scene.book.witnesses(told),
    )
    return path, routers, end


def _places(told: Sequence[HopReply]) -> tuple[list[_Place], _Place | None]:
    """Rule (1). A TTL at which the address itself answered is the end. Where it answers echoes, these alone count:
    hosts limit their ICMP errors, and most of them no echoes (icmp(7), icmp_ratemask)."""
    by_ttl: dict[int, list[HopReply]] = {}
    for record in told:
        by_ttl.setdefault(record.ttl, []).append(record)
    routers: list[_Place] = []
    at_end: list[HopReply] = []
    for ttl, records in sorted(by_ttl.items()):
        by_itself = {r.protocol for r in records if r.replier is not None and plain(r.replier) == plain(r.address)}
        senders = [plain(record.icmp.sender) for record in records if record.icmp is not None]
        if by_itself:
            way = "icmp" if "icmp" in by_itself else "udp"
            at_end += [record for record in records if record.protocol == way]
        elif senders:
            routers.append(_Place(ttl, senders[0], tuple(records)))
    end = _Place(at_end[0].ttl, None, tuple(at_end)) if at_end else None
    return routers, end


def _limited(routers: Sequence[_Place], end: _Place | None) -> list[_Place]:
    """Rule (2), from the far end to the near: a limiter does not speak for those before it."""
    beyond = end.counted if end is not None else Count(0, 0)
    limited = []
    for place in reversed(routers):
        by_chance = loses_more(place.counted, beyond)
        clockwork = regular([record.answer != "none" for record in place.records])
        both = by_chance < _UNUSUAL and clockwork < _UNUSUAL
        if (beyond.sent and (by_chance < _CHANCE or both)) or clockwork < _CHANCE:
            limited.append(place)
        else:
            beyond = _together([beyond, place.counted])
    return limited


def _hop(place: _Place, scene: Scene, target: str, *, is_limited: bool) -> HopLoss:
    lost = share(*place.counted)
    assert lost is not None
    assert place.address is not None
    times = sorted(record.rtt_us / 1000 for record in place.records if record.rtt_us is not None)
    return HopLoss(
        ttl=place.ttl,
        address=place.address,
        place=_place_of(place.address, place.ttl, target, scene),
        share=lost,
        limited=is_limited,
        rtt_ms=median(times) if times else None,
        slow_ms=_slow(times),
    )


def _place_of(router: str, ttl: int, target: str, scene: Scene) -> HopPlace | None:
    """As the walks to this address place it; a router that no walk met, by its address."""
    if ttl == 1:
        return "gateway"
    placed = scene.placing.sender(router, target)
    if placed == "path":
        return "public"
    return None if placed == "self" or placed == "in_its_name" else placed  # noqa: PLR1714 - a set narrows no type


def _tcp(scene: Scene, address: str) -> Share | None:
    """What TCP to ``address`` lost: SYNs, and data sent again. One that came through says of all the others that they
    were lost, too."""
    book = scene.book
    connects = _connects(scene, address)
    of_address = [(r, step) for kind in (Handshake, Exchange) for r, step in book.of(kind) if is_direct(step)]
    ended = [record for record, step in of_address if step.address is not None and plain(step.address) == address]
    handshakes = [record for record in ended if isinstance(record, Handshake)]
    exchanges = [record for record in ended if isinstance(record, Exchange)]
    syns = _syns(connects)
    data = retransmits(connects, handshakes, exchanges, book).value
    return share(*_together([syns, *([] if data is None else [Count(data.sent, data.lost)])]))


def _connects(scene: Scene, address: str) -> list[Connect]:
    """To the service port: another may be closed to all."""
    return [
        record
        for record, step in scene.book.of(Connect)
        if is_direct(step) and plain(record.address) == address and is_plain(record)
        if record.port == scene.book.bundle.target.port
    ]


def _tcp_is_silent(scene: Scene, address: str) -> bool:
    ends = [record.failure for record in _connects(scene, address)]
    return bool(ends) and all(end is not None and end.code is FailureCode.TIMED_OUT for end in ends)


def _syns(connects: Sequence[Connect]) -> Count:
    """SYNs sent and lost, of connects that were answered and of silent ones; none where all were silent: that is no
    loss."""
    if all(record.failure is not None for record in connects):
        return Count(0, 0)
    told = [r for r in connects if r.failure is None or r.failure.code is FailureCode.TIMED_OUT]
    again = sum(syns_again(record) for record in told)
    return Count(len(told) + again, again + sum(record.failure is not None for record in told))


def _onset(routers: Sequence[_Place], end: _Place | None, path: PathLoss, *, silent: bool) -> Onset | None:
    """Rule (3). Where the end answers no paced packet, TCP to it stands for it."""
    tcp = Count(path.tcp.sent, path.tcp.lost) if path.tcp is not None else Count(0, 0)
    last = end.counted if end is not None else tcp
    echoes = end is not None and end.records[0].protocol == "icmp"
    by_tcp = _is_lossy(tcp) or (tcp.lost > 0 and echoes)
    if not routers or not _is_lossy(last) or not (by_tcp or (silent and echoes)):
        return None
    found = onsets([*(place.counted for place in routers), last], BACKGROUND)
    if found is None:
        return None
    before, beyond = routers[: found[0]], routers[found[-1] :]
    total = share(*_together([*(place.counted for place in beyond), last]))
    assert total is not None
    clean = before[-1] if before else None
    lossy = beyond[0] if beyond else None
    return Onset(
        last_clean=clean.ttl if clean is not None else 0,
        last_clean_address=clean.address if clean is not None else None,
        last_clean_place=_placed(clean, path),
        first_lossy=lossy.ttl if lossy is not None else None,
        first_lossy_address=lossy.address if lossy is not None else path.address,
        first_lossy_place=_placed(lossy, path) if lossy is not None else "target",
        before=share(*_together(place.counted for place in before)),
        beyond=total,
        by_tcp=by_tcp,
    )


def _placed(place: _Place | None, path: PathLoss) -> HopPlace | None:
    return next((hop.place for hop in path.hops if place is not None and hop.ttl == place.ttl), None)


def _is_lossy(count: Count) -> bool:
    found = share(*count)
    return found is not None and found.lost >= _ENOUGH_LOST and found.low > BACKGROUND


def _control(scene: Scene) -> Fact[Share]:
    """An answer that comes so late is the control's repetition: the first one, or the SYN's first copy, was lost."""
    told = _sampled(scene, "control")
    quickest = min((record.rtt_us for record in told if record.rtt_us is not None), default=0)
    repeated = [r for r in told if r.rtt_us is not None and r.rtt_us - quickest >= _REPETITION_US]
    found = share(len(told), _count(told).lost + len(repeated))
    if found is None or found.lost == found.sent:
        return Fact()
    return seen(found, scene.book.witnesses(told))


def _beyond_gateway(clear: Sequence[_Place], end: _Place | None, path: PathLoss, control: Fact[Share]) -> Fact[Share]:
    counts = [place.counted for place in clear if place.ttl > 1]
    counts += [end.counted] if end is not None else []
    counts += [Count(control.value.sent, control.value.lost)] if control.value is not None else []
    found = share(*_together(counts))
    return Fact() if found is None else seen(found, path.witnesses + control.witnesses)


def _shared(path: PathLoss, onset: Onset | None, control: Fact[Share]) -> Fact[bool]:
    """Judged by all that is lost beyond the onset, or at the target's own end where none is plain."""
    mine = onset.beyond if onset is not None else path.end
    theirs = control.value
    if mine is None or theirs is None or mine.low <= BACKGROUND:
        return Fact()
    here, there = Count(mine.sent, mine.lost), Count(theirs.sent, theirs.lost)
    witnesses = path.witnesses + control.witnesses
    if loses_more(here, there) < _CHANCE:
        return seen(False, witnesses)
    return seen(True, witnesses) if theirs.low > BACKGROUND else Fact()


def _flows(told: Sequence[HopReply]) -> tuple[Count, Count]:
    """Datagrams to the end on the hops' own flow, which has the lowest number, and on others; nothing where it answers
    none at all."""
    by_itself = {
        r.ttl for r in told if r.protocol == "udp" and r.replier is not None and plain(r.replier) == plain(r.address)
    }
    at_end = [record for record in told if record.protocol == "udp" and record.ttl in by_itself]
    first = min((record.flow for record in told), default=0)
    return _count(r for r in at_end if r.flow == first), _count(r for r in at_end if r.flow != first)


def _one_flow(path: PathLoss) -> Fact[Literal["lossy", "clean"]]:
    if path.flow is None or path.other_flows is None:
        return Fact()
    here, there = Count(path.flow.sent, path.flow.lost), Count(path.other_flows.sent, path.other_flows.lost)
    if loses_more(here, there) < _CHANCE:
        return seen("lossy", path.witnesses)
    return seen("clean", path.witnesses) if loses_more(there, here) < _CHANCE else Fact()


def _gateway_ms(scene: Scene) -> Fact[tuple[float, float]]:
    """All round trips to the first hop: echoes, TCP connects and paced packets."""
    book = scene.book
    paced = [record for record, step in book.of(HopReply) if step.probe == "paced" and record.ttl == 1]
    echoes = [record for record, step in book.of(Echo) if step.role == "gateway"]
    knocks = [r for r, step in book.of(Connect) if step.role == "gateway" and r.tcp is not None]
    timed: list[tuple[Observed, int | None]] = [(record, record.rtt_us) for record in paced]
    timed += [(record, record.rtt_us) for record in echoes]
    timed += [(record, record.tcp.rtt_us) for record in knocks if record.tcp is not None]
    times = sorted(us / 1000 for _, us in timed if us)
    slow = _slow(times)
    if slow is None:
        return Fact()
    return seen((median(times), slow), book.witnesses(record for record, us in timed if us))


def _slow(times: Sequence[float]) -> float | None:
    """What nineteen of twenty of ``times``, which are in order, do not exceed."""
    return times[int(_SLOW * (len(times) - 1))] if times else None


def _count(records: Iterable[HopReply]) -> Count:
    held = list(records)
    return Count(len(held), sum(record.answer == "none" for record in held))


def _together(counts: Iterable[Count]) -> Count:
    held = list(counts)
    return Count(sum(one.sent for one in held), sum(one.lost for one in held))
