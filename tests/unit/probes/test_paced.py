"""Paced packets: who is asked how often, on which flow, and when it is enough."""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest

from netdiag.evidence.bundle import Role, Step
from netdiag.evidence.record import NotRun, StepId
from netdiag.evidence.transport import HopReply
from netdiag.probes.paced import FEW, PROBE
from tests.fakes.world import NOBODY, FakeWorld, Host, Path, Protocol, Router

HOST = "203.0.113.7"
ROUTERS = [Router("192.0.2.1"), Router("192.0.2.9"), Router("192.0.2.17")]


def step(role: Role = "target", **params: str) -> Step:
    held = {"ttls": "1+2+3", "end": "udp+icmp", "end_ttl": "4", "rounds": "12", "pace_ms": "1000"} | params
    return Step(id=StepId("paced"), probe="paced", role=role, address=HOST, port=443, params=held)


def ask(
    given: Step, routers: Sequence[Router] = ROUTERS, host: Host | None = None, *,
    loses: Callable[[int], bool] = lambda _: False, missing: frozenset[Protocol] = NOBODY,
) -> tuple[list[HopReply], FakeWorld]:  # fmt: skip
    world = FakeWorld(Path(list(routers), host=host or Host(address=HOST), loses=loses), missing=missing)
    return [one for one in PROBE.run(given, world) if isinstance(one, HopReply)], world


def by_ttl(replies: Sequence[HopReply]) -> dict[int, list[HopReply]]:
    found: dict[int, list[HopReply]] = defaultdict(list)
    for reply in sorted(replies, key=lambda one: one.began_ns):
        found[reply.ttl].append(reply)
    return found


def dice(share: float, seed: int = 1) -> Callable[[int], bool]:
    rolled = random.Random(seed)
    return lambda _: rolled.random() < share


def test_few_are_enough_where_nothing_is_lost() -> None:
    replies, _ = ask(step())
    asked = {ttl: len(some) for ttl, some in by_ttl(replies).items()}
    assert set(asked) == {1, 2, 3, 4}
    assert set(asked.values()) == {FEW}


def test_all_rounds_where_something_is_lost() -> None:
    replies, _ = ask(step(), loses=dice(0.3))
    assert {ttl: len(some) for ttl, some in by_ttl(replies).items()} == dict.fromkeys((1, 2, 3, 4), 12)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_nobody_is_asked_more_than_once_a_second(share: float) -> None:
    replies, world = ask(step(), loses=dice(share))
    for some in by_ttl(replies).values():
        gaps = [later.began_ns - sooner.began_ns for sooner, later in pairwise(some)]
        assert min(gaps) >= 999_000_000
    assert all(probe.follow_up and probe.sample for probe in world.sent)


def test_the_places_take_turns_within_the_second() -> None:
    replies, _ = ask(step())
    first = sorted(some[0].began_ns for some in by_ttl(replies).values())
    assert [ns // 1_000_000 for ns in first] == [0, 250, 500, 750]


def test_lost_packets_do_not_slow_the_others() -> None:
    replies, _ = ask(step(), loses=dice(0.5))
    assert max(reply.began_ns for reply in replies) < 13_000_000_000


def test_a_router_that_never_answers_is_no_loss() -> None:
    replies, _ = ask(step(), [ROUTERS[0], Router("192.0.2.9", answers=NOBODY), ROUTERS[2]])
    assert {len(some) for some in by_ttl(replies).values()} == {FEW}


def test_routers_and_the_end_share_one_flow() -> None:
    replies, _ = ask(step(), host=Host(address=HOST, echoes=False))
    assert {reply.flow for reply in replies if reply.protocol == "udp"} == {1}


def test_an_end_is_asked_in_every_way_by_turns() -> None:
    replies, _ = ask(step(), loses=dice(0.2, seed=3))
    assert [reply.protocol for reply in by_ttl(replies)[4]] == ["udp", "icmp"] * 6


def test_an_end_without_icmp_is_asked_by_datagrams() -> None:
    replies, _ = ask(step(), missing=frozenset({"icmp"}))
    assert FEW <= len(by_ttl(replies)[4]) <= FEW + 6
    assert {reply.answer for reply in by_ttl(replies)[4]} == {"icmp"}


def test_an_end_that_answers_nothing_is_no_loss() -> None:
    replies, _ = ask(step(), host=Host(address=HOST, udp="none", echoes=False))
    assert [reply.protocol for reply in by_ttl(replies)[4]] == ["udp", "icmp"] * (FEW // 2)


def test_an_end_that_answers_one_packet_of_five_is_asked_on() -> None:
    replies, _ = ask(step(end="icmp"), loses=dice(0.8))
    assert len(by_ttl(replies)[4]) == 12


def test_the_end_on_several_flows() -> None:
    replies, _ = ask(step(flows="4", rounds="36", pace_ms="334"), loses=dice(0.1))
    flows = [reply.flow for reply in by_ttl(replies)[4] if reply.protocol == "udp"]
    assert set(flows) >= {1, 2, 3}
    assert flows.count(1) > len(flows) / 2
    assert {reply.flow for reply in replies if reply.protocol == "udp" and reply.ttl < 4} == {1}


def test_a_control_is_asked_by_syns_alone() -> None:
    replies, world = ask(step("control", ttls="", end="tcp", end_ttl="64"), loses=dice(0.2))
    assert {(reply.ttl, reply.protocol, reply.port) for reply in replies} == {(64, "tcp", 443)}
    assert len({reply.flow for reply in replies}) == len(replies) == len(world.sent) == 12


def test_without_any_way_it_ends() -> None:
    world = FakeWorld(Path(ROUTERS, host=Host(address=HOST)), missing=frozenset({"udp", "icmp"}))
    records = list(PROBE.run(step(), world))
    assert {type(record) for record in records} == {NotRun}
