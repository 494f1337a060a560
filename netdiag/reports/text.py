"""The report for a terminal, a mail or a ticket field: 80 columns, colours only where a terminal will show them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from netdiag.reports.hops import HopTable
from netdiag.reports.view import RUN_KEY, Row, Sentence, View, times
from netdiag.reports.words import WIDTH, brief_refs, codes, decapitalised, fact_words, fill, listing

MOST_EVIDENCE = 5
"""Sentences of evidence on the first screen; all that are not told again below stand there whatever their number."""

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
        told = view.fault_title if view.fault_title is not None and view.fault_title not in view.summary else None
        words = f"{told} ({view.fault})" if told is not None else view.fault
        yield from fill(words, first=f"  {name.ljust(9)}  ")
    yield ""
    yield from fill(view.summary)
    for warning in view.warnings:
        for line in fill(f"Note: {warning}"):
            yield paint(_COLOUR["local"], line)


def _why(view: View, paint: _Paint) -> Iterator[str]:
    """Verdict, proof, what to do and the reply: all of it on the first screen."""
    if view.evidence:
        yield from paint.heading("What shows it")
        shown = _first_evidence(view)
        for number, one in enumerate(shown, start=1):
            where = f" [{brief_refs(one.refs)}]" if one.refs else ""
            says = "What is said above." if one.says[1:] in view.summary else one.says
            yield from fill(f"{says}{where}", first=f"{number:>3}. ")
        if len(shown) < len(view.evidence):
            yield from fill(f"and {len(view.evidence) - len(shown)} more, under “Ruled out” below", first="     ")
    for title, sentences in (
        ("What to do next", view.next_evidence),
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
        for attempt in _attempts(view.search_keys):
            yield from fill(attempt, first="  ", rest="    ")


def _first_evidence(view: View) -> Sequence[Sentence]:
    """All of it, or what fits the first screen: sentences against rivals stand under “Ruled out” again."""
    again = {row.because for row in view.ruled_out}
    return [one for number, one in enumerate(view.evidence) if number < MOST_EVIDENCE or one.says not in again]


def _attempts(keys: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The keys of one attempt on one line: they come in order, and a name that comes again begins the next."""
    attempt: dict[str, str] = {}
    for name, value in keys:
        if name in attempt or (name == RUN_KEY and attempt):
            yield "  ".join(attempt.values())
            attempt = {}
        attempt[name] = _KEY.get(name, f"{name} {{}}").format(value)
    yield "  ".join(attempt.values())


_KEY = {"utc": "{}", "source_port": "port {}", "source_address": "from {}", RUN_KEY: f"run id {{}} (header {RUN_KEY})"}


def _tables(view: View, paint: _Paint) -> Iterator[str]:
    if view.still_possible:
        yield from paint.heading("Still possible")
        numbers = {one.says: number for number, one in enumerate(_first_evidence(view), start=1)}
        untold = [row for row in view.still_possible if row.because not in numbers]
        for because, alike in _grouped(untold).items():
            if len(alike) > 1:
                yield from fill(f"{because} ({codes(row.fault for row in alike)})", first="  - ")
            else:
                yield from _row(alike[0])
        told = [row for row in view.still_possible if row.because in numbers]
        if told:
            which = listing(str(number) for number in sorted({numbers[row.because] for row in told}))
            named = ", ".join(f"{row.fault}{_standing(row).replace(', ', ' ')}" for row in told)
            yield from fill(f"See {which} above: {named}", first="  - ")
    if view.ruled_out:
        yield from paint.heading("Ruled out, and why (netdiag faults CODE says what each is)")
        yield from _by_reason(
            (row, row.because if row.explained_by is None else f"Explained by “{row.explained_by}”:")
            for row in view.ruled_out
        )
    if view.not_assessed:
        yield from paint.heading("Not assessed, for want of")
        yield from _by_reason((row, listing(fact_words(name) for name in row.wants)) for row in view.not_assessed)


def _grouped(rows: Iterable[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.because.removesuffix("."), []).append(row)
    return groups


def _row(row: Row) -> Iterator[str]:
    yield from fill(f"{row.title} ({row.fault}{_standing(row)}): {row.because}", first="  - ")


def _standing(row: Row) -> str:
    return f", {row.standing}" if row.standing in {"likely", "settled"} else ""


def _by_reason(rows: Iterable[tuple[Row, str]]) -> Iterator[str]:
    """Rows of one reason as one: the reason, then their codes. What was not seen (No address…, No certificate…) takes
    most of the room and persuades least: such reasons share a paragraph with those that begin alike."""
    groups: dict[str, list[str]] = {}
    for row, reason in rows:
        groups.setdefault(reason.removesuffix(".").split(", so ")[0], []).append(row.fault)
    heads = Counter(_head_of(reason) for reason in groups)
    paragraphs: dict[str, list[str]] = {}
    for reason, faults in groups.items():
        named = codes(faults)
        words = f"{reason} {named}" if reason.endswith(":") else f"{reason} ({named})"
        head = _head_of(reason)
        if head.startswith("No "):
            paragraphs.setdefault(head if heads[head] > 1 else "No", []).append(words)
        else:
            paragraphs[words] = [words]
    for head, sentences in paragraphs.items():
        more = [one.removeprefix(head).strip() if head != "No" else decapitalised(one) for one in sentences[1:]]
        yield from fill("; ".join([sentences[0], *more]), first="  - ")


def _head_of(reason: str) -> str:
    return " ".join(reason.split()[:2])


def _behind(view: View, paint: _Paint) -> Iterator[str]:
    if view.seen:
        yield from paint.heading("What was seen")
        for part in view.seen:
            yield from fill(part.title, first="  ")
            for one in part.sentences:
                yield from fill(one.says, first="  - ")
    # One walk: that of the other family ends alike most of the time, and the other formats have both.
    for table in [table for table in view.hops if not table.arrived][:1]:
        yield from paint.heading(table.title)
        yield from _hops(table)
        if view.credit is not None:
            yield from fill(view.credit, first="  ")
    if view.not_measured:
        yield from paint.heading("What was not measured")
        for row in view.not_measured:
            yield from fill(f"{row.title}: {times(row)} ({row.fault})", first="  - ")
    for origin in view.origins:
        yield from paint.heading(f"Where {origin.name} comes from")
        for line in origin.brief:
            yield from fill(line, first="  ", rest="    ")
    unproven = dict.fromkeys(says.split(":")[0] for origin in view.origins for says in origin.does_not_prove)
    if unproven:
        yield from fill(
            "A signature proves that nothing in a bundle has changed since a holder of its key sealed it. It does not"
            f" prove: {'; '.join(decapitalised(says) for says in unproven)} (netdiag verify says more).",
            first="  ",
        )
    yield ""
    yield paint(_DIM, f"Fault catalogue {view.catalogue_version}. No network was used to judge.")


def _hops(table: HopTable) -> Iterator[str]:
    """Columns of what is short; name and owner have a line of their own below."""
    wide = max(len(row.router) for row in table.rows) if table.rows else 0
    answered = max(len(row.answered) for row in table.rows) if table.rows else 0
    for row in table.rows:
        columns = (row.hop.rjust(5), row.router.ljust(wide), row.answered.rjust(answered), row.rtt.rjust(8))
        line = "  ".join(columns)
        if len(line) + 2 + len(row.place) <= WIDTH:
            yield f"{line}  {row.place}"
            below = [row.name, row.owner]
        else:
            yield line
            below = [row.place, row.name, row.owner]
        told = ", ".join(word for word in below if word)
        if told:
            yield from fill(told, first=" " * 7)


assert WIDTH == 80  # the layout above is made for it
