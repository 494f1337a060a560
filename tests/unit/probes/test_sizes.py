"""Large and small packets over simulated paths: where the large ones vanish, and that nothing else looks like it."""

from collections.abc import Sequence

import msgspec
import pytest

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import NotRun, StepId
from netdiag.evidence.transport import HopReply
from netdiag.probes.base import HopProbe
from netdiag.probes.sizes import PROBE
from tests.fakes.world import NOBODY, FakeWorld, Host, Path, Router

MOST_FOLLOW_UPS = 24 // 2
"""Of one router's budget (manners.py) for one of the two paths that are looked at."""


def path(count: int = 5, *, host: Host | None = None, **narrow: object) -> Path:
    """``narrow``: what the third router is like."""
    routers = [Router(f"198.51.100.{number}") for number in range(1, count + 1)]
    routers[2] = Router("198.51.100.3", **narrow)  # type: ignore[arg-type]
    return Path(routers, host or Host())


def step(to: Path, *, size: int = 1500, narrow: str = "yes") -> Step:
    ttls = ",".join(str(ttl) for ttl in range(1, to.distance + 1))
    params = {"ttls": ttls, "size": str(size), "narrow": narrow}
    return Step(id=StepId("sizes"), probe="sizes", role="target", address=to.host.address, params=params)


def look(to: Path, world: FakeWorld | None = None, **how: object) -> list[HopReply]:
    found: Sequence[Observation] = list(PROBE.run(step(to, **how), world or FakeWorld(to)))  # type: ignore[arg-type]
    return [one for one in found if isinstance(one, HopReply)]


def answered(found: Sequence[HopReply], size: int | None) -> set[int]:
    return {one.ttl for one in found if one.size == size and one.answer != "none" and one.next_mtu is None}


def test_a_wide_path_is_asked_once_about_each_size_and_place() -> None:
    wide = path()
    found = look(wide)
    assert answered(found, None) == answered(found, 1500) == {1, 2, 3, 4, 5, 6}
    assert len(found) == 12


def test_a_black_hole_is_asked_twice_and_narrowed_down() -> None:
    hole = path(mtu=1400, tells=False)
    world = FakeWorld(hole)
    found = look(hole, world)
    assert answered(found, 1500) == {1, 2, 3}
    assert answered(found, None) == {1, 2, 3, 4, 5, 6}
    assert sum(one.size == 1500 and one.ttl == 4 for one in found) == 2
    at_limit = {one.size: one.answer for one in found if one.ttl == 4 and one.size not in {None, 1500}}
    assert at_limit == {1492: "none", 1420: "none", 1400: "icmp", 1280: "icmp"}
    assert max(sum(probe.ttl == ttl for probe in world.sent) for ttl in range(1, 7)) <= MOST_FOLLOW_UPS
    assert all(probe.follow_up and probe.flow == world.sent[0].flow for probe in world.sent)


def test_the_size_is_narrowed_down_only_where_it_is_asked_for() -> None:
    found = look(path(mtu=1400, tells=False), narrow="no")
    assert {one.size for one in found} == {None, 1500}


def test_what_a_router_says_is_followed_and_is_no_black_hole() -> None:
    found = look(path(mtu=1400))
    assert {one.next_mtu for one in found if one.size == 1500 and one.ttl > 3} == {1400}
    assert answered(found, 1400) == {1, 2, 3, 4, 5, 6}
    assert {one.size for one in found} == {None, 1500, 1400}


def test_a_router_that_tells_may_hide_one_that_does_not() -> None:
    both = path(mtu=1400)
    routers = list(both.routers)
    routers[4] = Router("198.51.100.5", mtu=1300, tells=False)
    found = look(Path(routers, both.host))
    assert answered(found, 1400) == {1, 2, 3, 4, 5}
    assert any(one.size == 1280 and one.answer == "icmp" and one.ttl == 6 for one in found)


@pytest.mark.parametrize(("lost", "asked_again"), [(7, False), (11, True)])
def test_one_lost_packet_is_no_limit(lost: int, asked_again: bool) -> None:
    lossy = path()
    lossy.loses = lambda number: number == lost
    found = look(lossy)
    assert 6 in answered(found, 1500)
    assert {one.size for one in found} == {None, 1500}
    assert any(one.attempt == 2 for one in found) is asked_again


def test_who_answers_the_first_of_two_packets_only_is_no_limit() -> None:
    class Limited(FakeWorld):
        """The host answers one packet a second."""

        last_ns = -(10**9)

        def _hop(self, probe: HopProbe, limit_ms: int) -> HopReply | NotRun:
            met = super()._hop(probe, limit_ms)
            if not isinstance(met, HopReply) or met.replier != probe.address:
                return met
            if met.began_ns - self.last_ns >= 10**9:
                self.last_ns = met.began_ns
                return met
            return msgspec.structs.replace(
                met, answer="none", replier=None, icmp=None, rtt_us=None, ended_ns=met.began_ns + limit_ms * 10**6
            )

    wide = path()
    found = look(wide, Limited(wide))
    assert [one.answer for one in found if one.ttl == 6 and one.size == 1500] == ["none", "icmp"]
    assert {one.size for one in found} == {None, 1500}


def test_a_host_that_answers_no_datagram_ends_it_at_the_last_router() -> None:
    found = look(path(host=Host(udp="none")))
    assert answered(found, 1500) == answered(found, None) == {1, 2, 3, 4, 5}
    assert {one.size for one in found} == {None, 1500}


@pytest.mark.parametrize("silent", [3, 4])
def test_a_silent_router_is_no_limit(silent: int) -> None:
    routers = list(path().routers)
    routers[silent - 1] = Router(f"198.51.100.{silent}", answers=NOBODY)
    found = look(Path(routers))
    assert answered(found, 1500) == answered(found, None) == {1, 2, 3, 4, 5, 6} - {silent}
