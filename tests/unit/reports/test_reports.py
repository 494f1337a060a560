"""Every format tells the whole of the verdict, in its own syntax, and nothing that a bundle says can leave it."""

import json as stdlib_json
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import msgspec
import pytest
from markdown_it import MarkdownIt

from netdiag.evidence.display import sanitize_text
from netdiag.reports.html import html
from netdiag.reports.json import json
from netdiag.reports.markdown import escape, markdown
from netdiag.reports.text import text
from netdiag.reports.view import Row, View, fault_title, view
from tests.unit.reports.samples import FACTS, TRICKS, VERDICT, full_view, source, tricky

TOLD = (
    "Source address blocked",
    "It answers others",
    "One end cannot tell.",
    "A packet capture at the vendor's border.",
    "Nothing beyond the first page was asked for.",
    "203.0.113.9:50000",
    "your address is blocked on our side",
    "main:o12",
    "It was made for the ticket T-1",
    "raw sockets",
    "hat the machine which measured was honest",
    "2026-03-14 09:26:53 UTC",
)


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from strings(name)
            yield from strings(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from strings(one)


@pytest.mark.parametrize("told", TOLD)
def test_text_and_html_tell_everything(told: str) -> None:
    flat = " ".join(text(full_view()).split())
    assert told in flat
    assert told.replace("'", "&#x27;") in html(full_view())


@pytest.mark.parametrize("told", TOLD)
def test_markdown_tells_everything(told: str) -> None:
    assert escape(told) in markdown(full_view())


@pytest.mark.parametrize("told", ["No proxy was looked at.", "machine.proxy", "The block explains it."])
def test_what_was_not_assessed_is_told(told: str) -> None:
    assert told in html(full_view())
    assert escape(told) in markdown(full_view())
    assert "a proxy: none is set for the target (local.proxy.dead)" in text(full_view())


def test_rows_of_one_reason_are_one_in_text() -> None:
    rows = [
        Row(fault=f"host.tls.{name}", title=name, standing="ruled out", because=because)
        for name, because in (
            ("expired", "The target itself works, so nothing is broken."),
            ("wrong_name", "The target itself works."),
            ("not_tls", "No address answers with something else."),
            ("handshake", "No address ends the handshake."),
        )
    ]
    report = text(msgspec.structs.replace(full_view(), ruled_out=tuple(rows)))
    assert "  - The target itself works (host.tls.expired/wrong_name)\n" in report
    assert "  - No address answers with something else (host.tls.not_tls); ends the" in report


def test_a_private_source_address_is_in_nobodys_log() -> None:
    keys = (("utc", "2026-03-14T09:26:55+00:00"), ("source_address", "192.168.1.23"), ("source_port", "50000"))
    verdict = msgspec.structs.replace(VERDICT, search_keys=keys)
    run_id = source().bundle.run_id
    report = text(view(verdict, FACTS, (source(),)))
    assert f"  2026-03-14T09:26:55Z  port 50000\n  run id {run_id} (header x-netdiag-run)\n" in report
    written = stdlib_json.loads(json(verdict, (source(),)))
    assert written["search_keys"] == {
        "utc": "2026-03-14T09:26:55Z",
        "source_port": "50000",
        "x-netdiag-run": run_id,
    }
    public = (("utc", "2026-03-14T09:26:55+00:00"), ("source_address", "84.46.1.2"))
    report = text(view(msgspec.structs.replace(VERDICT, search_keys=public), FACTS, (source(),)))
    assert "2026-03-14T09:26:55Z  from 84.46.1.2" in report


def test_text_has_80_columns_and_no_control_characters() -> None:
    for line in text(full_view()).splitlines():
        assert len(line) <= 80, line
        assert line.isprintable()


def test_colours_do_not_change_the_layout() -> None:
    plain, coloured = text(full_view()), text(full_view(), colour=True)
    assert "\x1b[" in coloured
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == plain


def test_inconclusive_and_none_have_no_certainty() -> None:
    for side in ("inconclusive", "none"):
        verdict = msgspec.structs.replace(VERDICT, side=side, certainty=None, fault=None)
        report = text(view(verdict, FACTS, (source(),)))
        assert "Certainty" not in report
        assert side.upper() in report
        # What would otherwise be told above is told among the hypotheses.
        assert "host.block.source_address, settled" in report


def test_a_group_is_called_by_what_stands_in_it() -> None:
    assert fault_title(msgspec.structs.replace(VERDICT, fault="host.block")) == "Source address blocked"
    assert fault_title(msgspec.structs.replace(VERDICT, fault="host.nothing")) is None


def test_json_is_the_schema_of_the_contract() -> None:
    written = stdlib_json.loads(json(VERDICT, (source(ticket="T-1"), source("control1", seed=2))))
    assert list(written) == [
        "schema",
        "verdict",
        "evidence",
        "hypotheses",
        "next_evidence",
        "search_keys",
        "reply",
        "provenance",
        "catalogue_version",
    ]
    assert written["schema"] == "netdiag/verdict/1"
    assert list(written["verdict"]) == ["side", "certainty", "fault", "summary"]
    assert all(list(one) == ["says", "observations"] for one in written["evidence"])
    assert all(list(one) == ["fault", "standing", "because"] for one in written["hypotheses"])
    assert list(written["provenance"][0]) == ["bundle", "signature", "key", "key_trust", "made_at", "ticket"]
    assert [one["bundle"] for one in written["provenance"]] == ["main", "control1"]
    assert written["provenance"][0]["made_at"] == "2026-03-14T09:26:53Z"
    assert written["search_keys"]["time"] == "2026-03-14T09:26:55Z, 2026-03-14Z"


def test_json_is_ascii() -> None:
    assert json(msgspec.structs.replace(VERDICT, reply="grüß \u202e"), (source(),)).isascii()


@pytest.mark.parametrize("trick", TRICKS)
class TestAStrangersText:
    def tricked(self, trick: str) -> View:
        return view(*tricky(trick))

    def test_view_holds_only_what_can_be_seen(self, trick: str) -> None:
        for one in strings(msgspec.to_builtins(self.tricked(trick))):
            assert one.isprintable(), one

    def test_text(self, trick: str) -> None:
        for line in text(self.tricked(trick)).splitlines():
            assert line.isprintable()
            assert len(line) <= 80

    def test_json(self, trick: str) -> None:
        verdict, _, sources = tricky(trick)
        for one in strings(stdlib_json.loads(json(verdict, sources))):
            assert all(line.isprintable() for line in one.split("\n"))

    def test_markdown(self, trick: str) -> None:
        """A parser with tables and linkified text finds the mark-up of the report itself, and no other."""
        own = set(tags(markdown(full_view())))
        written = markdown(self.tricked(trick))
        assert all(line.isprintable() for line in written.splitlines())
        assert set(tags(written)) <= own | {"br"}  # lines of the reply
        assert not {"a", "img", "html", "code", "del", "em", "hr"} & set(tags(written))
        # GitHub makes links of bare addresses, and ticket systems call people by @.
        assert not re.search(r"(?<!\\)://|www\.|(?<!\\)[@#](?! )(?!#)", written)

    def test_html(self, trick: str) -> None:
        written = html(self.tricked(trick))
        assert all(line.isprintable() for line in written.splitlines())
        found = Tags()
        found.feed(written)
        assert found.names <= ALLOWED
        assert found.attributes <= {"class", "lang", "charset", "http-equiv", "content", "name"}


ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "main", "section", "h1", "h2", "h3", "p", "strong", "span"),
    *("code", "ul", "ol", "li", "blockquote", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td"),
}


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}


def tags(written: str) -> Iterator[str]:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for block in parser.parse(written):
        yield "html" if block.type.startswith("html") else block.tag
        for inline in block.children or ():
            yield "html" if inline.type.startswith("html") else inline.tag


@pytest.mark.parametrize("shown", [*TRICKS, "plain words", "1. first", "a\\b", "& &amp; &#35;"])
def test_escaped_markdown_reads_as_it_was(shown: str) -> None:
    clean = sanitize_text(shown)
    inline = MarkdownIt("commonmark").parse(escape(clean))[1]
    said = "".join(child.content for child in inline.children or ())
    assert " ".join(said.split()) == " ".join(clean.split())
