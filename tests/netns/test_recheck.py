"""recheck: what failed once more, after the vendor lifted the block, moved it, or did nothing."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from netdiag.evidence.bundle import Bundle
from netdiag.evidence.transport import Connect
from tests.conftest import LabFactory
from tests.netns.collecting import NETDIAG, bundle_in, crashes
from tests.netns.lab import Lab

pytestmark = pytest.mark.lab

BLOCKED = "host-blocked-reject-port-unreachable"
LIFT = {
    "iptables": ["-D INPUT -s {customer_public4} -j REJECT --reject-with icmp-port-unreachable"],
    "ip6tables": ["-D INPUT -s {lan_net6} -j REJECT --reject-with icmp6-port-unreachable"],
}
DROP = {
    "iptables": ["-I INPUT -s {customer_public4} -j DROP"],
    "ip6tables": ["-I INPUT -s {lan_net6} -j DROP"],
}


def recheck(opened: Lab, first: Path) -> tuple[dict[str, Any], Bundle]:
    output = opened.home / "recheck.zip"
    done = opened.run(
        "customer", [*NETDIAG, "recheck", str(first), "--yes", "--output", str(output), "--format", "json"]
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told, bundle_in(output)


def said_of(told: dict[str, Any], address: str) -> str:
    lines: list[str] = told["rechecks"]["compared"]
    return next(line for line in lines if line.startswith(f"{address}:"))


@pytest.mark.parametrize(
    ("change", "words"),
    [(None, "still refused"), (LIFT, "works again"), (DROP, "now fails in another way")],
    ids=["nothing-done", "unblocked", "moved"],
)
@pytest.mark.parametrize("network", ["home", "office"])
def test_it_says_what_became_of_the_failure(
    lab: LabFactory, network: str, change: dict[str, list[str]] | None, words: str
) -> None:
    opened = lab(BLOCKED, network=network)
    first = opened.collect("customer")
    if change is not None:
        opened.apply(at="vendor", **change)
    told, bundle = recheck(opened, first)
    assert words in said_of(told, opened.values["vendor4"])
    assert bundle.rechecks is not None
    assert bundle.rechecks.sha256 == hashlib.sha256(first.read_bytes()).hexdigest()
    assert bundle.rechecks.run_id == bundle_in(first).run_id
    assert not crashes(bundle)


def test_it_repeats_only_what_failed(lab: LabFactory) -> None:
    """IPv6 worked in the first run: nobody connects to it again, and fewer hosts are asked for comparison."""
    opened = lab("host-blocked-drop-ipv4-only")
    first = opened.collect("customer")
    _, bundle = recheck(opened, first)
    asked = {one.address for one in _connects(bundle, "target")}
    assert asked == {opened.values["vendor4"]}
    hosts = {step.subject for step in bundle.plan if step.role == "control" and step.probe in {"reach", "http"}}
    assert 1 <= len(hosts) <= 2
    assert all(step.probe not in {"flows", "in_flow", "sizes", "paced", "slow"} for step in bundle.plan)


def test_the_report_of_the_second_names_the_first(lab: LabFactory) -> None:
    opened = lab(BLOCKED)
    first = opened.collect("customer")
    _, bundle = recheck(opened, first)
    done = opened.run("customer", [*NETDIAG, "analyze", str(opened.home / "recheck.zip")])
    assert done.returncode == 0, done.stderr
    assert bundle.rechecks is not None
    assert "repeats what failed in run" in " ".join(done.stdout.split())
    assert bundle.rechecks.run_id in done.stdout


def test_there_is_nothing_to_repeat_where_nothing_failed(lab: LabFactory) -> None:
    opened = lab("healthy")
    first = opened.collect("customer")
    done = opened.run("customer", [*NETDIAG, "recheck", str(first), "--yes"])
    assert done.returncode == 2
    assert "nothing failed in that run" in done.stderr


def test_a_changed_bundle_is_refused(lab: LabFactory) -> None:
    opened = lab(BLOCKED)
    first = opened.collect("customer")
    raw = bytearray(first.read_bytes())
    at = raw.index(b'"attempt"') if b'"attempt"' in raw else len(raw) // 2
    raw[at + 1] ^= 1
    broken = opened.home / "broken.zip"
    broken.write_bytes(bytes(raw))
    done = opened.run("customer", [*NETDIAG, "recheck", str(broken), "--yes"])
    assert done.returncode in {3, 4}
    assert not list(Path.cwd().glob("netdiag-*.zip"))


def _connects(bundle: Bundle, role: str) -> list[Connect]:
    steps = {step.id: step for step in bundle.plan}
    found = [one for one in bundle.observations if isinstance(one, Connect) and steps[one.step].role == role]
    return [one for one in found if steps[one.step].params.get("use") is None]
