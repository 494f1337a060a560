"""The whole thread, live: lab up, collect as the scenario's user, analyze as a process, and the truth about it."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import LabFactory
from tests.corpus.case import Case, cases
from tests.netns import scenario as scenarios
from tests.netns.lab import Lab
from tests.netns.scenario import Answer


def live_cases() -> list[Case]:
    """Each scenario of the live part on one network, in turn, so that every network gets its share."""
    names = dict.fromkeys(case.name for case in cases() if case.scenario.expect_live)
    offered = [scenarios.load(name).networks for name in names]
    return [Case(name, nets[turn % len(nets)]) for turn, (name, nets) in enumerate(zip(names, offered, strict=True))]


LIVE = live_cases()

pytestmark = pytest.mark.lab


def analyze(lab: Lab, *arguments: str) -> dict[str, Any]:
    """What ``netdiag analyze --format json`` says, run where there is no network but loopback's."""
    argv = [sys.executable, "-m", "netdiag", "analyze", "--format", "json", *arguments]
    done = lab.run("agent", argv)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture
def wrong_sides(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """What names a wrong side is no matter of a busy machine: once is enough, and its retry fails, too."""
    cache, key = request.config.cache, f"netdiag/wrong_side/{request.node.name}"
    assert cache is not None
    retried = request.config.getoption("lf")
    assert not (retried and cache.get(key, [])), f"it named a wrong side before: {cache.get(key, [])}"
    found: list[str] = []
    yield found
    cache.set(key, found)


@pytest.mark.parametrize("case", LIVE, ids=lambda case: f"{case.name}-{case.network}")
def test_the_live_verdict_is_the_truth_and_no_more(case: Case, lab: LabFactory, wrong_sides: list[str]) -> None:
    def judge(verdict: dict[str, Any], truth: Answer) -> None:
        if verdict["side"] not in {*truth.sides, "inconclusive", "none"}:
            wrong_sides.append(verdict["side"])
        assert verdict["side"] in truth.sides, verdict
        assert verdict["certainty"] in {None, "likely", truth.certainty}, verdict

    opened = lab(case.name, network=case.network)
    bundle = opened.collect("customer")
    alone = case.answer("alone")
    assert alone is not None
    judge(analyze(opened, str(bundle))["verdict"], alone)
    with_control = case.answer("control")
    if with_control is not None:
        control = opened.collect("agent")
        judge(analyze(opened, str(bundle), "--control", str(control))["verdict"], with_control)


def test_the_live_part_is_bounded() -> None:
    """About forty scenarios at most, so that the whole stays within its time; the rest is replayed."""
    assert 20 <= len(LIVE) <= 40, len(LIVE)
