"""The verdict for programs: ``netdiag/verdict/1``, exactly as the command line's contract writes it."""

import json as _json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from netdiag.evidence.display import sanitize_text
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


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC: ``2026-03-14T09:26:53Z``."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def dump(value: object) -> str:
    """Indented ASCII JSON whose strings are made safe, with a newline at the end."""
    return _json.dumps(_safe(value), indent=2, allow_nan=False) + "\n"


def _safe(value: object) -> object:
    if isinstance(value, str):
        return sanitize_text(value, keep_newlines=True)
    if isinstance(value, dict):
        return {_safe(name): _safe(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_safe(one) for one in value]
    return value


def _grouped(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Search keys by name; several values of one name stand in one string, since ids have no spaces."""
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return {name: ", ".join(dict.fromkeys(values)) for name, values in grouped.items()}
