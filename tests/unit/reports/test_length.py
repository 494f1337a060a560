"""How long reports and screens are: a reader's patience is the bar, measured over the recorded bundles."""

from statistics import median

import pytest

from netdiag.reports.collected import Sealed, collected_text
from netdiag.reports.text import text
from netdiag.reports.view import view
from tests.corpus.case import Case, analysis, cases

RECORDED = [case for case in cases() if case.recorded]


def report(case: Case) -> list[str]:
    found = analysis(case, "alone")
    return text(view(found.verdict, found.facts, found.sources)).splitlines()


def screen(case: Case) -> list[str]:
    found = analysis(case, "alone")
    bundle, path = found.sources[0].bundle, f"netdiag-{found.facts.host}-20260314T092653Z.zip"
    fingerprint = found.sources[0].provenance.key
    return collected_text(
        Sealed(path=path, raw=b"x", bundle=bundle, facts=found.facts, fingerprint=fingerprint)
    ).splitlines()


@pytest.mark.skipif(not RECORDED, reason="no recorded bundles")
def test_verdict_proof_next_step_and_reply_are_on_the_first_screen() -> None:
    reports = {case: report(case) for case in RECORDED}
    first = {
        case: next(number for number, line in enumerate(lines) if line.startswith(("Ruled out", "Still possible")))
        for case, lines in reports.items()
    }
    assert {case: number for case, number in first.items() if number > 50} == {}
    assert median(len(lines) for lines in reports.values()) <= 150
    assert {case: len(lines) for case, lines in reports.items() if len(lines) > 210} == {}


@pytest.mark.parametrize(
    "case", [case for case in RECORDED if case.name == "healthy"], ids=lambda case: f"{case.name}-{case.network}"
)
def test_the_customers_screen_is_one_screen(case: Case) -> None:
    assert len(screen(case)) <= 40


@pytest.mark.skipif(not RECORDED, reason="no recorded bundles")
def test_the_customers_screen_stays_short_when_much_fails() -> None:
    assert {case: len(screen(case)) for case in RECORDED if len(screen(case)) > 80} == {}
