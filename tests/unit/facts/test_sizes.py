"""Sizes: where large packets vanish, in which direction, and for whom."""

import pytest

from netdiag.evidence.record import FailureCode
from netdiag.facts import derive
from netdiag.facts.sizes import SizeWalk, Stall
from tests.fakes.records import CARRIER, CONTROL, CONTROL_HOST, EDGE, GATEWAY, ISP, TARGET, Story, failed
from tests.unit.sizes import (
    TO_TARGET,
    Outcome,
    broken_off,
    size_walk,
    small_request,
    small_segments,
    stalling,
)
from tests.unit.sizes import to_control as way_to_control


def walk_of(story: Story) -> SizeWalk:
    walks = derive(story.bundle()).sizes.walks.value
    assert walks is not None
    return walks[0]


def stall_of(story: Story) -> Stall:
    stalls = derive(story.bundle()).sizes.stalls.value
    assert stalls is not None
    return stalls[0]


def to_control(story: Story, *, passes: int = 99) -> None:
    size_walk(
        story, address=CONTROL, routers=way_to_control(TO_TARGET), passes=passes, role="control", host=CONTROL_HOST
    )


class TestWalks:
    def test_large_packets_that_pass(self) -> None:
        story = stalling()
        size_walk(story)
        walk = walk_of(story)
        assert (walk.large_last_seen, walk.small_last_seen, walk.first_missing, walk.whole) == (5, 5, None, True)

    def test_a_black_hole_is_an_interval(self) -> None:
        story = stalling()
        size_walk(story, passes=2)
        walk = walk_of(story)
        assert (walk.large_last_seen, walk.last_address, walk.last_place) == (2, ISP, "path")
        assert (walk.first_missing, walk.missing_address, walk.missing_place) == (3, CARRIER, "path")
        assert (walk.largest_passed, walk.smallest_lost, walk.size) == (1400, 1420, 1500)

    def test_it_may_begin_at_this_machine(self) -> None:
        story = stalling()
        size_walk(story, passes=0)
        walk = walk_of(story)
        assert (walk.large_last_seen, walk.last_address) == (0, None)
        assert (walk.first_missing, walk.missing_address, walk.missing_place) == (1, GATEWAY, "gateway")

    def test_one_silence_is_chance(self) -> None:
        story = stalling()
        size_walk(story, passes=2, asked=1)
        assert walk_of(story).first_missing is None

    def test_a_router_that_is_silent_to_large_packets_is_no_hole(self) -> None:
        story = stalling()
        size_walk(story, passes=2, answers_later=True)
        assert walk_of(story).first_missing is None

    def test_what_a_router_tells_is_no_hole(self) -> None:
        story = stalling()
        size_walk(story, passes=2, told=1400)
        walk = walk_of(story)
        (told,) = walk.told
        assert (told.router, told.ttl, told.next_mtu) == (ISP, 3, 1400)
        assert (walk.size, walk.asked, walk.first_missing, walk.whole) == (1400, 1500, None, True)

    def test_behind_the_last_small_answer_nothing_is_known(self) -> None:
        story = stalling()
        size_walk(story, host_answers=False)
        walk = walk_of(story)
        assert (walk.large_last_seen, walk.small_last_seen, walk.first_missing, walk.whole) == (4, 4, None, False)
        assert walk.last_address == EDGE


class TestDirection:
    def test_forward(self) -> None:
        story = stalling()
        size_walk(story, passes=2)
        assert stall_of(story).direction == "forward"

    def test_back(self) -> None:
        story = stalling()
        size_walk(story)
        assert stall_of(story).direction == "back"

    def test_unknown_where_the_end_is_not_seen(self) -> None:
        story = stalling()
        size_walk(story, host_answers=False)
        assert stall_of(story).direction is None

    def test_unknown_where_the_greeting_did_not_arrive_and_everything_large_does(self) -> None:
        story = stalling(acked=False)
        size_walk(story)
        assert stall_of(story).direction is None

    @pytest.mark.parametrize("small", ["fails", None])
    def test_no_matter_of_size_has_none(self, small: str | None) -> None:
        story = stalling(small=small)  # type: ignore[arg-type]
        size_walk(story, passes=2)
        assert (stall_of(story).small, stall_of(story).direction) == (small, None)


class TestForWhom:
    def test_everyone_when_a_control_meets_the_same_gap_and_brings_nothing_large(self) -> None:
        story = stalling(controls="stall")
        size_walk(story, passes=2)
        to_control(story, passes=2)
        assert stall_of(story).for_whom == "everyone"

    def test_everyone_when_a_control_is_helped_as_well(self) -> None:
        story = stalling(controls="helped")
        size_walk(story)
        to_control(story)
        assert (stall_of(story).direction, stall_of(story).for_whom) == ("back", "everyone")

    @pytest.mark.parametrize("passes", [2, 99])
    def test_the_target_alone_when_controls_bring_large_answers(self, passes: int) -> None:
        story = stalling()
        size_walk(story, passes=passes)
        to_control(story)
        assert stall_of(story).for_whom == "target"

    def test_unknown_where_the_signs_contradict_each_other(self) -> None:
        story = stalling(controls="large")
        size_walk(story, passes=2)
        to_control(story, passes=2)
        assert stall_of(story).for_whom is None

    def test_unknown_without_a_control_that_tells(self) -> None:
        story = stalling(controls="stall")
        size_walk(story)
        assert stall_of(story).for_whom is None


class TestExperimentsAreNoAttempts:
    def test_small_segments_do_not_make_the_address_work(self) -> None:
        (state,) = derive(stalling().bundle()).target.addresses.value or ()
        assert state.tls is not None
        assert (state.tls.how, state.works, state.failed_at) == ("silent", False, "tls")
        assert state.connect is not None
        assert state.connect.attempts == 1

    def test_they_do_not_make_it_fail(self) -> None:
        story = Story()
        story.surroundings()
        story.well()
        small_segments(story, TARGET, "fails")
        small_request(story, TARGET, "fails")
        assert derive(story.bundle()).target.works.value is True

    def test_what_they_brought_was_not_large(self) -> None:
        assert derive(stalling().bundle()).path.large_from.value == ()

    def test_large_packets_that_vanish_at_the_gateway_are_no_loss_in_the_lan(self) -> None:
        story = stalling()
        before = derive(story.bundle()).machine.lan_loss.value
        size_walk(story, passes=0)
        after = derive(story.bundle()).machine.lan_loss.value
        assert after is not None
        assert before is not None
        assert after.lost == before.lost == 0

    def test_a_control_that_stalls_does_not_become_healthy_by_them(self) -> None:
        states = derive(stalling(controls="helped").bundle()).controls.states.value or ()
        assert not any(state.healthy for state in states if state.tls is not None)


class TestRequests:
    def test_an_answer_that_never_came(self) -> None:
        story = Story()
        story.surroundings()
        story.reach()
        story.http(failure=failed(FailureCode.TIMED_OUT, op="receive"))
        small_request(story, TARGET, "works")
        size_walk(story, routers=TO_TARGET, passes=2)
        stall = stall_of(story)
        assert (stall.layer, stall.small, stall.direction) == ("http", "works", "forward")

    def test_a_limiters_short_page_says_nothing_about_size(self) -> None:
        """It fits into one small packet, so that it would have come without small segments, too."""
        story = Story()
        story.surroundings()
        story.reach()
        story.http(failure=failed(FailureCode.TIMED_OUT, op="receive"))
        small_request(story, TARGET, "works", status=503, body_bytes=197)
        size_walk(story)
        assert stall_of(story).small is None

    def test_a_short_page_does_not_show_that_another_broke_off_for_its_size(self) -> None:
        story = Story()
        story.surroundings()
        story.reach()
        broken_off(story, TARGET)
        small_request(story, TARGET, "works", status=503, body_bytes=197)
        assert derive(story.bundle()).target.works.value is True

    @pytest.mark.parametrize(("small", "works"), [("works", False), ("fails", True)])
    def test_an_answer_that_breaks_off_unless_segments_are_small(self, small: Outcome, works: bool) -> None:
        story = Story()
        story.surroundings()
        story.reach()
        broken_off(story, TARGET)
        small_request(story, TARGET, small)
        facts = derive(story.bundle())
        assert facts.target.works.value is works
        assert facts.sizes.stalls.known is not works
