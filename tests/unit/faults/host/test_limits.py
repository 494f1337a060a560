"""Faults of limits that a rate section met: what they say, and that they never lead a verdict."""

import msgspec
import pytest

from netdiag.evidence.limits import LimitBudget, Outcome, Phase
from netdiag.facts import Facts
from netdiag.facts.base import Fact, seen
from netdiag.facts.limits import Allowed, Kind, LimitFacts, Refusal
from netdiag.faults.base import Lean
from netdiag.faults.host import limit_concurrency, limit_connections, limit_http
from netdiag.verdict import decide

BY = ("main:o9",)


def met(kinds: tuple[Kind, ...], phase: Phase, outcome: Outcome, status: int | None = None) -> Facts:
    refusal = Refusal(phase=phase, outcome=outcome, number=8, after_ms=700, held=1, status=status)
    allowed = (Allowed(phase=phase, passed=7, within_ms=600, refused=True),)
    return Facts(
        host="api.vendor.test",
        limits=LimitFacts(
            budget=seen(LimitBudget(), BY),
            met=seen(True, BY),
            refusal=seen(refusal, BY),
            shown=seen(True, BY),
            kinds=seen(kinds, BY),
            allowed=seen(allowed, BY),
        ),
    )


CASES = [
    (limit_http.FAULT, met(("request_rate",), "burst_on_one_connection", "refused_http", 429), "7 requests in 0.6 s"),
    (limit_connections.FAULT, met(("connection_rate",), "burst_of_connections", "silent"), "left without an answer"),
    (limit_concurrency.FAULT, met(("concurrency",), "held_connections", "reset"), "the next was reset"),
]


@pytest.mark.parametrize("number", range(len(CASES)))
def test_each_limit_is_told_by_its_own_fault_and_leads_no_verdict(number: int) -> None:
    for other, (fault, _, _) in enumerate(CASES):
        finding = fault.assess(CASES[number][1])
        if other != number:
            assert finding.lean is Lean.OPPOSES
        else:
            assert finding.lean in {Lean.SUPPORTS, Lean.SETTLES}
            assert not finding.explains
            assert CASES[number][2] in finding.because
    verdict = decide(CASES[number][1])
    assert verdict.fault is None
    assert verdict.side in {"none", "inconclusive"}


@pytest.mark.parametrize("shown", [True, False, None])
def test_what_is_not_known_to_show_a_limit_may_be_chance(shown: bool | None) -> None:
    fault, facts, _ = CASES[0]
    known = Fact[bool]() if shown is None else seen(shown, BY)
    facts = msgspec.structs.replace(facts, limits=msgspec.structs.replace(facts.limits, shown=known))
    assert ("or a busy server, or chance" in fault.assess(facts).because) is (shown is not True)


def test_whose_limit_on_connections_it_is_stays_open() -> None:
    for fault, facts, _ in CASES[1:]:
        finding = fault.assess(facts)
        assert finding.at_most_possible
        assert "is open" in finding.because


def test_plain_http_does_not_prove_whose_limit_it_is() -> None:
    finding = limit_http.FAULT.assess(CASES[0][1])
    assert finding.lean is Lean.SUPPORTS
    assert finding.at_most_possible


def test_two_kinds_that_explain_it_are_both_possible() -> None:
    facts = met(("concurrency", "connection_rate"), "held_connections", "closed")
    for fault in (limit_connections.FAULT, limit_concurrency.FAULT):
        finding = fault.assess(facts)
        assert finding.lean is Lean.SUPPORTS
        assert finding.at_most_possible
        assert "another kind of limit would show the same" in finding.because
