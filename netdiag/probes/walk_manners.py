"""The manners of TTL-limited packets: a place at the router, and for a SYN that may reach the vendor a place there.

A SYN may reach the host while its TTL is above every router known on the way to that address. It takes a place when it
leaves, and gives it back once an answer proves that it expired, or was refused, on the way. Until it is answered it
counts among the connections that are open, since it may be one.
"""

import ipaddress
import threading

from netdiag.evidence.record import NotRun, ObsId
from netdiag.evidence.transport import HopReply
from netdiag.probes.base import HopProbe
from netdiag.probes.manners import Endpoint, Governor, Place, Purpose
from netdiag.probes.walk_plan import is_router


class WalkManners:
    """What all walks of the run have in common: how far the routers are known, by address."""

    def __init__(self, governor: Governor) -> None:
        self.governor = governor
        self._lock = threading.Lock()
        self._proven: dict[str, int] = {}

    def walk(self) -> "Walk":
        """For one call of ``World.hops``."""
        return Walk(self)

    def proven(self, address: str) -> int:
        """The largest TTL at which a router answered for ``address``; 0 for none."""
        with self._lock:
            return self._proven.get(address, 0)

    def prove(self, address: str, ttl: int) -> None:
        """A router answered there."""
        with self._lock:
            self._proven[address] = max(ttl, self._proven.get(address, 0))


class Walk:
    """Places taken by one call of ``World.hops``."""

    def __init__(self, shared: WalkManners) -> None:
        self._shared = shared
        self._taken: dict[ObsId, tuple[HopProbe, Place]] = {}
        self._open: dict[ObsId, Endpoint] = {}

    def admit(self, probe: HopProbe, now_ns: int, wait_ns: int) -> Place | None:
        """When ``probe`` may leave; None when it may not within ``wait_ns``."""
        governor = self._shared.governor
        syn: Place | None = None
        if self._may_reach_vendor(probe):
            endpoint = (probe.address, probe.port)
            syn = governor.syns(endpoint, 1, now_ns, wait_ns, walk=probe.stamp.step)
            if syn is None:
                return None
            self._taken[probe.stamp.id] = (probe, syn)
        version = ipaddress.ip_address(probe.address).version
        router = governor.router(4 if version == 4 else 6, probe.ttl, now_ns, wait_ns, purpose=_purpose(probe))
        if router is None:
            self._give_back(probe.stamp.id)
            return None
        return router if syn is None else Place(max(router.at_ns, syn.at_ns))

    def may_leave(self, probe: HopProbe) -> bool:
        """Is there room for what ``probe`` may open at the vendor? It holds one of the few connections until it is
        answered, or silent."""
        if probe.stamp.id not in self._taken or not self._may_reach_vendor(probe):
            return True
        endpoint = (probe.address, probe.port)
        if not self._shared.governor.open(endpoint):
            return False
        self._open[probe.stamp.id] = endpoint
        return True

    def end(self) -> None:
        """Nothing of this walk is out any more, however it ended."""
        for id_ in tuple(self._open):
            self._closed(id_)

    def _closed(self, id_: ObsId) -> None:
        if id_ in self._open:
            self._shared.governor.closed(self._open.pop(id_))

    def _may_reach_vendor(self, probe: HopProbe) -> bool:
        if probe.protocol != "tcp" or probe.stamp.role != "target":
            return False
        # TTL 1 ends at the gateway, except where the vendor is this machine (the demo).
        if probe.ttl == 1:
            return ipaddress.ip_address(probe.address).is_loopback
        return probe.ttl > self._shared.proven(probe.address)

    def learn(self, result: HopReply | NotRun) -> None:
        """Take ``result`` in: places of SYNs that it proves never to have reached the host become free."""
        self._closed(result.id)
        if isinstance(result, HopReply) and result.answer == "syn_ack":
            self._shared.governor.accepted((result.address, result.port))
        if isinstance(result, NotRun) or result.answer == "not_sent":
            self._give_back(result.id)
        elif is_router(result):
            self._shared.prove(result.address, result.ttl)
            for id_, (probe, _) in tuple(self._taken.items()):
                if probe.ttl <= result.ttl:
                    self._give_back(id_)
        elif result.answer == "icmp" and result.replier != result.address:
            self._give_back(result.id)

    def _give_back(self, id_: ObsId) -> None:
        if id_ in self._taken:
            probe, place = self._taken.pop(id_)
            self._shared.governor.unsent((probe.address, probe.port), 1, place, walk=probe.stamp.step)


def _purpose(probe: HopProbe) -> Purpose:
    return "sample" if probe.sample else "follow_up" if probe.follow_up else "walk"
