"""One scenario on one network: where its recordings lie, and what each set of evidence makes of them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from netdiag.cli.analysis import Analysis, judge, open_source
from netdiag.evidence.bundle import Bundle
from netdiag.evidence.profile import Profile, parse_profile
from netdiag.evidence.source import read_source
from netdiag.evidence.trust import TrustPolicy
from netdiag.facts import Basis, Facts
from netdiag.reports.view import Source
from netdiag.verdict import Verdict
from tests.netns import scenario as scenarios
from tests.netns.scenario import Answer, Scenario

EvidenceSet = Literal["alone", "control", "profile"]
SETS: tuple[EvidenceSet, ...] = ("alone", "control", "profile")


class Case(NamedTuple):
    """A scenario on a network."""

    name: str
    network: str

    @property
    def scenario(self) -> Scenario:
        return scenarios.load(self.name)

    @property
    def folder(self) -> Path:
        return scenarios.BUNDLES / self.name / self.network

    @property
    def control_folder(self) -> Path:
        return scenarios.BUNDLES / self.name / f"{self.network}-control"

    @property
    def golden_file(self) -> Path:
        return scenarios.BUNDLES / self.name / f"{self.network}.golden.json"

    @property
    def recorded(self) -> bool:
        """Whether all that the scenario's sets of evidence need is there."""
        folders = [self.folder] + ([self.control_folder] if self.scenario.truth.control is not None else [])
        return all((folder / "evidence.json").is_file() for folder in folders)

    def answer(self, evidence: EvidenceSet) -> Answer | None:
        """What may come out of this set of evidence; None: the scenario does not state it."""
        truth = self.scenario.truth
        return {"alone": truth.alone, "control": truth.control, "profile": truth.profile}[evidence]


def cases() -> list[Case]:
    """Every scenario on every network that it is meant for."""
    return [Case(name, network) for name in scenarios.names() for network in scenarios.load(name).networks]


def read(folder: Path) -> Bundle:
    """The verified bundle of an unpacked folder."""
    return _source("main", folder).bundle


def profile_of(network: str) -> Profile:
    """The profile that the network's vendor publishes."""
    return parse_profile((scenarios.BUNDLES / "profiles" / f"{network}.toml").read_bytes())


def analysis(case: Case, evidence: EvidenceSet) -> Analysis:
    """What ``netdiag analyze`` makes of the recordings of one set of evidence."""
    sources = [_source("main", case.folder)]
    if evidence == "control":
        sources.append(_source("control1", case.control_folder))
    return judge(sources, profile_of(case.network) if evidence == "profile" else None)


def _source(name: str, folder: Path) -> Source:
    return open_source(name, read_source(folder), TrustPolicy(), now=datetime.now(UTC))


def digest(facts: Facts, verdict: Verdict) -> dict[str, Any]:
    """What the golden file holds: every known fact's value, and how every hypothesis stands.

    No witnesses and no sentences: these may change without a change of meaning.
    """
    return {
        "facts": _known(facts),
        "verdict": {"side": verdict.side, "certainty": verdict.certainty, "fault": verdict.fault},
        "standings": {
            one.fault: one.standing for one in verdict.hypotheses if one.standing not in {"opposed", "not_assessed"}
        },
    }


def _known(facts: Facts) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for group in ("machine", "names", "controls", "target", "path", "agent"):
        part = getattr(facts, group)
        for field in part.__struct_fields__:
            fact = getattr(part, field)
            if fact.basis is Basis.SEEN:
                found[f"{group}.{field}"] = _without_noise(msgspec.to_builtins(fact.value))
    return found


_NOISE = {"witnesses", "elapsed_ms", "span_ms", "rtt_ms", "first_byte_ms"}
"""Of a recording, but of no meaning in a golden file: ids and timings."""


def _without_noise(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_noise(one) for key, one in value.items() if key not in _NOISE and one is not None}
    if isinstance(value, list | tuple):
        return [_without_noise(one) for one in value]
    return value


def golden(case: Case) -> dict[str, Any]:
    """The digests of all sets of evidence that the scenario states."""
    made = {}
    for evidence in SETS:
        if case.answer(evidence) is not None:
            found = analysis(case, evidence)
            made[evidence] = digest(found.facts, found.verdict)
    first = made.get("alone", {}).get("facts", {})
    for evidence, one in made.items():
        if evidence != "alone":  # only what this set adds or changes
            one["facts"] = {key: value for key, value in one["facts"].items() if first.get(key) != value}
    return json.loads(json.dumps(made))  # type: ignore[no-any-return]
