"""How exactly ``netdiag limits --i-operate-this`` tells nginx's limit_req, over settings inside its budget."""

import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from benchmarks.bars import Bar
from tests.netns.lab import Lab

SETTINGS = (
    (1, 0), (1, 4), (1, 19), (2, 0), (2, 1), (2, 9), (3, 3), (3, 29), (4, 7), (5, 4), (5, 19), (6, 11),
    (8, 14), (8, 39), (10, 2), (10, 19), (10, 39), (12, 5), (12, 29), (15, 9), (2, 30), (7, 20),
)  # fmt: skip
"""Requests a second, and nginx's ``burst`` (which counts those beyond the first)."""

RATE_GOAL = 0.15
"""The issue's goal for limits inside the budget: the burst exact, the rate within so much."""

_SCENARIO = """
schema = "netdiag/scenario/1"
title = "A limit on requests"
about = "nginx limit_req with nodelay."
[truth]
fault = "none"
[truth.alone]
sides = ["none"]
[vendor]
http = "limit_req_zone $binary_remote_addr zone=perip:1m rate={rate}r/s; limit_req_status 429;"
site = "location @ok {{ default_type application/json; return 200 '{{}}'; }}"
location = "limit_req zone=perip{burst} nodelay; try_files /none @ok;"
"""


class Estimated(NamedTuple):
    """One setting, and what was said of it: None where nothing was."""

    rate: float
    burst: int
    said_rate: float | None
    said_burst: tuple[int, int] | None
    refusals: int
    requests: int

    @property
    def rate_error(self) -> float:
        """Relative; 1 where no rate was said."""
        return 1.0 if self.said_rate is None else abs(self.said_rate - self.rate) / self.rate

    @property
    def is_exact(self) -> bool:
        """The burst, and nothing beside it."""
        return self.said_burst == (self.burst + 1, self.burst + 1)


_AT_ONCE = 2
"""Labs side by side: a run mostly waits, and its burst must not wait for another's."""


def run(settings: Sequence[tuple[int, int]] = SETTINGS) -> list[Estimated]:
    """One lab and one run for each setting."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(_estimate, settings))


def _estimate(setting: tuple[int, int]) -> Estimated:
    rate, burst = setting
    # nginx takes no "burst=0".
    text = _SCENARIO.format(rate=rate, burst=f" burst={burst}" if burst else "")
    with Lab("limits", text) as lab:
        url = f"https://{lab.values['vendor_name']}/"
        options = ["--i-operate-this", "--yes", "--budget", "180", "--format", "json"]
        done = lab.run("customer", [sys.executable, "-m", "netdiag", "limits", url, *options], timeout=200)
    found: dict[str, Any] = json.loads(done.stdout)
    buckets = [one for one in found["estimates"] if one["shape"] == "token_bucket"]
    said = buckets[0] if buckets else None
    return Estimated(
        rate=rate,
        burst=burst,
        said_rate=None if said is None else (said["rate"][0] * said["rate"][1]) ** 0.5,
        said_burst=None if said is None else (said["burst"][0], said["burst"][1]),
        refusals=sum(one["refused"] for one in found["allowed"]),
        requests=found["spent"]["requests"],
    )


def bars(results: Sequence[Estimated]) -> list[Bar]:
    """The goals, judged on the worst setting; and what it may cost, which holds on any machine."""
    if not results:
        return []
    worst = max(one.rate_error for one in results)
    wrong = sum(not one.is_exact for one in results)
    return [
        Bar("limits: bursts that are not exact", wrong, 0, "settings", "goal"),
        Bar("limits: largest error of a rate", worst * 100, RATE_GOAL * 100, "%", "goal"),
        Bar("limits: refusals in a run", max(one.refusals for one in results), 7, "", "bar"),
        Bar("limits: requests in a run", max(one.requests for one in results), 300, "", "bar"),
    ]


def table(results: Sequence[Estimated]) -> str:
    """All settings in Markdown."""
    lines = ["| limit | burst said | rate said | error | refusals | requests |", "|---|--:|--:|--:|--:|--:|"]
    for one in results:
        low, high = one.said_burst or (0, 0)
        burst = "none" if one.said_burst is None else str(low) if low == high else f"{low} to {high}"
        rate = "none" if one.said_rate is None else f"{one.said_rate:.2f}"
        limit = f"rate={one.rate:g}r/s burst={one.burst} nodelay"
        lines.append(f"| {limit} | {burst} | {rate} | {one.rate_error:.1%} | {one.refusals} | {one.requests} |")
    return "\n".join(lines)
