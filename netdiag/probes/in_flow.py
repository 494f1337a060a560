"""Data with a limited TTL inside connections to the target, and the arriving TTL of its answers.

Two connections, one SYN each, in one step or in two (``send``). First a neutral name at full TTL: is it answered at
this address, and with which TTL do the host's packets arrive here? Then the vendor's name, with the few TTLs on the way
that the plan names, and at full TTL: first so that only packets which arrive with more than the host's TTL are seen,
then with the host's, then all. What comes back at a TTL that cannot reach the host was sent on the way. Where a gap
remains around that place, one more connection looks into it, if there is a place for its SYN. Silence at a TTL tells
only where a router there answers such packets at all: so the neutral name is sent with the same TTLs on another one.

With ``--deep`` every TTL up to the host is then asked for, for both names, four TTLs a connection: the kernel repeats
what expired some six times at once, and then ever more slowly. And where the neutral name is not answered, the TTL of
SYN-ACKs stands for the host's.
"""

from collections.abc import Callable, Container, Generator, Iterable, Iterator, Sequence

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.evidence.transport import ArrivingTtl, Connect, InFlow
from netdiag.probes.arriving import by_connects
from netdiag.probes.base import DeclinedError, Payload, Probe, Stage, Stamp, Stream, World
from netdiag.probes.patience import patiently

_CONNECT_MS = 1500
_STAGE_MS = 1000  # design.md, Records: silence is claimed after max(1 s, 4 x RTT)
_LISTEN_MS = 2500  # for the neutral name's answer, and at the end for the vendor's
_ARRIVING_MS = 4000
_TTLS_PER_CONNECTION = 4
_SILENCES = 2


def _run(step: Step, world: World) -> Iterator[Observation]:
    wanted = step.params.get("send", "both")
    floor: int | None = None
    heard = set(_ttls(step, "heard"))
    if wanted in ("both", "neutral"):
        for record in _neutral(step, world):
            if isinstance(record, ArrivingTtl) and record.low == record.high:
                floor = record.high
            if isinstance(record, InFlow) and record.ttl is not None and record.answer == "expired":
                heard.add(record.ttl)
            yield record
        if floor is None and step.params.get("deep") == "yes" and step.params["met"] == "end":
            floor = yield from _of_syn_acks(step, world)
    if wanted in ("both", "vendor"):
        yield from _vendor(step, world, floor, heard)


def _neutral(step: Step, world: World) -> Iterator[Observation]:
    """Where connections are ended: at full TTL, and with which TTL the host's packets arrive. Silence arrives with
    none; at a TTL it tells something only where another name is told to expire there: so these TTLs go before."""
    neutral = _payload(step, neutral=True)
    if step.params["met"] == "end":
        yield from _connection(step, world, neutral, _stages([], [], []), and_ttl=True)
        return
    met: list[InFlow] = []
    for record in _connection(step, world, neutral, _stages(_ttls(step), [], met)):
        met += [record] if isinstance(record, InFlow) else []
        yield record


def _of_syn_acks(step: Step, world: World) -> Generator[Observation, None, int | None]:
    """The TTL with which SYN-ACKs arrive: whoever accepts the connection, if nobody answers the neutral name."""
    floor: int | None = None
    for record in by_connects(step, world):
        if isinstance(record, ArrivingTtl) and record.of == "syn_ack" and record.low == record.high:
            floor = record.high
        yield record
    return floor


def _vendor(step: Step, world: World, floor: int | None, heard: Container[int]) -> Iterator[Observation]:
    """``floor``: the TTL with which the host's packets arrive, as far as it is known. ``heard``: the TTLs with which
    the neutral name is known to expire."""
    neutral, vendor = _payload(step, neutral=True), _payload(step, neutral=False)
    met: list[InFlow] = []
    floors = [] if floor is None else [floor + 1, floor]
    for record in _connection(step, world, vendor, _stages(_ttls(step), floors, met)):
        met += [record] if isinstance(record, InFlow) else []
        yield record
    if step.params.get("deep") == "yes" and "distance" in step.params:
        for payload in (neutral, vendor):
            yield from _every_ttl(step, world, payload, int(step.params["distance"]))
        return
    gap = _gap(met)
    if gap:
        for record in _connection(step, world, vendor, _limited(_spread(gap)), waits=False):
            met += [record] if isinstance(record, InFlow) else []
            yield record
    unheard = [ttl for ttl in _unheard(met) if ttl not in heard]
    if unheard:
        yield from _connection(step, world, neutral, _limited(unheard), waits=False)


def _ttls(step: Step, name: str = "ttls") -> list[int]:
    return [int(ttl) for ttl in step.params.get(name, "").split(",") if ttl]


def _payload(step: Step, *, neutral: bool) -> Payload:
    name = step.params["neutral"] if neutral else step.subject
    if step.params["payload"] == "client_hello":
        return Payload(kind="client_hello", name=name, neutral=neutral)
    return Payload(kind="request", name=name, path=step.params["path"], neutral=neutral)


def _stages(ttls: Sequence[int], floors: Sequence[int], met: Sequence[InFlow]) -> Iterator[Stage]:
    """The limited TTLs until two of them met silence; then from ``floors`` on only packets that arrive with so much,
    then all. ``met`` fills up meanwhile."""
    for stage in _limited(ttls):
        if sum(one.answer == "none" for one in met) < _SILENCES:
            yield stage
    yield from (Stage(min_ttl=least, limit_ms=_STAGE_MS) for least in floors)
    yield Stage(limit_ms=_LISTEN_MS)


def _limited(ttls: Sequence[int]) -> list[Stage]:
    return [Stage(ttl=ttl, limit_ms=_STAGE_MS) for ttl in ttls]


def _spread(ttls: Sequence[int]) -> list[int]:
    """At most four of them, evenly, the last one included."""
    most = min(len(ttls), _TTLS_PER_CONNECTION)
    return [ttls[len(ttls) * part // most - 1] for part in range(1, most + 1)]


def _gap(met: Sequence[InFlow]) -> range:
    """The TTLs between the last that expired and the first that met something else, where data ended on the way."""
    passed = max((one.ttl for one in met if one.ttl is not None and one.answer == "expired"), default=0)
    other = (one.ttl for one in met if one.ttl is not None and one.ttl > passed and one.answer != "expired")
    return range(passed + 1, min(other, default=0))


def _unheard(met: Sequence[InFlow]) -> list[int]:
    """The first TTLs beyond the last that expired at which there was silence."""
    passed = max((one.ttl for one in met if one.ttl is not None and one.answer == "expired"), default=0)
    silent = {one.ttl for one in met if one.ttl is not None and one.ttl > passed and one.answer == "none"}
    return sorted(silent)[:_TTLS_PER_CONNECTION]


def _every_ttl(step: Step, world: World, payload: Payload, distance: int) -> Iterator[Observation]:
    """Until one of them is answered by more than its expiry."""
    for first in range(1, distance + 1, _TTLS_PER_CONNECTION):
        some = range(first, min(first + _TTLS_PER_CONNECTION, distance + 1))
        answered = False
        for record in _connection(step, world, payload, _limited(some)):
            answered = answered or (isinstance(record, InFlow) and record.answer in {"reset", "closed", "data"})
            yield record
        if answered:
            return


def _connection(
    step: Step, world: World, payload: Payload, stages: Iterable[Stage], *, and_ttl: bool = False, waits: bool = True
) -> Iterator[Observation]:
    """One connection and what is sent on it. ``and_ttl``: ask for the arriving TTL, too, when it stays open.
    ``waits``: for a place for its SYN."""
    assert step.address is not None
    assert step.port is not None
    stamp = world.stamp(step)
    try:
        connect, stream = _connect(world, stamp, (step.address, step.port), waits=waits)
        yield connect
        if stream is None:
            return
        with stream:
            last: InFlow | None = None
            for last in world.in_flow(_numbered(step, world, connect), stream, payload, stages):
                yield last
            if and_ttl and last is not None and last.answer in {"data", "acked"}:
                stamped = world.stamp(step, caused_by=connect.id)
                yield world.arriving_ttl(stamped, stream, payload, limit_ms=_ARRIVING_MS)
    except DeclinedError as declined:
        yield stamp.not_run("declined", "in_flow", world.now_ns(), detail=str(declined))


def _connect(world: World, stamp: Stamp, peer: tuple[str, int], *, waits: bool) -> tuple[Connect, Stream | None]:
    """One SYN. Raises ``DeclinedError`` when there is no place for it, or none soon enough."""

    def act() -> tuple[Connect, Stream | None]:
        return world.connect(stamp, *peer, limit_ms=_CONNECT_MS, syn_retries=0)

    return patiently(world, act) if waits else act()


def _numbered(step: Step, world: World, connect: Connect) -> Callable[[], Stamp]:
    """Stamps of the stages of one connection, which they name as their cause."""
    numbers = iter(range(1, 256))
    return lambda: world.stamp(step, attempt=next(numbers), caused_by=connect.id)


PROBE = Probe(name="in_flow", version=2, run=_run)
