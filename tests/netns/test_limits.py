"""netdiag limits and collect --rate-limit against real limiters: what is found, and what they were asked."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from netdiag.evidence.limits import IN_FLIGHT, LimitAttempt, measured, refuses
from netdiag.facts import derive
from netdiag.probes.limiting import OPERATOR
from tests.conftest import LabFactory
from tests.netns.collecting import NOTHING_IS_WRONG, bundle_in, crashes
from tests.netns.lab import Lab

pytestmark = pytest.mark.lab

RATE = 0.15
"""By how much an estimate may be off."""

OK = "location @ok { default_type application/json; return 200 '{}'; }"


def scenario(vendor: str, change: str = "") -> str:
    return f"{NOTHING_IS_WRONG}\n[vendor]\n{vendor}\n{change}"


def nginx(http: str, location: str) -> str:
    return scenario(f'http = "{http}"\nsite = "{OK}"\nlocation = "{location} try_files /none @ok;"')


def meter(rule: str) -> str:
    rules = json.dumps(["add set inet lab callers { type inet_service; flags dynamic; timeout 1h; }", rule])
    return scenario("", f'[[change]]\nat = "vendor"\nnft = {rules}\n')


def limits(lab: Lab, *args: str, code: int = 0) -> dict[str, Any]:
    """What the command says, as an ordinary user."""
    url = f"https://{lab.values['vendor_name']}/"
    argv = [sys.executable, "-m", "netdiag", "limits", url, "--yes", "--format", "json", *args]
    done = lab.run("customer", argv, timeout=200)
    assert done.returncode == code, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["schema"] == "netdiag/limits/1"
    return found


def bucket(found: dict[str, Any]) -> dict[str, Any]:
    (one,) = [one for one in found["estimates"] if one["shape"] == "token_bucket"]
    return dict(one)


@pytest.mark.parametrize(("rate", "burst"), [("5r/s", 10), ("2r/s", 3), ("10r/s", 20)])
@pytest.mark.parametrize("status", [429, 503])
def test_nginx_limit_req_is_told_exactly(lab: LabFactory, rate: str, burst: int, status: int) -> None:
    opened = lab(
        toml=nginx(
            f"limit_req_zone $binary_remote_addr zone=perip:1m rate={rate}; limit_req_status {status};",
            f"limit_req zone=perip burst={burst} nodelay;",
        )
    )
    found = limits(opened, "--i-operate-this", "--expect", f"{rate} burst {burst}")
    assert found["counts"] == ["request_rate"]
    assert found["refusal"]["status"] == status
    one = bucket(found)
    assert one["burst"] == [burst + 1, burst + 1]
    assert (one["rate"][0] * one["rate"][1]) ** 0.5 == pytest.approx(float(rate.removesuffix("r/s")), rel=RATE)
    assert found["expectation"] == "agrees"
    assert found["recovers"] is True


def test_another_limit_than_the_expected_one_is_told(lab: LabFactory) -> None:
    opened = lab(
        toml=nginx(
            "limit_req_zone $binary_remote_addr zone=perip:1m rate=5r/s;", "limit_req zone=perip burst=10 nodelay;"
        )
    )
    found = limits(opened, "--i-operate-this", "--expect", "20r/s burst 10", code=1)
    assert found["expectation"] == "differs"


def test_nginx_that_delays_is_told_by_its_pace(lab: LabFactory) -> None:
    opened = lab(
        toml=nginx("limit_req_zone $binary_remote_addr zone=perip:1m rate=4r/s;", "limit_req zone=perip burst=20;")
    )
    found = limits(opened)
    assert found["met"] is False
    (one,) = found["estimates"]
    assert one["shape"] == "delay"
    assert one["rate"][0] <= 4 * (1 + RATE)
    assert one["rate"][1] >= 4 * (1 - RATE)


def test_haproxy_with_a_sliding_stick_table(lab: LabFactory) -> None:
    table = (
        'server = "haproxy"\nhaproxy = """\n    stick-table type ipv6 size 1k expire 10m store http_req_rate(10s)\n'
        '    http-request track-sc0 src\n    http-request deny deny_status 429 if { sc_http_req_rate(0) gt 8 }"""'
    )
    found = limits(lab(toml=scenario(table)))
    assert found["counts"] == ["request_rate"]
    assert (found["refusal"]["status"], found["refusal"]["number"]) == (429, 9)
    assert found["bounds"].startswith("allowed >= ")


def behind_haproxy(front: str) -> str:
    return scenario(f'server = "haproxy"\nhaproxy = """\n{front}"""')


BY_CLOCK = """
    stick-table type string len 64 size 1k expire 1m store http_req_cnt
    http-request set-var(txn.window) date,div({window})
    http-request set-var-fmt(txn.key) %[src]/%[var(txn.window)]
    http-request track-sc0 var(txn.key)
    http-request deny deny_status 429 if {{ sc_http_req_cnt(0) gt {quota} }}
"""
SLIDING = """
    stick-table type ipv6 size 1k expire 10m store http_req_rate({window}s)
    http-request track-sc0 src
    http-request deny deny_status 429 if {{ sc_http_req_rate(0) gt {quota} }}
"""


def is_true(one: dict[str, Any], quota: int, window_s: float) -> bool:
    low, high = one["window_s"] or (0, 0)
    return bool(one["burst"][0] <= quota <= one["burst"][1] and low <= window_s <= high)


@pytest.mark.parametrize(("quota", "window_s"), [(8, 10), (15, 5)])
@pytest.mark.parametrize(("front", "shape"), [(BY_CLOCK, "fixed_window"), (SLIDING, "sliding_window")])
def test_a_window_is_told_or_left_open_and_never_told_wrongly(
    lab: LabFactory, front: str, shape: str, quota: int, window_s: int
) -> None:
    """A fixed window by the clock, and HAProxy's own, which slides by two periods and counts what it denies."""
    found = limits(lab(toml=behind_haproxy(front.format(quota=quota, window=window_s))), "--i-operate-this")
    assert found["counts"] == ["request_rate"]
    assert (found["refusal"]["status"], found["recovers"], found["ban_like"]) == (429, True, False)
    assert sum(one["refused"] for one in found["allowed"]) <= 1 + OPERATOR.refusals
    mine = [one for one in found["estimates"] if one["shape"] == shape]
    assert mine, "the true shape is excluded"
    assert is_true(mine[0], quota, window_s)


@pytest.mark.parametrize("network", ["home", "office"])
def test_a_ban_that_counts_refusals_is_left_alone_once_it_bans(lab: LabFactory, network: str) -> None:
    """fail2ban over the 429s of limit_req: its reject meets a connection that stands, or the next SYN."""
    toml = nginx(
        "limit_req_zone $binary_remote_addr zone=perip:1m rate=30r/m; limit_req_status 429;",
        "limit_req zone=perip burst=5 nodelay;",
    )
    jail = 'fail2ban = """\nmaxretry = 2\nfindtime = 10m\nbantime = 10m\naction = iptables-allports[name=web]"""\n'
    found = limits(lab(toml=toml + jail, network=network), "--i-operate-this")
    assert (found["refusal"]["status"], found["counts"]) == (429, ["request_rate"])
    assert found["ban_like"] is True
    assert 2 <= found["bans_after"] <= OPERATOR.refusals
    assert sum(one["refused"] for one in found["allowed"]) == found["bans_after"] + 1
    for one in found["estimates"]:
        assert one["shape"] != "token_bucket" or one["burst"][0] <= 6 <= one["burst"][1]
        assert one["shape"] != "token_bucket" or one["rate"][0] <= 0.5 <= one["rate"][1]


def test_a_ban_at_a_threshold_is_met_once_by_operators_too(lab: LabFactory) -> None:
    """Who begins more than nine connections is shut out for a minute, whatever he does meanwhile."""
    meter = "update @callers { tcp dport limit rate over 1/minute burst 9 packets }"
    rules = [
        "add set inet lab callers { type inet_service; flags dynamic; timeout 1h; }",
        "add set inet lab banned { type inet_service; flags dynamic,timeout; timeout 1m; }",
        "add rule inet lab input tcp dport @banned reject with tcp reset",
        f"add rule inet lab input tcp dport 443 ct state new {meter} add @banned {{ tcp dport }} reject with tcp reset",
    ]
    change = f'[[change]]\nat = "vendor"\nnft = {json.dumps(rules)}\n'
    found = limits(lab(toml=scenario("", change)), "--i-operate-this", "--ipv4")
    assert found["counts"] == ["connection_rate"]
    assert (found["ban_like"], found["bans_after"], found["recovers"]) == (True, None, None)
    assert found["refusal"]["outcome"] == "refused"
    assert found["estimates"] == []
    assert sum(one["refused"] for one in found["allowed"]) == 1
    assert sum(one["passed"] for one in found["allowed"] if one["phase"] != "burst_on_one_connection") == 9


def test_a_meter_counts_connections_and_not_requests(lab: LabFactory) -> None:
    rule = (
        "add rule inet lab input tcp dport {vendor_port} ct state new update @callers "
        "{ tcp dport limit rate over 6/minute burst 6 packets } drop"
    )
    found = limits(lab(toml=meter(rule)), "--i-operate-this")
    assert found["counts"] == ["connection_rate"]
    assert found["refusal"]["outcome"] == "silent"
    assert found["ban_like"] is True
    assert found["allowed"][-1]["refused"] is True
    assert sum(one["passed"] for one in found["allowed"] if one["phase"] != "burst_on_one_connection") == 6


def test_connections_at_the_same_time_are_told_from_connections_in_a_time(lab: LabFactory) -> None:
    held = (
        'server = "haproxy"\nhaproxy = """\n    stick-table type ipv6 size 1k expire 10m store conn_cur\n'
        '    tcp-request connection track-sc0 src\n    tcp-request connection reject if { sc_conn_cur(0) gt 6 }"""'
    )
    found = limits(lab(toml=scenario(held)), "--i-operate-this")
    assert found["refusal"]["phase"] == "held_connections"
    assert found["refusal"]["outcome"] in {"closed", "reset"}
    assert found["counts"][0] == "concurrency"


@pytest.mark.parametrize("network", ["home", "office"])
def test_collect_stops_at_the_first_refusal_and_says_so(lab: LabFactory, network: str) -> None:
    toml = nginx(
        "limit_req_zone $binary_remote_addr zone=perip:1m rate=30r/m; limit_req_status 429;",
        "limit_req zone=perip burst=6 nodelay;",
    )
    opened = lab(toml=toml, network=network)
    bundle = bundle_in(opened.collect(args=["--rate-limit"]))
    assert not crashes(bundle)
    attempts = [one for one in bundle.observations if isinstance(one, LimitAttempt)]
    refused = [one for one in attempts if refuses(one, measured(attempts)[0])]
    assert len(refused) == 1
    assert not [one for one in attempts if one.began_ns > refused[0].ended_ns]
    steps = {step.id: step for step in bundle.plan}
    later = [one for one in bundle.observations if one.began_ns > refused[0].ended_ns]
    assert {steps[one.step].role for one in later} <= {"machine"}
    facts = derive(bundle)
    assert facts.limits.kinds.value == ("request_rate",)


def test_collect_asks_nothing_more_where_the_service_refuses_already(lab: LabFactory) -> None:
    bundle = bundle_in(lab("host-rate-limit-429", network="home").collect(args=["--rate-limit"]))
    assert not [one for one in bundle.observations if isinstance(one, LimitAttempt)]


def test_a_service_without_a_limit_within_the_budget(lab: LabFactory) -> None:
    found = limits(lab("healthy", network="home"), "--expect", "1r/s burst 3", code=1)
    assert found["met"] is False
    assert found["spent"] == {"requests": 30, "connections": 19}  # one is kept, should the server end the others
    assert found["expectation"] == "differs"


def test_a_ban_is_met_once_and_not_lengthened(lab: LabFactory) -> None:
    """Every SYN beyond the meter is counted where it is dropped: those that were under way, and none after."""
    rule = (
        "add rule inet lab input tcp dport {vendor_port} ct state new update @callers "
        '{ tcp dport limit rate over 6/minute burst 18 packets } counter drop comment "met"'
    )
    opened = lab(toml=meter(rule))
    bundle = bundle_in(opened.collect(args=["--rate-limit"]))
    attempts = [one for one in bundle.observations if isinstance(one, LimitAttempt)]
    refused = [one for one in attempts if refuses(one, measured(attempts)[0])]
    assert refused, "the limit was not met, so nothing was tested"
    listed = opened.run("vendor", ["nft", "-j", "list", "chain", "inet", "lab", "input"], ordinary=False)
    rules = [one["rule"] for one in json.loads(listed.stdout)["nftables"] if "rule" in one]
    (counted,) = [one for one in rules if one.get("comment") == "met"]
    (counter,) = [one["counter"] for one in counted["expr"] if "counter" in one]
    assert 1 <= counter["packets"] <= IN_FLIGHT
    assert not [one for one in attempts if one.began_ns > min(other.ended_ns for other in refused)]
