"""Downloads and the round trips beside them -> SpeedFacts."""

from collections.abc import Sequence

from msgspec.structs import replace

from netdiag.evidence.machine import SystemLookup
from netdiag.evidence.record import FailureCode
from netdiag.evidence.transport import Bursts, HopReply, Transfer
from netdiag.evidence.web import Exchange
from netdiag.facts.base import Fact, seen
from netdiag.facts.derivation.book import Book, is_direct
from netdiag.facts.derivation.near import is_time_exceeded
from netdiag.facts.derivation.placing import Scene
from netdiag.facts.derivation.series import Series, shape_of
from netdiag.facts.path import HopPlace
from netdiag.facts.places import plain
from netdiag.facts.speed import Download, Limit, Phase, PlaceDelay, SpeedFacts

_SLOW_MS, _PATIENT_ROUND_TRIPS = 2000, 10
"""What is slow: web.dev (Time to First Byte) calls more than 1.8 s poor, connecting included; and on a long line
nothing that takes no more round trips than a first exchange with its repetitions does."""

_LATE_MS, _LATE_ROUND_TRIPS = 1000, 5
"""Where TCP answers by itself, so long means that a packet was lost: RFC 6298 repeats the first after 1 s."""

_SLOW_RATE, _LONG_MS = 100_000, 2000
"""Bytes per second below which a body is slow, if it lasts: so little that 1 MB does not come in 10 s."""

_COMPARABLE = 20_000
"""Bytes of another host's page from which on its rate says something: beyond slow start's first packets."""
_FASTER = 3
"""How much faster others must be before they are called fast beside a slow target."""

_ENOUGH = 3
_GREW_MS, _GREW_LITTLE_MS, _GREW_TIMES = 100, 30, 3
"""Round trips to a router grew: by 100 ms, or to the threefold by more than a router is late while it has other work
(fault-signatures L29)."""
_ENOUGH_PIECES, _LARGE_PIECE, _MUCH_FASTER = 5, 12_000, 20
"""Pieces with pauses between them, each larger than what a shaper or a policer lets pass at once (some packets) and
faster by far than the whole: what paces them stands before the way, not on it."""
_SCATTER_LOST = 3
"""Packets out of order from which on a body is said to lose some: one or two may just have been overtaken."""


def derive_speed(scene: Scene) -> SpeedFacts:
    """All of it from the first download of the target; unknown without one."""
    book = scene.book
    entries = [(record, step) for record, step in book.of(Transfer) if is_direct(step)]
    target = next((record for record, step in entries if step.role == "target"), None)
    if target is None:
        return SpeedFacts()
    mine = _download(target, book, book.bundle.target.host)
    others = tuple(_download(record, book, step.subject) for record, step in entries if step.role == "control")
    at_controls = tuple(w for one in others for w in one.witnesses)
    slow, waiting = _slow(target, mine, book)
    delays, watched = _round_trips(target, scene)
    told = [one.grew for one in delays if one.grew is not None]
    piece = target.bursts.median_bytes if target.bursts is not None and mine.bursts else 0
    queued = any(told) if told else None
    shape, bucket = shape_of(target.progress, target.first_byte_us, queued=queued, piece=piece)
    beside = seen(others, at_controls) if others else Fact[tuple[Download, ...]]()
    facts = SpeedFacts(
        target=seen(mine, mine.witnesses),
        controls=beside,
        slow=slow,
        waiting_for=waiting,
        shape=seen(shape, mine.witnesses),
        bucket=Fact() if bucket is None else seen(bucket, mine.witnesses),
        round_trips=seen(delays, watched) if delays else Fact(),
        controls_fast=_controls_fast(mine, others, waiting.value, book),
    )
    if waiting.value != "body":
        return facts
    return _with_limit(facts, mine, delays, (*mine.witnesses, *watched))


def _with_limit(
    facts: SpeedFacts, mine: Download, delays: Sequence[PlaceDelay], witnesses: tuple[str, ...]
) -> SpeedFacts:
    limit, between = _limit(mine, delays)
    if limit == "sender" and facts.bucket.known:  # a policer that drops whole flights shows no packet out of order
        limit = None
    return replace(
        facts,
        limited_by=Fact() if limit is None else seen(limit, witnesses),
        held_between=Fact() if between is None else seen(between, witnesses),
    )


def _download(record: Transfer, book: Book, host: str) -> Download:
    rtt = _shortest_ms(record, book)
    series = Series(record.progress, record.first_byte_us)
    rates = sorted(series.rates(10))
    acked, first, finished = record.acked_us, record.first_byte_us, record.finished_us
    timed_out = record.failure is not None and record.failure.code is FailureCode.TIMED_OUT
    answered = finished if first is None and acked is not None and timed_out else first
    secured = record.secured_us if record.secured_us is not None else record.connected_us
    last = record.progress[-1] if record.progress else None
    made = Download(
        host=host,
        address=plain(record.address),
        status=record.status,
        received=record.received,
        complete=record.complete,
        rtt_ms=rtt,
        connect_ms=_ms(record.connected_us),
        tls_ms=_ms(None if secured is None or record.connected_us is None else secured - record.connected_us),
        request_ms=_ms(acked),
        server_ms=_ms(None if answered is None else answered - (acked or 0)),
        body_ms=_ms(None if first is None or finished is None else finished - first),
        rate=series.total * 1e6 / series.took_us if series.took_us > 0 else None,
        rate_low=rates[1] if rates else None,
        rate_high=rates[-2] if rates else None,
        out_of_order=None if last is None else last.out_of_order,
        bursts=_in_bursts(record.bursts, series),
        witnesses=book.witnesses([record]),
    )
    return replace(made, slow_phases=_slow_phases(made))


def _in_bursts(pieces: Bursts | None, series: Series) -> bool | None:
    if pieces is None or pieces.count < _ENOUGH_PIECES or series.took_us <= 0:
        return None
    within = pieces.median_bytes / max(pieces.median_us, 1)
    return pieces.median_bytes >= _LARGE_PIECE and within >= _MUCH_FASTER * series.total / series.took_us


def _slow_phases(one: Download) -> tuple[Phase, ...]:
    rtt = one.rtt_ms or 0.0
    patience = max(_SLOW_MS, _PATIENT_ROUND_TRIPS * rtt)
    late = _LATE_MS + _LATE_ROUND_TRIPS * rtt
    limits: tuple[tuple[Phase, float | None, float], ...] = (
        ("connect", one.connect_ms, late),
        ("tls", one.tls_ms, patience),
        ("request", one.request_ms, late),
        ("server", one.server_ms, patience),
    )
    found = [(took, phase) for phase, took, limit in limits if took is not None and took > limit]
    if one.body_ms is not None and one.body_ms >= _LONG_MS and one.rate is not None and one.rate < _SLOW_RATE:
        found.append((one.body_ms, "body"))
    return tuple(phase for _, phase in sorted(found, reverse=True))


def _slow(target: Transfer, mine: Download, book: Book) -> tuple[Fact[bool], Fact[Phase]]:
    """A name that was looked up slowly is slow for every program; it is asked for once."""
    lookups = [
        record
        for record, _ in book.of(SystemLookup)
        if record.addresses and record.ended_ns - record.began_ns > _SLOW_MS * 1_000_000
    ]
    if mine.status is None and not mine.slow_phases:
        return Fact(), Fact()
    again = [phase for phase in mine.slow_phases if phase == "body" or _was_slow_before(phase, target, mine, book)]
    if again:
        return seen(True, mine.witnesses), seen(again[0], mine.witnesses)
    if mine.slow_phases:
        return Fact(), Fact()
    if lookups:
        names = book.witnesses(lookups)
        return seen(True, names), seen("name", names)
    return seen(False, mine.witnesses), Fact()


def _was_slow_before(phase: Phase, target: Transfer, mine: Download, book: Book) -> bool:
    """The first exchange with the address waited for the same thing. It has no time of acknowledgement of its own."""
    patience_us = 1000 * max(_SLOW_MS, _PATIENT_ROUND_TRIPS * (mine.rtt_ms or 0.0))
    late_us = 1000 * (_LATE_MS + _LATE_ROUND_TRIPS * (mine.rtt_ms or 0.0))
    for record, step in book.of(Exchange):
        if step.role != "target" or not is_direct(step) or plain(record.address or "") != plain(target.address):
            continue
        connected = record.connected_us or 0
        secured = record.secured_us or connected
        first = record.first_byte_us if record.first_byte_us is not None else record.finished_us
        took = {
            "connect": connected > late_us,
            "tls": secured - connected > patience_us,
            "request": first is not None and first - secured > late_us,
            "server": first is not None and record.request_acked is True and first - secured > patience_us,
        }
        if took.get(phase, False):
            return True
    return False


def _shortest_ms(record: Transfer, book: Book) -> float | None:
    """The shortest round trip that the kernel saw to the address in the whole run."""
    infos = [record.tcp]
    infos += [one.tcp for one, _ in book.of(Exchange) if one.address and plain(one.address) == plain(record.address)]
    times = [info.min_rtt_us if info.min_rtt_us is not None else info.rtt_us for info in infos if info is not None]
    return min(times) / 1000 if times else None


def _round_trips(target: Transfer, scene: Scene) -> tuple[tuple[PlaceDelay, ...], tuple[str, ...]]:
    """By TTL, for the routers that were watched while the body came."""
    body_ns = target.began_ns + 1000 * ((target.secured_us or target.connected_us or 0) + (target.first_byte_us or 0))
    watched: dict[int, list[HopReply]] = {}
    shortest: dict[str, int] = {}
    for record, step in scene.book.of(HopReply):
        if record.rtt_us is None or record.replier is None or record.icmp is None or not is_time_exceeded(record.icmp):
            continue
        router = plain(record.replier)
        shortest[router] = min(record.rtt_us, shortest.get(router, record.rtt_us))
        if step.id == target.step:
            watched.setdefault(record.ttl, []).append(record)
    places = _places(scene)
    delays = []
    for ttl, records in sorted(watched.items()):
        router = plain(records[0].replier or "")
        loaded = sorted((r.rtt_us or 0) / 1000 for r in records if body_ns <= r.began_ns <= target.ended_ns)
        idle_ms, loaded_ms = shortest[router] / 1000, loaded[len(loaded) // 4] if loaded else None
        delays.append(
            PlaceDelay(
                ttl=ttl,
                router=router,
                place="gateway" if ttl == 1 else places.get(router),
                idle_ms=idle_ms,
                loaded_ms=loaded_ms,
                loaded_count=len(loaded),
                grew=None if loaded_ms is None or len(loaded) < _ENOUGH else _grew(idle_ms, loaded_ms),
            )
        )
    return tuple(delays), scene.book.witnesses(r for records in watched.values() for r in records)


def _places(scene: Scene) -> dict[str, HopPlace | None]:
    """Where each router of the walks to the target stands."""
    found: dict[str, HopPlace | None] = {}
    for walk in scene.walks:
        if walk.role == "target":
            for hop in scene.placing.hops(walk):
                found.update((router, hop.place) for router in hop.repliers)
    return found


def _grew(idle: float, loaded: float) -> bool:
    grown = loaded - idle
    return grown >= _GREW_MS or (grown >= _GREW_LITTLE_MS and loaded >= _GREW_TIMES * idle)


def _limit(mine: Download, delays: Sequence[PlaceDelay]) -> tuple[Limit | None, tuple[str, str] | None]:
    """(1) Round trips grew to some router and to every later one: the queue is before it, and after the last to which
        they did not grow.
    (2) Packets came out of order, and round trips did not grow: they were dropped.
    (3) Neither, and what came came in bursts: the sender.
    """
    told = [one for one in delays if one.grew is not None]
    flat = [one for one in told if one.grew is False]
    grown = [one for one in told if one.grew and all(one.ttl > other.ttl for other in flat)]
    if grown:
        first, last = grown[0], flat[-1] if flat else None
        if first.ttl == 1:
            return "lan", None
        if last is None:
            return None, None
        between = (last.router or f"hop {last.ttl}", first.router or f"hop {first.ttl}")
        if first.place in ("vendor", "target"):
            return "end", between
        return ("path" if last.place == "public" else "access"), between
    if mine.out_of_order is None:
        return None, None
    if mine.out_of_order >= _SCATTER_LOST:
        return ("drops" if flat else None), None
    return ("sender" if mine.bursts and mine.out_of_order == 0 else None), None


def _controls_fast(mine: Download, others: Sequence[Download], waiting: Phase | None, book: Book) -> Fact[bool]:
    """By rate where the body is slow; else by how long the first byte took after the request."""
    if waiting == "body":
        rates = [(one.rate or _at_once(one), one) for one in others if one.received >= _COMPARABLE]
        if not rates:
            return Fact()
        fast = any(rate is not None and rate >= _FASTER * (mine.rate or 0) for rate, _ in rates)
        return seen(fast, tuple(w for _, one in rates for w in one.witnesses))
    told = [one for one in others if one.server_ms is not None]
    pages = [
        record
        for record, step in book.of(Exchange)
        if step.role == "control" and is_direct(step) and record.first_byte_us is not None
    ]
    if not told and not pages:
        return Fact()
    least = min(
        [one.server_ms or 0.0 for one in told]
        + [((record.first_byte_us or 0) - (record.secured_us or record.connected_us or 0)) / 1000 for record in pages]
    )
    fast = least < _SLOW_MS and least * _FASTER < (mine.server_ms or 0.0)
    return seen(fast, tuple(w for one in told for w in one.witnesses) + book.witnesses(pages))


def _at_once(one: Download) -> float | None:
    """A page that came within one look at it: its bytes over the time that it took at most."""
    return one.received * 1000 / max(one.body_ms, 1.0) if one.body_ms is not None else None


def _ms(us: int | None) -> float | None:
    return None if us is None else us / 1000
