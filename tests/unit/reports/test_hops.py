"""The table of a walk: every router with what is known of it, silence as silence, and the same in every format."""

from pathlib import Path

import msgspec
import pytest

from netdiag.evidence.record import Icmp
from netdiag.facts import Fact, Facts, Walk, seen
from netdiag.facts.owners import HopName
from netdiag.facts.path import Hop, PathFacts
from netdiag.reports.asn import AsData
from netdiag.reports.asn_pack import pack, read
from netdiag.reports.hops import HopRow, hop_tables
from netdiag.reports.html import html
from netdiag.reports.markdown import markdown
from netdiag.reports.text import text
from netdiag.reports.view import view
from netdiag.reports.words import WIDTH
from tests.unit.reports.samples import VERDICT, source

TARGET, ISP, BORDER = "198.51.100.7", "84.46.1.1", "62.115.1.2"

SILENT = Walk(
    role="target", host="api.vendor.test", address=TARGET, family=4, port=443, protocol="tcp", end="silent",
    last_seen=4, last_seen_address=BORDER, last_seen_place="vendor", first_missing=5, witnesses=("main:o7",),
    hops=(
        Hop(ttl=1, repliers=("192.168.1.1",), place="gateway", asked=1, answered=1, rtt_ms=0.84),
        Hop(ttl=2, asked=2, answered=0),
        Hop(ttl=3, repliers=(ISP, "84.46.1.9"), place="public", asked=3, answered=2, rtt_ms=9.04),
        Hop(ttl=4, repliers=(BORDER,), place="vendor", asked=1, answered=1, rtt_ms=12.0),
        Hop(ttl=5, asked=2, answered=0),
        Hop(ttl=6, asked=2, answered=0),
    ),
)  # fmt: skip
NAMES = (
    HopName(address=ISP, name="core1.isp.test", confirmed=True),
    HopName(address=BORDER, name="edge.vendor.test", confirmed=False),
)


def facts(*walks: Walk) -> Facts:
    known = {walk.family: seen(walk, walk.witnesses) for walk in walks}
    return Facts(path=PathFacts(hop_names=seen(NAMES, ()), target4=known.get(4, Fact()), target6=known.get(6, Fact())))


@pytest.fixture
def as_data(tmp_path: Path) -> AsData:
    file = tmp_path / "as.bin"
    lines = ["84.46.0.0,84.46.255.255,64500,Nordline | <b>", "62.115.0.0,62.115.255.255,64501,Seven"]
    file.write_bytes(pack(read(lines), as_of="2026-06-17", source="the test"))
    return AsData(file)


def test_each_router_with_what_is_known_of_it() -> None:
    (table,) = hop_tables(facts(SILENT))
    assert table.rows == (
        HopRow(hop="1", router="192.168.1.1", place="the gateway", answered="1/1", rtt="0.8 ms"),
        HopRow(hop="2", router="no answer"),
        HopRow(hop="3", router=ISP, name="core1.isp.test", answered="2/3", rtt="9.0 ms"),
        HopRow(hop="", router="84.46.1.9"),
        HopRow(
            hop="4", router=BORDER, name="edge.vendor.test (not confirmed)", place="the vendor's", answered="1/1",
            rtt="12.0 ms",
        ),
        HopRow(hop="5-6", router="no answer"),
    )  # fmt: skip
    assert (table.arrived, table.refs) == (False, ("main:o7",))


@pytest.mark.parametrize(
    ("end", "icmp", "row"),
    [
        ("open", None, HopRow(hop="2", router=TARGET, place="the target", answered="1/1")),
        ("refused", None, HopRow(hop="2", router=TARGET, place="the target, refused", answered="1/1")),
        (
            "icmp",
            Icmp(type=3, code=13, sender=ISP),
            HopRow(
                hop="2", router=ISP, name="core1.isp.test", answered="1/1",
                place="communication administratively prohibited (ICMP 3/13)",
            ),
        ),
    ],
)  # fmt: skip
def test_who_ended_the_walk_is_its_last_row(end: str, icmp: Icmp | None, row: HopRow) -> None:
    hops = (SILENT.hops[0], Hop(ttl=2, asked=1, answered=1))
    walk = msgspec.structs.replace(SILENT, hops=hops, end=end, end_ttl=2, end_icmp=icmp)
    (table,) = hop_tables(facts(walk))
    assert table.rows[-1] == row


def test_walks_that_did_not_arrive_come_before_one_that_did() -> None:
    arrived = msgspec.structs.replace(SILENT, end="open", end_ttl=6, family=6, address="2001:db8::7")
    assert [table.arrived for table in hop_tables(facts(SILENT, arrived))] == [False]
    both = (msgspec.structs.replace(SILENT, end="open"), arrived)
    assert [table.title for table in hop_tables(facts(*both))] == [f"Hop by hop, TCP to {TARGET}:443"]
    assert hop_tables(Facts()) == ()


def test_every_format_shows_it_with_owners_and_their_date(as_data: AsData) -> None:
    model = view(VERDICT, facts(SILENT), (source(),), as_data)
    shown = text(model)
    told = ("edge.vendor.test (not confirmed)", "AS64501 Seven", "as of 2026-06-17", "5-6", "12.0 ms", "the test")
    for words in told:
        assert words in " ".join(shown.split())
        assert words in html(model).replace("&#x27;", "'")
        assert words in markdown(model)
    assert all(len(line) <= WIDTH for line in shown.splitlines())
    assert "<b>" not in html(model).partition("Hop by hop")[2]
    assert "Nordline \\| \\<b\\>" in markdown(model)


def test_without_a_file_nobody_is_named_and_nothing_is_credited() -> None:
    model = view(VERDICT, facts(SILENT), (source(),))
    assert "Who announces" not in text(model) + markdown(model) + html(model)
    assert all(row.owner == "" for table in model.hops for row in table.rows)


def test_the_text_has_no_table_of_a_walk_that_arrived() -> None:
    model = view(VERDICT, facts(msgspec.structs.replace(SILENT, end="open")), (source(),))
    assert "Hop by hop" not in text(model)
    assert "Hop by hop" in html(model)
