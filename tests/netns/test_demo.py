"""The demonstration: the main job on one machine, with nothing sent off it, by anyone."""

import json
import sys
from pathlib import Path

import pytest

from netdiag.cli.demo.stories import STORIES
from netdiag.evidence.transport import Connect
from tests.conftest import LabFactory
from tests.netns.collecting import bundle_in
from tests.netns.lab import Lab

pytestmark = pytest.mark.lab

NETDIAG = (sys.executable, "-m", "netdiag")
COUNTER = """
table inet demo {
  counter left { }
  chain out { type filter hook output priority 0; oifname != lo meta l4proto { tcp, udp, icmp } counter name left; }
}
"""


@pytest.mark.parametrize("story", [story.name for story in STORIES])
def test_every_story_ends_with_the_host_and_no_packet_leaves(lab: LabFactory, story: str) -> None:
    """Run by an ordinary user on a machine that has a network: it must not be used."""
    opened = lab("healthy")
    opened.run("customer", ["nft", COUNTER], ordinary=False)
    done = opened.run("customer", [*NETDIAG, "demo", story], env={"SSL_CERT_FILE": "", "TMPDIR": str(opened.home)})
    assert done.returncode == 0, done.stderr
    assert "Side       HOST" in done.stdout
    assert "What was found so far" in done.stdout
    (folder,) = opened.home.glob("netdiag-demo-*")
    assert {path.name for path in folder.glob("*.zip")} == {"customer.zip", "agent.zip"}
    verdict = _verdict(opened, folder)
    assert verdict["side"] == "host"
    listed = opened.run("customer", ["nft", "-j", "list", "counters", "table", "inet", "demo"], ordinary=False)
    (counter,) = [one["counter"] for one in json.loads(listed.stdout)["nftables"] if "counter" in one]
    assert counter["packets"] == 0


def _sources(bundle: Path) -> set[str | None]:
    return {one.source_address for one in bundle_in(bundle).observations if isinstance(one, Connect)}


def _verdict(opened: Lab, folder: Path) -> dict[str, object]:
    argv = [*NETDIAG, "analyze", str(folder / "customer.zip"), "--format", "json"]
    argv += ["--control", str(folder / "agent.zip"), "--profile", str(folder / "vendor.toml")]
    done = opened.run("agent", argv)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout)["verdict"])
