"""Every recording is judged again: bundle -> facts -> verdict, against the golden files and against the truth."""

import json

import pytest

from tests.corpus import accuracy
from tests.corpus.case import SETS, Case, EvidenceSet, analysis, cases, golden
from tests.netns.lab import ROOT

CASES = cases()
STATED = [(case, evidence) for case in CASES for evidence in SETS if case.answer(evidence) is not None]


def test_there_is_a_corpus() -> None:
    assert len({case.name for case in CASES}) >= 60


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.network}")
def test_recorded_bundles_are_judged_as_before(case: Case) -> None:
    """A change here is a change of facts or verdicts: read the diff of the golden file, then make it new."""
    assert case.recorded, f"no recording: python -m tests.corpus record {case.name}"
    assert golden(case) == json.loads(case.golden_file.read_text())


@pytest.mark.parametrize(
    ("case", "evidence"), STATED, ids=lambda value: "-".join(value) if isinstance(value, tuple) else value
)
def test_the_verdict_is_no_more_than_the_truth(case: Case, evidence: EvidenceSet) -> None:
    answer = case.answer(evidence)
    assert answer is not None
    verdict = analysis(case, evidence).verdict
    assert verdict.side in answer.sides
    mark = accuracy.mark_of(verdict, case.scenario.truth.fault, answer)
    assert mark in {"right", "said none", "inconclusive", "other side"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.network}")
def test_the_fault_that_is_named_is_the_true_one(case: Case) -> None:
    """A verdict may end at a group, or name nothing; it may not name another fault than the true one, its group, or
    one that the scenario says cannot be told from it."""
    truth = case.scenario.truth
    for evidence in SETS:
        if case.answer(evidence) is None:
            continue
        verdict = analysis(case, evidence).verdict
        if verdict.side not in {"none", "inconclusive"} and verdict.fault is not None:
            assert f"{truth.fault}.".startswith(f"{verdict.fault}.") or verdict.fault in truth.like, evidence


def test_the_customer_is_never_falsely_blamed() -> None:
    rows = accuracy.rows(CASES)
    assert not [row for row in rows if row.mark == "customer falsely blamed"]


def test_every_scenario_runs_on_both_networks() -> None:
    # Only the home line has a router that forwards names; the office's resolver is recursive.
    single = {case.name for case in CASES if len(case.scenario.networks) == 1} - {"transit-resolver-behind-forwarder"}
    assert not single


def test_the_page_on_accuracy_is_up_to_date() -> None:
    assert (ROOT / "docs" / "accuracy.md").read_text() == accuracy.page(accuracy.rows(CASES))
