"""Several flows over scripted paths, and what facts make of them: a dead member, lost packets, mute routers."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.evidence.bundle import Bundle, Options, Step, Target
from netdiag.evidence.record import Failure, FailureCode, ObsId, StepId
from netdiag.evidence.transport import Connect, HopReply
from netdiag.facts import derive
from netdiag.facts.members import Members
from netdiag.probes.flows import PROBE, TRIES
from netdiag.probes.manners import ROUTER_FOLLOW_UPS
from netdiag.probes.plan.flows import SAMPLE
from netdiag.probes.stretch import stretch_beyond
from tests.fakes.world import NOBODY, FakeWorld, Host, Path, Router

FLOWS = 8
HOST = "203.0.113.7"


REACH = Step(id=StepId("reach"), probe="reach", role="target", subject="h", address=HOST, port=443)


def connected(count: int, *, failing: int) -> list[Connect]:
    """Connections to the service, of which the first ``failing`` met silence."""
    silence = Failure(op="connect", code=FailureCode.TIMED_OUT)
    return [
        Connect(
            id=ObsId(f"c{number}"), step=REACH.id, began_ns=0, ended_ns=2_000_000_000, address=HOST, port=443,
            limit_ms=1000, source_port=50_000 + number, failure=silence if number < failing else None,
        )
        for number in range(count)
    ]  # fmt: skip


def path(member: Router, *, host: Host | None = None) -> Path:
    """Gateway, two routers, a member, two routers, the host at TTL 7."""
    before = [Router("192.168.1.1"), Router("198.51.100.2"), Router("198.51.100.3")]
    return Path([*before, member, Router("198.51.100.5"), Router("198.51.100.6")], host or Host())


GOOD = Router("198.51.100.4")
ANSWERS_AND_DROPS = Router("198.51.100.44", passes=NOBODY)
DEAD = Router("198.51.100.44", answers=NOBODY, passes=NOBODY)
ONLY_MUTE = Router("198.51.100.44", answers=NOBODY)


def run(
    member: Router,
    *,
    is_other: Callable[[int], bool] = lambda port: port % 2 == 1,
    loses: Callable[[int], bool] = lambda _: False,
    look: str = "split",
    ttls: str = "4,5,6",
    protocol: str = "tcp",
    count: int = FLOWS,
    sample: int = 0,
    connects: Sequence[Connect] = (),
) -> tuple[FakeWorld, list[HopReply], Members]:
    def of(port: int) -> Path:
        made = path(member if is_other(port) else GOOD)
        made.loses = loses
        return made

    world = FakeWorld(by_port=of, budget_s=600)
    params = {"flows": str(count), "look": look, protocol: ttls} | ({"sample": str(sample)} if sample else {})
    step = Step(id=StepId("flows"), probe="flows", role="target", subject="h", address=HOST, port=443, params=params)
    found = [one for one in PROBE.run(step, world) if isinstance(one, HopReply)]
    bundle = Bundle(
        run_id="0", began_at=datetime(2026, 1, 1, tzinfo=UTC), duration_ns=world.now_ns(), tool="t",
        target=Target(scheme="https", host="h", port=443), options=Options(), probe_versions={}, plan=(step, REACH),
        observations=(*found, *connects),
    )  # fmt: skip
    (members,) = derive(bundle).path.members.value or ()
    return world, found, members


@pytest.mark.parametrize("look", ["split", "whole"])
@pytest.mark.parametrize(("member", "last", "missing"), [(ANSWERS_AND_DROPS, 4, 5), (DEAD, 3, 4)])
def test_a_dead_member_is_told_by_its_source_ports_and_placed(
    look: str, member: Router, last: int, missing: int
) -> None:
    world, found, members = run(member, look=look)
    assert members.dead_member is True
    assert members.chance is not None
    assert members.chance < 0.01
    assert {flow.source_port for flow in members.never()} == {one.source_port for one in found if one.source_port % 2}  # type: ignore[operator]
    assert all(flow.tries >= TRIES for flow in members.never())
    assert (members.last_seen, members.first_missing) == (last, missing)
    assert members.last_seen_addresses == (("198.51.100.44",) if member is ANSWERS_AND_DROPS else ("198.51.100.3",))
    assert world.reached == []  # no SYN gets to the host


def test_each_flow_keeps_its_source_port_and_numbers_its_tries() -> None:
    _, found, _ = run(DEAD)
    ports: dict[int, set[int | None]] = {}
    for one in found:
        ports.setdefault(one.flow, set()).add(one.source_port)
    assert len(ports) == FLOWS
    assert all(len(used) == 1 for used in ports.values())
    tries: dict[tuple[int, int], list[int]] = {}
    for one in found:
        tries.setdefault((one.flow, one.ttl), []).append(one.attempt)
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in tries.values())


def test_a_member_that_sends_no_icmp_and_passes_everything_is_not_dead() -> None:
    assert run(ONLY_MUTE, look="whole")[2].dead_member is False
    # Flows that were not asked beyond it, since nothing was lost, are not known to get there.
    assert run(ONLY_MUTE)[2].dead_member is None
    # Where nothing beyond it could be asked, nobody knows.
    assert run(ONLY_MUTE, ttls="4")[2].dead_member is None


def test_where_a_sample_gets_to_the_host_no_more_datagrams_are_sent() -> None:
    """At a host's pace, so that its limit of ICMP errors lets each answer out."""
    _, found, members = run(GOOD, ttls="7", protocol="udp", sample=SAMPLE)
    assert [one.answer for one in found] == ["icmp"] * SAMPLE
    assert all(later.began_ns - one.began_ns >= 1_000_000_000 for one, later in pairwise(found))
    assert members.dead_member is None, "too few flows by themselves"


def test_a_silent_one_of_a_sample_asks_all_the_others() -> None:
    _, found, members = run(DEAD, ttls="7", protocol="udp", sample=SAMPLE)
    assert len({one.flow for one in found}) == FLOWS
    assert members.dead_member is True


@pytest.mark.parametrize(
    ("connects", "dead"),
    [(connected(3, failing=3), False), (connected(2, failing=2), None), (connected(3, failing=2), None), ([], None)],
)
def test_silent_connections_beside_flows_that_arrive_are_not_about_one_member(
    connects: list[Connect], dead: bool | None
) -> None:
    assert run(GOOD, ttls="7", protocol="udp", sample=SAMPLE, connects=connects)[2].dead_member is dead
    # Of flows that got to a router before the host, nobody knows what the rest of the way does.
    assert run(GOOD, ttls="6", count=SAMPLE, connects=connects)[2].dead_member is None


def test_without_a_split_one_round_is_enough() -> None:
    world, found, members = run(GOOD)
    assert len(found) == FLOWS
    assert members.dead_member is not True
    dead = run(DEAD, is_other=lambda _: True, ttls="5,6,7", protocol="udp")
    assert len(dead[1]) == FLOWS
    assert dead[2].dead_member is None
    assert world.now_ns() < 1_000_000_000


@given(st.randoms(use_true_random=False), st.floats(0.05, 0.6))
def test_what_is_called_a_dead_member_says_how_likely_loss_would_look_like_it(rng: Random, rate: float) -> None:
    lost = [rng.random() < rate for _ in range(400)]
    members = run(GOOD, loses=lambda packet: lost[packet])[2]
    if members.dead_member is True:  # it may be, once in a hundred; then it says how likely that is
        assert members.chance is not None
        assert 0 < members.chance < 0.01


def test_loss_of_a_quarter_is_seldom_taken_for_a_member() -> None:
    rng = Random(7)
    wrong = 0
    for _ in range(300):
        lost = frozenset(packet for packet in range(400) if rng.random() < 0.25)
        wrong += run(GOOD, loses=lost.__contains__)[2].dead_member is True
    assert wrong <= 300 * 0.02


def test_no_place_on_the_path_is_asked_more_than_the_budget_of_follow_ups() -> None:
    for member in (DEAD, ANSWERS_AND_DROPS, ONLY_MUTE):
        world, _, _ = run(member)
        for ttl in range(2, 8):
            assert sum(probe.ttl == ttl for probe in world.sent) <= ROUTER_FOLLOW_UPS
        assert all(probe.follow_up for probe in world.sent)


def test_a_whole_look_shows_the_graph() -> None:
    _, _, members = run(GOOD, look="whole", ttls="2,3,4,5,6")
    assert [node.ttl for node in members.nodes] == [2, 3, 4, 5, 6]
    _, _, forked = run(Router("198.51.100.44"), look="whole", ttls="2,3,4,5,6")
    (fork,) = [node for node in forked.nodes if node.ttl == 4]
    assert set(fork.routers) == {"198.51.100.4", "198.51.100.44"}
    assert sum(link.flows for link in forked.links if link.ttl == 3) == FLOWS
    assert forked.dead_member is False


def test_no_stretch_without_a_router_beyond_the_gateway() -> None:
    assert stretch_beyond([]) == {}
