"""collect on a real network: its manners, its interruptions, and what it never writes down."""

import json
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from netdiag.evidence.bundle import Bundle
from netdiag.evidence.record import NotRun
from netdiag.evidence.transport import Connect, HopReply
from tests.conftest import LabFactory
from tests.corpus.case import read
from tests.netns.lab import Lab

pytestmark = pytest.mark.lab

NETDIAG = (sys.executable, "-m", "netdiag")


COUNTER = """
table inet manners {
  set seen4 { typeof ip daddr . tcp dport; flags dynamic; counter; }
  set seen6 { typeof ip6 daddr . tcp dport; flags dynamic; counter; }
  chain look {
    type filter hook prerouting priority -400;
    tcp flags & (syn|ack) == syn add @seen4 { ip daddr . tcp dport }
    tcp flags & (syn|ack) == syn add @seen6 { ip6 daddr . tcp dport }
  }
}
"""
"""Counts SYNs by address and port, before any rule can drop them."""


def bundle_in(path: Path) -> Bundle:
    """The verified bundle in a file."""
    folder = path.with_suffix("")
    with zipfile.ZipFile(path) as packed:
        packed.extractall(folder)
    return read(folder)


def collecting(lab: Lab, output: Path, *arguments: str) -> subprocess.Popen[str]:
    """A collect that is still running."""
    argv = [*NETDIAG, "collect", lab.url, "--yes", "--output", str(output), *arguments]
    return lab.popen("customer", argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("network", ["home", "office"])
@pytest.mark.parametrize("scenario", ["healthy", "host-blocked-drop", "host-port-closed", "host-accept-reset"])
def test_no_more_than_five_syns_reach_one_port_of_the_vendor(lab: LabFactory, network: str, scenario: str) -> None:
    """The manners of the design, counted in front of the vendor's host, each family and port on its own."""
    with lab(scenario, network=network) as opened:
        opened.run("vendor-firewall", ["nft", COUNTER], ordinary=False)
        began = time.monotonic()
        opened.collect("customer")
        windows = 1 + (time.monotonic() - began) // 30
        listed = opened.run("vendor-firewall", ["nft", "-j", "list", "table", "inet", "manners"], ordinary=False)
        counts = [
            one["elem"]["counter"]["packets"]
            for entry in json.loads(listed.stdout)["nftables"]
            for one in entry.get("set", {}).get("elem", [])
        ]
        assert counts, "no SYN was seen at all: the counter is broken"
        assert max(counts) <= 5 * windows


def test_ctrl_c_seals_what_there_is(lab: LabFactory) -> None:
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        with lab("host-blocked-drop") as opened:
            output = opened.home / f"interrupted-{number}.zip"
            process = collecting(opened, output)
            _wait_for_progress(process)
            opened.signal_inside(process, number)
            out, err = process.communicate(timeout=60)
            assert process.returncode == status, err
            assert str(output) in out + err
            assert bundle_in(output).interrupted == "signal"


def _wait_for_progress(process: subprocess.Popen[str]) -> None:
    """Until the first line of progress: the run has begun."""
    assert process.stderr is not None
    while line := process.stderr.readline():
        if "TCP" in line or "address" in line or "vendor" in line or ":" in line:
            return


def test_the_budget_ends_the_run_and_what_there_is_is_sealed(lab: LabFactory) -> None:
    with lab("host-blocked-drop", network="office") as opened:
        path = opened.collect("customer", ["--budget", "2"])
        bundle = bundle_in(path)
        assert bundle.interrupted == "budget"
        assert any(isinstance(one, NotRun) and one.why == "out_of_time" for one in bundle.observations)


def test_a_full_disk_leaves_no_file(lab: LabFactory) -> None:
    with lab("healthy") as opened:
        output = opened.home / "full" / "bundle.zip"
        output.parent.mkdir()
        argv = ["prlimit", "--fsize=1000", *NETDIAG, "collect", opened.url, "--yes", "--output", str(output)]
        done = opened.run("customer", argv)
        assert done.returncode == 1, done.stderr
        assert not list(output.parent.iterdir())
        assert "Traceback" not in done.stderr


def test_an_existing_file_is_never_overwritten(lab: LabFactory) -> None:
    with lab("healthy") as opened:
        output = opened.home / "mine.zip"
        output.write_text("mine")
        done = opened.run("customer", [*NETDIAG, "collect", opened.url, "--yes", "--output", str(output)])
        assert done.returncode in {1, 2}
        assert output.read_text() == "mine"


SECRETS = (
    "s3cr3tuser",
    "hunter2pass",
    "tok-4711-query",
    "fragment-815",
    "proxyuser-77",
    "proxypass-88",
    "other-host-99",
)


def test_secrets_are_in_no_member_and_on_no_screen(lab: LabFactory) -> None:
    toml = f"""
schema = "netdiag/scenario/1"
title = "Secrets are seeded everywhere"
about = "The URL, the proxy setting, the hosts file: none of it may be found again."
url = "https://{SECRETS[0]}:{SECRETS[1]}@{{vendor_name}}{{vendor_path}}?key={SECRETS[2]}#{SECRETS[3]}"
[truth]
fault = "none"
[truth.alone]
sides = ["none"]
[customer]
hosts = ["192.168.7.7 {SECRETS[6]}.example"]
env = {{ https_proxy = "http://{SECRETS[4]}:{SECRETS[5]}@{{gateway4}}:3128" }}
[gateway]
proxy = "auth_required"
"""
    with lab(toml=toml) as opened:
        output = opened.home / "bundle.zip"
        done = opened.run("customer", [*NETDIAG, "collect", opened.url, "--yes", "--output", str(output)])
        assert done.returncode == 0, done.stderr
        screens = {"stdout": done.stdout, "stderr": done.stderr}
        for words in (
            ["analyze"],
            ["show"],
            ["verify"],
            ["analyze", "--format", "html"],
            ["analyze", "--format", "json"],
        ):
            shown = opened.run("agent", [*NETDIAG, words[0], str(output), *words[1:]])
            assert shown.returncode == 0, shown.stderr
            screens[" ".join(words)] = shown.stdout + shown.stderr
        with zipfile.ZipFile(output) as packed:
            screens |= {name: packed.read(name).decode() for name in packed.namelist()}
        for secret in SECRETS:
            assert not [name for name, text in screens.items() if secret in text], secret


def test_an_ordinary_user_sees_the_path(lab: LabFactory) -> None:
    """Without any capability the walk names the routers, and what could not be done is written down."""
    with lab("healthy") as opened:
        bundle = bundle_in(opened.collect("customer", ordinary=True))
        replies = [one for one in bundle.observations if isinstance(one, HopReply) and one.replier is not None]
        assert len({one.ttl for one in replies}) >= 6
        assert all(one.mode == "unprivileged" for one in replies)


def test_a_second_round_follows_a_failure_and_none_follows_health(lab: LabFactory) -> None:
    for scenario, rounds in (("healthy", {1}), ("host-blocked-drop", {1, 2})):
        with lab(scenario) as opened:
            bundle = bundle_in(opened.collect("customer"))
            steps = {step.id: step for step in bundle.plan}
            made = {
                steps[one.step].round
                for one in bundle.observations
                if isinstance(one, Connect) and steps[one.step].role == "target"
            }
            assert made == rounds, scenario
