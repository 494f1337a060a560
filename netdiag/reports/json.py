"""The verdict for programs: ``netdiag/verdict/1``, exactly as the command line's contract writes it."""

from collections.abc import Sequence
from typing import Any

from netdiag.reports.encoding import dump, stamp
from netdiag.reports.view import Source, search_keys
from netdiag.verdict import Verdict

SCHEMA = "netdiag/verdict/1"


def json(verdict: Verdict, sources: Sequence[Source]) -> str:
    """One object. Texts are as safe to show as in the other reports; all but ASCII is escaped, so that the bytes mean
    the same whatever the terminal's encoding is."""
    return dump(document(verdict, sources))


def document(verdict: Verdict, sources: Sequence[Source]) -> dict[str, Any]:
    """What :func:`json` writes."""
    return {
        "schema": SCHEMA,
        "verdict": {
            "side": verdict.side,
            "certainty": verdict.certainty,
            "fault": verdict.fault,
            "summary": verdict.summary,
        },
        "evidence": [{"says": one.says, "observations": list(one.observations)} for one in verdict.evidence],
        "hypotheses": [
            {"fault": one.fault, "standing": one.standing, "because": one.because} for one in verdict.hypotheses
        ],
        "next_evidence": list(verdict.next_evidence),
        "search_keys": _grouped(search_keys(verdict, sources[0].bundle)),
        "reply": verdict.reply,
        "provenance": [
            {
                "bundle": source.name,
                "signature": source.provenance.signature,
                "key": source.provenance.key,
                "key_trust": source.provenance.key_trust,
                "made_at": stamp(source.provenance.made_at),
                "ticket": source.provenance.ticket,
            }
            for source in sources
        ],
        "catalogue_version": verdict.catalogue_version,
    }


def _grouped(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Search keys by name; several values of one name stand in one string, since ids have no spaces."""
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return {name: ", ".join(dict.fromkeys(values)) for name, values in grouped.items()}
