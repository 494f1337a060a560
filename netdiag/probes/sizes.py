"""How large a packet gets how far: pairs of a small and a large datagram, router by router, with "don't fragment" set.

A router checks the TTL before the size, so that a large packet is answered by the last router before a link that is too
small for it, and by none behind. Loss is told from a limit by asking again: only where small ones are answered and
large ones are silent twice is anything narrowed down.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import NotRun, ObsId
from netdiag.evidence.transport import HopReply
from netdiag.probes.base import HopProbe, Probe, World
from netdiag.probes.kernel import errqueue

SILENCE_MS = 1000
"""Silence is claimed after this, or after 4 x the largest RTT (design.md, Records; ``World`` stretches it)."""

_TRACEROUTE_PORT = 33434
"""Nobody listens there, so that the host, too, answers (traceroute(8))."""

LEVELS = 3
"""So many routers may say one after the other that a packet is too big, each with a smaller size."""

ROUNDS, SILENCES = 3, 2
"""So often a place is asked at most, and so many large packets are lost there until it is no chance."""

COMMON_SIZES = (1492, 1420, 1400, 1280)
"""What tunnels leave of 1500 bytes: PPPoE (RFC 2516 section 7), WireGuard over IPv6, common VPN clients, and the least
that IPv6 allows (RFC 8200 section 5)."""

FLOW = 1


class Asked(NamedTuple):
    """One datagram of the walk; ``size`` 0 is a small one."""

    ttl: int
    size: int


class _Walk:
    """What was asked in one step and what came of it."""

    def __init__(self, step: Step, world: World) -> None:
        self._step, self._world = step, world
        self._asked: dict[ObsId, Asked] = {}
        self._results: list[tuple[Asked, HopReply | NotRun]] = []

    def ask(self, wanted: Iterable[Asked], *, attempt: int = 1) -> Iterator[Observation]:
        """Send all of it at once, as far as the manners let it."""
        probes = [self._probe(one, attempt) for one in wanted]
        if not probes:
            return
        for result in self._world.hops(probes, limit_ms=SILENCE_MS):
            self._results.append((self._asked.get(result.id, Asked(0, 0)), result))
            yield result

    def _probe(self, asked: Asked, attempt: int) -> HopProbe:
        assert self._step.address is not None
        stamp = self._world.stamp(self._step, attempt=attempt)
        self._asked[stamp.id] = asked
        return HopProbe(
            stamp=stamp,
            address=self._step.address,
            port=_TRACEROUTE_PORT,
            protocol="udp",
            ttl=asked.ttl,
            flow=FLOW,
            size=asked.size,
            follow_up=True,
        )

    @property
    def is_refused(self) -> bool:
        """Something could not be sent: asking more is of no use."""
        return any(isinstance(result, NotRun) for _, result in self._results)

    def told(self, size: int) -> int | None:
        """The smallest size that a router named instead of this one."""
        sizes = [reply.next_mtu for asked, reply in self._replies() if asked.size == size and reply.next_mtu]
        return min((one for one in sizes if one < size), default=None)

    def limit(self, size: int) -> int | None:
        """The first TTL behind all that answered packets of ``size`` at which small ones are answered."""
        passed = self._answered(size)
        return min((ttl for ttl in self._answered(0) if ttl > max(passed, default=0)), default=None)

    def silences(self, asked: Asked) -> int:
        """How many of these were asked for in vain."""
        return sum(one == asked and reply.answer == "none" for one, reply in self._replies())

    def _answered(self, size: int) -> set[int]:
        return {
            asked.ttl
            for asked, reply in self._replies()
            if asked.size == size and reply.answer not in {"none", "not_sent"} and not _is_too_big(reply)
        }

    def _replies(self) -> list[tuple[Asked, HopReply]]:
        return [(asked, one) for asked, one in self._results if isinstance(one, HopReply)]


def _is_too_big(reply: HopReply) -> bool:
    return reply.icmp is not None and errqueue.is_too_big(reply.icmp)


def _run(step: Step, world: World) -> Iterator[Observation]:
    params: Mapping[str, str] = step.params
    ttls = [int(word) for word in params["ttls"].split(",")]
    size = int(params["size"])
    walk = _Walk(step, world)
    yield from walk.ask([Asked(ttl, one) for ttl in ttls for one in (0, size)])
    for _ in range(LEVELS):
        told = walk.told(size)
        if told is None or walk.is_refused:
            break
        size = told
        yield from walk.ask([Asked(ttl, size) for ttl in ttls])
    for attempt in range(2, ROUNDS + 1):
        limit = walk.limit(size)
        if limit is None or walk.is_refused or walk.silences(Asked(limit, size)) >= SILENCES:
            break
        # The farthest place as well: where that answers large packets, a nearer router merely does not.
        places = {limit, max(ttls)}
        # Large before small, the other way round than at first: of two packets at once, who answers one a second
        # answers the first.
        yield from walk.ask([Asked(ttl, one) for ttl in sorted(places) for one in (size, 0)], attempt=attempt)
    limit = walk.limit(size)
    narrow = params.get("narrow") == "yes" and not walk.is_refused
    if limit is not None and narrow and walk.silences(Asked(limit, size)) >= SILENCES:
        yield from walk.ask([Asked(limit, one) for one in COMMON_SIZES if one < size])


PROBE = Probe(name="sizes", version=1, run=_run)
