"""The report for a terminal, a mail or a ticket field: 80 columns, colours only where a terminal will show them."""

from collections.abc import Iterator, Sequence

from netdiag.reports.view import Origin, Row, Sentence, View
from netdiag.reports.words import WIDTH, fill, two_columns

_BOLD, _DIM, _OFF = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_COLOUR = {
    "local": "\x1b[1;33m",
    "transit": "\x1b[1;35m",
    "host": "\x1b[1;31m",
    "none": "\x1b[1;32m",
    "inconclusive": "\x1b[1;36m",
}


def text(view: View, *, colour: bool = False) -> str:
    """The report. Without ``colour`` there is no control character in it but the line ends."""
    paint = _Paint(colour)
    lines = [*_head(view, paint), *_why(view, paint), *_tables(view, paint), *_behind(view, paint)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


class _Paint:
    """Wraps whole lines that are already laid out, so that no colour counts as a column."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def __call__(self, code: str, line: str) -> str:
        return f"{code}{line}{_OFF}" if self._colour and line else line

    def heading(self, title: str) -> Iterator[str]:
        yield ""
        yield self(_BOLD, title)


def _head(view: View, paint: _Paint) -> Iterator[str]:
    for line in fill(f"netdiag verdict on {view.url}"):
        yield paint(_BOLD, line)
    yield paint(_DIM, f"measured {view.when}")
    yield ""
    for line in fill(view.side_words, first="  Side       "):
        yield paint(_COLOUR[view.side], line)
    if view.certainty is not None:
        yield f"  Certainty  {view.certainty}"
    if view.fault is not None:
        # Without a certainty it is not the verdict's fault, only the one that leads.
        name = "Fault" if view.certainty is not None else "Foremost"
        yield from fill(f"{view.fault_title or 'one of a group'} ({view.fault})", first=f"  {name.ljust(9)}  ")
    yield ""
    yield from fill(view.summary)
    for warning in view.warnings:
        for line in fill(f"Note: {warning}"):
            yield paint(_COLOUR["local"], line)


def _why(view: View, paint: _Paint) -> Iterator[str]:
    if view.evidence:
        yield from paint.heading("What shows it")
        for number, one in enumerate(view.evidence, start=1):
            yield from _sentence(one, f"{number:>3}. ", paint)
    for title, sentences in (
        ("What to measure next", view.next_evidence),
        ("What was not tested", view.not_tested),
    ):
        if sentences:
            yield from paint.heading(title)
            for says in sentences:
                yield from fill(says, first="  - ")
    if any(view.reply):
        yield from paint.heading("Reply to send")
        for line in view.reply:
            yield from fill(line, first="  | ", rest="  | ")
    if view.search_keys:
        yield from paint.heading("To look up in the vendor's logs")
        yield from two_columns(view.search_keys)


def _tables(view: View, paint: _Paint) -> Iterator[str]:
    for title, rows in (("Ruled out", view.ruled_out), ("Still possible", view.still_possible)):
        if rows:
            yield from paint.heading(title)
            for row in rows:
                yield from _row(row, paint)
    if view.not_assessed:
        yield from paint.heading("Not assessed, and for want of what")
        for row in view.not_assessed:
            yield from _row(row, paint)


def _behind(view: View, paint: _Paint) -> Iterator[str]:
    if view.seen:
        yield from paint.heading("What was seen")
        for part in view.seen:
            yield from fill(part.title, first="  ")
            for one in part.sentences:
                yield from _sentence(one, "  - ", paint)
    if view.not_measured:
        yield from paint.heading("What was not measured")
        for row in view.not_measured:
            yield from fill(f"{row.title}: {times(row)} ({row.fault})", first="  - ")
    for origin in view.origins:
        yield from _origin(origin, paint)
    yield ""
    yield paint(_DIM, f"Fault catalogue {view.catalogue_version}. No network was used to judge.")


def _sentence(one: Sentence, first: str, paint: _Paint) -> Iterator[str]:
    yield from fill(one.says, first=first)
    if one.refs:
        for line in fill(f"[{refs(one.refs)}]", first=" " * len(first)):
            yield paint(_DIM, line)


def refs(names: Sequence[str], *, most: int = 8) -> str:
    """References, shortened when there are many."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return ", ".join(names)


def times(row: Row) -> str:
    """Why something was not measured, and how often."""
    return f"{row.because}, {row.standing}" if row.standing else row.because


def _row(row: Row, paint: _Paint) -> Iterator[str]:
    standing = f", {row.standing}" if row.standing in {"likely", "settled", "explained by another fault"} else ""
    yield from fill(f"{row.title} ({row.fault}{standing})", first="  - ")
    for line in fill(row.because, first="    "):
        yield paint(_DIM, line)


def _origin(origin: Origin, paint: _Paint) -> Iterator[str]:
    yield from paint.heading(f"Where {origin.name} comes from")
    yield from two_columns(origin.facts)
    for title, sentences in (("This proves:", origin.proves), ("It does not prove:", origin.does_not_prove)):
        yield f"  {title}"
        for says in sentences:
            yield from fill(says, first="  - ")


assert WIDTH == 80  # the layout above is made for it
