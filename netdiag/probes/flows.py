"""Several flows through one stretch of the path, each on a 5-tuple of its own that it keeps: which pass, which never.

Routers spread flows over equal paths by their 5-tuple (RFC 2992), so that behind a dead member the same source ports
fail every time, and the others never. Whoever was silent is asked again on its own flow, and those that passed beside
them in turn, so that a member is told from lost packets (mixed within a flow) and from a router that limits its ICMP
(a matter of time, not of the flow).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import NotRun, ObsId
from netdiag.evidence.transport import HopReply
from netdiag.probes.base import HopProbe, Probe, Walker
from netdiag.probes.walk import SILENCE_MS, port_of
from netdiag.probes.walk_plan import Protocol, is_router

TRIES = 3
"""How often a flow is asked that was never answered (fault-signatures T20)."""

ENOUGH = 2
"""Silences after which a flow is followed back: the manners may not leave room for every try."""

PACE_S = 1.0
"""Between two datagrams of a sample: hosts send one ICMP error a second to one peer (icmp(7), icmp_ratelimit)."""

LOCATED = 3
"""Flows that end on the way are followed back to where they were last seen, so many of them: one break is one place."""

_PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)

Queue = Mapping[int, Sequence[int]]
"""Which TTLs each flow (by its number) asks, one after the other."""


@dataclass
class _Flow:
    """One 5-tuple. ``met``: per TTL, whether each try was answered."""

    number: int
    protocol: Protocol
    source_port: int = 0
    met: dict[int, list[bool]] = field(default_factory=dict)

    def answered(self, ttl: int) -> bool:
        return any(self.met.get(ttl, ()))

    def silences(self, ttl: int) -> int:
        return self.met.get(ttl, []).count(False)


def run(step: Step, world: Walker) -> Iterator[Observation]:
    """``params``: ``flows`` their number; ``tcp``, ``udp``, ``icmp`` the TTLs to ask over each; ``look`` = whole (every
    flow at every TTL) or split (only as far as it takes to see whether some flows never pass); ``sample``: so many
    over UDP first, at the pace of a host's ICMP limit, and the others only where one of them is silent."""
    ttls: dict[Protocol, list[int]] = {
        protocol: sorted(map(int, step.params[protocol].split(",")))
        for protocol in _PROTOCOLS
        if protocol in step.params
    }
    count = int(step.params["flows"])
    numbers = iter(range(1, count * len(ttls) + 1))
    flows = {number: _Flow(number, protocol) for protocol in ttls for number in _take(numbers, count)}
    asker = _Asker(step, world, flows)
    if step.params["look"] == "whole":
        yield from _whole(asker, ttls)
    else:
        yield from _split(asker, ttls, sample=int(step.params.get("sample", "0")))


def _take(numbers: Iterator[int], count: int) -> list[int]:
    return [next(numbers) for _ in range(count)]


class _Asker:
    """Sends what the rounds want, and keeps what each flow met."""

    def __init__(self, step: Step, world: Walker, flows: Mapping[int, _Flow]) -> None:
        self._step = step
        self._world = world
        self.flows = flows

    def of(self, protocol: Protocol) -> list[_Flow]:
        return [flow for flow in self.flows.values() if flow.protocol == protocol]

    def pause(self, seconds: float) -> None:
        self._world.sleep(seconds)

    def farthest(self, protocol: Protocol) -> int:
        """The largest TTL at which any flow was answered; 0 for none."""
        return max((ttl for flow in self.of(protocol) for ttl in flow.met if flow.answered(ttl)), default=0)

    def ask(self, queue: Queue, *, until: Callable[[_Flow, int], bool] = lambda *_: False) -> Iterator[Observation]:
        """Every flow asks its TTLs in order, one at a time (a TCP 5-tuple exists only once), ``until`` says enough."""
        waiting = {number: list(ttls) for number, ttls in queue.items()}
        asked: dict[ObsId, tuple[_Flow, int]] = {}

        def next_of(flow: _Flow) -> list[HopProbe]:
            if not waiting[flow.number]:
                return []
            probe = self._probe(flow, waiting[flow.number].pop(0))
            asked[probe.stamp.id] = (flow, probe.ttl)
            return [probe]

        def more(result: HopReply | NotRun) -> list[HopProbe]:
            flow, ttl = asked[result.id]
            if isinstance(result, HopReply) and result.answer != "not_sent":
                flow.source_port = result.source_port or flow.source_port
                flow.met.setdefault(ttl, []).append(is_router(result) or result.replier == result.address)
            return [] if until(flow, ttl) else next_of(flow)

        first = [probe for number in waiting for probe in next_of(self.flows[number])]
        yield from self._world.hops(first, limit_ms=SILENCE_MS, more=more)

    def _probe(self, flow: _Flow, ttl: int) -> HopProbe:
        assert self._step.address is not None
        return HopProbe(
            stamp=self._world.stamp(self._step, attempt=1 + len(flow.met.get(ttl, ()))),
            address=self._step.address,
            port=port_of(self._step, flow.protocol),
            protocol=flow.protocol,
            ttl=ttl,
            flow=flow.number,
            source_port=flow.source_port,
            raw=self._step.params.get("mode") == "raw",
            follow_up=True,
        )


def _whole(asker: _Asker, ttls: Mapping[Protocol, list[int]]) -> Iterator[Observation]:
    """Each flow begins at another TTL, so that the routers are asked evenly; then what was silent, again."""
    yield from asker.ask(
        {
            flow.number: [*ttls[flow.protocol][at:], *ttls[flow.protocol][:at]]
            for protocol in ttls
            for index, flow in enumerate(asker.of(protocol))
            for at in [index % len(ttls[protocol])]
        }
    )
    yield from _again(asker, ttls)
    yield from _where(asker, ttls)


def _split(asker: _Asker, ttls: Mapping[Protocol, list[int]], *, sample: int) -> Iterator[Observation]:
    """Each flow at one TTL; when some were silent below what others got an answer from, all of them there."""
    queue = {
        flow.number: [ttls[protocol][-1 - index % len(ttls[protocol])]]
        for protocol in ttls
        for index, flow in enumerate(asker.of(protocol))
    }
    sampled = [flow.number for flow in asker.of("udp")][:sample]
    others = [flow.number for flow in asker.of("udp")][sample:] if sample else []
    yield from asker.ask({number: asked for number, asked in queue.items() if number not in {*sampled, *others}})
    for at, number in enumerate(sampled):
        if at:
            asker.pause(PACE_S)
        yield from asker.ask({number: queue[number]})
        if not asker.flows[number].answered(queue[number][0]):
            yield from asker.ask({one: queue[one] for one in (*sampled[at + 1 :], *others)})
            break
    yield from _again(asker, ttls)
    yield from _where(asker, ttls)


def _again(asker: _Asker, ttls: Mapping[Protocol, list[int]]) -> Iterator[Observation]:
    """Where the flows differ: those never answered at the farthest TTL until they had their tries, and, once one was
    silent again, those that were answered once more beside it."""
    for round_ in range(TRIES):
        far = {protocol: _farthest(asker, protocol, ttls[protocol], round_) for protocol in ttls}
        flows = asker.flows.values()
        if not any(flow.silences(ttl) for flow in flows for ttl in flow.met if ttl <= far[flow.protocol]):
            return
        split = {protocol: any(_is_lost(flow, far[protocol]) for flow in asker.of(protocol)) for protocol in ttls}
        wanted = [
            flow
            for flow in flows
            if far[flow.protocol] and _wants_more(flow, far[flow.protocol], round_, split=split[flow.protocol])
        ]
        # Another order in each round: what depends on time then does not look as if it depended on the flow.
        ordered = reversed(wanted) if round_ % 2 == 0 else wanted
        yield from asker.ask({flow.number: [far[flow.protocol]] for flow in ordered})


def _farthest(asker: _Asker, protocol: Protocol, ttls: Sequence[int], round_: int) -> int:
    """Where the flows are compared. A router is known at every TTL that is asked over TCP; the few flows that asked the
    last one first may all have been dead."""
    return ttls[-1] if protocol == "tcp" and round_ == 0 else asker.farthest(protocol)


def _is_lost(flow: _Flow, far: int) -> bool:
    """Silent time and again: one lost packet, or one answer that was limited, is no reason to compare all flows."""
    silences = sum(flow.silences(ttl) for ttl in flow.met if ttl <= far)
    return not flow.answered(far) and silences >= ENOUGH


def _wants_more(flow: _Flow, far: int, round_: int, *, split: bool) -> bool:
    """``split``: another flow is lost, so that those that pass are asked beside it."""
    tries = len(flow.met.get(far, ()))
    if flow.answered(far):
        return split and tries < ENOUGH and round_ < TRIES - 1
    was_silent = any(flow.silences(ttl) for ttl in flow.met if ttl <= far)
    return tries < TRIES and (split or was_silent)


def _where(asker: _Asker, ttls: Mapping[Protocol, list[int]]) -> Iterator[Observation]:
    """Follow a few of the flows that never get as far as the others back to where a router answers them."""
    queue: dict[int, list[int]] = {}
    for protocol in ttls:
        far = asker.farthest(protocol)
        flows = asker.of(protocol)
        lost = [flow for flow in flows if not flow.answered(far) and flow.silences(far) >= ENOUGH]
        if any(flow.answered(far) for flow in flows):
            queue |= {
                flow.number: [ttl for ttl in range(far - 1, 1, -1) if ttl not in flow.met] for flow in lost[:LOCATED]
            }
    yield from asker.ask(queue, until=lambda flow, ttl: flow.answered(ttl))


PROBE = Probe(name="flows", version=1, run=run)
