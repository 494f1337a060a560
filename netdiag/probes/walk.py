"""The path to one address, router by router: to the service port over TCP, or over UDP or ICMP; by the kernel's sockets
or, with ``mode`` raw, by packets of our own making."""

from collections.abc import Iterator, Sequence
from typing import get_args

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import NotRun, ObsId
from netdiag.evidence.transport import HopReply
from netdiag.probes.base import HopProbe, Probe, Walker
from netdiag.probes.walk_plan import Ask, Protocol, Trail, explore, is_enough, settle

SILENCE_MS = 1000
"""Silence is claimed after this, or after 4 x the largest RTT (design.md, Records; ``World`` stretches it)."""

_LIMITER_S = 1.1
"""A Linux router sends one unreachable a second to one peer (icmp(7), icmp_ratelimit): asked sooner it would be silent,
and one rule would look like two."""

_TRACEROUTE_PORT = 33434
"""UDP of a walk to a TCP service goes where nobody listens, so that the host, too, answers (traceroute(8))."""


def run(step: Step, world: Walker) -> Iterator[Observation]:
    """The walk of one step; ``walk_plan`` has its rules."""
    assert step.address is not None
    protocol = _protocol(step)
    asked: dict[ObsId, Ask] = {}
    results: dict[ObsId, HopReply | NotRun] = {}
    trail = Trail(
        step.address,
        protocol,
        asked,
        results,
        wide=step.params.get("look") == "wide",
        raw=_is_raw(step),
        first=int(step.params.get("first", "1")),
    )

    def probes(asks: Sequence[Ask]) -> list[HopProbe]:
        made = [_probe(step, world, ask) for ask in asks]
        asked.update((probe.stamp.id, ask) for probe, ask in zip(made, asks, strict=True))
        return made

    def more(result: HopReply | NotRun) -> list[HopProbe]:
        results[result.id] = result
        return probes(explore(trail))

    yield from world.hops(probes(explore(trail)), limit_ms=SILENCE_MS, more=more, enough=lambda: is_enough(trail))
    again = settle(trail)
    if any(_was_refused(results[ask.repeats]) for ask in again if ask.repeats is not None):
        world.sleep(_LIMITER_S)
    if again:
        yield from world.hops(probes(again), limit_ms=SILENCE_MS)


def _was_refused(result: HopReply | NotRun) -> bool:
    return isinstance(result, HopReply) and result.answer == "icmp"


def _protocol(step: Step) -> Protocol:
    word = step.params.get("protocol", "tcp")
    for protocol in get_args(Protocol):
        if word == protocol:
            return protocol  # type: ignore[no-any-return]
    raise ValueError(f"no such protocol: {word}")


def _probe(step: Step, world: Walker, ask: Ask) -> HopProbe:
    assert step.address is not None
    return HopProbe(
        stamp=world.stamp(step, attempt=1 if ask.repeats is None else 2, caused_by=ask.repeats),
        address=step.address,
        port=port_of(step, ask.protocol),
        protocol=ask.protocol,
        ttl=ask.ttl,
        flow=ask.flow,
        source_port=ask.source_port,
        after_ms=ask.after_ms,
        raw=_is_raw(step),
        follow_up=_is_raw(step),
    )


def _is_raw(step: Step) -> bool:
    """Walked once more with packets of our own making."""
    return step.params.get("mode") == "raw"


def port_of(step: Step, protocol: Protocol) -> int:
    """The port that packets of ``protocol`` go to in a walk to the service of ``step``."""
    if protocol == "tcp":
        assert step.port is not None
        return step.port
    return _TRACEROUTE_PORT if protocol == "udp" else 0


PROBE = Probe(name="walk", version=1, run=run)
