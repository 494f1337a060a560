"""The report as Markdown (CommonMark with GitHub's tables), for tickets and wikis."""

import re
from collections.abc import Iterator, Sequence

from netdiag.reports.hops import HOP_COLUMNS, hop_cells
from netdiag.reports.view import Origin, Row, Sentence, View, ruled_out, times
from netdiag.reports.words import refs

_MARKS = re.compile(r"[\\`*_{}\[\]<>|~#@$^]")
_SCHEME = re.compile(r":(?=//)|(?<=mailto):|(?<=xmpp):|(?<=javascript):|(?<=data):|(?<=www)\.", re.IGNORECASE)
_LEADING = re.compile(r"^(\s*)([-+=]|\d+(?=[.)](?:\s|$)))")


def markdown(view: View) -> str:
    """The report. Nothing that a bundle says becomes a link, HTML, an image or any other mark-up in it."""
    lines = [*_head(view), *_why(view), *_tables(view), *_behind(view)]
    return "\n".join(lines).rstrip("\n") + "\n"


def escape(text: str) -> str:
    """``text`` so that Markdown shows it letter by letter.

    Backslashes before every character that begins mark-up (CommonMark 0.31 section 2.4), before ``@`` and ``#``, which
    ticket systems turn into mentions, and inside ``https://`` and ``www.``, which GitHub turns into links without any
    mark-up. ``&`` becomes an entity, so that no other entity can be written.
    """
    text = _MARKS.sub(lambda found: "\\" + found[0], text.replace("\n", " "))
    text = _SCHEME.sub(lambda found: "\\" + found[0], text)
    text = _LEADING.sub(_escape_leading, text)
    return text.replace("&", "&amp;")


def _escape_leading(found: re.Match[str]) -> str:
    """A list, a rule or a heading's underline at the beginning of a line."""
    marker = found[2]
    return found[1] + (marker + "\\" if marker.isdigit() else "\\" + marker)


def _head(view: View) -> Iterator[str]:
    yield f"# netdiag verdict on {escape(view.url)}"
    yield ""
    yield f"Measured {escape(view.when)}."
    yield ""
    yield "| | |"
    yield "|---|---|"
    yield f"| Side | **{escape(view.side_words)}** |"
    if view.certainty is not None:
        yield f"| Certainty | {view.certainty} |"
    if view.fault is not None:
        name = "Fault" if view.certainty is not None else "Foremost"
        yield f"| {name} | {escape(view.fault_title or 'one of a group')} ({escape(view.fault)}) |"
    yield ""
    yield escape(view.summary)
    yield ""
    for warning in view.warnings:
        yield f"> **Note:** {escape(warning)}"
        yield ""


def _why(view: View) -> Iterator[str]:
    if view.evidence:
        yield from _heading("What shows it")
        for number, one in enumerate(view.evidence, start=1):
            yield f"{number}. {_sentence(one)}"
        yield ""
    for title, sentences in (
        ("What to do next", view.next_evidence),
        ("What was not tested", view.not_tested),
    ):
        if sentences:
            yield from _heading(title)
            yield from (f"- {escape(says)}" for says in sentences)
            yield ""
    if any(view.reply):
        yield from _heading("Reply to send")
        for line in view.reply:
            yield f"> {escape(line)}".rstrip()
        yield ""
    if view.search_keys:
        yield from _heading("To look up in the vendor's logs")
        yield from _table(("Key", "Value"), view.search_keys)


def _tables(view: View) -> Iterator[str]:
    if view.still_possible:
        yield from _heading("Still possible")
        rows = [(_named(row), row.standing, row.because) for row in view.still_possible]
        yield from _table(("Fault", "Standing", "Because"), rows)
    if view.ruled_out:
        yield from _heading("Ruled out")
        yield from _table(("Fault", "Because"), [(_named(row), ruled_out(row)) for row in view.ruled_out])
    if view.not_assessed:
        yield from _heading("Not assessed, and for want of what")
        yield from _table(
            ("Fault", "Because", "Wants"),
            [(_named(row), row.because, ", ".join(row.wants)) for row in view.not_assessed],
        )


def _behind(view: View) -> Iterator[str]:
    if view.seen:
        yield from _heading("What was seen")
        for part in view.seen:
            yield f"**{escape(part.title)}**"
            yield ""
            yield from (f"- {_sentence(one)}" for one in part.sentences)
            yield ""
    for table in view.hops:
        yield from _heading(table.title)
        yield from _table(HOP_COLUMNS, hop_cells(table))
    if view.hops and view.credit is not None:
        yield escape(view.credit)
        yield ""
    if view.not_measured:
        yield from _heading("What was not measured")
        yield from _table(
            ("What", "Why", "Bundle"),
            [(row.title, times(row), row.fault) for row in view.not_measured],
        )
    for origin in view.origins:
        yield from _origin(origin)
    yield f"Fault catalogue {view.catalogue_version}. No network was used to judge."


def _origin(origin: Origin) -> Iterator[str]:
    yield from _heading(f"Where {origin.name} comes from")
    yield from _table(("", ""), origin.facts)
    for title, sentences in (("This proves:", origin.proves), ("It does not prove:", origin.does_not_prove)):
        yield title
        yield ""
        yield from (f"- {escape(says)}" for says in sentences)
        yield ""


def _heading(title: str) -> Iterator[str]:
    yield f"## {escape(title)}"
    yield ""


def _sentence(one: Sentence) -> str:
    return escape(one.says) + (f" ({escape(refs(one.refs))})" if one.refs else "")


def _named(row: Row) -> str:
    return f"{row.title} ({row.fault})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    yield from (f"| {' | '.join(escape(cell) for cell in row)} |" for row in rows)
    yield ""
