"""How right the verdicts are, counted over the corpus."""

from collections import Counter
from typing import Literal, NamedTuple, get_args

from netdiag.verdict import Verdict
from tests.corpus.case import SETS, Case, EvidenceSet, analysis
from tests.netns.scenario import Answer

Mark = Literal[
    "right", "said none", "inconclusive", "other side", "too strong", "wrong side", "customer falsely blamed"
]
MARKS: tuple[Mark, ...] = get_args(Mark)


class Row(NamedTuple):
    """One verdict and how it compares with the truth."""

    case: Case
    evidence: EvidenceSet
    verdict: Verdict
    mark: Mark
    allowed: bool
    """Within what the scenario says this evidence can know."""


def rows(cases: list[Case]) -> list[Row]:
    """Every recorded case under every set of evidence that its scenario states."""
    found = []
    for case in cases:
        for evidence in SETS:
            answer = case.answer(evidence)
            if answer is not None:
                verdict = analysis(case, evidence).verdict
                mark = mark_of(verdict, case.scenario.truth.fault, answer)
                found.append(Row(case, evidence, verdict, mark, verdict.side in answer.sides and mark != "too strong"))
    return found


def mark_of(verdict: Verdict, fault: str, answer: Answer) -> Mark:
    """``fault`` is the scenario's own truth, ``none`` where nothing is broken."""
    true_side = fault.split(".", 1)[0]
    if verdict.side == "inconclusive":
        return "inconclusive"
    if verdict.side == "none" and true_side != "none" and "none" in answer.sides:
        return "said none"
    if verdict.side == "local" and true_side != "local":
        return "customer falsely blamed"
    if verdict.side != true_side:
        return "other side" if verdict.side in answer.sides and verdict.certainty != "established" else "wrong side"
    return "too strong" if verdict.certainty == "established" and answer.certainty == "likely" else "right"


def table(found: list[Row]) -> str:
    """The verdict over all bundles, in Markdown."""
    lines = ["| scenario | network | evidence | truth | netdiag said | |", "|---|---|---|---|---|---|"]
    for row in found:
        mark = row.mark if row.allowed else f"**{row.mark}: not allowed**"
        truth = row.case.scenario.truth.fault
        said = _said(row.verdict)
        lines.append(f"| {row.case.name} | {row.case.network} | {row.evidence} | {truth} | {said} | {mark} |")
    return "\n".join(lines)


_REFUSALS = ("host.block.", "host.limit.")
_IN_WORDS: tuple[EvidenceSet, ...] = ("alone", "control")


def mechanisms(found: list[Row]) -> str:
    """What refuses the customer, and what is said of it, in Markdown: each scenario of a block or a limit on the first
    network that it was recorded on."""
    lines = ["| mechanism | scenario | evidence | netdiag said | in its words |", "|---|---|---|---|---|"]
    networks: dict[str, str] = {}
    for row in found:
        case = row.case
        is_first = networks.setdefault(case.name, case.network) == case.network
        if is_first and row.evidence in _IN_WORDS and case.scenario.truth.fault.startswith(_REFUSALS):
            cells = [case.scenario.title, case.name, row.evidence, _said(row.verdict), _words(row.verdict)]
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _said(verdict: Verdict) -> str:
    return " ".join(filter(None, [verdict.side, verdict.certainty, verdict.fault]))


def _words(verdict: Verdict) -> str:
    """The sentence of the fault that leads, or of a suspect; else the summary."""
    suspects = [one for one in verdict.hypotheses if one.suspect]
    leading = [one for one in suspects if verdict.fault is not None and one.fault.startswith(verdict.fault)]
    return next((one.because for one in [*leading, *suspects]), verdict.summary)


def page(found: list[Row]) -> str:
    """docs/accuracy.md."""
    counts = Counter((row.evidence, row.mark) for row in found)
    head = ["| evidence | verdicts | " + " | ".join(MARKS) + " |", "|---|---|" + "---|" * len(MARKS)]
    for evidence in SETS:
        numbers = [counts[evidence, mark] for mark in MARKS]
        head.append(f"| {evidence} | {sum(numbers)} | " + " | ".join(map(str, numbers)) + " |")
    scenarios = len({row.case.name for row in found})
    return f"""# Accuracy over the corpus

Made by `make accuracy` from the recorded bundles of {scenarios} scenarios in `bundles/`, most of them on two networks.
*alone*: the customer's bundle. *control*: with the agent's own run. *profile*: with the vendor's profile.
*said none*: something is broken, the URL worked all the same while it was measured, and no side is named; not counted
as right. *other side*: named as likely, while the fault is on another side; the scenario says why this evidence cannot
tell the two, and what would. *inconclusive* is a good answer where the evidence does not decide, and each scenario says
by hand where that is; *customer falsely blamed* is the one that must stay zero.

{chr(10).join(head)}

## What refuses, and in which words

Every scenario in which the vendor's side blocks or limits: the mechanism that it is made of, and the sentence with
which the report names it.

{mechanisms(found)}

## Every verdict

{table(found)}
"""
