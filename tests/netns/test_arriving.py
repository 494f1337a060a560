"""The TTL of SYN-ACKs and of resets, found by connections that hide answers, as a user without any capability."""

from __future__ import annotations

import json
import sys

import msgspec
import pytest

from netdiag.evidence.transport import ArrivingTtl, Connect
from tests.conftest import LabFactory
from tests.netns.lab import Lab
from tests.netns.probes.runner import Outcome

pytestmark = pytest.mark.lab

BOTH = pytest.mark.parametrize(("network", "family"), [("home", 4), ("home", 6), ("office", 4)])
DISTANCE = {"home": 7, "office": 10}
FIRST_ISP_ROUTER = {"home": 2, "office": 3}
MOST_CONNECTIONS = 10


def measured(lab: Lab, family: int, *ports: int) -> list[tuple[int, str, int | None]]:
    """Port, kind of answer and TTL; asked side by side."""
    fields = {"probe": "arriving", "role": "control", "subject": lab.values["vendor_name"]}
    steps = [{**fields, "address": lab.values[f"vendor{family}"], "port": port} for port in ports]
    argv = [sys.executable, "-m", "tests.netns.probes.runner", json.dumps(steps)]
    done = lab.run("customer", argv, ordinary=True)
    assert done.returncode == 0, done.stderr
    records = msgspec.json.decode(done.stdout, type=Outcome).observations
    found = [one for one in records if isinstance(one, ArrivingTtl)]
    assert all(one.how == "min_ttl" and one.low == one.high for one in found)
    made = sum(isinstance(one, Connect) for one in records)
    assert not found or sum(one.connections for one in found) == made
    assert all(one.connections <= MOST_CONNECTIONS for one in found)
    return sorted((one.port, one.of, one.low) for one in found)


@BOTH
def test_syn_acks_and_resets_of_the_host_arrive_alike(lab: LabFactory, network: str, family: int) -> None:
    its = 65 - DISTANCE[network]
    assert measured(lab("healthy", network=network), family, 443, 444) == [(443, "syn_ack", its), (444, "rst", its)]


@BOTH
def test_resets_from_the_way_arrive_with_another(lab: LabFactory, network: str, family: int) -> None:
    box, host = 65 - FIRST_ISP_ROUTER[network], 65 - DISTANCE[network]
    found = measured(lab("transit-reset-everyone", network=network), family, 443, 80)
    assert found == [(80, "syn_ack", host), (443, "rst", box)]


def test_what_is_rejected_with_icmp_has_none(lab: LabFactory) -> None:
    opened = lab("host-blocked-reject-port-unreachable", network="home")
    assert measured(opened, 4, 443) == []
