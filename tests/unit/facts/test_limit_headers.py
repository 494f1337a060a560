"""Resets of rate-limit headers: seconds, Unix times, and Unix times in milliseconds."""

import pytest

from netdiag.facts.limit_headers import Said, limits_said

NOW_S = 1_793_540_800.0


@pytest.mark.parametrize(
    ("reset", "reset_s"),
    [
        ("63", 63),
        ("1000000000", 1_000_000_000),
        ("1793540863", 63),
        ("1793540863815", 64),
        ("1793540799000", 0),
        ("100000000000", 98_206_459_200),
        ("100000000001", 0),
    ],
)
def test_what_no_one_waits_for_is_a_time(reset: str, reset_s: int) -> None:
    headers = {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
    assert limits_said(headers, NOW_S) == (Said(quota=60, remaining=0, reset_s=reset_s),)


@pytest.mark.parametrize("reset", ["1793540863", "1793540863815"])
def test_without_the_time_of_the_answer_a_time_says_nothing(reset: str) -> None:
    (said,) = limits_said({"x-ratelimit-limit": "60", "x-ratelimit-reset": reset}, None)
    assert said.reset_s is None
