"""How fast the URL comes, and how long round trips take before and meanwhile."""

import threading
from collections.abc import Callable, Iterator

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import NotRun
from netdiag.evidence.transport import HopReply, Transfer
from netdiag.probes.base import HopProbe, Probe, Request, World
from netdiag.probes.library.together import together

LIMIT_BYTES, LIMIT_MS = 720_000, 10_000
"""Of the vendor: with headers, TLS, what is on its way at the end, and as much that is sent again where a machine was
late to acknowledge it (``MOST_UNREAD``), it stays below 1 MB."""

CONTROL_BYTES, CONTROL_MS = 250_000, 5_000
"""Of a control: enough to see a rate, and little of a host that has no part in this."""

IDLE_SAMPLES, IDLE_S = 5, 6
"""Round trips to each place before the download: their median bears two that are odd; and for how long they are tried
where some are lost."""

GATEWAY_PACE_S, PACE_S = 0.3, 1.0
"""The own gateway, and any other router, is asked no more often (design.md, Manners)."""

_SILENCE_MS = 3000
"""A full queue of a home router holds a packet for a second or two (Gettys and Nichols, Bufferbloat, CACM 55(1))."""

_PORT = 33434  # traceroute(8): where nobody listens, should a packet get that far


def _run(step: Step, world: World) -> Iterator[Observation]:
    ttls = [int(word) for word in step.params.get("ttls", "").split()]
    idle_until_ns = world.now_ns() + IDLE_S * 1_000_000_000

    def is_idle(count: int) -> bool:
        return count < IDLE_SAMPLES and world.now_ns() < idle_until_ns

    yield from together(_round_trips(step, world, ttl, is_idle) for ttl in ttls)
    over = threading.Event()
    watched = (_round_trips(step, world, ttl, lambda _: not over.is_set()) for ttl in ttls)
    yield from together([_download(step, world, over), *watched])


def _download(step: Step, world: World, over: threading.Event) -> Iterator[Transfer]:
    assert step.address is not None
    limit_bytes, limit_ms = (LIMIT_BYTES, LIMIT_MS) if step.role == "target" else (CONTROL_BYTES, CONTROL_MS)
    request = Request(url=step.params["url"], address=step.address, limit_ms=limit_ms)
    try:
        yield world.transfer(world.stamp(step), request, limit_bytes=limit_bytes)
    finally:
        over.set()


def _round_trips(step: Step, world: World, ttl: int, go_on: Callable[[int], bool]) -> Iterator[HopReply | NotRun]:
    """Packets that the router at ``ttl`` answers, one after the other, on one flow."""
    assert step.address is not None
    count, source_port = 0, 0
    while go_on(count):
        probe = HopProbe(
            stamp=world.stamp(step, attempt=count + 1),
            address=step.address,
            port=_PORT,
            protocol="udp",
            ttl=ttl,
            flow=ttl,
            source_port=source_port,
            follow_up=True,
        )
        began_ns = world.now_ns()
        for met in world.hops([probe], limit_ms=_SILENCE_MS):
            yield met
            if isinstance(met, NotRun):
                return
            source_port = met.source_port or 0
        count += 1
        pace_s = GATEWAY_PACE_S if ttl == 1 else PACE_S
        world.sleep(max(0.0, pace_s - (world.now_ns() - began_ns) / 1e9))


PROBE = Probe(name="slow", version=1, run=_run)
