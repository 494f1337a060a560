"""--watch-recovery against bans that end: the lifetime as an interval, few SYNs, and Ctrl-C keeps what there is."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from netdiag.evidence.record import NotRun
from netdiag.evidence.transport import Connect
from netdiag.facts import derive
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


def test_what_works_is_not_watched(lab: LabFactory) -> None:
    bundle = bundle_in(lab("healthy").collect("customer", ["--watch-recovery", "10m"]))
    assert all(step.probe != "watch" for step in bundle.plan)
