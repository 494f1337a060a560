"""Less evidence may weaken a verdict over the recorded corpus, and never turns it to another side: an interrupted run
ends anywhere, and a probe that fails leaves its records out."""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
import pytest

from netdiag.evidence.bundle import Bundle
from netdiag.evidence.observation import Observation
from netdiag.facts import VendorProfile, derive
from netdiag.verdict import Verdict, decide
from tests.corpus.case import SETS, Case, EvidenceSet, cases, profile_of, read


class Prefixes(NamedTuple):
    """What facts need of a profile."""

    prefixes: tuple[str, ...]


SINGLE_DELETIONS = 6
EVERY = 10
SHARES = (0.2, 0.5, 0.8)

ONE_LOOK = {
    "host-member-dead": "the flows that pass show where the dead ones end",
    "transit-member-dead-mute": "other flows pass where the connections happened to fail",
    "none-403-client-name": "the same request under another client's name is served",
    "local-firewall-rejects-in-vendors-name": "a walk of another protocol shows that the vendor is farther away",
    "transit-prohibited-in-vendors-name": "a walk of another protocol shows that the vendor is farther away",
}
"""What one look alone tells from the vendor's own refusal: without it the refusal is all that there is to read. There
the customer must still not be blamed."""

RECORDED = [
    pytest.param(case, evidence, id=f"{case.name}-{case.network}-{evidence}")
    for case in cases()
    if case.recorded
    for evidence in SETS
    if case.answer(evidence) is not None
]


def less(bundle: Bundle, chance: random.Random) -> Iterator[tuple[str, Bundle]]:
    """The bundle without single records, without whole steps, cut short, and without a share of its records."""
    held: Sequence[Observation] = bundle.observations

    def only(records: Sequence[Observation], *, cut: bool = False) -> Bundle:
        interrupted = "signal" if cut else bundle.interrupted
        return msgspec.structs.replace(bundle, observations=tuple(records), interrupted=interrupted)

    for place in chance.sample(range(len(held)), min(SINGLE_DELETIONS, len(held))):
        yield f"without {held[place].id}", only([*held[:place], *held[place + 1 :]])
    steps = list(dict.fromkeys(record.step for record in held))
    for step in chance.sample(steps, min(SINGLE_DELETIONS, len(steps))):
        yield f"without step {step}", only([record for record in held if record.step != step])
    for end in range(0, len(held), EVERY):
        yield f"cut after {end}", only(held[:end], cut=True)
    for share in SHARES:
        yield f"without {share:.0%}", only([record for record in held if chance.random() > share])


@pytest.mark.parametrize(("case", "evidence"), RECORDED)
def test_less_evidence_names_no_other_side(case: Case, evidence: EvidenceSet) -> None:
    bundle = read(case.folder)
    agents = [read(case.control_folder)] if evidence == "control" else []
    profile: VendorProfile | None = None
    if evidence == "profile":
        profile = Prefixes(tuple(str(one) for one in profile_of(case.network).prefixes))
    answer = case.answer(evidence)
    assert answer is not None
    true_side = case.scenario.truth.fault.split(".", 1)[0]
    fine = {decide(derive(bundle, agents, profile)).side, true_side, *answer.sides, "inconclusive"}
    for what, part in less(bundle, random.Random(7)):
        verdict = decide(derive(part, agents, profile))
        if case.name in ONE_LOOK and verdict.side != "local":
            continue
        assert verdict.side in fine or honest_none(verdict), f"{what}: {verdict.side}, {verdict.fault}"


def honest_none(verdict: Verdict) -> bool:
    """What was measured worked, and the verdict says what was not: another address, the proxy, the rest of the run."""
    said = " ".join(verdict.not_tested)
    return verdict.side == "none" and any(word in said for word in ("which the name has", "proxy", "interrupted"))
