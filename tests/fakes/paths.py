"""Any path that a packet may take, for hypothesis: what answers, what is lost, late, limited, filtered, or split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from hypothesis import strategies as st

from netdiag.evidence.transport import HopReply
from tests.fakes.world import ALL, NOBODY, PROHIBITED, FakeWorld, Host, Path, Protocol, Router

PROTOCOLS: tuple[Protocol, ...] = ("tcp", "udp", "icmp")
HOSTS = {4: "203.0.113.7", 6: "2001:db8:ffff::7"}
_NEAR_US, _FAR_US, _TOO_LATE_US = 100_000, 900_000, 1_500_000


@dataclass(frozen=True)
class Journey:
    """Equal-cost paths to one host, all as long; the source port decides between them."""

    members: Sequence[Path]

    @property
    def address(self) -> str:
        return self.members[0].host.address

    def member(self, port: int) -> Path:
        return self.members[port % len(self.members)]

    def world(self, *, missing: frozenset[Protocol] = frozenset()) -> FakeWorld:
        return FakeWorld(self.members[0], by_port=self.member, missing=missing)

    def farthest(self, protocol: Protocol) -> int:
        """The largest TTL that can expire in a router."""
        return max(_reach(path, protocol) for path in self.members)

    def stands_there(self, reply: HopReply) -> bool:
        """Is the router that answered one in which this packet's TTL expires, and one that answers?"""
        assert reply.source_port is not None
        router = self.member(reply.source_port).router_at(reply.ttl)
        return (
            router is not None
            and reply.protocol in router.answers
            and reply.replier in {router.address, *router.others}
            and reply.ttl <= _reach(self.member(reply.source_port), reply.protocol)
        )


def _reach(path: Path, protocol: Protocol) -> int:
    stops = next((n for n, router in enumerate(path.routers, 1) if protocol not in router.passes), None)
    if stops is not None:
        return stops
    return len(path.routers) if path.loops_from is None else 1_000


def _name(version: int, member: int, place: int) -> str:
    return f"198.51.{100 + member}.{place}" if version == 4 else f"2001:db8:{member + 1}::{place:x}"


@st.composite
def journeys(draw: st.DrawFn, *, loops: bool = True, alternating: bool = True, far: bool = True) -> Journey:
    """``loops``: packets may circle. ``alternating``: a router may answer with two addresses in turn. ``far``: answers
    may take so long that a second of silence means nothing."""
    version = draw(st.sampled_from([4, 6]))
    count = draw(st.integers(0, 12))
    tcp: Literal["syn_ack", "rst", "none"] = draw(st.sampled_from(["syn_ack", "syn_ack", "rst", "none"]))
    udp: Literal["port_unreachable", "none"] = draw(st.sampled_from(["port_unreachable", "none"]))
    longest = _FAR_US if far else _NEAR_US
    rtt = draw(st.integers(100, longest))
    host = Host(HOSTS[version], tcp=tcp, udp=udp, echoes=draw(st.booleans()), rtt_us=rtt)
    lost = draw(st.frozensets(st.integers(0, 80), max_size=20))
    delays: Mapping[int, int] = draw(
        st.dictionaries(st.integers(0, 80), st.sampled_from([300, _NEAR_US, longest // 2, _TOO_LATE_US]), max_size=20)
    )
    circles_from = draw(st.none() | st.integers(1, count)) if loops and count >= 2 else None
    shared = [
        _router(draw, version, 0, place, alternating=alternating, longest=longest) for place in range(1, count + 1)
    ]
    members = []
    for member in range(1 if circles_from else draw(st.integers(1, 3))):
        line = list(shared)
        if member:
            for place in draw(st.frozensets(st.integers(1, count), max_size=4)) if count else ():
                line[place - 1] = _router(draw, version, member, place, alternating=alternating, longest=longest)
        members.append(Path(line, host, circles_from, lost.__contains__, lambda packet: delays.get(packet, 0)))
    return Journey(tuple(members))


def _router(draw: st.DrawFn, version: int, member: int, place: int, *, alternating: bool, longest: int) -> Router:
    some = st.frozensets(st.sampled_from(PROTOCOLS))
    return Router(
        _name(version, member, place),
        answers=draw(st.just(ALL) | st.just(NOBODY) | some),
        passes=draw(st.sampled_from([ALL] * 9 + [None])) or draw(some),
        rejects=draw(st.none() | st.just(PROHIBITED)),
        others=(_name(version, member + 20, place),) if alternating and draw(st.booleans()) else (),
        rtt_us=draw(st.integers(100, longest)),
        limit=draw(st.sampled_from([None, None, 1, 3])),
    )
