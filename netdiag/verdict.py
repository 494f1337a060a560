"""Facts x catalogue -> hypotheses -> one verdict with two words of certainty.

The rules, in order (those before the verdict stand in ``verdict_standing``):

(1) Suspects are the faults that settle or support, explain the failure, and are not masked.
(2) The URL works on the customer's own way, its name included, and nothing measured is ill: ``none``, whatever is
    suspected of a failure. It works and was really slow: the faults that explain slowness are the suspects instead;
    where there is none, or a fault that would explain a failure is likely for all that, it is ``none`` all the same.
(3) No suspect: ``none`` when the URL works in this sense, otherwise ``inconclusive``.
(4) Suspects of one side only: that side, when one of them is at least likely; otherwise ``inconclusive``.
(5) Suspects of several sides: the side of the one that is settled, as ``likely``, when those of all other sides are
    merely possible; otherwise ``inconclusive``.
(6) ``established``: all suspects are of one side, and one of them is settled; or one is likely, without a cap, and
    each of its rivals is excluded by the facts or is a suspect itself (which then shortens the code).
(7) The fault is the longest common group of the strongest suspects; a bare side is no fault, and stays None.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from netdiag.facts import Facts, Witness
from netdiag.faults import CATALOGUE, CATALOGUE_VERSION
from netdiag.faults.base import Fault, Lean
from netdiag.faults.reading import target_reached
from netdiag.verdict_answers import open_question
from netdiag.verdict_standing import Hypothesis, Standing, rivals, stand
from netdiag.verdict_words import denied, healthy, next_evidence, not_tested, reply, sides, summary, undecided

__all__ = ["Certainty", "Evidence", "Hypothesis", "Standing", "Verdict", "VerdictSide", "decide"]

VerdictSide = Literal["local", "transit", "host", "none", "inconclusive"]
Certainty = Literal["established", "likely"]

_STRENGTH = {"settled": 3, "likely": 2, "possible": 1}
_SIDES: dict[str, VerdictSide] = {"local": "local", "transit": "transit", "host": "host"}


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence that carries the verdict, with the observations behind it (``main:o12``)."""

    says: str
    observations: tuple[str, ...]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """``certainty`` is None for ``none`` and ``inconclusive``; ``fault`` for ``none``. ``fault`` is the deepest code
    that the evidence supports: a full code, or a group (``host.block``) where the evidence ends there; None where only
    the side is known. For ``inconclusive`` ``fault`` is None too, unless one fault leads that the evidence does not
    carry far enough. ``summary`` is one or two sentences; ``not_tested`` what a verdict of ``none`` does not say.
    ``next_evidence``: the measurement that decides most comes first."""

    side: VerdictSide
    certainty: Certainty | None = None
    fault: str | None = None
    summary: str
    evidence: tuple[Evidence, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    next_evidence: tuple[str, ...] = ()
    not_tested: tuple[str, ...] = ()
    search_keys: tuple[tuple[str, str], ...] = ()
    reply: str = ""
    catalogue_version: int


def decide(facts: Facts, catalogue: Sequence[Fault] = CATALOGUE) -> Verdict:
    """The verdict on these facts. Pure: the same facts and catalogue give the same verdict for ever."""
    hypotheses = stand(facts, catalogue)
    suspects = _suspects(hypotheses, "failure")
    if met_by_name(facts) and (clean(facts) or (not suspects and target_reached(facts))):
        is_contradicted = any(one.standing in ("settled", "likely") for one in suspects)
        suspects = _suspects(hypotheses, "slowness")
        if not suspects or is_contradicted or facts.speed.slow.value is not True:
            return _none(facts, hypotheses, catalogue)
    side = _side(suspects)
    if side is None:
        return _inconclusive(facts, hypotheses, suspects, catalogue)
    mine = tuple(one for one in suspects if one.fault.startswith(f"{side}."))
    leads = strongest(mine)
    certain = len(mine) == len(suspects) and any(_proven(one, leads, hypotheses, catalogue) for one in leads)
    ruled_out = _ruled_out(leads, hypotheses, catalogue)
    next_ones = () if certain else next_evidence(facts, leads, _open_rivals(leads, hypotheses, catalogue))
    return Verdict(
        side=side,
        certainty="established" if certain else "likely",
        fault=common(leads),
        summary=summary(side, certain, leads, _strays(hypotheses)),
        evidence=_evidence((*leads, *ruled_out)),
        hypotheses=hypotheses,
        next_evidence=next_ones,
        search_keys=_search_keys(facts, leads),
        reply=reply(side, certain, leads, catalogue, next_ones[0] if next_ones else ""),
        catalogue_version=CATALOGUE_VERSION,
    )


def _suspects(hypotheses: Sequence[Hypothesis], of: Literal["failure", "slowness"]) -> tuple[Hypothesis, ...]:
    return tuple(one for one in hypotheses if one.suspect and one.finding is not None and one.finding.of == of)


def met_by_name(facts: Facts) -> bool:
    """What an application on this machine meets is known to work: that an address works which only an independent
    resolver gave says nothing of it. A proxy resolves names itself."""
    names, proxy = facts.names, facts.machine.proxy.value
    return names.needed.value is not True or proxy is not None or facts.target.works_by_name.value is True


def clean(facts: Facts) -> bool:
    """The customer's own way to the URL works, and nothing measured on it is ill: then no suspicion counts.

    That the target works is not enough: its address may have come from an independent resolver while the customer's own
    fails or lies, one of its addresses may fail, or packets may be lost.
    """
    if not target_reached(facts):
        return False
    if facts.machine.proxy.value is not None:
        return True
    names, loss = facts.names, facts.target.loss.value
    resolves = names.needed.value is False or (names.system_resolves.value is True and not names.configured_lies.value)
    whole = all(
        state.works is True and state.genuine is not False
        for state in facts.target.addresses.value or ()
        if _tried(state)
    )
    return (
        resolves and whole and facts.machine.hosts_override_wrong.value is not True and (loss is None or not loss.lost)
    )


def _tried(state: msgspec.Struct) -> bool:
    """It was measured, and this machine did not lack the family (no IPv6 anywhere is no fault)."""
    connect = getattr(state, "connect", None)
    return connect is not None and connect.how != "local"


def strongest(suspects: Sequence[Hypothesis]) -> tuple[Hypothesis, ...]:
    """Those of the highest standing, in the order of the catalogue."""
    best = max(_STRENGTH[one.standing] for one in suspects)
    return tuple(one for one in suspects if _STRENGTH[one.standing] == best)


def common(leads: Sequence[Hypothesis]) -> str | None:
    """The code, or the longest group that all of them are in. A bare side is none."""
    parts = [one.fault.split(".") for one in leads]
    shared: list[str] = []
    for words in zip(*parts, strict=False):
        if len(set(words)) > 1:
            break
        shared.append(words[0])
    return ".".join(shared) if len(shared) > 1 else None


def _side(suspects: Sequence[Hypothesis]) -> VerdictSide | None:
    """Rules (4) and (5)."""
    best = {
        side: max(_STRENGTH[one.standing] for one in suspects if one.fault.startswith(f"{side}."))
        for side in sides(suspects)
    }
    if len(best) == 1:
        (side, strength), *_ = best.items()
        return _SIDES[side] if strength > _STRENGTH["possible"] else None
    strong = [side for side, strength in best.items() if strength > _STRENGTH["possible"]]
    if len(strong) == 1 and best[strong[0]] == _STRENGTH["settled"]:
        return _SIDES[strong[0]]
    return None


def _proven(
    lead: Hypothesis, leads: Sequence[Hypothesis], hypotheses: Sequence[Hypothesis], catalogue: Sequence[Fault]
) -> bool:
    """Rule (6)."""
    if lead.standing == "settled":
        return True
    finding, mutual = lead.finding, rivals(catalogue)[lead.fault]
    if finding is None or finding.at_most_likely or lead.standing != "likely" or not mutual:
        return False
    beside = {one.fault for one in leads}
    return all(one.standing == "opposed" or one.fault in beside for one in hypotheses if one.fault in mutual)


def _ruled_out(
    leads: Sequence[Hypothesis], hypotheses: Sequence[Hypothesis], catalogue: Sequence[Fault]
) -> tuple[Hypothesis, ...]:
    """The rivals of the leads that the facts exclude, by something that was seen."""
    mutual = rivals(catalogue)
    against = {code for lead in leads for code in mutual[lead.fault]}
    return tuple(
        one
        for one in hypotheses
        if one.fault in against and one.standing == "opposed" and one.finding is not None and one.finding.witnesses
    )


def _open_rivals(
    leads: Sequence[Hypothesis], hypotheses: Sequence[Hypothesis], catalogue: Sequence[Fault]
) -> tuple[Hypothesis, ...]:
    """The rivals of the leads that are still possible."""
    mutual = rivals(catalogue)
    against = {code for lead in leads for code in mutual[lead.fault]}
    return tuple(
        one for one in hypotheses if one.fault in against and one.standing in ("possible", "likely", "settled")
    )


def _strays(hypotheses: Sequence[Hypothesis]) -> tuple[Hypothesis, ...]:
    """Faults that are real and not the reason."""
    return tuple(
        one
        for one in hypotheses
        if one.standing in ("settled", "likely") and one.finding is not None and not one.finding.explains
    )


def _met_on_purpose(hypotheses: Sequence[Hypothesis]) -> tuple[Hypothesis, ...]:
    """What the rate section that was asked for was refused by, where no one kind of limit is likely: one of them, whose
    sentence says that others would show the same."""
    limits = [one for one in hypotheses if one.standing == "possible" and one.fault.startswith("host.limit.")]
    return tuple(one for one in limits if one.finding is not None and not one.finding.explains)[:1]


def _evidence(hypotheses: Sequence[Hypothesis]) -> tuple[Evidence, ...]:
    found: dict[str, tuple[Witness, ...]] = {}
    for one in hypotheses:
        if one.finding is not None:
            found.setdefault(one.because, tuple(dict.fromkeys(one.finding.witnesses)))
    return tuple(Evidence(says=says, observations=seen) for says, seen in found.items())


def _search_keys(facts: Facts, leads: Sequence[Hypothesis]) -> tuple[tuple[str, str], ...]:
    """Ids with which the vendor finds the attempts in its logs: of the leads, then of the addresses that failed."""
    found = [key for one in leads if one.finding is not None for key in one.finding.search_keys]
    for state in facts.target.addresses.value or ():
        if state.works is not True and state.genuine is not False:
            found.extend(state.search_keys)
            found.extend(state.http.search_keys if state.http is not None else ())
    recovery = facts.recovery.value
    if recovery is not None:
        found.append(("refused_until_utc", recovery.until))
        found.extend([("allowed_from_utc", recovery.since)] if recovery.since is not None else [])
    return tuple(dict.fromkeys(found))


def _fails(facts: Facts) -> bool:
    """What was measured failed: an address, or the name itself."""
    return facts.target.works.value is False or facts.target.works_by_name.value is False


def _elsewhere(
    suspects: Sequence[Hypothesis], hypotheses: Sequence[Hypothesis], catalogue: Sequence[Fault]
) -> tuple[Hypothesis, ...]:
    """Rivals of another side that nothing excludes, when all suspects are of one: they must be named beside them."""
    if len(sides(suspects)) != 1:
        return ()
    return tuple(
        one
        for one in _open_rivals(suspects, hypotheses, catalogue)
        if not one.suspect and sides([one]) != sides(suspects)
    )


def _none(facts: Facts, hypotheses: tuple[Hypothesis, ...], catalogue: Sequence[Fault]) -> Verdict:
    doubt = open_question(facts)
    worked = [state for state in facts.target.addresses.value or () if state.works is True]
    evidence = [
        Evidence(
            says=f"{state.address} answered"
            + (f" HTTP {state.http.status}." if state.http is not None and state.http.status is not None else "."),
            observations=state.witnesses,
        )
        for state in worked
    ]
    return Verdict(
        side="none",
        summary=healthy(facts, _strays(hypotheses) or _met_on_purpose(hypotheses)),
        evidence=tuple(evidence),
        hypotheses=hypotheses,
        not_tested=not_tested(facts),
        next_evidence=next_evidence(facts, (), ()) if doubt is not None else (),
        reply=reply("none", True, (), catalogue, "", doubt=doubt),
        catalogue_version=CATALOGUE_VERSION,
    )


def _inconclusive(
    facts: Facts, hypotheses: tuple[Hypothesis, ...], suspects: tuple[Hypothesis, ...], catalogue: Sequence[Fault]
) -> Verdict:
    wanted = tuple(one for one in hypotheses if one.finding is not None and one.finding.lean is Lean.SILENT)
    next_ones = next_evidence(facts, suspects, wanted)
    leads = strongest(suspects) if suspects else ()
    return Verdict(
        side="inconclusive",
        fault=common(suspects) if suspects else None,
        summary=undecided(
            leads,
            _fails(facts),
            _strays(hypotheses),
            next_ones[0],
            _elsewhere(suspects, hypotheses, catalogue),
            name=denied(facts) or open_question(facts),
        ),
        evidence=_evidence(suspects),
        hypotheses=hypotheses,
        next_evidence=next_ones,
        search_keys=_search_keys(facts, suspects),
        reply=reply("inconclusive", False, suspects, catalogue, next_ones[0]),
        catalogue_version=CATALOGUE_VERSION,
    )
