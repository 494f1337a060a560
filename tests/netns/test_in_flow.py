"""Data with a limited TTL inside real connections, as a user without any capability."""

from __future__ import annotations

import json
import sys

import msgspec
import pytest

from netdiag.evidence.observation import Observation
from netdiag.evidence.transport import ArrivingTtl, Connect, InFlow
from tests.conftest import LabFactory
from tests.netns.lab import Lab
from tests.netns.probes.runner import Outcome

pytestmark = pytest.mark.lab

BOTH = pytest.mark.parametrize(("network", "family"), [("home", 4), ("home", 6), ("office", 4)])
DISTANCE = {"home": 7, "office": 10}
FIRST_ISP_ROUTER = {"home": 2, "office": 3}
HEAD = 'schema = "netdiag/scenario/1"\ntitle = "t"\nabout = "a"\n[truth]\nfault = "none"\nalone.sides = ["none"]\n'
BY_NAME = "-A FORWARD -p tcp --dport 443 -m string --algo bm --string {vendor_name} -j "
RESET = "REJECT --reject-with tcp-reset"


def filtered(at: str, verdict: str) -> str:
    """A scenario in which ``at`` does this to packets that hold the vendor's name."""
    rules = json.dumps([BY_NAME + verdict])
    return f"{HEAD}[[change]]\nat = {json.dumps(at)}\niptables = {rules}\nip6tables = {rules}\n"


def look(lab: Lab, family: int, *ttls: int, met: str = "end", port: int = 443) -> list[Observation]:
    """The records of one step at the vendor's address: a greeting, or on port 80 a request."""
    params = {"neutral": "www.example.com", "met": met}
    params |= {"payload": "client_hello"} if port == 443 else {"payload": "request", "path": "/"}
    params |= {"ttls": ",".join(map(str, ttls))} if ttls else {}
    step = {
        "probe": "in_flow",
        "role": "target",
        "subject": lab.values["vendor_name"],
        "address": lab.values[f"vendor{family}"],
        "port": port,
        "params": params,
    }
    argv = [sys.executable, "-m", "tests.netns.probes.runner", json.dumps([step])]
    done = lab.run("customer", argv, ordinary=True)
    assert done.returncode == 0, done.stderr
    return msgspec.json.decode(done.stdout, type=Outcome).observations


def stages(records: list[Observation], *, neutral: bool = False) -> list[tuple[int | None, str]]:
    """TTL and answer of each stage."""
    return [(one.ttl, one.answer) for one in records if isinstance(one, InFlow) and one.neutral is neutral]


def arriving(records: list[Observation]) -> ArrivingTtl:
    (only,) = (one for one in records if isinstance(one, ArrivingTtl))
    return only


@BOTH
def test_a_healthy_host_answers_both_names(lab: LabFactory, network: str, family: int) -> None:
    records = look(lab("healthy", network=network), family, 1, 2, 3)
    assert stages(records, neutral=True) == [(None, "data")]
    assert stages(records)[:3] == [(1, "expired"), (2, "expired"), (3, "expired")]
    assert stages(records)[-1] == (None, "data")
    answers = [one for one in records if isinstance(one, InFlow) and one.answer == "data"]
    assert all(one.server_hello for one in answers)
    # Of the stages that hide packets with a low TTL, only the first hid the host's.
    assert [one.min_ttl for one in answers if not one.neutral] == [65 - DISTANCE[network]]
    assert sum(isinstance(one, Connect) for one in records) == 2


@BOTH
def test_the_ttl_of_the_hosts_packets(lab: LabFactory, network: str, family: int) -> None:
    found = arriving(look(lab("healthy", network=network), family))
    assert (found.low, found.high) == (65 - DISTANCE[network], 65 - DISTANCE[network])
    assert found.how == ("min_ttl" if family == 4 else "hop_limit")


@pytest.mark.parametrize("initial", [128, 255])
def test_the_ttl_of_a_host_that_begins_with_another(lab: LabFactory, initial: int) -> None:
    opened = lab("healthy", network="home")
    opened.apply(at="vendor", sysctl={"net.ipv4.ip_default_ttl": initial})
    found = arriving(look(opened, 4))
    assert (found.low, found.high) == (initial + 1 - DISTANCE["home"],) * 2


@BOTH
def test_a_reset_on_the_way_begins_behind_its_router(lab: LabFactory, network: str, family: int) -> None:
    at = FIRST_ISP_ROUTER[network]
    records = look(lab(network=network, toml=filtered("isp1", RESET)), family, at - 1, at, at + 2)
    assert stages(records, neutral=True) == [(None, "data")]
    assert stages(records)[:3] == [(at - 1, "expired"), (at, "expired"), (at + 2, "reset")]
    # The gap is looked into on one more connection, and begins at the next router already.
    assert stages(records)[3:] == [(at + 1, "reset")]


@BOTH
def test_a_drop_on_the_way_begins_behind_its_router(lab: LabFactory, network: str, family: int) -> None:
    at = FIRST_ISP_ROUTER[network]
    records = look(lab(network=network, toml=filtered("isp1", "DROP")), family, at, at + 1, met="silence")
    # That the routers tell of what expires, they showed for the neutral name.
    assert stages(records, neutral=True) == [(at, "expired"), (at + 1, "expired"), (None, "data")]
    assert stages(records) == [(at, "expired"), (at + 1, "none"), (None, "none")]


@BOTH
def test_a_filter_of_requests_begins_behind_its_router(lab: LabFactory, network: str, family: int) -> None:
    at = FIRST_ISP_ROUTER[network]
    opened = lab("transit-http-reset-on-host", network=network)
    records = look(opened, family, at, at + 1, port=80)
    assert stages(records, neutral=True) == [(None, "data")]
    assert stages(records) == [(at, "expired"), (at + 1, "reset")]
    assert {one.payload for one in records if isinstance(one, InFlow)} == {"request"}


@BOTH
def test_a_reset_of_the_last_router_does_not_arrive_as_the_hosts(lab: LabFactory, network: str, family: int) -> None:
    last = DISTANCE[network] - 1
    records = look(lab(network=network, toml=filtered("vendor-firewall", RESET)), family, last)
    ends = [one for one in records if isinstance(one, InFlow) and not one.neutral]
    assert [(one.ttl, one.min_ttl, one.answer) for one in ends] == [
        (last, None, "expired"),
        (None, 66 - DISTANCE[network], "reset"),
    ]


def test_a_reset_of_the_host_itself(lab: LabFactory) -> None:
    records = look(lab("host-accept-reset", network="home"), 4, 6)
    assert stages(records, neutral=True) == [(None, "reset")]
    assert stages(records) == [(6, "expired"), (None, "reset")]
    assert not [one for one in records if isinstance(one, ArrivingTtl)], "nothing was left to ask on"
