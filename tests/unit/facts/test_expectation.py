"""Whether a limit is the expected one: only where nothing else that somebody may have set explains it as well."""

from typing import Any

import pytest

from netdiag.evidence.limits import Outcome
from netdiag.facts.base import seen
from netdiag.facts.expectation import agreement, parse_expectation
from netdiag.facts.limits import Allowed, Estimate, Kind, LimitFacts, Refusal
from tests.fakes.limiters import Bucket, FixedWindow, SlidingWindow
from tests.unit.facts.test_limits import seen_of

BUCKET = Estimate(shape="token_bucket", burst_low=4, burst_high=4, rate_low=1.585, rate_high=1.598)


def window(low_s: float, high_s: float, quota: int = 5, shape: Any = "sliding_window") -> Estimate:
    return Estimate(
        shape=shape, burst_low=quota, burst_high=quota, rate_low=quota / high_s, rate_high=quota / low_s,
        window_low_s=low_s, window_high_s=high_s,
    )  # fmt: skip


def met(*estimates: Estimate, kinds: tuple[Kind, ...] = ("request_rate",), **changes: Any) -> LimitFacts:
    fields: dict[str, Any] = {"met": seen(True, ()), "kinds": seen(kinds, ()), "banned": seen(False, ())}
    return LimitFacts(**fields | {"estimates": seen(estimates, ())} | changes)


def refused(
    number: int, outcome: Outcome = "refused_http", status: int | None = None, after_s: int | None = None
) -> LimitFacts:
    """One refusal, and nothing after it."""
    found = Refusal(
        phase="burst_on_one_connection", outcome=outcome, number=number, after_ms=200, held=1, status=status,
        retry_after_s=after_s,
    )  # fmt: skip
    return LimitFacts(met=seen(True, ()), kinds=seen(("request_rate",), ()), refusal=seen(found, ()))


def says(text: str, facts: LimitFacts) -> str:
    return agreement(parse_expectation(text), facts)


@pytest.mark.parametrize(
    ("rivals", "expected"),
    [
        ((), "agrees"),
        ((window(0.9, 2.2),), "unknown"),
        ((window(2.0, 2.0),), "unknown"),
        ((window(7.92, 7.97, 10, "fixed_window"),), "unknown"),
        ((window(40.3, 41.9, 10, "fixed_window"),), "unknown"),
        ((window(1.3, 1.85),), "agrees"),
        ((window(0.3, 0.31),), "agrees"),
        ((window(2.04, 2.08),), "agrees"),
    ],
)
def test_what_explains_it_as_well_leaves_it_open(rivals: tuple[Estimate, ...], expected: str) -> None:
    """Unless nobody sets such a limit: a window of no whole number of seconds."""
    assert says("1.6r/s burst 4", met(BUCKET, *rivals)) == expected
    assert says("5r/s burst 4", met(BUCKET)) == "differs"


def test_shapes_that_all_say_the_same_agree() -> None:
    """One at once: a bucket and every window of one are the same limit."""
    bucket = Estimate(shape="token_bucket", burst_low=1, burst_high=1, rate_low=0.98, rate_high=1.08)
    shapes = (bucket, window(0.94, 1, 1, "fixed_window"), window(0.94, 1, 1))
    assert says("1r/s burst 0", met(*shapes)) == "agrees"
    assert says("2r/s burst 0", met(*shapes)) == "differs"
    assert says("1r/s burst 0", met(bucket, window(0.55, 1, 1))) == "unknown"


def test_a_shape_that_fits_and_is_not_sharp_confirms_nothing() -> None:
    assert says("1r/s burst 5", met(window(1, 20))) == "unknown"


def test_a_window_of_no_usual_length_still_agrees_with_itself() -> None:
    assert says("3.3r/s burst 5", met(window(1.5, 1.52))) == "agrees"


@pytest.mark.parametrize(
    ("kinds", "right", "wrong"),
    [
        (("request_rate",), "agrees", "differs"),
        (("request_rate", "connection_rate"), "agrees", "differs"),
        (("connection_rate",), "unknown", "unknown"),
        (("concurrency", "request_rate"), "unknown", "unknown"),
    ],
)
def test_requests_that_are_connections_too_are_counted_alike(kinds: tuple[Kind, ...], right: str, wrong: str) -> None:
    """A server that closes after each answer lets a limit of both be met at the same numbers."""
    facts = met(BUCKET, kinds=kinds)
    assert (says("1.6r/s burst 4", facts), says("20r/s burst 4", facts)) == (right, wrong)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (refused(4, status=429), "differs"),
        (refused(4, status=503, after_s=2), "differs"),
        (refused(4, status=503), "unknown"),
        (refused(4, "silent"), "unknown"),
        (refused(4, "closed"), "unknown"),
        (refused(22, status=429), "unknown"),
    ],
)
def test_one_refusal_excludes_a_limit_only_if_no_busy_server_gives_it(facts: LimitFacts, expected: str) -> None:
    assert says("10r/s burst 20", facts) == expected


def test_connections_without_a_request_are_no_requests() -> None:
    none = LimitFacts(met=seen(False, ()))
    for phase, expected in (("burst_of_connections", "unknown"), ("held_connections", "unknown"), ("paced", "differs")):
        allowed = Allowed(phase=phase, passed=49, within_ms=2400, refused=False)  # type: ignore[arg-type]
        assert says("2r/s burst 5", LimitFacts(met=none.met, allowed=seen((allowed,), ()))) == expected


@pytest.mark.parametrize("rtt_s", [0.002, 0.01, 0.03, 0.05])
@pytest.mark.parametrize(("rate", "size"), [(5, 11), (2, 4), (10, 21), (1, 6)])
def test_a_bucket_is_confirmed_on_lines_of_any_length(rate: float, size: int, rtt_s: float) -> None:
    facts = seen_of(Bucket(rate, size), rtt_s=rtt_s)
    assert says(f"{rate}r/s burst {size - 1}", facts) == "agrees"
    assert says(f"{rate * 2}r/s burst {size - 1}", facts) != "agrees"
    assert says(f"{rate * 4}r/s burst {size - 1}", facts) == "differs"
    assert says(f"{rate}r/s burst {size * 2}", facts) == "differs"


@pytest.mark.parametrize("limiter", [FixedWindow(10, 8), SlidingWindow(5, 2), FixedWindow(8, 3), SlidingWindow(10, 10)])
def test_no_bucket_is_confirmed_where_the_limit_is_a_window(limiter: FixedWindow | SlidingWindow) -> None:
    """Whatever bucket happens to explain it, too, is not the limit that was found."""
    facts = seen_of(limiter)
    buckets = [one for one in facts.estimates.value or () if one.shape == "token_bucket"]
    for one in buckets or [BUCKET]:
        middle = (one.rate_low * one.rate_high) ** 0.5
        assert says(f"{middle:.3f}r/s burst {one.burst_low - 1}", facts) != "agrees"
