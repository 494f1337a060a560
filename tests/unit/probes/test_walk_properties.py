"""Whatever the path does, a walk ends, spares the host, and records nobody at a place where he does not stand."""

from hypothesis import given
from hypothesis import strategies as st

from netdiag.evidence.bundle import Step
from netdiag.evidence.record import StepId
from netdiag.evidence.transport import HopReply
from netdiag.probes.manners import WALK_SYNS
from netdiag.probes.walk import PROBE, SILENCE_MS
from netdiag.probes.walk_plan import MAX_TTL, is_router
from tests.fakes.paths import PROTOCOLS, Journey, journeys
from tests.fakes.world import FakeWorld, Protocol

MANY = 3 * MAX_TTL + 3 * MAX_TTL
"""Each TTL over three protocols, each at most asked again: more packets than that is a walk that does not end."""

PARAMS = st.fixed_dictionaries(
    {"protocol": st.sampled_from(PROTOCOLS)},
    optional={"look": st.just("wide"), "mode": st.just("raw")},
)


def walked(journey: Journey, world: FakeWorld, params: dict[str, str]) -> list[HopReply]:
    step = Step(id=StepId("w"), probe="walk", role="target", address=journey.address, port=443, params=params)
    return [one for one in PROBE.run(step, world) if isinstance(one, HopReply)]


@given(journeys(), PARAMS, st.frozensets(st.just("icmp")))
def test_every_walk_ends_spares_the_host_and_places_nobody_wrongly(
    journey: Journey, params: dict[str, str], missing: frozenset[Protocol]
) -> None:
    world = journey.world(missing=missing)
    replies = walked(journey, world, params)
    assert len(world.sent) <= MANY
    assert sum(probe.protocol == "tcp" for probe in world.reached) <= WALK_SYNS
    assert sorted(one.id for one in replies) == sorted(probe.stamp.id for probe in world.sent)
    assert all(journey.stands_there(one) for one in replies if is_router(one))
    assert all(one.rtt_us is None or one.rtt_us < SILENCE_MS * 1000 for one in replies)


@given(journeys(), PARAMS)
def test_a_flow_keeps_its_5_tuple_and_a_raw_walk_has_one_flow_for_each_protocol(
    journey: Journey, params: dict[str, str]
) -> None:
    world = journey.world()
    replies = walked(journey, world, params)
    ports: dict[tuple[str, int], set[int | None]] = {}
    for one in replies:
        ports.setdefault((one.protocol, one.flow), set()).add(one.source_port)
    if params["protocol"] == "tcp":
        assert all(len(found) == 1 for (protocol, _), found in ports.items() if protocol == "tcp")
    if "mode" in params:
        assert len(ports) == len({protocol for protocol, _ in ports})
        assert {one.mode for one in replies} <= {"raw"}
        assert all(probe.raw and probe.follow_up for probe in world.sent)


@given(journeys(), PARAMS)
def test_without_the_privilege_a_raw_walk_says_so_and_sends_nothing(journey: Journey, params: dict[str, str]) -> None:
    world = FakeWorld(journey.members[0], raw=False)
    assert walked(journey, world, {**params, "mode": "raw"}) == []
    assert world.sent == []
