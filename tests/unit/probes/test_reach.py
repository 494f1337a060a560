"""Reach, echo, egress and route against a scripted World."""

from typing import cast

import pytest

from netdiag.evidence.bundle import Role, Step
from netdiag.evidence.machine import LocalSend, RouteLookup
from netdiag.evidence.record import FailureCode, Icmp, NotRun, StepId
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import Connect, Echo, HopReply
from netdiag.probes import echo, egress, reach, route
from netdiag.probes.base import DeclinedError, Machine, Stamp, Stream
from tests.fakes.world import NOBODY, PROHIBITED, FakeStream, FakeWorld, Host, Path, Router

ROUTERS = [Router("192.0.2.1"), Router("198.51.100.2")]


def step(probe: str, *, role: Role = "target", round_: int = 1, address: str = "203.0.113.7", **params: str) -> Step:
    return Step(
        id=StepId(probe),
        probe=probe,
        role=role,
        subject="a.example",
        address=address,
        port=443,
        round=round_,
        params=params,
    )


def connects(world: FakeWorld, asked: Step) -> list[Connect]:
    return [one for one in reach.PROBE.run(asked, world) if isinstance(one, Connect)]


def test_one_attempt_when_it_answers() -> None:
    world = FakeWorld(Path(ROUTERS))
    (only,) = connects(world, step("reach"))
    assert (only.failure, only.syns_sent) == (None, 1)


def test_two_attempts_of_one_syn_each_when_it_is_silent() -> None:
    world = FakeWorld(Path(ROUTERS, Host(tcp="none")))
    first, second = connects(world, step("reach"))
    assert (first.attempt, second.attempt) == (1, 2)
    assert first.syns_sent == second.syns_sent == 1
    assert first.source_port != second.source_port
    # The first listens until a router may have reported that the host is not there (3.06 s).
    assert first.ended_ns - first.began_ns > 3_060_000_000


def test_two_attempts_when_it_is_refused() -> None:
    world = FakeWorld(Path(ROUTERS, Host(tcp="rst")))
    first, second = connects(world, step("reach"))
    assert first.failure is not None
    assert second.failure is not None
    assert first.failure.code is second.failure.code is FailureCode.REFUSED


def test_one_attempt_when_it_is_refused_by_icmp() -> None:
    """There is one error a second, and the walk asks for one, too."""
    world = FakeWorld(Path([Router("192.0.2.1"), Router("198.51.100.2", passes=NOBODY, rejects=PROHIBITED)]))
    (only,) = connects(world, step("reach"))
    assert only.failure is not None
    assert isinstance(only.failure.native, Icmp)


def test_the_check_at_the_end_asks_once() -> None:
    world = FakeWorld(Path(ROUTERS, Host(tcp="none")))
    assert len(connects(world, step("reach", round_=2))) == 1


@pytest.mark.parametrize(("tls", "shakes"), [("yes", True), ("no", False)])
def test_tls_on_the_same_connection_which_is_closed_then(tls: str, shakes: bool) -> None:
    used: list[FakeStream] = []

    def handshake(stamp: Stamp, stream: Stream) -> Handshake:
        assert isinstance(stream, FakeStream)
        assert not stream.is_closed
        used.append(stream)
        return Handshake(id=stamp.id, step=stamp.step, caused_by=stamp.caused_by, began_ns=0, ended_ns=1)

    world = FakeWorld(Path(ROUTERS), handshake=handshake)
    connect, *rest = reach.PROBE.run(step("reach", tls=tls), world)
    assert [one.caused_by for one in rest] == ([connect.id] if shakes else [])
    assert all(stream.is_closed for stream in used)


class Refusing(FakeWorld):
    """A World whose manners are spent."""

    def connect(self, *_: object, **__: object) -> tuple[Connect, Stream | None]:
        raise DeclinedError("the budget of SYNs is spent")


def test_what_the_manners_refuse_is_recorded() -> None:
    (only,) = reach.PROBE.run(step("reach"), Refusing(Path(ROUTERS)))
    assert isinstance(only, NotRun)
    assert (only.why, only.detail) == ("declined", "the budget of SYNs is spent")


@pytest.mark.parametrize(("role", "pauses"), [("target", 2), ("control", 2), ("gateway", 0)])
def test_echoes_are_paced_but_for_the_gateway(role: Role, pauses: int) -> None:
    world = FakeWorld(Path(ROUTERS))
    found = list(echo.PROBE.run(step("echo", role=role, count="3"), world))
    assert [one.sequence for one in found if isinstance(one, Echo)] == [1, 2, 3]
    assert len(world.slept) == pauses


def test_without_privilege_echo_is_said_once() -> None:
    world = FakeWorld(Path(ROUTERS), missing=frozenset({"icmp"}))
    (only,) = echo.PROBE.run(step("echo", count="3"), world)
    assert isinstance(only, NotRun)


def test_egress_asks_for_three_ends_and_reaches_none() -> None:
    vendor = Path(ROUTERS)
    control = Path(ROUTERS, Host("203.0.113.99"))
    world = FakeWorld(paths={"203.0.113.7": vendor, "203.0.113.99": control})
    asked = step("egress", role="machine", control_address="203.0.113.99", control_port="443")
    *hops, sent = egress.PROBE.run(asked, world)
    ends = [(one.address, one.port, one.ttl) for one in hops if isinstance(one, HopReply)]
    assert ends == [("203.0.113.7", 443, 1), ("203.0.113.7", 80, 1), ("203.0.113.99", 443, 1)]
    assert world.reached == []
    assert isinstance(sent, LocalSend)
    assert (sent.address, sent.port, sent.ttl) == ("203.0.113.7", 443, 1)


def test_egress_shows_a_silent_gateway() -> None:
    world = FakeWorld(Path([Router("192.0.2.1", answers=NOBODY, passes=NOBODY)]))
    *hops, _ = egress.PROBE.run(step("egress", role="machine"), world)
    assert {one.answer for one in hops if isinstance(one, HopReply)} == {"none"}


def test_a_route_is_looked_up() -> None:
    class Routes:
        def route(self, stamp: Stamp, destination: str) -> RouteLookup:
            return RouteLookup(id=stamp.id, step=stamp.step, began_ns=0, ended_ns=1, destination=destination)

    world = FakeWorld(Path(ROUTERS), machine=cast("Machine", Routes()))
    (found,) = route.PROBE.run(step("route"), world)
    assert isinstance(found, RouteLookup)
    assert found.destination == "203.0.113.7"
