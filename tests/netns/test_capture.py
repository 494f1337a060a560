"""``collect --capture`` on a real network: exactly the run's own packets, and nothing that they carried."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from netdiag.evidence.record import NotRun
from tests.conftest import LabFactory
from tests.netns.collecting import bundle_in, collect_command, crashes
from tests.required import needs

pytestmark = pytest.mark.lab

# Connections, requests, echoes and names of another program, to the same places at the same time.
NOISE = r"""
import socket, struct, sys, time
vendor, resolver = sys.argv[1:]
ends = time.monotonic() + 60
while time.monotonic() < ends:
    with socket.socket() as sock:
        sock.bind(("", 0))
        print("tcp", sock.getsockname()[1], flush=True)
        sock.settimeout(0.2)
        try:
            sock.connect((vendor, 443))
            sock.send(b"noise")
        except OSError:
            pass
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind(("", 0))
        print("udp", sock.getsockname()[1], flush=True)
        question = struct.pack("!6H", 1, 256, 1, 0, 0, 0) + b"\x05noise\x04test\x00\x00\x01\x00\x01"
        sock.sendto(question, (resolver, 53))
    time.sleep(0.03)
"""

FIELDS = ("frame.comment", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "ip.src", "ip.dst", "icmp.type")


@needs("tshark")
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_only_the_runs_own_packets_and_nothing_that_they_carried(lab: LabFactory, scheme: str) -> None:
    opened = lab("host-blocked-drop" if scheme == "https" else "healthy")
    noise = opened.popen(
        "customer",
        [sys.executable, "-c", NOISE, opened.values["vendor4"], opened.values["isp_resolver4"]],
        stdout=subprocess.PIPE,
        text=True,
    )
    output = opened.home / "captured.zip"
    url = opened.url.replace("https:", f"{scheme}:")
    try:
        done = opened.run("customer", collect_command(opened, output, "--capture", url=url), ordinary=False)
    finally:
        noise.kill()
        said, _ = noise.communicate()
    assert done.returncode == 0, done.stderr
    bundle, capture = bundle_in(output), _capture(output)
    assert not crashes(bundle)
    others = {tuple(line.split()) for line in said.splitlines()}
    assert len(others) > 20, "nobody made noise: nothing is tested"

    packets = _read_by_tshark(output)
    assert len(packets) > 100
    known = {record.id for record in bundle.observations}
    for comment, *numbers in packets:
        assert comment, numbers
        assert set(comment.split(", ")) <= known
    ours = {("tcp", port) for packet in packets for port in packet[1:3] if port}
    ours |= {("udp", port) for packet in packets for port in packet[3:5] if port}
    # The kernel gives a port again once it is free: a few of the noise's many are the run's own at another time.
    assert len(ours & others) < len(others) / 10, "packets of another program"
    measured = {id_ for comment, *_ in packets for id_ in comment.split(", ")}
    kinds = {type(record).__name__ for record in bundle.observations if record.id in measured}
    assert kinds >= {"Connect", "Handshake", "Exchange", "HopReply", "Lookup", "Echo"}
    assert "11" in {packet[-1].split(",")[0] for packet in packets}, "no ICMP error of a router"
    for told in (b"HTTP/1.", b"X-Netdiag", bundle.target.host.encode(), b"GET ", b"Host:"):
        assert told not in capture
    shown = opened.run("agent", [sys.executable, "-m", "netdiag", "show", str(output)])
    assert "capture.pcapng" in shown.stdout
    assert "the headers of its packets" in " ".join(done.stdout.split())


def test_without_privilege_the_run_goes_on_and_says_so(lab: LabFactory) -> None:
    opened = lab("healthy")
    output = opened.home / "captured.zip"
    done = opened.run("customer", collect_command(opened, output, "--capture"))
    assert done.returncode == 0, done.stderr
    bundle = bundle_in(output)
    why = [one.why for one in bundle.observations if isinstance(one, NotRun) and one.what == "packet capture"]
    assert why == ["no_privilege"]
    with zipfile.ZipFile(output) as packed:
        assert "capture.pcapng" not in packed.namelist()


def _capture(output: Path) -> bytes:
    with zipfile.ZipFile(output) as packed:
        return packed.read("capture.pcapng")


def _read_by_tshark(output: Path) -> list[tuple[str, ...]]:
    file = output.with_suffix(".pcapng")
    file.write_bytes(_capture(output))
    command = ["tshark", "-r", str(file), "-T", "fields", *(word for one in FIELDS for word in ("-e", one))]
    read = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [tuple(line.split("\t")) for line in read.splitlines()]
