"""When a report counts as naming a mechanism, what counts as having reached the vendor, and what the bars are judged
on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from benchmarks import mechanisms, page
from benchmarks.mechanisms import CLASSES, WINDOW_S, Case, Met, Named, Said, bars, met, met_table, read, times_table
from benchmarks.page import Machine, Results
from netdiag.cli.analysis import Analysis, analyze_bundles
from netdiag.evidence.bundle import Bundle
from netdiag.evidence.source import read_source
from netdiag.probes import manners
from netdiag.reports.json import document
from tests.netns.scenario import BUNDLES
from tests.netns.sniffer import ACK, SYN, Packet

VENDOR = "185.112.41.10"
TCP = 6
CASES = [case for of in CLASSES for case in of.cases]


def recorded(scenario: str) -> Analysis:
    return analyze_bundles(read_source(BUNDLES / scenario / "home"), now=datetime.now(UTC))


def report(analysis: Analysis) -> dict[str, Any]:
    return document(analysis.verdict, analysis.sources)


def bundle_of(analysis: Analysis) -> Bundle:
    return analysis.sources[0].bundle


def packet(at: float, *, flags: int = SYN, target: str = VENDOR, port: int = 443, ttl: int = 58, **more: Any) -> Packet:
    fields = {"source": "203.0.113.7", "source_port": 40000, **more}
    return Packet(at=at, target=target, ttl=ttl, protocol=TCP, port=port, flags=flags, kind=0, **fields)


def named(seconds: float, mechanism: str | None = "refused", *, network: str = "home", syns: int = 3) -> Named:
    said = Said("host likely host.port.closed", True, mechanism, None if mechanism is None else 1.5)
    return Named(CLASSES[1], CLASSES[1].cases[0], network, seconds, said, Met(20, 6, syns, 4, 2))


@pytest.mark.parametrize("case", CASES, ids=[case.scenario for case in CASES])
def test_the_recording_of_each_case_is_named_in_the_words_that_are_looked_for(case: Case) -> None:
    analysis = recorded(case.scenario)
    said = read(report(analysis), bundle_of(analysis), case)
    assert said.mechanism is not None
    assert said.seen_seconds is not None
    assert 0 < said.seen_seconds <= bundle_of(analysis).duration_ns / 1e9


def test_another_mechanism_is_not_taken_for_the_one_looked_for() -> None:
    analysis = recorded("host-blocked-reject-tcp-reset")
    for of in CLASSES:
        for case in of.cases:
            if of.name != "refused by RST":
                assert read(report(analysis), bundle_of(analysis), case).mechanism is None, case


def test_a_sentence_of_a_fault_that_is_ruled_out_names_nothing() -> None:
    analysis = recorded("host-blocked-fail2ban")
    told, case = report(analysis), next(case for case in CASES if case.scenario == "host-blocked-fail2ban")
    for one in told["hypotheses"]:
        one["standing"] = "opposed"
    assert read(told, bundle_of(analysis), case).mechanism is None


def test_what_ends_before_the_vendor_did_not_reach_it() -> None:
    bundle = bundle_of(recorded("host-blocked-reject-tcp-reset"))
    got = met([packet(0.0), packet(0.1, ttl=1), packet(0.2, target="9.9.9.9")], {VENDOR}, bundle)
    assert got == Met(packets=1, syns=1, most_where_accepted=0, most_where_none_accepted=1, requests=0)


def test_syns_are_counted_by_address_and_port_within_any_thirty_seconds() -> None:
    bundle = bundle_of(recorded("host-blocked-reject-tcp-reset"))
    times = (0.0, 20.0, 25.0, 20.0 + WINDOW_S, 26.0 + WINDOW_S)
    seen = [packet(at) for at in times] + [packet(1.0, port=80), packet(2.0, port=80)]
    assert met(seen, {VENDOR}, bundle) == Met(7, 7, 0, 3, 0)
    answer = packet(0.1, flags=SYN | ACK, target="203.0.113.7", port=40000, source=VENDOR, source_port=443)
    assert met([*seen, answer], {VENDOR}, bundle) == Met(7, 7, 3, 2, 0)


def test_a_class_is_judged_on_its_slowest_run_and_silence_is_counted() -> None:
    found = {bar.what: bar for bar in bars([named(1.5), named(3.5), named(9.0, None)])}
    assert found["mechanism named, refused by RST"].measured == 3.5
    assert not found["mechanism named, refused by RST"].holds
    unnamed = found["of 3 runs under a block, reports that do not name its mechanism"]
    assert (unnamed.measured, unnamed.kind, unnamed.holds) == (1, "bar", False)


def test_more_syns_than_the_manners_allow_are_a_miss() -> None:
    held = {bar.what: bar.holds for bar in bars([named(1.5, syns=manners.SYNS + 1)])}
    assert held["SYNs to an address and port that accepts, in 30 s, under a block"] is False
    assert held["SYNs to one that accepts none, in 30 s, under a block"] is True


def test_a_row_has_the_slowest_run_and_the_words_of_all() -> None:
    runs = [named(1.5), named(2.5, None)]
    row = "| refused by RST | host-blocked-reject-tcp-reset | home | 2.50 |  | refused / **not named** |"
    assert row in times_table(runs)
    assert "| host-blocked-reject-tcp-reset | home | 20 | 6 | 3 | 4 | 2 |" in met_table(runs)
    assert "In 1 of 2 runs the report does not name the mechanism." in mechanisms.words(runs)


def test_the_page_takes_its_limits_from_the_manners(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manners, "SYNS", 17)
    monkeypatch.setattr(manners, "REQUESTS", 23)
    results = Results([], None, [], named=(named(1.5),))
    text = page.page(results, Machine(2, "6.1.0", "3.11.2"), how="x")
    assert "17 SYNs in any 30 s" in text
    assert "23 requests" in text
