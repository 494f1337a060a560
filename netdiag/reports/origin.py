"""What of a bundle holds, and what its signature proves and does not prove."""

from netdiag.evidence.display import sanitize_text
from netdiag.reports.encoding import dump, stamp
from netdiag.reports.view import Source, origin, warnings
from netdiag.reports.words import fill, two_columns


def origin_text(source: Source, path: str) -> str:
    """In words, 80 columns."""
    told = origin(source)
    lines = fill(f"{sanitize_text(path)}: the signature and every hash hold.")
    lines += ["", *two_columns(told.facts)]
    for warning in told.warnings:
        lines += ["", *fill(f"Note: {warning}")]
    for title, sentences in (("This proves", told.proves), ("It does not prove", told.does_not_prove)):
        lines += ["", title]
        for says in sentences:
            lines += fill(says, first="  - ")
    return "\n".join(lines) + "\n"


def origin_json(source: Source, path: str) -> str:
    """The same as one JSON object."""
    bundle, provenance = source.bundle, source.provenance
    return dump(
        {
            "bundle": path,
            "signature": provenance.signature,
            "key": provenance.key,
            "key_trust": provenance.key_trust,
            "principals": provenance.principals,
            "made_at": stamp(provenance.made_at),
            "age_s": provenance.age_s,
            "ticket": provenance.ticket,
            "ticket_matches": provenance.ticket_matches,
            "sha256": provenance.sha256,
            "run_id": bundle.run_id,
            "interrupted": bundle.interrupted,
            "warnings": warnings(source),
            "proves": provenance.proves,
            "does_not_prove": provenance.does_not_prove,
        }
    )
