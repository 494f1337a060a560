"""The real World on loopback: identities, manners and the run's end."""

import socket
import threading
from collections.abc import Iterator
from typing import cast

import pytest

from netdiag.evidence.bundle import Role, Step
from netdiag.evidence.record import NotRun, ObsId, StepId
from netdiag.evidence.transport import HopReply
from netdiag.probes.base import DeclinedError, HopProbe, Machine, OutOfTimeError, Question, Request, World
from netdiag.probes.clock import Clock
from netdiag.probes.library.web import Identity
from netdiag.probes.manners import OPEN_CONNECTIONS, REQUESTS, SYNS, WALK_SYNS, Governor
from netdiag.probes.world import LiveWorld

NO_MACHINE = cast("Machine", None)


def step(role: Role = "target", **fields: object) -> Step:
    return Step(id=StepId("s"), probe="reach", role=role, **fields)  # type: ignore[arg-type]


def live(clock: Clock | None = None, governor: Governor | None = None) -> LiveWorld:
    return LiveWorld(clock or Clock(60), NO_MACHINE, Identity(run_id="test"), governor)


@pytest.fixture
def port() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(16)
        yield server.getsockname()[1]


def test_it_is_a_world() -> None:
    world: World = live()
    assert world.time_left_ms() > 0


def test_identities_are_unique_over_threads_and_causes_are_inherited() -> None:
    world = live()
    seen: list[str] = []
    asked = step(caused_by=ObsId("o0"))
    threads = [
        threading.Thread(target=lambda: seen.extend(world.stamp(asked).id for _ in range(200))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seen)) == len(seen) == 800
    assert world.stamp(asked).caused_by == "o0"
    assert world.stamp(asked, caused_by=ObsId("o9")).caused_by == "o9"


def test_a_third_connection_to_the_vendor_waits_until_one_is_closed(port: int) -> None:
    world = live()
    open_ones = [
        world.connect(world.stamp(step()), "127.0.0.1", port, limit_ms=1000, syn_retries=0)[1] for _ in range(2)
    ]
    assert len(open_ones) == OPEN_CONNECTIONS
    first = open_ones[0]
    assert first is not None
    closed_at: list[int] = []

    def close() -> None:
        closed_at.append(world.now_ns())
        first.close()

    threading.Timer(0.1, close).start()
    record, third = world.connect(world.stamp(step()), "127.0.0.1", port, limit_ms=1000, syn_retries=0)
    assert record.failure is None
    assert record.began_ns >= closed_at[0]
    for stream in (*open_ones, third):
        assert stream is not None
        stream.close()
        stream.close()  # twice is once


def test_syns_that_were_planned_and_not_sent_are_given_back(port: int) -> None:
    world = live()
    for _ in range(SYNS):
        # Three SYNs are planned each time, one is sent.
        _, stream = world.connect(world.stamp(step()), "127.0.0.1", port, limit_ms=1000, syn_retries=2 if _ == 0 else 0)
        assert stream is not None
        stream.close()
    with pytest.raises(DeclinedError):
        world.connect(world.stamp(step()), "127.0.0.1", port, limit_ms=1000, syn_retries=0)


def test_controls_are_not_counted(port: int) -> None:
    world = live()
    for _ in range(SYNS + 2):
        record, stream = world.connect(world.stamp(step("control")), "127.0.0.1", port, limit_ms=1000)
        assert record.failure is None
        assert stream is not None
        stream.close()


def test_requests_beyond_the_budget_are_declined() -> None:
    governor = Governor()
    for number in range(REQUESTS):
        assert governor.request(number * 10**9, 0) is not None
    world = live(governor=governor)
    request = Request(url="http://127.0.0.1/", address="127.0.0.1")
    with pytest.raises(DeclinedError):
        world.exchange(world.stamp(step()), request)


def test_a_walk_that_would_trouble_the_host_is_declined_in_its_records(port: int) -> None:
    world = live()
    asked = step()
    probes = [
        HopProbe(stamp=world.stamp(asked), address="127.0.0.1", port=port, protocol="tcp", ttl=ttl, flow=ttl)
        for ttl in (1, 2, 3)
    ]
    told: list[object] = []

    def more(result: HopReply | NotRun) -> list[HopProbe]:
        told.append(result)
        return []

    found = list(world.hops(probes, limit_ms=1000, more=more))
    assert sum(isinstance(one, HopReply) and one.answer == "syn_ack" for one in found) == WALK_SYNS
    (declined,) = [one for one in found if isinstance(one, NotRun)]
    assert (declined.why, declined.what) == ("declined", "manners")
    assert len(told) == len(found) == 3


def test_a_stopped_run_wakes_sleepers_and_leaves_no_time() -> None:
    clock = Clock(3600)
    world = live(clock)
    threading.Timer(0.05, clock.stop).start()
    with pytest.raises(OutOfTimeError):
        world.sleep(3000)
    assert world.time_left_ms() == 0
    with pytest.raises(OutOfTimeError):
        world.connect(world.stamp(step("control")), "127.0.0.1", 9, limit_ms=1000)


def test_a_sleep_across_the_deadline_ends_at_it() -> None:
    with pytest.raises(OutOfTimeError):
        live(Clock(0.05)).sleep(3000)


def test_a_long_round_trip_makes_every_later_silence_longer() -> None:
    clock = Clock(60)
    world = live(clock)
    clock.heard(300_000)  # as any probe of the run may have met it
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        question = Question(
            name="a.example", rrtype="A", server="127.0.0.1", server_class="public", port=port, limit_ms=200
        )
        lookup = world.query(world.stamp(step("resolver")), question)
        probe = HopProbe(
            stamp=world.stamp(step("control")), address="127.0.0.1", port=port, protocol="udp", ttl=9, flow=1
        )
        (hop,) = world.hops([probe], limit_ms=200)
    for record in (lookup, hop):
        assert 1_200_000_000 <= record.ended_ns - record.began_ns < 2_000_000_000


def test_a_round_trip_met_while_waiting_counts_too() -> None:
    clock = Clock(60)
    world = live(clock)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        question = Question(
            name="a.example", rrtype="A", server="127.0.0.1", server_class="public",
            port=silent.getsockname()[1], limit_ms=300,
        )  # fmt: skip
        threading.Timer(0.1, lambda: clock.heard(200_000)).start()
        lookup = world.query(world.stamp(step("resolver")), question)
    assert lookup.ended_ns - lookup.began_ns >= 800_000_000


def test_a_syn_of_a_walk_waits_while_two_connections_are_open(port: int) -> None:
    governor = Governor()
    world = live(governor=governor)
    endpoint = ("127.0.0.1", port)
    assert governor.open(endpoint)
    assert governor.open(endpoint)
    closed_at: list[int] = []

    def close() -> None:
        closed_at.append(world.now_ns())
        governor.closed(endpoint)

    threading.Timer(0.2, close).start()
    probe = HopProbe(stamp=world.stamp(step()), address="127.0.0.1", port=port, protocol="tcp", ttl=64, flow=1)
    (hop,) = world.hops([probe], limit_ms=1000)
    assert isinstance(hop, HopReply)
    assert (hop.answer, hop.began_ns >= closed_at[0]) == ("syn_ack", True)
    governor.closed(endpoint)
    assert governor.open(endpoint), "the walk gave its place back"
