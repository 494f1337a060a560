"""How every fault of the catalogue stands under the facts: the layer between findings and the verdict.

The rules, in the order in which they apply:

(1) A fault whose ``needs`` are not all known is ``not_assessed``, and says for want of what.
(2) A finding that settles is ``settled``, one that opposes ``opposed``, a silent one ``possible``.
(3) A finding that supports is ``likely`` only when every rival of another side is opposed or masked. A rival that is
    silent, or could not be assessed, is not eliminated.
(4) The finding's own caps hold: ``at_most_likely``, then ``at_most_possible``.
(5) A fault is ``masked`` when one that explains it away (``masked_by``) is settled or likely, and not masked itself.
    Masking removes rivals and so can raise others: the rules are applied until nothing changes. What was masked once
    stays masked, so they end.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from netdiag.facts import Fact, Facts
from netdiag.faults.base import Fault, Finding, Lean

Standing = Literal["settled", "likely", "possible", "opposed", "masked", "not_assessed"]


class Hypothesis(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the catalogue and how it stands. ``because`` is always one sentence for a person."""

    fault: str
    title: str
    standing: Standing
    because: str
    finding: Finding | None = None
    masked_by: str | None = None
    missing: tuple[str, ...] = ()

    @property
    def suspect(self) -> bool:
        """It explains what was seen, and nothing explains it away: it may lead a verdict."""
        return (
            self.finding is not None
            and self.finding.lean in (Lean.SETTLES, Lean.SUPPORTS)
            and self.finding.explains
            and self.standing in ("settled", "likely", "possible")
        )


def rivals(catalogue: Sequence[Fault]) -> dict[str, frozenset[str]]:
    """Each fault's rivals. Rivalry is mutual: whoever names the other makes both rivals."""
    found: dict[str, set[str]] = {fault.code: set(fault.rivals) for fault in catalogue}
    for fault in catalogue:
        for other in fault.rivals:
            if other in found:
                found[other].add(fault.code)
    return {code: frozenset(others & found.keys()) for code, others in found.items()}


def abroad(code: str, others: frozenset[str]) -> frozenset[str]:
    """Those of the other codes that stand for another side."""
    return frozenset(other for other in others if other.split(".", 1)[0] != code.split(".", 1)[0])


def stand(facts: Facts, catalogue: Sequence[Fault]) -> tuple[Hypothesis, ...]:
    """Assess every fault, and set it against its rivals and what masks it."""
    missing = {fault.code: tuple(name for name in fault.needs if not known(facts, name)) for fault in catalogue}
    findings = {fault.code: fault.assess(facts) for fault in catalogue if not missing[fault.code]}
    against = {code: abroad(code, others) for code, others in rivals(catalogue).items()}
    masks: dict[str, str] = {}
    while True:
        standings = {
            fault.code: _standing(findings.get(fault.code), against[fault.code], findings, masks)
            for fault in catalogue
            if fault.code not in masks
        }
        more = _masked(catalogue, standings)
        if not more:
            return tuple(
                _hypothesis(fault, standings.get(fault.code, "masked"), findings, masks, missing) for fault in catalogue
            )
        masks.update(more)


def known(facts: Facts, name: str) -> bool:
    """The fact of this dotted name (``names.needed``) has a value."""
    value: object = facts
    for part in name.split("."):
        value = getattr(value, part)
    return value.known if isinstance(value, Fact) else value is not None


def eliminated(code: str, findings: Mapping[str, Finding], masks: Mapping[str, str]) -> bool:
    """The facts exclude this fault, or another explains it away."""
    finding = findings.get(code)
    return code in masks or (finding is not None and finding.lean is Lean.OPPOSES)


def _standing(
    finding: Finding | None, against: frozenset[str], findings: Mapping[str, Finding], masks: Mapping[str, str]
) -> Standing:
    if finding is None:
        return "not_assessed"
    if finding.lean is Lean.OPPOSES:
        return "opposed"
    if finding.lean is Lean.SILENT or finding.at_most_possible:
        return "possible"
    if finding.lean is Lean.SETTLES:
        return "likely" if finding.at_most_likely else "settled"
    return "likely" if all(eliminated(rival, findings, masks) for rival in against) else "possible"


def _masked(catalogue: Sequence[Fault], standings: Mapping[str, Standing]) -> dict[str, str]:
    """What the settled and likely faults explain away in this round: those that are masked themselves mask nothing."""
    strong = {code for code, standing in standings.items() if standing in ("settled", "likely")}
    open_ = {fault.code: fault for fault in catalogue if standings.get(fault.code) in ("settled", "likely", "possible")}
    by = {code: next((other for other in fault.masked_by if other in strong), None) for code, fault in open_.items()}
    # The masker that nothing masks in this round goes first; masks are acyclic, so there is one.
    return {code: other for code, other in by.items() if other is not None and by.get(other) is None}


def _hypothesis(
    fault: Fault,
    standing: Standing,
    findings: Mapping[str, Finding],
    masks: Mapping[str, str],
    missing: Mapping[str, tuple[str, ...]],
) -> Hypothesis:
    finding, wants = findings.get(fault.code), missing[fault.code]
    if finding is None:
        because = f"Not assessed: {', '.join(wants)} {'is' if len(wants) == 1 else 'are'} not known."
    else:
        because = finding.because
    return Hypothesis(
        fault=fault.code,
        title=fault.title,
        standing=standing,
        because=because,
        finding=finding,
        masked_by=masks.get(fault.code),
        missing=wants,
    )
