"""What the tests of ``netdiag collect`` share: running it in a lab, and reading what it wrote."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from netdiag.evidence.bundle import Bundle
from netdiag.evidence.record import NotRun
from tests.corpus.case import read
from tests.netns.lab import Lab

NETDIAG = (sys.executable, "-m", "netdiag")

NOTHING_IS_WRONG = """
schema = "netdiag/scenario/1"
title = "A healthy line for a test"
about = "What the test changes stands below."
[truth]
fault = "none"
[truth.alone]
sides = ["none"]
"""
"""The head of a scenario that no verdict is asked about."""

NOBODY_ANSWERS = (
    NOTHING_IS_WRONG
    + """
[customer]
hosts = ["{vendor4} {vendor_name}", "{vendor_second4} {vendor_name}", "{vendor6} {vendor_name}"]
resolver = ["{gateway4}", "1.1.1.1", "8.8.8.8"]
[[change]]
at = "gateway"
nft = [
    "add rule inet lab input iifname br-lan meta l4proto { tcp, udp, icmp } drop",
    "add rule inet lab forward iifname br-lan drop",
]
"""
)
"""The gateway takes every packet and never says a word; only ARP and neighbour discovery work."""


def bundle_in(path: Path) -> Bundle:
    """The verified bundle in a file."""
    folder = path.with_suffix("")
    with zipfile.ZipFile(path) as packed:
        packed.extractall(folder)
    return read(folder)


def crashes(bundle: Bundle) -> list[NotRun]:
    """The records of probes that broke: always a bug of ours."""
    return [one for one in bundle.observations if isinstance(one, NotRun) and one.why == "crashed"]


def collect_command(lab: Lab, output: Path, *arguments: str, url: str | None = None) -> list[str]:
    """The command line of a collect that asks nothing."""
    return [*NETDIAG, "collect", url or lab.url, "--yes", "--output", str(output), *arguments]


def begun(lab: Lab, output: Path, *arguments: str) -> subprocess.Popen[str]:
    """A collect that is measuring: it has said what it found first."""
    argv = collect_command(lab, output, *arguments)
    process = lab.popen("customer", argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.lstrip()[:1].isdigit() and " s  " in line:  # "  0.1 s  …": the first line of progress
            return process
    raise AssertionError(f"collect ended before it began: {process.communicate()}")
