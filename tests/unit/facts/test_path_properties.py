"""Whatever the path does: what the facts say of a walk is what happened to its packets, and never more."""

from typing import NamedTuple

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from netdiag.evidence.bundle import Bundle
from netdiag.evidence.transport import HopReply
from netdiag.facts import Walk, derive
from netdiag.probes.walk import PROBE
from tests.fakes.paths import Journey, journeys
from tests.fakes.records import Story
from tests.fakes.world import FakeWorld, Protocol

NO_ICMP = st.frozensets(st.just("icmp"))
PARAMS = st.fixed_dictionaries(
    {"protocol": st.just("tcp")},
    optional={"look": st.just("wide"), "mode": st.just("raw")},
)


class Told(NamedTuple):
    """A walk over a simulated path, as the facts tell it, with its TCP records."""

    walk: Walk
    replies: list[HopReply]
    world: FakeWorld


def told(journey: Journey, params: dict[str, str], missing: frozenset[Protocol]) -> Told | None:
    story = Story()
    name = story.step("walk", "target", story.host, journey.address, 443, params=params)
    plan = story.bundle().plan
    step = next(one for one in plan if one.id == name)
    world = journey.world(missing=missing)
    found = tuple(PROBE.run(step, world))
    bundle: Bundle = msgspec.structs.replace(story.bundle(), observations=found)
    path = derive(bundle).path
    walk = path.target4.value or path.target6.value
    replies = [one for one in found if isinstance(one, HopReply) and one.protocol == "tcp"]
    return None if walk is None else Told(walk, replies, world)


@given(journeys(), PARAMS, NO_ICMP)
def test_the_last_router_seen_is_one_that_was_passed_and_that_answered(
    journey: Journey, params: dict[str, str], missing: frozenset[Protocol]
) -> None:
    found = told(journey, params, missing)
    if found is None or not found.walk.last_seen:
        return
    walk = found.walk
    assert walk.last_seen <= journey.farthest("tcp")
    at_last = [one for one in found.replies if one.ttl == walk.last_seen and one.icmp is not None]
    assert any(one.replier == walk.last_seen_address and journey.stands_there(one) for one in at_last)


@given(journeys(), PARAMS, NO_ICMP)
def test_the_interval_of_the_break_begins_where_it_was_last_seen(
    journey: Journey, params: dict[str, str], missing: frozenset[Protocol]
) -> None:
    found = told(journey, params, missing)
    if found is None:
        return
    walk = found.walk
    if walk.first_missing is not None:
        assert walk.end == "silent"
        assert walk.first_missing > walk.last_seen
        assert all(one.answer == "none" for one in found.replies if one.ttl == walk.first_missing)
    if walk.end_ttl is not None and walk.end != "loop":
        assert walk.end_ttl > walk.last_seen


@given(journeys(), PARAMS, NO_ICMP)
def test_open_and_refused_are_the_hosts_own_answers(
    journey: Journey, params: dict[str, str], missing: frozenset[Protocol]
) -> None:
    found = told(journey, params, missing)
    if found is None:
        return
    answers = {one.answer for one in found.replies}
    assert (found.walk.end == "open") == ("syn_ack" in answers)
    assert (found.walk.end == "refused") <= ("rst" in answers)
    if found.walk.end in {"open", "refused"}:
        assert any(probe.protocol == "tcp" for probe in found.world.reached)
        assert found.walk.end_ttl is not None
        assert found.walk.end_ttl >= journey.members[0].distance


@given(journeys(loops=False, alternating=False), PARAMS, NO_ICMP)
def test_a_path_without_a_loop_has_none(journey: Journey, params: dict[str, str], missing: frozenset[Protocol]) -> None:
    found = told(journey, params, missing)
    assert found is None or found.walk.end != "loop"


@given(journeys(loops=False), PARAMS, NO_ICMP)
def test_two_addresses_of_one_router_are_no_loop(
    journey: Journey, params: dict[str, str], missing: frozenset[Protocol]
) -> None:
    found = told(journey, params, missing)
    assert found is None or found.walk.end != "loop"


def seen_by(walk: Walk) -> object:
    """What a walk tells by itself: where its routers stand, and what is cleared beyond it, others tell too."""
    hops = [(hop.ttl, hop.repliers, hop.asked, hop.answered, hop.rtt_ms) for hop in walk.hops]
    return (
        hops,
        walk.end,
        walk.end_ttl,
        walk.end_icmp,
        walk.last_seen,
        walk.first_missing,
        walk.same_flow,
        walk.witnesses,
    )


@given(journeys(far=False), NO_ICMP)
def test_a_raw_walk_beside_changes_nothing_of_the_unprivileged_one(
    journey: Journey, missing: frozenset[Protocol]
) -> None:
    story = Story()
    names = [
        story.step("walk", "target", story.host, journey.address, 443, params=params)
        for params in ({"protocol": "tcp"}, {"protocol": "tcp", "mode": "raw"})
    ]
    plan = {step.id: step for step in story.bundle().plan}
    world = journey.world(missing=missing)
    plain, raw = (tuple(PROBE.run(plan[name], world)) for name in names)
    alone, both = (
        derive(msgspec.structs.replace(story.bundle(), observations=found)).path for found in (plain, plain + raw)
    )
    for one, other in ((alone.target4.value, both.target4.value), (alone.target6.value, both.target6.value)):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert other.mode == "unprivileged"
            assert seen_by(one) == seen_by(other)
