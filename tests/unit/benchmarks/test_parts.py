"""What is counted, what counts as refused, and which runs a bar is judged on."""

import json
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks import budget, child, page, program, race, traffic
from benchmarks.budget import Tried
from benchmarks.kit import KitTook, refused, tools
from benchmarks.measure import Took
from benchmarks.page import Machine, Results
from benchmarks.race import Place, Race
from benchmarks.traffic import Traffic

NOTHING = Traffic(0, 0, 0, 0, 0, 0)
VALUES = {"vendor_port": "443", "vendor_net4": "185.112.41.8/29", "customer4": "192.168.178.23"}


def one_race(scenario: str, kit_seconds: float, *collects: float, ordinary: bool = True) -> Race:
    took = [Took(seconds, 0.5, 50.0, 0, "", "") for seconds in collects]
    kit = [KitTook("traceroute", 0.01, refused=True), KitTook("mtr", kit_seconds - 0.01, refused=False)]
    return Race(Place(scenario, "home", ordinary), took, [b"x"] * len(took), kit, Traffic(9, 8, 7, 6, 5, 4), NOTHING)


def test_the_kit_is_what_the_page_says() -> None:
    lines = [" ".join(tool.argv) for tool in tools("h.example", "443", "https://h.example/")]
    assert lines == [
        "traceroute -T -n -p 443 h.example",
        "mtr -r -n -c 10 h.example",
        "dig h.example A h.example AAAA",
        "curl -m 20 -s -o /dev/null https://h.example/",
        "timeout 20 openssl s_client -connect h.example:443 -servername h.example",
    ]


@pytest.mark.parametrize(
    ("status", "err", "is_refused"),
    [
        (1, "You do not have enough privileges to use this traceroute method.\nsocket: Operation not permitted", True),
        (1, "mtr-packet: Failure to open IPv4 sockets: Permission denied", True),
        (28, "", False),  # curl ran out of time
        (0, "Permission denied", False),
    ],
)
def test_refused_is_a_failure_for_want_of_privilege(status: int, err: str, is_refused: bool) -> None:
    assert refused(status, err) is is_refused


def test_a_bar_is_judged_on_the_slowest_collect_and_the_worst_race() -> None:
    races = [one_race("healthy", 15, 1.5, 2.0), one_race("host-blocked-drop", 56, 6.0, 8.0)]
    measured = {bar.what: (bar.measured, bar.holds) for bar in race.bars(races)}
    assert measured == {
        "kit / collect, healthy path, ordinary user": (7.5, True),
        "collect, healthy path, ordinary user": (2.0, True),
        "kit / collect, dead path, ordinary user": (7.0, False),
        "collect, dead path, ordinary user": (8.0, True),
    }


def test_refusals_are_shown_with_their_time() -> None:
    assert "| refused (0.01) | 15.0 | 15.0 | 2.00 | 1.75 | **7.50** |" in race.times_table(
        [one_race("healthy", 15, 1.5, 2.0)]
    )


def test_a_budget_has_no_grace_for_start_up_and_sealing() -> None:
    tried = [Tried("a", "home", 60, 60.2, cut=True), Tried("a", "home", 5, 5.1, cut=True)]
    assert [bar.holds for bar in budget.bars(tried)] == [False, False]


def test_a_small_budget_that_sufficed_says_nothing_about_running_out() -> None:
    assert budget.bars([Tried("a", "home", 5, 4.0, cut=False)]) == []


def test_the_sample_is_small_even_and_has_the_longest_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = [f"fault-{number:03}" for number in range(228)]
    slow = faults[100 : 100 + budget.LONGEST]
    monkeypatch.setattr(budget, "_recorded_seconds", lambda name: 40.0 if name in slow else 2.0)
    chosen = budget.sample(faults)
    assert set(slow) <= set(chosen)
    assert budget.SAMPLE - 5 <= len(chosen) <= budget.SAMPLE
    gaps = [faults.index(later) - faults.index(sooner) for sooner, later in pairwise(chosen)]
    assert max(gaps) <= len(faults) // (budget.SAMPLE - budget.LONGEST) + 1 + budget.LONGEST
    assert chosen == budget.sample(faults)


def test_a_recording_tells_how_long_a_fault_took() -> None:
    assert budget._recorded_seconds("host-accept-silent") > budget._recorded_seconds("host-rate-limit-429") > 0


def test_counters_leave_out_a_family_that_the_line_has_not() -> None:
    rules = traffic.gateway_rules(VALUES)
    assert "ip saddr 192.168.178.23 ip daddr 185.112.41.8/29 counter name to_vendor" in rules
    assert "ip6" not in rules
    assert "seen ip daddr 185.112.41.8/29 tcp dport 443 tcp flags" in traffic.firewall_rules(VALUES)


def test_traffic_is_a_difference() -> None:
    assert Traffic(9, 8, 7, 6, 5, 4).since(Traffic(1, 1, 1, 1, 1, 1)) == Traffic(8, 7, 6, 5, 4, 3)


def test_the_page_says_nothing_of_what_was_not_run() -> None:
    cost = program.Cost(0.1, 0.2, 0.3, program.Judged(program.Mix([b""], 0, "made in this run"), 400, 410, 9), 0, 0)
    text = page.page(Results([], cost, []), Machine(2, "6.1.0-13-cloud-amd64", "3.11.2"), how="x")
    assert "2 processor(s), Linux 6.1, Python 3.11.2" in text
    assert "memory" not in text
    assert "budget" not in text
    assert "classic kit" not in text


def test_child_passes_the_status_on_and_writes_what_it_took(tmp_path: Path) -> None:
    result = tmp_path / "took.json"
    assert child.main(str(result), [sys.executable, "-I", "-S", "-c", "raise SystemExit(3)"]) == 3
    took = json.loads(result.read_text())
    assert took["exit"] == 3
    assert took["seconds"] > 0
    assert took["peak_kib"] > 0


def test_child_without_a_program_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert child.main(str(tmp_path / "took.json"), ["/nowhere/at/all"]) == 127
    assert "No such file" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
