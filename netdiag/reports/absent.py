"""What was not measured, and why: the reader must see what silence in a report means."""

from collections.abc import Sequence

import msgspec

from netdiag.evidence.bundle import Bundle
from netdiag.evidence.display import sanitize_text
from netdiag.evidence.record import NotRun
from netdiag.facts.base import Witness

WHY = {
    "no_privilege": "this user may not",
    "unsupported": "this system cannot",
    "declined": "left out, so as not to burden the vendor",
    "out_of_time": "there was no time left",
    "prerequisite_failed": "what it needs did not work",
    "crashed": "netdiag itself failed there",
}


WHAT = {"manners": "some packets of a path walk"}
"""What a record calls by a word of netdiag's own."""


class Absence(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was not measured. ``times`` counts equal records."""

    what: str
    why: str
    times: int
    witnesses: tuple[Witness, ...]


def absences(name: str, bundle: Bundle) -> tuple[Absence, ...]:
    """Every NotRun of ``bundle``, which is called ``name`` in references, and planned steps that left no record."""
    found: dict[tuple[str, str], list[Witness]] = {}
    spoken = {record.step for record in bundle.observations}
    for record in bundle.observations:
        if isinstance(record, NotRun):
            # Why netdiag held back is in its manners; which of its limits it was says nothing to a reader.
            told = record.detail if record.why != "declined" else ""
            detail = f" ({sanitize_text(told)[:120]})" if told else ""
            what = WHAT.get(record.what, record.what)
            found.setdefault((sanitize_text(what), f"{WHY[record.why]}{detail}"), []).append(f"{name}:{record.id}")
    rows = [
        Absence(what=what, why=why, times=len(witnesses), witnesses=_clean(witnesses))
        for (what, why), witnesses in found.items()
    ]
    mute: dict[str, int] = {}
    for step in bundle.plan:
        if step.id not in spoken:
            about = " ".join(word for word in (step.probe, step.subject or step.address or "") if word)
            mute[about] = mute.get(about, 0) + 1
    why = "the run was interrupted" if bundle.interrupted else "planned, and no record of it was made"
    rows += [Absence(what=sanitize_text(what), why=why, times=times, witnesses=()) for what, times in mute.items()]
    return tuple(rows)


def _clean(witnesses: Sequence[Witness]) -> tuple[Witness, ...]:
    return tuple(sanitize_text(witness) for witness in witnesses)
