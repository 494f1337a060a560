"""--watch-recovery against bans that end: the lifetime as an interval, few SYNs, and Ctrl-C keeps what there is."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from netdiag.evidence.limits import LimitAttempt, turned_away
from netdiag.evidence.record import NotRun
from netdiag.evidence.transport import Connect
from netdiag.facts import derive
from netdiag.probes.plan.recovery import FIRST_QUIET_S
from tests.conftest import LabFactory
from tests.netns.collecting import NETDIAG, NOTHING_IS_WRONG, bundle_in, crashes

pytestmark = pytest.mark.lab

BANNED_AWHILE = (
    NOTHING_IS_WRONG.replace('sides = ["none"]', 'sides = ["host"]\ncertainty = "established"').replace(
        'fault = "none"', 'fault = "host.block.rejected"'
    )
    + """
[[change]]
at = "vendor"
nft = [
    "add set inet lab banned {{ type ipv4_addr; flags dynamic,timeout; timeout 30s; }}",
    "add element inet lab banned {{ {customer_public4} }}",
    {rule},
    "add set inet lab banned6 {{ type ipv6_addr; flags dynamic,timeout; timeout 30s; }}",
    "add element inet lab banned6 {{ {customer6} }}",
    "add rule inet lab input ip6 saddr @banned6 tcp dport 443 reject",
]
"""
)
FIXED = '"add rule inet lab input ip saddr @banned tcp dport 443 reject"'
RENEWED = '"add rule inet lab input ip saddr @banned tcp dport 443 update @banned {{ ip saddr timeout 30s }} reject"'


@pytest.mark.parametrize("rule", [FIXED, RENEWED], ids=["fixed", "renewed-by-each-attempt"])
def test_a_ban_that_ends_is_seen_to_end(lab: LabFactory, rule: str) -> None:
    opened = lab(toml=BANNED_AWHILE.replace("{rule}", rule).replace("{{", "{").replace("}}", "}"))
    bundle = bundle_in(opened.collect("customer", ["--watch-recovery", "60s"], timeout=180))
    assert not crashes(bundle)
    facts = derive(bundle)
    found = facts.recovery.value
    assert found is not None
    assert found.attempts == 1
    assert found.allowed_from_s is not None
    assert found.refused_until_s < found.allowed_from_s
    assert facts.target.works.value is False, "the run itself saw a refusal, and says so still"
    assert bundle.interrupted is None


def test_interrupted_while_watching_the_run_is_kept_whole(lab: LabFactory, tmp_path: Path) -> None:
    opened = lab("host-blocked-reject-port-unreachable")
    path = tmp_path / "interrupted.zip"
    argv = [*NETDIAG, "collect", opened.url, "--yes", "--output", str(path), "--watch-recovery", "10m"]
    with opened.popen("customer", argv, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as running:
        assert running.stderr is not None
        assert any("now watching" in line for line in running.stderr), "the run ended without a watch"
        opened.signal_inside(running, signal.SIGINT)
        assert running.wait(15) == 130
    bundle = bundle_in(path)
    watches = {step.id for step in bundle.plan if step.probe == "watch"}
    assert len(watches) == 1
    (told,) = [one for one in bundle.observations if one.step in watches]
    assert isinstance(told, NotRun)
    assert told.why == "out_of_time"
    assert bundle.interrupted is None
    assert any(isinstance(one, Connect) for one in bundle.observations)


LIMITED = (
    NOTHING_IS_WRONG
    + """
[vendor]
http = "limit_req_zone $binary_remote_addr zone=perip:1m rate=6r/m; limit_req_status 429;"
site = "location @ok { default_type application/json; return 200 '{}'; }"
location = "limit_req zone=perip burst=9 nodelay; try_files /none @ok;"
"""
)
BANS = (
    NOTHING_IS_WRONG
    + """
[[change]]
at = "vendor"
nft = [
    "add set inet lab callers { type inet_service; flags dynamic; timeout 1h; }",
    "add set inet lab banned { type ipv4_addr; flags dynamic,timeout; timeout 30s; }",
    "add rule inet lab input ip saddr @banned tcp dport 443 reject",
    "add rule inet lab input tcp dport 443 ct state new update @callers { tcp dport limit rate over 6/minute burst 18 packets } add @banned { ip saddr timeout 30s } reject",
]
"""  # noqa: E501 - one rule a line
)


@pytest.mark.parametrize(("toml", "level"), [(LIMITED, "http"), (BANS, "connect")], ids=["requests", "a ban"])
def test_a_limit_that_was_met_on_purpose_is_watched_after_a_quiet(lab: LabFactory, toml: str, level: str) -> None:
    opened = lab(toml=toml, network="office")
    bundle = bundle_in(opened.collect(args=["--rate-limit", "--watch-recovery", "60s"], timeout=180))
    assert not crashes(bundle)
    attempts = [one for one in bundle.observations if isinstance(one, LimitAttempt)]
    refused = turned_away(sorted(attempts, key=lambda one: one.began_ns))
    assert refused, "no limit was met, so nothing was tested"
    roles = {step.id: step.role for step in bundle.plan}
    later = [
        one.began_ns
        for one in bundle.observations
        if one.began_ns > refused[0].ended_ns and roles[one.step] != "machine"
    ]
    assert len(later) == 1
    assert later[0] - max(one.ended_ns for one in attempts) >= FIRST_QUIET_S * 1e9
    found = derive(bundle).recovery.value
    assert found is not None
    assert (found.after, found.level, found.attempts) == ("limit", level, 1)
    assert found.allowed_from_s is not None
    assert found.refused_until_s < FIRST_QUIET_S < found.allowed_from_s


def test_a_wait_that_the_limiter_asks_for_is_kept(lab: LabFactory) -> None:
    """It is longer than the watch, so that no attempt is made, and the bundle says why."""
    page = "error_page 429 @wait; location @wait { add_header Retry-After 600 always; return 429; }"
    toml = LIMITED.replace('site = "', f'site = "{page} ')
    bundle = bundle_in(lab(toml=toml).collect(args=["--rate-limit", "--watch-recovery", "60s"], timeout=180))
    watches = {step.id for step in bundle.plan if step.probe == "watch"}
    (told,) = [one for one in bundle.observations if one.step in watches]
    assert isinstance(told, NotRun)
    assert "asked to wait 600 s" in told.detail


def test_what_works_is_not_watched(lab: LabFactory) -> None:
    bundle = bundle_in(lab("healthy").collect("customer", ["--watch-recovery", "10m"]))
    assert all(step.probe != "watch" for step in bundle.plan)


def test_a_rate_section_that_met_nothing_leaves_nothing_to_watch(lab: LabFactory) -> None:
    bundle = bundle_in(lab("healthy").collect("customer", ["--rate-limit", "--watch-recovery", "10m"]))
    assert any(isinstance(one, LimitAttempt) for one in bundle.observations)
    assert all(step.probe != "watch" for step in bundle.plan)
