"""Paced packets to every router of a path and to its end: enough of them, slowly enough, to count what is lost.

Routers and hosts limit how many ICMP messages they send (a Linux router answers one a second once a burst is used up:
icmp(7), icmp_ratelimit), and what was asked faster looks like loss. So nobody is asked more than once a second
(``--deep``: as the manners allow), and the hops take turns within the second, so that one short burst of noise does not
hit all of them alike. Everything but what the end alone can answer is one flow, hence one path.

``params``: ``ttls`` of the routers, ``end`` the ways in which the end is asked (udp: a closed port, icmp: an echo, tcp:
a SYN to the service port of a control), ``end_ttl``, ``rounds``, ``pace_ms``, ``flows``: how many flows the end gets
over UDP.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import NotRun, ObsId
from netdiag.evidence.transport import HopReply
from netdiag.probes.base import HopProbe, Probe, World

Protocol = Literal["tcp", "udp", "icmp"]

SILENCE_MS = 1000
"""Silence is claimed after this, or after 4 x the largest RTT (design.md, Records; ``World`` stretches it)."""

FEW = 8
"""So many packets to each place are enough while nobody who answers loses any: each loses less than a third (Wilson,
95 %), and all of them together much less."""

AHEAD = 4
"""Pauses for which packets are planned ahead. Any answer makes the plan go on, so that silence, which takes seconds,
slows nothing."""

_CLOSED_PORT = 33434  # where nobody listens, so that the host answers "port unreachable" (traceroute(8))
_PROTOCOLS: tuple[Protocol, ...] = ("tcp", "udp", "icmp")
_TO_ROUTERS: tuple[Protocol, ...] = ("udp",)
_OTHER_FLOW_EVERY = 4  # rounds: the flow that all routers are asked on gets most of the samples


class _Slot(NamedTuple):
    """One place that is asked again and again: a router, or the end."""

    ttl: int
    is_end: bool


class _Sampler:
    """What was asked of whom so far, and what to ask next, one pause after the other."""

    def __init__(self, step: Step, world: World) -> None:
        assert step.address is not None
        self._step, self._world, self._address = step, world, step.address
        self._rounds = int(step.params["rounds"])
        self._pace_ms = int(step.params["pace_ms"])
        self._flows = int(step.params.get("flows", "1"))
        self._ways = [one for one in _PROTOCOLS if one in step.params.get("end", "").split("+")]
        routers = [_Slot(int(text), is_end=False) for text in step.params.get("ttls", "").split("+") if text]
        ends = [_Slot(int(step.params["end_ttl"]), is_end=True)] if self._ways else []
        self._slots = [*routers, *ends]
        self._asked: dict[ObsId, tuple[_Slot, Protocol]] = {}
        self._planned = Counter[tuple[_Slot, Protocol]]()
        self._next_ns: dict[_Slot, int] = {}
        self._answered: dict[tuple[_Slot, Protocol], list[bool]] = {}
        self._closed: set[_Slot] = set()

    def first(self) -> list[HopProbe]:
        """The first packets to each place; the places take turns within one pause."""
        now = self._world.now_ns()
        pause_ns = self._pace_ms * 1_000_000
        self._next_ns = {slot: now + place * pause_ns // len(self._slots) for place, slot in enumerate(self._slots)}
        return self._planned_ahead()

    def more(self, result: HopReply | NotRun) -> list[HopProbe]:
        """What is to be asked in the next pauses, of anybody."""
        slot, protocol = self._asked[result.id]
        if isinstance(result, HopReply):
            self._answered.setdefault((slot, protocol), []).append(result.answer != "none")
        elif result.why == "declined" or not slot.is_end:
            self._closed.add(slot)
        elif protocol in self._ways:
            self._ways.remove(protocol)
        return self._planned_ahead()

    def _planned_ahead(self) -> list[HopProbe]:
        now = self._world.now_ns()
        horizon_ns = now + AHEAD * self._pace_ms * 1_000_000
        probes: list[HopProbe] = []
        for slot in self._slots:
            while self._next_ns[slot] < horizon_ns and (way := self._next_way(slot)) is not None:
                at_ns = max(now, self._next_ns[slot])
                self._next_ns[slot] = at_ns + self._pace_ms * 1_000_000
                probes.append(self._probe(slot, way, (at_ns - now) // 1_000_000))
        return probes

    def _next_way(self, slot: _Slot) -> Protocol | None:
        ways = self._ways_of(slot)
        planned = sum(self._planned[slot, way] for way in ways)
        few_are_enough = len(self._slots) > 1 and not self._is_anything_lost()
        if slot in self._closed or not ways or planned >= (FEW if few_are_enough else self._rounds):
            return None
        return ways[planned % len(ways)]

    def _ways_of(self, slot: _Slot) -> Sequence[Protocol]:
        return self._ways if slot.is_end else _TO_ROUTERS

    def _is_anything_lost(self) -> bool:
        return any(any(answers) and not all(answers) for answers in self._answered.values())

    def _probe(self, slot: _Slot, protocol: Protocol, after_ms: int) -> HopProbe:
        stamp = self._world.stamp(self._step)
        self._asked[stamp.id] = slot, protocol
        flow = self._flow(slot, protocol)
        self._planned[slot, protocol] += 1
        return HopProbe(
            stamp=stamp,
            address=self._address,
            port=self._port(protocol),
            protocol=protocol,
            ttl=slot.ttl,
            flow=flow,
            follow_up=True,
            sample=True,
            after_ms=after_ms,
        )

    def _flow(self, slot: _Slot, protocol: Protocol) -> int:
        """SYNs each have a 5-tuple of their own; of the end's datagrams every fourth is on another flow, by turns."""
        if protocol == "tcp":
            return len(self._asked)
        if protocol == "icmp":
            return self._flows + 1
        turn = self._planned[slot, protocol]
        if not slot.is_end or turn % _OTHER_FLOW_EVERY != _OTHER_FLOW_EVERY - 1:
            return 1
        return 1 + (turn // _OTHER_FLOW_EVERY) % self._flows

    def _port(self, protocol: Protocol) -> int:
        if protocol == "tcp":
            assert self._step.port is not None
            return self._step.port
        return _CLOSED_PORT if protocol == "udp" else 0


def _run(step: Step, world: World) -> Iterator[Observation]:
    sampler = _Sampler(step, world)
    yield from world.hops(sampler.first(), limit_ms=SILENCE_MS, more=sampler.more)


PROBE = Probe(name="paced", version=1, run=_run)
