"""netdiag trace on real paths, as an ordinary user: whole, dead, looping, refusing, and split over equal members."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import sys
from typing import Any

import pytest

from tests.conftest import LabFactory
from tests.netns.lab import Lab
from tests.netns.sniffer import SYN, sniffing

pytestmark = pytest.mark.lab

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def trace(lab: Lab, *args: str, ordinary: bool = True) -> dict[str, Any]:
    """The trace as JSON."""
    argv = [sys.executable, "-m", "netdiag", "trace", *args, "--format", "json"]
    done = lab.run("customer", argv, ordinary=ordinary)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["schema"] == "netdiag/trace/1"
    return found


def routers(found: dict[str, Any]) -> list[list[str]]:
    return [hop["routers"] for hop in found["hops"]]


@pytest.mark.parametrize(("network", "hops"), [("home", 7), ("office", 10)])
@pytest.mark.parametrize("protocol", ["tcp", "udp", "icmp"])
def test_a_healthy_path_is_seen_whole(lab: LabFactory, network: str, hops: int, protocol: str) -> None:
    opened = lab("healthy", network=network)
    address = opened.values["vendor4"]
    found = trace(opened, address, "--protocol", protocol, "--flows", "1")
    assert [len(one) for one in routers(found)] == [1] * hops
    assert routers(found)[-1] == [address]
    assert found["hops"][0]["place"] == "gateway"
    assert found["mode"] == "unprivileged"


def test_ipv6_and_a_name_work_as_well(lab: LabFactory) -> None:
    opened = lab("healthy", network="home")
    found = trace(opened, opened.values["vendor_name"], "-6")
    assert found["address"] == opened.values["vendor6"]
    assert (found["end"]["how"], found["end"]["hop"]) == ("open", 7)
    by_port = trace(opened, f"[{opened.values['vendor6']}]:443")
    assert (by_port["end"]["how"], by_port["port"]) == ("open", 443)


def test_no_more_than_two_syns_reach_the_host(lab: LabFactory) -> None:
    opened = lab("healthy", network="home")
    with sniffing(opened, "vendor-firewall") as seen:
        trace(opened, opened.values["vendor4"])
    assert 1 <= sum(packet.ttl > 1 and packet.flags == SYN for packet in seen["vendor-firewall"]) <= 2


@pytest.mark.parametrize("network", ["home", "office"])
def test_a_dead_path_is_placed_and_said_honestly(lab: LabFactory, network: str) -> None:
    opened = lab("transit-black-hole-isp", network=network)
    found = trace(opened, opened.values["vendor4"], "--flows", "1")
    end = found["end"]
    assert end["how"] == "silent"
    assert end["first_missing"] == end["last_seen"] + 1
    assert end["last_seen_address"] in routers(found)[end["last_seen"] - 1]
    assert "One end cannot tell" in " ".join(found["says"])


@pytest.mark.parametrize("version", ["4", "6"])
def test_a_loop_is_a_loop(lab: LabFactory, version: str) -> None:
    opened = lab("transit-loop", network="home")
    found = trace(opened, opened.values[f"vendor{version}"])
    assert "round in a circle" in " ".join(found["says"])
    assert len({router for hop in routers(found) for router in hop}) <= 4


@pytest.mark.parametrize("version", ["4", "6"])
def test_a_refusal_names_its_router(lab: LabFactory, version: str) -> None:
    opened = lab("transit-admin-prohibited", network="home")
    found = trace(opened, opened.values[f"vendor{version}"])
    assert found["end"]["how"] == "icmp"
    assert "administratively prohibited" in found["end"]["icmp"]
    assert found["end"]["sender"] in routers(found)[-1]


def test_several_flows_show_both_members(lab: LabFactory) -> None:
    opened = lab("healthy", network="home")
    forks = []
    for _ in range(3):  # of 8 flows, all on one member: 1 in 128 runs
        found = trace(opened, opened.values["vendor4"], "--flows", "8")
        (flows,) = found["flows"]
        assert flows["dead_member"] is False
        assert len(flows["flows"]) == 8
        assert len({flow["source_port"] for flow in flows["flows"]}) == 8
        forks += [hop for hop in found["hops"] if len(hop["routers"]) == 2]
    assert forks


@pytest.mark.parametrize("scenario", ["transit-member-dead", "transit-member-dead-mute"])
def test_a_dead_member_is_found_and_placed(lab: LabFactory, scenario: str) -> None:
    opened = lab(scenario, network="home")
    # Of 12 flows, all on one member: less than once in a thousand runs.
    # The first walk may itself end in the dead member; then no router beyond it is known for TCP to be sent to.
    traced = (trace(opened, opened.values["vendor4"], "--flows", "12", "--budget", "60") for _ in range(4))
    flows = next((one for found in traced for one in found["flows"] if one["dead_member"]), None)
    assert flows is not None, "no dead member was told in four traces"
    dead_at = 4 if scenario == "transit-member-dead" else 3
    assert (flows["last_seen"], flows["first_missing"]) == (dead_at, dead_at + 1)


@pytest.mark.parametrize("scenario", ["none-ecmp-member-silent", "none-icmp-rate-limited", "transit-path-loss"])
def test_mute_members_limits_and_loss_are_no_dead_member(lab: LabFactory, scenario: str) -> None:
    opened = lab(scenario, network="home")
    found = trace(opened, opened.values["vendor4"], "--flows", "8", "--budget", "60")
    assert all(one["dead_member"] is not True for one in found["flows"])


def test_the_live_table_fits_a_terminal_of_80_columns(lab: LabFactory) -> None:
    opened = lab("transit-black-hole-isp", network="home")
    master, slave = pty.openpty()
    argv = [sys.executable, "-m", "netdiag", "trace", opened.values["vendor6"], "--flows", "1"]
    env = {"TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    with opened.popen("customer", argv, env=env, stdin=slave, stdout=slave, stderr=slave) as process:
        os.close(slave)
        shown = _read_all(master)
    os.close(master)
    assert process.returncode == 0
    assert "\x1b[" in shown  # it was live
    lines = [line for line in ESCAPE.sub("", shown).replace("\r", "\n").split("\n") if line.strip()]
    assert all(len(line) <= 80 for line in lines)
    assert any("Nothing came from hop" in line for line in lines)


def _read_all(master: int) -> str:
    read = b""
    while select.select([master], [], [], 30)[0]:
        try:
            chunk = os.read(master, 65536)
        except OSError:  # the other side is closed
            break
        if not chunk:
            break
        read += chunk
    return read.decode()


def test_wrong_usage_and_a_name_that_is_not_there(lab: LabFactory) -> None:
    opened = lab("healthy", network="office")
    command = [sys.executable, "-m", "netdiag", "trace"]
    assert opened.run("customer", [*command, opened.values["vendor4"], "-6"]).returncode == 2
    assert opened.run("customer", [*command, "a b"]).returncode == 2
    missing = opened.run("customer", [*command, "nx-nothing.example.net"])
    assert missing.returncode == 1
    assert "no address" in missing.stderr
