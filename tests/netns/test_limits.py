"""netdiag limits and collect --rate-limit against real limiters: what is found, and what they were asked."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from netdiag.evidence.limits import IN_FLIGHT, LimitAttempt, measured, refuses
from netdiag.facts import derive
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
    assert found["spent"] == {"requests": 30, "connections": 20}
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
