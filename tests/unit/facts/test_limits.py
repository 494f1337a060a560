"""What a rate section shows: shapes, kinds, what headers said, and whether it is the expected limit."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec
import pytest

from netdiag.evidence.bundle import Step
from netdiag.evidence.limits import LimitAttempt, LimitBudget, Outcome
from netdiag.evidence.record import StepId
from netdiag.evidence.web import Header
from netdiag.facts.derivation.book import Book
from netdiag.facts.derivation.limits import derive_limits
from netdiag.facts.expectation import Expectation, agreement, parse_expectation
from netdiag.facts.limit_headers import Said, limits_said
from netdiag.facts.limits import Estimate, LimitFacts
from netdiag.probes.limiting import OPERATOR
from netdiag.reports.limits import bounds, sentences
from tests.fakes.bundles import sample_bundle
from tests.fakes.limiters import (
    Banning,
    Bucket,
    Concurrency,
    Delaying,
    FixedWindow,
    Limiter,
    Nothing,
    Simulation,
    SlidingByPeriods,
    SlidingWindow,
    refusals,
)

SMALL = LimitBudget()
FOR_OPERATORS = msgspec.structs.replace(OPERATOR, seconds=240)


def facts_of(history: list[LimitAttempt], budget: LimitBudget) -> LimitFacts:
    step = Step(id=StepId("limits"), probe="limits", role="target", params=budget.params())
    bundle = msgspec.structs.replace(sample_bundle(observations=tuple(history)), plan=(step,))
    return derive_limits(Book(bundle, "main", None))


def seen_of(
    limiter: Limiter,
    budget: LimitBudget = FOR_OPERATORS,
    *,
    of: str = "request",
    how: Outcome = "refused_http",
    rtt_s: float = 0.02,
) -> LimitFacts:
    return facts_of(Simulation(limiter, budget, of=of, how=how, rtt_s=rtt_s).run(), budget)


def shape(facts: LimitFacts, name: str) -> Estimate:
    (found,) = [one for one in facts.estimates.value or () if one.shape == name]
    return found


def test_a_bucket_is_no_fixed_window() -> None:
    facts = seen_of(Bucket(10, 20))
    found = shape(facts, "token_bucket")
    assert "fixed_window" not in {one.shape for one in facts.estimates.value or ()}
    assert (found.burst_low, found.burst_high) == (20, 20)
    assert facts.kinds.value == ("request_rate",)
    assert facts.recovers.value is True


@pytest.mark.parametrize("window_s", [2, 10])
def test_a_fixed_window_is_no_sliding_one(window_s: float) -> None:
    facts = seen_of(FixedWindow(10, window_s))
    found = shape(facts, "fixed_window")
    assert {one.shape for one in facts.estimates.value or ()} <= {"fixed_window", "ban"}
    assert (found.burst_low, found.burst_high) == (10, 10)
    assert found.window_low_s is not None
    assert found.window_high_s is not None
    assert found.window_low_s <= window_s <= found.window_high_s


def test_a_window_by_the_clock_is_found_too() -> None:
    found = shape(seen_of(FixedWindow(10, 10, by_clock=True, phase_s=3)), "fixed_window")
    assert found.burst_low == 10
    assert found.window_low_s is not None
    assert found.window_high_s is not None
    assert found.window_low_s <= 10 <= found.window_high_s


def test_a_sliding_window_is_no_fixed_one() -> None:
    facts = seen_of(SlidingWindow(10, 10))
    (found,) = facts.estimates.value or ()
    assert found.shape == "sliding_window"
    assert found.rate_low <= 1 <= found.rate_high


PACED = [(3, 5), (8, 1), (8, 10), (10, 2), (20, 60)]
"""Quotas and windows of which some were told as buckets or as fixed windows."""


@pytest.mark.parametrize("counts_refused", [True, False])
@pytest.mark.parametrize(("quota", "window_s"), PACED)
def test_a_window_that_slides_by_two_periods_is_told_as_sliding(
    quota: int, window_s: float, counts_refused: bool
) -> None:
    found = shape(seen_of(SlidingByPeriods(quota, window_s, counts_refused)), "sliding_window")
    assert found.burst_low <= quota <= found.burst_high
    assert found.window_low_s is not None
    assert found.window_high_s is not None
    assert found.window_low_s <= window_s <= found.window_high_s


@pytest.mark.parametrize("phase_s", [0.3, 1.1, 4.7, 9.9])
@pytest.mark.parametrize(("quota", "window_s"), [(5, 15), (8, 2), (10, 15), (20, 5), (20, 10), (40, 5)])
def test_a_window_by_the_clock_is_found_wherever_it_begins(quota: int, window_s: float, phase_s: float) -> None:
    found = shape(seen_of(FixedWindow(quota, window_s, by_clock=True, phase_s=phase_s)), "fixed_window")
    assert found.burst_low <= quota <= found.burst_high
    assert found.window_low_s is not None
    assert found.window_high_s is not None
    assert found.window_low_s <= window_s <= found.window_high_s


@pytest.mark.parametrize("rate", [2, 5])
def test_answers_that_are_held_back_tell_their_rate(rate: float) -> None:
    for budget in (SMALL, FOR_OPERATORS):
        facts = seen_of(Delaying(rate, 50), budget)
        assert facts.met.value is False
        found = shape(facts, "delay")
        assert (found.rate_low * found.rate_high) ** 0.5 == pytest.approx(rate, rel=0.05)


def test_a_server_that_is_only_slow_holds_nothing_back() -> None:
    assert not seen_of(Nothing(), SMALL, rtt_s=0.3).estimates.known


def test_one_refusal_gives_bounds_and_no_estimate() -> None:
    facts = seen_of(Bucket(1, 5), SMALL)
    assert facts.met.value is True
    assert not facts.estimates.known
    refused = [one for one in facts.allowed.value or () if one.refused]
    assert [(one.phase, one.passed) for one in refused] == [("burst_on_one_connection", 5)]
    assert facts.recovers.basis.value == "not_looked"


def test_what_looks_like_a_ban_is_said_so() -> None:
    facts = seen_of(Banning(6, 30), how="silent", of="connection")
    assert facts.banned.value is True
    assert facts.kinds.value == ("connection_rate",)


def test_concurrency_is_told_when_letting_go_helps() -> None:
    assert seen_of(Concurrency(4), of="connection", how="closed").kinds.value == ("concurrency",)
    assert seen_of(Concurrency(4), SMALL, of="connection", how="closed").kinds.value == (
        "concurrency",
        "connection_rate",
    )


def test_a_service_that_refuses_already_shows_no_limit() -> None:
    facts = seen_of(Banning(0, 30))
    assert facts.already.value is True
    assert not facts.met.known


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_answer_that_everybody_gets_is_no_refusal(status: int) -> None:
    history = Simulation(Banning(0, 30), SMALL, status=status).run()
    facts = facts_of(history, SMALL)
    assert (facts.unserved.value, facts.already.value) == (status, False)
    assert not facts.allowed.known
    assert not facts.met.known
    (said, *_) = sentences(facts)
    assert f"HTTP {status}, so nothing more was sent" in said
    assert "health page" in said
    repeated = facts_of(Simulation(Banning(0, 30), FOR_OPERATORS, status=status).run(), FOR_OPERATORS)
    assert repeated.met.value is False
    (said, *_) = sentences(repeated)
    assert f"HTTP {status}: such answers count as passed" in said


def test_a_ban_that_counts_refusals_is_told_from_the_limit_before_it() -> None:
    history = Simulation(Bucket(2, 5), FOR_OPERATORS).run()
    *_, last = refusals(history)
    before = len(refusals(history))
    later = {"began_ns": last.ended_ns + 10**9, "ended_ns": last.ended_ns + 10**9 + 1, "attempt": last.attempt + 1}
    ban = msgspec.structs.replace(last, outcome="icmp", status=None, **later)
    facts = facts_of([*history[: history.index(last) + 1], ban], FOR_OPERATORS)
    assert (facts.banned.value, facts.bans_after.value) == (True, before)
    assert facts.refusal.value is not None
    assert facts.refusal.value.status == 429
    (found,) = [one for one in facts.estimates.value or () if one.shape == "token_bucket"]
    assert found.burst_low <= 5 <= found.burst_high
    assert found.rate_low <= 2 <= found.rate_high
    assert any(f"After {before} such refusals it was refused in another way" in said for said in sentences(facts))


@dataclass
class Closing:
    """After ``quota`` in ``window_s`` it is closed for ``closed_s``; with ``renews`` from each attempt on anew."""

    quota: int
    window_s: float
    closed_s: float
    renews: bool = False
    _until_s: float = -1.0
    _passed: list[float] = field(default_factory=list)

    def meets(self, at_s: float, *, held: int) -> tuple[bool, float]:
        if at_s < self._until_s:
            self._until_s = at_s + self.closed_s if self.renews else self._until_s
            return False, 0.0
        self._passed = [one for one in self._passed if at_s - one < self.window_s]
        if len(self._passed) < self.quota:
            self._passed.append(at_s)
            return True, 0.0
        self._until_s, self._passed = at_s + self.closed_s, []
        return False, 0.0


@pytest.mark.parametrize("renews", [False, True])
@pytest.mark.parametrize(("quota", "window_s", "closed_s"), [(20, 10, 20), (10, 10, 5), (8, 60, 5), (6, 10, 15)])
def test_what_is_closed_for_a_time_after_a_quota_may_be_a_ban(
    quota: int, window_s: float, closed_s: float, renews: bool
) -> None:
    facts = seen_of(Closing(quota, window_s, closed_s, renews))
    found = shape(facts, "ban")
    assert found.burst_low <= quota <= found.burst_high
    assert found.closed_low_s is not None
    assert found.closed_high_s is not None
    assert found.closed_low_s <= closed_s <= found.closed_high_s
    assert found.rate_low <= quota / window_s <= found.rate_high


def test_what_gives_back_one_by_one_is_no_ban() -> None:
    for limiter in (Bucket(5, 20), SlidingWindow(10, 10)):
        assert "ban" not in {one.shape for one in seen_of(limiter).estimates.value or ()}


def test_two_ends_are_explained_by_anything_so_nothing_is_estimated() -> None:
    history = Simulation(Bucket(5, 10), FOR_OPERATORS).run()
    _, second, third, *_ = refusals(history)
    facts = facts_of(history[: history.index(second) + 1], FOR_OPERATORS)
    assert facts.met.value is True
    assert not facts.estimates.known
    assert facts_of(history[: history.index(third) + 1], FOR_OPERATORS).estimates.known


def lost(history: Iterable[LimitAttempt], number: int) -> list[LimitAttempt]:
    """The same, with no answer to one of the connections of the burst."""
    mine = [one for one in history if one.phase == "burst_of_connections"]
    silent = msgspec.structs.replace(mine[number], outcome="silent", ended_ns=mine[number].began_ns + 1_500_000_000)
    return [silent if one is mine[number] else one for one in history]


def test_one_that_is_lost_while_later_ones_pass_shows_no_limit() -> None:
    history = Simulation(Nothing(), SMALL).run()
    facts = facts_of(lost(history, 2), SMALL)
    assert facts.refusal.value is not None
    assert facts.refusal.value.passed_later > 0
    assert facts.shown.value is False
    assert not facts.met.known
    assert not facts.kinds.known
    assert any("lost, or refused at random; no limit is shown" in said for said in sentences(facts))


def test_one_that_is_lost_at_the_end_may_be_a_limit_and_is_not_said_to_be_one() -> None:
    history = Simulation(Nothing(), SMALL).run()
    burst = [one for one in history if one.phase == "burst_of_connections"]
    cut = history[: history.index(burst[-1]) + 1]
    facts = facts_of(lost(cut, len(burst) - 1), SMALL)
    assert facts.kinds.value == ("connection_rate",)
    assert facts.shown.value is False
    (said, *_) = sentences(facts)
    assert said.startswith("There may be a limit on new connections in a time")
    assert "a lost packet" in said


@pytest.mark.parametrize(("status", "shown"), [(429, True), (503, False)])
def test_what_a_busy_server_answers_shows_no_limit(status: int, shown: bool) -> None:
    facts = facts_of(Simulation(Bucket(1, 5), SMALL, status=status).run(), SMALL)
    assert facts.shown.value is shown
    (said, *_) = sentences(facts)
    assert ("or an overload" in said) is not shown
    repeated = facts_of(Simulation(SlidingWindow(10, 10), FOR_OPERATORS, status=status).run(), FOR_OPERATORS)
    assert repeated.shown.value is True


@dataclass
class Busy:
    """One in ``in_`` is refused, by chance."""

    in_: int
    chance: random.Random

    def meets(self, at_s: float, *, held: int) -> tuple[bool, float]:
        return self.chance.random() >= 1 / self.in_, 0.0


def test_what_is_refused_at_random_is_not_said_to_be_a_limit() -> None:
    """Some bucket explains the three ends of about one in five such runs."""
    shown = [
        facts_of(Simulation(Busy(10, random.Random(seed)), FOR_OPERATORS, status=503).run(), FOR_OPERATORS).shown
        for seed in range(25)
    ]
    assert sum(one.value is True for one in shown) <= 1


@pytest.mark.parametrize(("fresh", "kinds"), [(1, ("request_rate",)), (99, ("request_rate", "connection_rate"))])
def test_one_request_on_a_new_connection_does_not_make_connections_count(fresh: int, kinds: tuple[str, ...]) -> None:
    """What crossed the end of an idle connection is asked once more on a new one; servers that close after each answer
    make every request a connection."""
    history = Simulation(Bucket(1, 5), SMALL).run()
    burst = [one for one in history if one.phase == "burst_on_one_connection"]
    new = {one.id for one in burst[-fresh:]}
    told = [msgspec.structs.replace(one, fresh=True) if one.id in new else one for one in history]
    assert facts_of(told, SMALL).kinds.value == kinds


def test_one_refused_while_others_were_open_may_be_either_limit() -> None:
    history = Simulation(Banning(6, 30), SMALL, of="connection", how="reset").run()
    assert facts_of(history, SMALL).kinds.value == ("connection_rate",)
    last = msgspec.structs.replace(history[-1], in_flight=3)
    assert facts_of([*history[:-1], last], SMALL).kinds.value == ("concurrency", "connection_rate")


def test_a_held_connection_that_never_carried_a_request_may_have_been_refused_when_it_was_made() -> None:
    history = Simulation(Nothing(), SMALL).run()
    number = next(number for number, one in enumerate(history) if one.phase == "under_way")
    refused = msgspec.structs.replace(history[number], outcome="reset", status=None)
    facts = facts_of([*history[:number], refused], SMALL)
    assert facts.kinds.value == ("concurrency", "request_rate", "connection_rate")


def test_bounds_count_what_began_before_whatever_the_phase() -> None:
    history = Simulation(Bucket(0.01, 20), FOR_OPERATORS).run()
    facts = facts_of(history, FOR_OPERATORS)
    assert facts.refusal.value is not None
    first = refusals(history)[0]
    asked = [one for one in history if one.asks == "request" and one.began_ns < first.began_ns]
    assert facts.refusal.value.passed == len(asked) == 20
    assert bounds(facts).startswith("allowed >= 20 in 2.0 s, refused at 21")


@dataclass
class DelayingLater:
    """nginx's limit_req with ``delay=at_once``."""

    rate: float
    at_once: int
    _excess: float = 0.0
    _before_s: float = 0.0

    def meets(self, at_s: float, *, held: int) -> tuple[bool, float]:
        self._excess = max(0.0, self._excess - self.rate * (at_s - self._before_s)) + 1
        self._before_s = at_s
        return True, max(0.0, self._excess - self.at_once) / self.rate


@pytest.mark.parametrize(("rate", "at_once"), [(5, 4), (10, 5), (2, 1)])
def test_answers_held_back_from_some_number_on_are_counted_from_there(rate: float, at_once: int) -> None:
    found = shape(seen_of(DelayingLater(rate, at_once)), "delay")
    assert found.rate_low <= rate <= found.rate_high


def test_a_connection_is_met_at_its_syn_however_long_it_was_watched() -> None:
    history = Simulation(Bucket(5, 10), FOR_OPERATORS, of="connection", how="closed").run()
    watched = [
        msgspec.structs.replace(one, ended_ns=one.ended_ns + 100_000_000)
        if one.asks == "connection" and one.outcome == "answered"
        else one
        for one in history
    ]
    found = shape(facts_of(watched, FOR_OPERATORS), "token_bucket")
    assert (found.burst_low, found.burst_high) == (10, 10)
    assert found.rate_low <= 5 <= found.rate_high


def test_answers_that_changed_are_told_and_no_limit_is_claimed() -> None:
    history = Simulation(Nothing(), SMALL).run()
    redirected = msgspec.structs.replace(history[5], status=302)
    facts = facts_of([*history[:5], redirected], SMALL)
    assert facts.changed.value == 5
    assert not facts.met.known
    assert any("After 5 requests the answers changed" in said for said in sentences(facts))


def test_a_bundle_without_a_rate_section_knows_nothing() -> None:
    assert facts_of([], SMALL) == LimitFacts()


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, ()),
        ({"ratelimit": '"default";r=50;t=30'}, (Said(name="default", remaining=50, reset_s=30),)),
        (
            {"ratelimit-policy": '"burst";q=100;w=60,"daily";q=1000;w=86400', "ratelimit": '"burst";r=9;t=12'},
            (
                Said(name="burst", quota=100, window_s=60, remaining=9, reset_s=12),
                Said(name="daily", quota=1000, window_s=86400),
            ),
        ),
        (
            {"ratelimit-limit": "100, 100;w=60", "ratelimit-remaining": "7", "ratelimit-reset": "20"},
            (Said(quota=100, remaining=7, window_s=60, reset_s=20),),
        ),
        (
            {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1773480473"},
            (Said(quota=60, remaining=0, reset_s=60),),
        ),
        ({"x-rate-limit-limit": "60", "x-rate-limit-reset": "5"}, (Said(quota=60, reset_s=5),)),
        (
            {"x-ratelimit-limit-minute": "5", "x-ratelimit-remaining-minute": "4"},
            (Said(name="minute", quota=5, remaining=4, window_s=60),),
        ),
    ],
)
def test_headers_by_their_standards(headers: dict[str, str], expected: tuple[Said, ...]) -> None:
    assert limits_said(headers, 1_773_480_413) == expected


@pytest.mark.parametrize(
    "value",
    ["", ",", '"a', '"a";q=1,', '"a";q=1 "b"', ";q=5", '"a";;q=1', "=", "é;q=1", '"a";q=' + "9" * 600, "\x00"],
)
def test_what_is_malformed_says_nothing(value: str) -> None:
    assert limits_said({"ratelimit-policy": value, "ratelimit": value}, None) == ()


@pytest.mark.parametrize("value", ["-1", "ten", "1e9", "٣", "9" * 20, "", "1.5"])
def test_numbers_that_are_none_say_nothing(value: str) -> None:
    assert limits_said({"x-ratelimit-limit": value, "x-ratelimit-remaining": value}, None) == ()


def test_headers_predict_a_refusal_or_do_not() -> None:
    history = Simulation(Bucket(1, 5), SMALL).run()
    for left, predicted in (("0", True), ("3", False)):
        headers = (Header(name="x-ratelimit-remaining", value=left),)
        told = [msgspec.structs.replace(one, headers=headers) for one in history]
        assert facts_of(told, SMALL).predicted.value is predicted
    assert not facts_of(history, SMALL).predicted.known
    assert facts_of(history, SMALL).said.value == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10r/s burst 20", Expectation(rate=10, burst=20)),
        ("30r/m", Expectation(rate=0.5)),
        ("100/h burst=5", Expectation(rate=100 / 3600, burst=5)),
        ("2.5r/s", Expectation(rate=2.5)),
    ],
)
def test_an_expected_limit_as_it_is_written(text: str, expected: Expectation) -> None:
    assert parse_expectation(text) == expected


@pytest.mark.parametrize("text", ["", "10", "r/s", "10r/d", "0r/s", "10r/s burst", "-1r/s", "10r/s burst -2", "1e3r/s"])
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="10r/s burst 20"):
        parse_expectation(text)


@pytest.mark.parametrize(
    ("text", "agrees"),
    [
        ("5r/s burst 9", "agrees"),
        ("5r/s burst 10", "agrees"),
        ("5r/s", "agrees"),
        ("5.5r/s burst 9", "agrees"),
        ("10r/s burst 9", "differs"),
        ("2r/s", "differs"),
        ("5r/s burst 20", "differs"),
        ("5r/s burst 3", "differs"),
    ],
)
def test_the_expected_limit_is_compared_with_the_one_that_was_found(text: str, agrees: str) -> None:
    assert agreement(parse_expectation(text), seen_of(Bucket(5, 10))) == agrees


def test_bounds_can_exclude_an_expected_limit_and_never_confirm_one() -> None:
    served = seen_of(Nothing(), SMALL)
    assert agreement(parse_expectation("1r/s burst 3"), served) == "differs"
    assert agreement(parse_expectation("100r/s burst 100"), served) == "unknown"
    bounded = seen_of(Bucket(1, 5), SMALL)
    assert agreement(parse_expectation("1r/s burst 4"), bounded) == "unknown"
    assert agreement(parse_expectation("1r/s burst 30"), bounded) == "differs"
    assert agreement(parse_expectation("1r/s burst 5"), LimitFacts()) == "unknown"
