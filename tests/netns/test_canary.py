"""Who answers where nobody is: a real redirecting router, and a network without one."""

from __future__ import annotations

import json
import sys
import time

import msgspec
import pytest

from netdiag.evidence.names import Lookup
from netdiag.evidence.observation import Observation
from netdiag.evidence.transport import Connect
from tests.conftest import LabFactory
from tests.netns.lab import Lab
from tests.netns.probes.runner import Outcome

pytestmark = pytest.mark.lab

PORT = 8443
ACCEPTS = f"import socket\ns = socket.create_server(('', {PORT}))\nwhile True: s.accept()[0].close()"


def ask(lab: Lab) -> list[Observation]:
    """One connection and one question to documentation space."""
    common = {"probe": "canary", "role": "machine", "subject": ""}
    steps = [
        {**common, "address": "192.0.2.1", "port": 443, "params": {"ask": "connection"}},
        {**common, "address": "192.0.2.53", "port": 53, "params": {"ask": "name", "name": "www.example.com"}},
    ]
    argv = [sys.executable, "-m", "tests.netns.probes.runner", json.dumps(steps)]
    done = lab.run("customer", argv, ordinary=True)
    assert done.returncode == 0, done.stderr
    return msgspec.json.decode(done.stdout, type=Outcome).observations


def accepted(records: list[Observation]) -> bool:
    (only,) = (one for one in records if isinstance(one, Connect))
    return only.failure is None


def answered(records: list[Observation]) -> bool:
    (only,) = (one for one in records if isinstance(one, Lookup))
    return only.rcode is not None


@pytest.mark.parametrize("network", ["home", "office"])
def test_nobody_answers_for_nobody(lab: LabFactory, network: str) -> None:
    records = ask(lab("healthy", network=network))
    assert not accepted(records)
    assert not answered(records)


@pytest.mark.parametrize("at", ["gateway", "isp1"])
def test_a_router_that_takes_all_connections(lab: LabFactory, at: str) -> None:
    opened = lab("healthy", network="home")
    lines = [
        "nft add table ip taking",
        "nft add chain ip taking pre '{ type nat hook prerouting priority -110; }'",
        f"nft add rule ip taking pre tcp dport 443 redirect to :{PORT}",
    ]
    opened.apply(at=at, run=lines)
    relay = opened.popen(at, [sys.executable, "-c", ACCEPTS], ordinary=False)
    try:
        ends = time.monotonic() + 10
        while not (taken := accepted(ask(opened))) and time.monotonic() < ends:
            time.sleep(0.2)
        assert taken
        assert not answered(ask(opened)), "TCP alone is taken"
    finally:
        relay.kill()
        relay.wait()


def test_a_router_that_answers_for_every_name_server(lab: LabFactory) -> None:
    opened = lab("healthy", network="home")
    lines = [
        "nft add table ip taking",
        "nft add chain ip taking pre '{ type nat hook prerouting priority -110; }'",
        "nft add rule ip taking pre udp dport 53 dnat to {isp_resolver4}",
    ]
    opened.apply(at="gateway", run=lines)
    records = ask(opened)
    assert answered(records)
    assert not accepted(records)
