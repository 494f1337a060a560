"""Walks over simulated paths: what is found, what reaches the host, and that no last-seen is ever wrong."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import NotRun, StepId
from netdiag.evidence.transport import HopReply
from netdiag.probes.walk import PROBE
from netdiag.probes.walk_plan import LOOP_ROUNDS, MAX_TTL, is_router
from tests.fakes.world import ALL, NOBODY, PROHIBITED, FakeWorld, Host, Path, Protocol, Router

SYNS_PER_WALK = 2
NO_TCP: frozenset[Protocol] = frozenset({"udp", "icmp"})


def router(number: int, **how: object) -> Router:
    return Router(f"198.51.100.{number}", **how)  # type: ignore[arg-type]


def routers(count: int) -> list[Router]:
    return [router(number) for number in range(1, count + 1)]


def step_to(path: Path, protocol: str = "tcp", *, wide: bool = False, first: int = 1) -> Step:
    params = {"protocol": protocol} | ({"look": "wide"} if wide else {}) | ({"first": str(first)} if first > 1 else {})
    return Step(id=StepId("walk"), probe="walk", role="target", address=path.host.address, port=443, params=params)


def walk(
    world: FakeWorld, path: Path, protocol: str = "tcp", *, wide: bool = False, first: int = 1
) -> list[Observation]:
    return list(PROBE.run(step_to(path, protocol, wide=wide, first=first), world))


def replies(found: list[Observation], protocol: str) -> list[HopReply]:
    return [one for one in found if isinstance(one, HopReply) and one.protocol == protocol]


def names(found: list[Observation], protocol: str = "tcp") -> dict[int, str | None]:
    return {one.ttl: one.replier for one in replies(found, protocol) if is_router(one)}


def syns_at_host(world: FakeWorld) -> int:
    return sum(probe.protocol == "tcp" for probe in world.reached)


@pytest.mark.parametrize("count", [0, 1, 2, 6, 12])
def test_an_answering_path_is_found_whole_in_few_round_trips(count: int) -> None:
    path = Path(routers(count))
    world = FakeWorld(path)
    found = walk(world, path)
    assert names(found) == {ttl: f"198.51.100.{ttl}" for ttl in range(1, count + 1)}
    arrived = [one.ttl for one in replies(found, "tcp") if one.answer == "syn_ack"]
    assert min(arrived) == path.distance
    assert 1 <= syns_at_host(world) <= SYNS_PER_WALK
    # One TTL a round trip: nothing waits for a silence.
    assert world.now_ns() <= (count + 1) * 2_000_000 + 9_000_000


def test_a_star_in_the_middle_does_not_end_the_walk_and_is_asked_again() -> None:
    path = Path([router(1), router(2, answers=NOBODY), router(3), router(4, answers=NOBODY), *routers(6)[4:]])
    world = FakeWorld(path)
    found = walk(world, path)
    assert set(names(found)) == {1, 3, 5, 6}
    assert any(one.answer == "syn_ack" for one in replies(found, "tcp"))
    again = [one for one in replies(found, "tcp") if one.attempt == 2]
    assert {one.ttl for one in again} == {2, 4}
    firsts = {one.ttl: one for one in replies(found, "tcp") if one.attempt == 1}
    assert all(one.caused_by == firsts[one.ttl].id for one in again)
    assert syns_at_host(world) <= SYNS_PER_WALK


def test_three_stars_in_a_row_are_crossed_by_another_protocol() -> None:
    stars = [router(number, answers=NOBODY) for number in (3, 4, 5)]
    path = Path([router(1), router(2), *stars, router(6), router(7)])
    world = FakeWorld(path)
    found = walk(world, path)
    assert names(found)[7] == "198.51.100.7"
    assert any(one.answer == "syn_ack" for one in replies(found, "tcp"))
    assert syns_at_host(world) <= SYNS_PER_WALK


@pytest.mark.parametrize("position", [1, 2, 3, 4, 5])
def test_a_silent_drop_ends_the_walk_and_the_break_is_asked_for_on_one_flow(position: int) -> None:
    path = Path([*routers(position - 1), router(position, passes=NOBODY), *routers(6)[position:]])
    world = FakeWorld(path)
    found = walk(world, path)
    assert max(names(found)) == position
    first_silent = next(one for one in replies(found, "tcp") if one.ttl == position + 1)
    (confirmed,) = [one for one in replies(found, "tcp") if one.attempt == 2]
    assert (confirmed.ttl, confirmed.answer) == (position, "icmp")
    assert (confirmed.flow, confirmed.source_port) == (first_silent.flow, first_silent.source_port)
    assert confirmed.caused_by == first_silent.id
    assert world.reached == []
    assert world.now_ns() <= 4_000_000_000  # of simulated time


def test_a_host_that_drops_only_tcp_is_seen_by_udp() -> None:
    path = Path(routers(5), Host(tcp="none"))
    world = FakeWorld(path)
    found = walk(world, path)
    assert max(names(found)) == 5
    assert path.host.address in {one.replier for one in replies(found, "udp")}
    assert syns_at_host(world) == SYNS_PER_WALK


def test_nothing_answers_at_all() -> None:
    path = Path([router(1, answers=NOBODY, passes=NOBODY), *routers(4)[1:]])
    world = FakeWorld(path)
    found = walk(world, path)
    assert names(found) == {}
    assert {one.answer for one in found if isinstance(one, HopReply)} == {"none"}


def test_a_refusal_by_a_router_is_asked_for_once_more_on_its_flow() -> None:
    path = Path([router(1), router(2), router(3, passes=NO_TCP, rejects=PROHIBITED), *routers(5)[3:]])
    world = FakeWorld(path)
    found = walk(world, path)
    refused = [
        one for one in replies(found, "tcp") if one.icmp is not None and (one.icmp.type, one.icmp.code) == (3, 13)
    ]
    assert {one.replier for one in refused} == {"198.51.100.3"}
    (again,) = [one for one in refused if one.attempt == 2]
    first = next(one for one in refused if one.id == again.caused_by)
    assert (again.ttl, again.flow, again.source_port) == (first.ttl, first.flow, first.source_port)
    assert syns_at_host(world) == 0


@pytest.mark.parametrize("protocol", ["tcp", "udp", "icmp"])
def test_a_walk_may_begin_where_another_has_shown_the_way(protocol: Protocol) -> None:
    path = Path(routers(5))
    world = FakeWorld(path)
    found = walk(world, path, protocol, first=4)
    assert names(found, protocol) == {4: "198.51.100.4", 5: "198.51.100.5"}
    assert {one.ttl for one in found if isinstance(one, HopReply)} >= {4, 5, 6}
    assert min(one.ttl for one in found if isinstance(one, HopReply)) == 4
    assert syns_at_host(world) <= 1


def test_a_walk_that_begins_further_on_ends_in_silence_as_any_other() -> None:
    path = Path([*routers(4), router(5, answers=NOBODY, passes=NOBODY)])
    found = walk(FakeWorld(path), path, first=3)
    silent = [one.ttl for one in replies(found, "tcp") if one.answer == "none"]
    assert names(found) == {3: "198.51.100.3", 4: "198.51.100.4"}
    assert min(silent) == 5
    assert any(one.attempt == 2 and one.ttl == 4 for one in replies(found, "tcp")), "the break, on one flow"


def test_a_closed_port_ends_the_walk_with_its_reset() -> None:
    path = Path(routers(4), Host(tcp="rst"))
    world = FakeWorld(path)
    found = walk(world, path)
    assert {one.answer for one in replies(found, "tcp") if one.ttl >= 5} == {"rst"}
    assert all(one.attempt == 1 for one in replies(found, "tcp"))


def test_a_loop_is_left_after_the_same_pair_was_met_three_times() -> None:
    path = Path(routers(4), loops_from=3)
    world = FakeWorld(path)
    found = walk(world, path)
    routers_met = names(found)
    pairs = [(routers_met[ttl], routers_met[ttl + 1]) for ttl in sorted(routers_met)[:-1]]
    assert pairs.count(("198.51.100.3", "198.51.100.4")) == LOOP_ROUNDS
    assert max(routers_met) < MAX_TTL
    assert world.reached == []


def test_without_the_privilege_for_icmp_the_walk_says_so_and_goes_on() -> None:
    path = Path(routers(3), Host(tcp="none"))
    world = FakeWorld(path, missing=frozenset({"icmp"}))
    found = walk(world, path)
    (missing,) = [one for one in found if isinstance(one, NotRun)]
    assert missing.why == "no_privilege"
    assert path.host.address in {one.replier for one in replies(found, "udp")}


@pytest.mark.parametrize("protocol", ["udp", "icmp"])
def test_udp_and_icmp_walk_on_one_flow(protocol: Protocol) -> None:
    path = Path([*routers(4), router(5, answers=NOBODY), router(6)])
    world = FakeWorld(path)
    found = walk(world, path, protocol)
    assert set(names(found, protocol)) == {1, 2, 3, 4, 6}
    assert {one.flow for one in replies(found, protocol) if one.attempt == 1} == {1}
    assert {probe.protocol for probe in world.sent} == {protocol}


@pytest.mark.parametrize("protocol", ["udp", "icmp"])
def test_without_privilege_a_plain_walk_is_over_at_once(protocol: Protocol) -> None:
    path = Path(routers(4))
    (only,) = walk(FakeWorld(path, missing=frozenset({protocol})), path, protocol)
    assert isinstance(only, NotRun)


PROTOCOLS: list[Protocol] = ["tcp", "udp", "icmp"]
some = st.frozensets(st.sampled_from(PROTOCOLS))


@st.composite
def paths(draw: st.DrawFn) -> Path:
    """Any path: silent and filtering routers, alternating senders, loops, lost packets, answers out of order."""
    count = draw(st.integers(0, 12))
    drops_at = draw(st.none() | st.integers(1, max(1, count)))
    line = [
        router(
            number,
            answers=draw(some | st.just(ALL)),
            passes=draw(some) if number == drops_at else ALL,
            rejects=draw(st.none() | st.just(PROHIBITED)),
            others=draw(st.just(()) | st.just((f"198.51.101.{number}",))),
            rtt_us=draw(st.integers(100, 900_000)),
        )
        for number in range(1, count + 1)
    ]
    tcp: Literal["syn_ack", "rst", "none"] = draw(st.sampled_from(["syn_ack", "rst", "none"]))
    udp: Literal["port_unreachable", "none"] = draw(st.sampled_from(["port_unreachable", "none"]))
    host = Host(tcp=tcp, udp=udp, echoes=draw(st.booleans()), rtt_us=draw(st.integers(100, 900_000)))
    lost = draw(st.frozensets(st.integers(0, 80), max_size=20))
    loops = draw(st.none() | st.integers(1, count)) if count >= 2 else None
    return Path(line, host, loops_from=loops, loses=lambda packet: packet in lost)


@pytest.mark.parametrize("count", [0, 1, 6, 14])
@pytest.mark.parametrize(("protocol", "round_trips"), [("udp", 1), ("icmp", 1), ("tcp", 2)])
def test_a_wide_walk_is_over_within_one_round_trip_or_two(count: int, protocol: Protocol, round_trips: int) -> None:
    path = Path(routers(count))
    world = FakeWorld(path)
    found = walk(world, path, protocol, wide=True)
    assert names(found, protocol) == {ttl: f"198.51.100.{ttl}" for ttl in range(1, count + 1)}
    arrived = [one.ttl for one in replies(found, protocol) if one.answer != "none" and not is_router(one)]
    assert min(arrived) == path.distance
    assert syns_at_host(world) <= SYNS_PER_WALK
    assert world.now_ns() <= round_trips * path.host.rtt_us * 1000


def test_a_wide_walk_waits_for_no_host_that_answers_only_once() -> None:
    path = Path(routers(6), Host(udp="none"))
    world = FakeWorld(path)
    found = walk(world, path, "tcp", wide=True)
    assert world.now_ns() <= 2 * path.host.rtt_us * 1000
    given_up = [one for one in replies(found, "udp") if one.answer == "none"]
    assert given_up
    assert all(one.ttl > path.distance - 1 and one.ended_ns - one.began_ns < 1_000_000_000 for one in given_up)


def test_a_wide_walk_on_a_dead_path_waits_for_three_silences_at_most() -> None:
    path = Path([*routers(3), router(4, passes=NOBODY), *routers(6)[4:]])
    world = FakeWorld(path)
    found = walk(world, path, "tcp", wide=True)
    assert max(names(found)) == 4
    assert world.reached == []
    assert world.now_ns() <= 3_000_000_000


@given(paths(), st.sampled_from(PROTOCOLS), st.frozensets(st.just("icmp")), st.booleans())
def test_no_walk_troubles_the_host_or_lies_about_the_path(
    path: Path, protocol: Protocol, missing: frozenset[Protocol], wide: bool
) -> None:
    world = FakeWorld(path, missing=missing)
    found = walk(world, path, protocol, wide=wide)

    assert syns_at_host(world) <= SYNS_PER_WALK
    # Every packet has exactly one record, and none is sent twice under one id.
    assert sorted(probe.stamp.id for probe in world.sent) == sorted(
        one.id for one in found if isinstance(one, HopReply)
    )
    assert all(1 <= probe.ttl <= MAX_TTL for probe in world.sent)
    # A router that is said to be at a TTL is there.
    for one in found:
        if isinstance(one, HopReply) and is_router(one):
            at = path.router_at(one.ttl)
            assert at is not None
            assert one.replier in {at.address, *at.others}
    # One flow has one source port, and one 5-tuple is never out twice at the same time over TCP.
    ports: dict[tuple[str, int], set[int | None]] = {}
    for one in found:
        if isinstance(one, HopReply) and one.protocol == "tcp":
            ports.setdefault((one.protocol, one.flow), set()).add(one.source_port)
    assert all(len(used) == 1 for used in ports.values())


@given(paths(), st.booleans())
def test_a_walk_comes_to_an_end_and_asks_ttls_in_order_without_gaps(path: Path, wide: bool) -> None:
    world = FakeWorld(path)
    found = walk(world, path, wide=wide)
    asked = {one.ttl for one in replies(found, "tcp")}
    assert asked == set(range(1, max(asked) + 1))
    # Blind SYNs: above the last router that anything proved, no more than two were ever sent.
    proven = max((one.ttl for one in found if isinstance(one, HopReply) and is_router(one)), default=0)
    assert len([ttl for ttl in asked if ttl > proven]) <= SYNS_PER_WALK
