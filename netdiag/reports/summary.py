"""What the customer is left with: summary.txt, and the block to paste where attachments are lost."""

from collections.abc import Sequence
from datetime import timedelta

from netdiag.evidence.bundle import Bundle
from netdiag.evidence.display import sanitize_text
from netdiag.facts import Facts
from netdiag.reports.absent import absences
from netdiag.reports.observed import Section, observed
from netdiag.reports.words import count, fill, span, utc

PASTE_LINES = 15
"""Lines of the paste block at most: what people still paste whole."""


def summary(bundle: Bundle, facts: Facts | None) -> str:
    """summary.txt: what was seen, no verdict. ``facts`` None: they could not be derived; the records are there."""
    return "\n".join([*_head(bundle), "", *seen_lines(bundle, facts)]) + "\n"


def seen_lines(bundle: Bundle, facts: Facts | None) -> list[str]:
    """What was seen and what was not measured, wrapped."""
    sections = observed(facts) if facts is not None else ()
    missing = absences("main", bundle)
    if missing:
        sights = [f"{one.what}: {one.why}" + (f", {one.times} times" if one.times > 1 else "") for one in missing]
        return [*_sections(sections), *_list("Not measured", sights)]
    return _sections(sections) or ["The records are in evidence.json."]


def paste_block(bundle: Bundle, brief: Sequence[str], *, sha256: str, fingerprint: str) -> str:
    """At most PASTE_LINES lines that still help when the ticket system strips attachments."""
    ended = bundle.began_at + timedelta(microseconds=bundle.duration_ns // 1000)
    head = [
        f"netdiag: {bundle.target.url}",
        f"time:    {utc(bundle.began_at)} to {utc(ended)}",
    ]
    tail = [f"run id:  {bundle.run_id}", f"sha256:  {sha256}", f"key:     {fingerprint}"]
    if bundle.ticket is not None:
        tail.insert(0, f"ticket:  {bundle.ticket}")
    head_lines = [line for text in head for line in fill(sanitize_text(text), rest=" " * 9)[:2]]
    tail_lines = [line for text in tail for line in fill(sanitize_text(text), rest=" " * 9)[:1]]
    room = PASTE_LINES - len(head_lines) - len(tail_lines)
    seen = [line for says in brief for line in fill(says, first="- ")]
    if len(seen) > room:
        seen = [*seen[: room - 1], "- (more in the bundle)"]
    return "\n".join([*head_lines, *seen, *tail_lines]) + "\n"


def _head(bundle: Bundle) -> list[str]:
    lines = [
        *fill(sanitize_text(f"What netdiag saw of {bundle.target.url}")),
        f"Begun {utc(bundle.began_at)}, took {span(bundle.duration_ns / 1e9)}.",
        *fill(f"Run id {sanitize_text(bundle.run_id)}."),
    ]
    if bundle.interrupted is not None:
        why = "It was interrupted" if bundle.interrupted == "signal" else "The time ran out"
        lines += fill(f"{why}: what would have come later was not measured.")
    done = count(len(bundle.observations), "record")
    lines += fill(f"These are observations ({done} of {count(len(bundle.plan), 'step')}), not a verdict.")
    return lines


def _sections(sections: Sequence[Section]) -> list[str]:
    return [line for section in sections for line in _list(section.title, [one.says for one in section.sights])]


def _list(title: str, sentences: Sequence[str]) -> list[str]:
    lines = fill(title)
    for says in sentences:
        lines += fill(says, first="  - ")
    return lines
