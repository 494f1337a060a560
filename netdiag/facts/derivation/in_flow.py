"""Facts from inside connections: where data stop, where a reset comes from, and who answers where nobody is."""

from collections.abc import Container, Sequence
from typing import NamedTuple

import msgspec

from netdiag.evidence.bundle import Step
from netdiag.evidence.transport import ArrivingTtl, Connect, InFlow
from netdiag.facts.base import Fact, seen
from netdiag.facts.derivation.book import is_direct
from netdiag.facts.derivation.placing import Scene
from netdiag.facts.flow import Floor, FlowFacts, FlowState, Outcome, Refusal
from netdiag.facts.path import Hop, PathFacts
from netdiag.facts.places import family, plain

_OUTCOMES: tuple[Outcome, ...] = ("data", "reset", "closed", "icmp", "acked", "none")
"""From the most telling on."""

_ENDS = ("reset", "closed")

_QUIET_NS = 100_000_000
"""What a host may take to hang up on its own, besides the round trip."""

_FIRST_TTLS = (64, 128, 255)
"""What systems begin with."""


class _Way(NamedTuple):
    """What the walk to the address saw: the TTL that reached it, and the routers before."""

    distance: int | None
    hops: tuple[Hop, ...]

    def at(self, ttl: int) -> Hop | None:
        """The hop of that TTL, where a router answered."""
        return next((hop for hop in self.hops if hop.ttl == ttl and hop.repliers), None)

    @property
    def last_router(self) -> int:
        """The largest TTL short of the host at which a router answered."""
        return max(
            (h.ttl for h in self.hops if h.repliers and (self.distance is None or h.ttl < self.distance)), default=0
        )


def derive_flow(scene: Scene) -> FlowFacts:
    """The target's own, direct connections."""
    flows: dict[str, list[InFlow]] = {}
    for record, step in scene.book.of(InFlow):
        if step.role == "target" and is_direct(step):
            flows.setdefault(plain(record.address), []).append(record)
    states = tuple(_state(address, records, scene) for address, records in flows.items())
    witnesses = tuple(witness for state in states for witness in state.witnesses)
    return FlowFacts(
        states=seen(states, witnesses) if states else Fact(),
        refusals=_refusals(scene),
        accepts_for_nobody=_canaries(scene),
    )


def _state(address: str, records: Sequence[InFlow], scene: Scene) -> FlowState:
    vendors = [record for record in records if not record.neutral]
    neutrals = [record for record in records if record.neutral]
    way = _way(address, scene)
    vendor, neutral = _outcome(vendors), _outcome(neutrals)
    whole = [one for one in vendors if one.ttl is None or one.answer not in _ENDS]
    telling = whole + [one for one in vendors if one not in whole and _is_for_data(one, records, scene)]
    passed, stopped = _interval(telling, vendor, way, told={one.ttl for one in neutrals if one.answer == "expired"})
    before, behind = way.at(passed), None if stopped is None else way.at(stopped)
    told = [one for one, step in scene.book.of(ArrivingTtl) if _is_of(step, address) and step.probe == "in_flow"]
    ttls = [one for one in told if one.of in ("ack", "syn_ack")]
    host_ttl = next((one.low for one in ttls if one.low is not None and one.low == one.high), None)
    return FlowState(
        address=address,
        family=family(address),
        payload=records[0].payload,
        vendor=vendor,
        neutral=neutral,
        neutral_name=next((record.name for record in neutrals), None),
        distance=way.distance,
        passed=passed,
        passed_address=before.repliers[0] if before is not None else None,
        passed_place=before.place if before is not None else None,
        stopped_at=stopped,
        stopped_address=behind.repliers[0] if behind is not None else None,
        stopped_place=behind.place if behind is not None else None,
        on_the_way=_on_the_way(passed, stopped, way),
        arrived_with=_arrived_with(vendors, host_ttl),
        host_ttl=host_ttl,
        witnesses=scene.book.witnesses([*records, *ttls]),
    )


def _is_of(step: Step, address: str) -> bool:
    return step.role == "target" and step.address is not None and plain(step.address) == address


def _way(address: str, scene: Scene) -> _Way:
    port = scene.book.bundle.target.port
    for walk in scene.walks:
        if (walk.role, walk.address, walk.protocol, walk.port) == ("target", address, "tcp", port):
            return _Way(walk.end_ttl if walk.end == "open" else None, scene.placing.hops(walk))
    return _Way(None, ())


def _outcome(records: Sequence[InFlow]) -> Outcome | None:
    """The most telling of what came, at a full TTL or on the way there; silence only where the TTL was full."""
    met = [record.answer for record in records if record.ttl is None or record.answer in ("data", *_ENDS)]
    return next((outcome for outcome in _OUTCOMES if outcome in met), None)


def _is_for_data(end: InFlow, records: Sequence[InFlow], scene: Scene) -> bool:
    """The end of a connection has to do with the data in it: it came long after the host would have ended it by itself,
    when other data had expired meanwhile. A host that hangs up on whomever it accepted does so about one round trip
    later, or when it ended the connection of the neutral name, whatever TTL the data have. That an end came sooner than
    a round trip proves nothing: this machine may have been late to see that it was connected."""
    lived = {one.id: _lived(one, scene) for one in records}
    now = lived[end.id]
    if now is None:
        return False
    _, rtt_ns = now
    others = [told[0] for one in records if one.neutral and one.answer in _ENDS and (told := lived[one.id])]
    quiet = [one for one in records if one.caused_by == end.caused_by and one.answer == "expired"]
    quiet_ns = max((told[0] for one in quiet if (told := lived[one.id])), default=0)
    return quiet_ns >= 2 * max(rtt_ns, *others, 0) + _QUIET_NS


def _lived(record: InFlow, scene: Scene) -> tuple[int, int] | None:
    """For how long its connection stood when this was told, and how long it took to connect, in nanoseconds."""
    made = next((one for one, _ in scene.book.of(Connect) if one.id == record.caused_by), None)
    return None if made is None else (record.ended_ns - made.ended_ns, made.ended_ns - made.began_ns)


def _interval(
    records: Sequence[InFlow], outcome: Outcome | None, way: _Way, told: Container[int | None]
) -> tuple[int, int | None]:
    """The last TTL that expired before the first that met an end, and that one.

    A router that answered the walk may still say nothing of data that expire: one that forwards the packets of known
    connections in hardware, or that limits its errors. So silence is an end only at TTLs at which the neutral name, as
    large, was ``told`` to have expired.
    """
    limited = [(record.ttl, record.answer) for record in records if record.ttl is not None]
    expired = [ttl for ttl, answer in limited if answer == "expired"]
    ended = [ttl for ttl, answer in limited if answer in _ENDS]
    if outcome == "none":
        beyond = max(expired, default=0)
        silent = [ttl for ttl, answer in limited if answer == "none" and ttl > beyond]
        ended = [ttl for ttl in silent if ttl in told and way.at(ttl) is not None]
    stopped = min(ended, default=None)
    return max((ttl for ttl in expired if stopped is None or ttl < stopped), default=0), stopped


def _on_the_way(passed: int, stopped: int | None, way: _Way) -> bool | None:
    if stopped is not None and stopped <= way.last_router:
        return True
    if way.distance is not None and passed == way.distance - 1:
        return False
    return None


def _arrived_with(records: Sequence[InFlow], host_ttl: int | None) -> Floor | None:
    """Which of the stages that hide packets below a TTL saw the end: only on a connection that went through them."""
    ends = [record for record in records if record.answer in _ENDS and record.ttl is None]
    if host_ttl is None or not ends:
        return None
    end = ends[0]
    if end.min_ttl is not None:
        return "higher" if end.min_ttl > host_ttl else "equal"
    hidden = [record for record in records if record.caused_by == end.caused_by and record.min_ttl is not None]
    return "lower" if hidden else None


def _refusals(scene: Scene) -> Fact[tuple[Refusal, ...]]:
    """Where the TTLs of both ports are known exactly."""
    port, found = scene.book.bundle.target.port, list[Refusal]()
    exact = [
        (one, one.low)
        for one, step in scene.book.of(ArrivingTtl)
        if step.probe == "arriving" and is_direct(step) and one.low is not None and one.low == one.high
    ]
    for one, ttl in exact:
        beside = [(other, its) for other, its in exact if plain(other.address) == plain(one.address)]
        other, its = next(((other, its) for other, its in beside if other.port != port), (None, 0))
        if one.port == port and one.of == "rst" and other is not None:
            first = next(first for first in _FIRST_TTLS if first >= ttl)
            found.append(
                Refusal(
                    address=plain(one.address),
                    ttl=ttl,
                    other_port=other.port,
                    other_ttl=its,
                    hops=first - ttl + 1,
                    witnesses=scene.book.witnesses([one, other]),
                )
            )
    return seen(tuple(found), tuple(w for one in found for w in one.witnesses)) if found else Fact()


def _canaries(scene: Scene) -> Fact[tuple[str, ...]]:
    tried = [record for record, step in scene.book.of(Connect) if step.probe == "canary"]
    accepted = [record for record in tried if record.failure is None]
    if not tried:
        return Fact()
    found = tuple(dict.fromkeys(plain(record.address) for record in accepted))
    return seen(found, scene.book.witnesses(accepted or tried), looked_at=len(tried))


def told_of_proxies(path: PathFacts, flow: FlowFacts) -> PathFacts:
    """Where somebody accepts connections for nobody, the target's port is answered nearer than it can be, too."""
    if not flow.accepts_for_nobody.value:
        return path
    return msgspec.structs.replace(path, proxy_in_path=seen(True, flow.accepts_for_nobody.witnesses))
