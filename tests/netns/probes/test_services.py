"""Machine, names, TLS, HTTP and proxies against real daemons, as a user without any capability."""

import json
import sys
from collections.abc import Callable, Mapping

import msgspec
import pytest

from netdiag.evidence.machine import DefaultRoute, Nat64, Neighbour, ResolverConfig, SystemLookup
from netdiag.evidence.names import Lookup
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import FailureCode, Icmp
from netdiag.evidence.tls import Handshake
from netdiag.evidence.web import Exchange
from netdiag.probes.controls import DEFAULT_CONTROLS
from tests.netns.lab import Lab

pytestmark = pytest.mark.lab

LabFactory = Callable[..., Lab]
NETWORKS = pytest.mark.parametrize("network", ["home", "office"])


def run(lab: Lab, *steps: Mapping[str, object]) -> list[Observation]:
    """The records of ``steps``, one after the other, on the customer's machine."""
    done = lab.run("customer", [sys.executable, "-m", "tests.netns.probes.service_runner", json.dumps(steps)])
    assert done.returncode == 0, done.stderr
    return msgspec.json.decode(done.stdout, type=list[Observation])


def machine(lab: Lab) -> dict[str, object]:
    return {"probe": "machine", "role": "machine", "subject": lab.values["vendor_name"]}


def delegation(lab: Lab) -> dict[str, object]:
    return {"probe": "delegation", "role": "resolver", "subject": lab.values["vendor_name"]}


def dns(lab: Lab, server: str, name: str | None = None) -> dict[str, object]:
    params = {"class": "configured", "name": name or lab.values["vendor_name"], "use": "target"}
    return {"probe": "dns", "role": "resolver", "subject": server, "params": params}


def http(lab: Lab, scheme: str = "https", proxy: str | None = None) -> dict[str, object]:
    url = f"{scheme}://{lab.values['vendor_name']}/"
    place = {"proxy": proxy} if proxy else {"address": lab.values["vendor4"]}
    return {"probe": "http", "role": "target", "subject": lab.values["vendor_name"], "params": {"url": url}, **place}


def tls(lab: Lab) -> dict[str, object]:
    place = {"address": lab.values["vendor4"], "port": 443, "subject": lab.values["vendor_name"]}
    return {"probe": "reach", "role": "target", "params": {"tls": "yes"}, **place}


@NETWORKS
def test_on_a_healthy_line_everything_is_read_and_answers(lab: LabFactory, network: str) -> None:
    here = lab("healthy", network=network)
    seen = run(here, machine(here), delegation(here), http(here), tls(here))
    routes = [one for one in seen if isinstance(one, DefaultRoute)]
    assert any(one.family == 4 and one.gateway is not None for one in routes)
    assert {one.family for one in routes} == {4, 6}
    assert [one.failure for one in seen if isinstance(one, Neighbour)] == [None] * sum(one.exists for one in routes)
    (config,) = [one for one in seen if isinstance(one, ResolverConfig)]
    (system,) = [one for one in seen if isinstance(one, SystemLookup)]
    assert config.servers
    assert here.values["vendor4"] in system.addresses
    authorities = [one for one in seen if isinstance(one, Lookup) and one.server_class == "authority"]
    assert len({one.server for one in authorities}) >= 2
    assert all("AA" in one.flags and one.rcode == 0 and one.answers for one in authorities)
    (handshake,) = [one for one in seen if isinstance(one, Handshake)]
    (exchange,) = [one for one in seen if isinstance(one, Exchange)]
    assert (handshake.failure, exchange.failure, exchange.status) == (None, None, 200)
    # The lab's authority stands for a public one: it is in both stores.
    assert {one.store: one.code for one in handshake.verifications} == {"system": 0, "mozilla": 0}

    names = run(
        here, dns(here, config.servers[0]), {"probe": "nat64", "role": "resolver", "subject": config.servers[0]}
    )
    found = {record.data for one in names if isinstance(one, Lookup) for record in one.answers}
    assert here.values["vendor4"] in found
    assert [one.prefix for one in names if isinstance(one, Nat64)] == [None]


def test_every_default_control_answers_as_promised(lab: LabFactory) -> None:
    here = lab("healthy")
    (config,) = [one for one in run(here, machine(here)) if isinstance(one, ResolverConfig)]
    for control in DEFAULT_CONTROLS:
        address = next(iter(control.addresses), None)
        if address is None:
            asked = run(here, dns(here, config.servers[0], control.host))
            answers = [record for one in asked if isinstance(one, Lookup) for record in one.answers]
            address = next(record.data for record in answers if record.rrtype == "A")
        params = {"url": control.url}
        step = {"probe": "http", "role": "control", "subject": control.host, "address": address, "params": params}
        (exchange,) = run(here, step)
        assert isinstance(exchange, Exchange)
        assert (control.url, exchange.failure) == (control.url, None)
        assert control.expect_status in {None, exchange.status}
        assert control.expect_body_sha256 in {None, exchange.body_sha256}
        assert (exchange.body_start is not None) == control.is_page


@NETWORKS
def test_a_lame_delegation_shows_at_each_server(lab: LabFactory, network: str) -> None:
    here = lab("host-dns-lame", network=network)
    lookups = [one for one in run(here, delegation(here)) if isinstance(one, Lookup)]
    assert {one.rcode for one in lookups if one.server_class == "authority"} == {5}
    assert {one.rcode for one in lookups if one.server_class == "parent"} == {0}


@NETWORKS
def test_name_servers_that_are_closed_refuse_with_icmp(lab: LabFactory, network: str) -> None:
    here = lab("host-dns-closed", network=network)
    lookups = [one for one in run(here, delegation(here)) if isinstance(one, Lookup)]
    failures = [(one.server, one.failure) for one in lookups if one.server_class == "authority"]
    assert failures
    for server, failure in failures:
        assert failure is not None
        assert failure.code is FailureCode.REFUSED
        assert isinstance(failure.native, Icmp)
        assert failure.native.sender == server


def test_dead_name_servers_are_asked_over_both_transports(lab: LabFactory) -> None:
    here = lab("host-dns-dead")
    lookups = [one for one in run(here, delegation(here)) if isinstance(one, Lookup)]
    silent = [one for one in lookups if one.server_class == "authority"]
    assert {one.failure.code for one in silent if one.failure is not None} == {FailureCode.TIMED_OUT}
    assert {(one.transport, one.attempt) for one in silent} == {("udp", 1), ("udp", 2), ("tcp", 1)}


@pytest.mark.parametrize(
    ("scenario", "code", "length"),
    [
        ("expired", 10, 2),
        ("not-yet-valid", 9, 2),
        ("wrong-name", 62, 2),
        ("self-signed", 18, 1),
        ("missing-intermediate", 20, 1),
    ],
)
@NETWORKS
def test_each_wrong_certificate_has_its_code(
    lab: LabFactory, scenario: str, code: int, length: int, network: str
) -> None:
    here = lab(f"host-certificate-{scenario}", network=network)
    seen = run(here, tls(here), http(here))
    (handshake,) = [one for one in seen if isinstance(one, Handshake)]
    (exchange,) = [one for one in seen if isinstance(one, Exchange)]
    assert {one.store: one.code for one in handshake.verifications}["system"] == code
    assert len(handshake.chain) == length
    for failure in (handshake.failure, exchange.failure):
        assert failure is not None
        assert failure.code is FailureCode.CERT_REJECTED


@NETWORKS
def test_through_an_open_proxy_there_are_two_exchanges(lab: LabFactory, network: str) -> None:
    here = lab("none-through-proxy", network=network)
    proxy = f"{here.values['gateway4']}:3128"
    opened, exchange, plain = run(here, http(here, proxy=proxy), http(here, "http", proxy))
    assert isinstance(opened, Exchange)
    assert isinstance(exchange, Exchange)
    assert isinstance(plain, Exchange)
    assert (opened.method, opened.status, opened.via_proxy) == ("CONNECT", 200, proxy)
    assert (exchange.status, exchange.failure, exchange.caused_by) == (200, None, opened.id)
    assert (plain.failure, plain.via_proxy) == (None, proxy)


@pytest.mark.parametrize(("scenario", "status"), [("local-proxy-auth-required", 407), ("local-proxy-forbidding", 403)])
def test_a_proxy_that_refuses_says_so(lab: LabFactory, scenario: str, status: int) -> None:
    here = lab(scenario)
    (opened,) = run(here, http(here, proxy=f"{here.values['gateway4']}:3128"))
    assert isinstance(opened, Exchange)
    assert (opened.status, opened.failure) == (status, None)


@pytest.mark.parametrize(
    ("scenario", "code"), [("local-proxy-closed", FailureCode.REFUSED), ("local-proxy-dead", FailureCode.TIMED_OUT)]
)
def test_a_proxy_that_is_not_there_is_a_connect_that_failed(lab: LabFactory, scenario: str, code: FailureCode) -> None:
    here = lab(scenario)
    (opened,) = run(here, http(here, proxy=f"{here.values['gateway4']}:3128"))
    assert isinstance(opened, Exchange)
    assert opened.failure is not None
    assert (opened.failure.op, opened.failure.code) == ("connect", code)
