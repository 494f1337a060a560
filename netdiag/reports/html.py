"""The report as one HTML file: no script, nothing loaded from anywhere, readable on screen and on paper."""

from collections.abc import Iterator, Sequence
from html import escape

from netdiag.reports.hops import HOP_COLUMNS, hop_cells
from netdiag.reports.view import Origin, Row, Sentence, View, ruled_out, times
from netdiag.reports.words import refs

_STYLE = """
:root { --ink: #1b1f24; --soft: #57606a; --line: #d8dee4; --paper: #fff; --tint: #f6f8fa; --side: #57606a;
  color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9aa4af; --line: #30363d; --paper: #0d1117;
  --tint: #161b22; } }
.host { --side: #b42318; } .transit { --side: #6f42c1; } .local { --side: #9a6700; } .none { --side: #1a7f37; }
.inconclusive { --side: #0a6d8a; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 56rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.35rem; line-height: 1.3; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 2.25rem 0 .5rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line);
  break-after: avoid; }
h3 { font-size: .95rem; margin: 1rem 0 .25rem; break-after: avoid; overflow-wrap: anywhere; }
p, li, td, dd, blockquote { overflow-wrap: anywhere; }
ul, ol { margin: .25rem 0; padding-left: 1.5rem; } li { margin: .25rem 0; }
.soft, .refs { color: var(--soft); } .refs, code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; }
.refs, code { font-size: .8rem; }
.verdict { border: 1px solid var(--line); border-left: .4rem solid var(--side); background: var(--tint);
  padding: 1rem 1.25rem; margin: 1.25rem 0; break-inside: avoid; }
.verdict .side { font-size: 1.15rem; font-weight: 700; color: var(--side); margin: 0; }
@media (prefers-color-scheme: dark) { .verdict .side { filter: brightness(1.6); } }
.verdict p { margin: .35rem 0 0; }
.note { border-left: .4rem solid #bf8700; padding: .25rem .75rem; margin: .75rem 0; background: var(--tint); }
blockquote { margin: .5rem 0; padding: .75rem 1rem; background: var(--tint); border: 1px solid var(--line);
  white-space: pre-wrap; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); } tr { break-inside: avoid; }
th:first-child { width: 30%; } th.standing { width: 16%; }
.hops th { width: auto; } .hops th:first-child { width: 3.5rem; }
.hops td:not(:nth-child(3)):not(:nth-child(4)) { white-space: nowrap; } .hops td:nth-child(4) { min-width: 7rem; }
td code { display: block; color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: .5rem 0; font-size: .9rem; }
dt { color: var(--soft); } dd { margin: 0; }
@media (max-width: 36rem) { table, tbody, tr, td { display: block; } thead { display: none; }
  tr { padding: .4rem 0; border-bottom: 1px solid var(--line); } td { border: 0; padding: 0; }
  td + td { margin-top: .2rem; padding-left: 1rem; } td code { display: inline; }
  .hops td { display: inline-block; margin: 0; padding: 0 .75rem 0 0; } .hops td:nth-child(4) { min-width: 0; }
  .hops td:nth-child(3) { display: block; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .4rem; } }
@media print { :root { --ink: #000; --paper: #fff; --tint: #fff; --soft: #444; --line: #bbb; color-scheme: light; }
  body { font-size: 10.5pt; } main { max-width: none; padding: 0; } }
"""


def html(view: View) -> str:
    """The report. The policy in its head forbids scripts and every load, should an escape ever be missing."""
    body = "\n".join([*_head(view), *_why(view), *_tables(view), *_behind(view)])
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>netdiag verdict on {escape(view.url)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def _head(view: View) -> Iterator[str]:
    yield f"<h1>netdiag verdict on {escape(view.url)}</h1>"
    yield f'<p class="soft">Measured {escape(view.when)}</p>'
    yield f'<section class="verdict {view.side}">'
    certainty = f" <span>({view.certainty})</span>" if view.certainty is not None else ""
    yield f'<p class="side">{escape(view.side_words)}{certainty}</p>'
    if view.fault is not None:
        name = "Fault" if view.certainty is not None else "Foremost"
        title = view.fault_title or "one of a group"
        yield f"<p>{name}: <strong>{escape(title)}</strong> <code>{escape(view.fault)}</code></p>"
    yield f"<p>{escape(view.summary)}</p>"
    yield "</section>"
    for warning in view.warnings:
        yield f'<p class="note"><strong>Note:</strong> {escape(warning)}</p>'


def _why(view: View) -> Iterator[str]:
    if view.evidence:
        yield "<h2>What shows it</h2>"
        yield from _list(view.evidence, "ol")
    for title, sentences in (
        ("What to do next", view.next_evidence),
        ("What was not tested", view.not_tested),
    ):
        if sentences:
            yield f"<h2>{title}</h2>"
            yield from _list([Sentence(says=says) for says in sentences])
    if any(view.reply):
        yield "<h2>Reply to send</h2>"
        yield f"<blockquote>{escape(chr(10).join(view.reply))}</blockquote>"
    if view.search_keys:
        yield "<h2>To look up in the vendor's logs</h2>"
        yield from _pairs(view.search_keys)


def _tables(view: View) -> Iterator[str]:
    if view.still_possible:
        yield "<h2>Still possible</h2>"
        rows = [(_named(row), row.standing, row.because) for row in view.still_possible]
        yield from _table(("Fault", "Standing", "Because"), rows)
    if view.ruled_out:
        yield "<h2>Ruled out</h2>"
        yield from _table(("Fault", "Because"), [(_named(row), ruled_out(row)) for row in view.ruled_out])
    if view.not_assessed:
        yield "<h2>Not assessed, and for want of what</h2>"
        yield from _table(
            ("Fault", "Because", "Wants"),
            [(_named(row), row.because, ", ".join(row.wants)) for row in view.not_assessed],
        )


def _behind(view: View) -> Iterator[str]:
    if view.seen:
        yield "<h2>What was seen</h2>"
        for part in view.seen:
            yield f"<h3>{escape(part.title)}</h3>"
            yield from _list(part.sentences)
    for table in view.hops:
        yield f"<h2>{escape(table.title)}</h2>"
        yield from _table(HOP_COLUMNS, hop_cells(table), kind="hops")
    if view.hops and view.credit is not None:
        yield f'<p class="soft">{escape(view.credit)}</p>'
    if view.not_measured:
        yield "<h2>What was not measured</h2>"
        yield from _table(
            ("What", "Why", "Bundle"),
            [(row.title, times(row), row.fault) for row in view.not_measured],
        )
    for origin in view.origins:
        yield from _origin(origin)
    yield f'<p class="soft">Fault catalogue {view.catalogue_version}. No network was used to judge.</p>'


def _origin(origin: Origin) -> Iterator[str]:
    yield f"<h2>Where {escape(origin.name)} comes from</h2>"
    yield from _pairs(origin.facts)
    for title, sentences in (("This proves", origin.proves), ("It does not prove", origin.does_not_prove)):
        yield f"<h3>{title}</h3>"
        yield from _list([Sentence(says=says) for says in sentences])


def _list(sentences: Sequence[Sentence], tag: str = "ul") -> Iterator[str]:
    yield f"<{tag}>"
    for one in sentences:
        where = f' <span class="refs">{escape(refs(one.refs))}</span>' if one.refs else ""
        yield f"<li>{escape(one.says)}{where}</li>"
    yield f"</{tag}>"


def _pairs(pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield "<dl>"
    yield from (f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs)
    yield "</dl>"


class _Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def _named(row: Row) -> _Html:
    return _Html(f"{escape(row.title)} <code>{escape(row.fault)}</code>")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, kind: str = "") -> Iterator[str]:
    yield (
        (f'<table class="{kind}">' if kind else "<table>")
        + "<thead><tr>"
        + "".join(f'<th class="{escape(name.lower())}">{escape(name)}</th>' for name in head)
        + "</tr></thead><tbody>"
    )
    for row in rows:
        cells = (cell if isinstance(cell, _Html) else escape(cell) for cell in row)
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    yield "</tbody></table>"
