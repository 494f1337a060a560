"""collect on lines, machines and targets of every kind: what is missing is written down, and nothing breaks."""

from __future__ import annotations

import ipaddress
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from netdiag.evidence.bundle import Bundle
from netdiag.evidence.machine import Nat64
from netdiag.evidence.names import Lookup
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import FailureCode, NotRun
from netdiag.evidence.transport import Connect, Echo, HopReply
from netdiag.evidence.web import Exchange
from netdiag.facts import derive
from tests.conftest import LabFactory
from tests.netns.collecting import NETDIAG, NOTHING_IS_WRONG, bundle_in, collect_command, crashes
from tests.netns.lab import Lab
from tests.netns.networks import home
from tests.netns.sniffer import sniffing

pytestmark = pytest.mark.lab

# A run as on a system that is not Linux. What imports differently there is imported before.
NOT_LINUX = """
import sys, psutil, truststore, requests, ssl, subprocess, socket, asyncio, multiprocessing, rich, typer, uuid, platform
import urllib.request, getpass, http.client, cryptography, dns.message, icmplib, selectors, tempfile, zipfile
sys.platform = "sunos5"
from netdiag.__main__ import main
main()
"""


@pytest.fixture(scope="module")
def healthy() -> Iterator[Lab]:
    """A healthy home line for all tests that change nothing."""
    with Lab.load("healthy") as lab:
        yield lab


def _of_target(bundle: Bundle) -> list[Observation]:
    roles = {step.id: step.role for step in bundle.plan}
    return [one for one in bundle.observations if roles[one.step] == "target"]


def _statuses(bundle: Bundle) -> set[int | None]:
    return {one.status for one in _of_target(bundle) if isinstance(one, Exchange) and one.method == "GET"}


def _missing(bundle: Bundle) -> set[tuple[str, str]]:
    return {(one.why, one.what) for one in bundle.observations if isinstance(one, NotRun)}


def _side(lab: Lab, path: Path) -> str:
    done = lab.run("agent", [*NETDIAG, "analyze", str(path), "--format", "json"])
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["verdict"]["side"])


def _without(lab: Lab, *lacks: str, ordinary: bool = True) -> Path:
    output = lab.home / f"without-{'-'.join(lacks)}-{time.monotonic_ns()}.zip"
    argv = [sys.executable, "-m", "tests.netns.sandbox", *lacks, "--", *collect_command(lab, output)]
    done = lab.run("customer", argv, ordinary=ordinary)
    assert done.returncode == 0, done.stderr
    return output


@pytest.mark.parametrize(
    ("lacks", "missing"),
    [
        (("error-queue",), ("unsupported", "the error queue")),
        (("ping",), ("no_privilege", "ICMP echo")),
        (("netlink",), None),
        (("ipv6",), None),
        (("error-queue", "ping", "netlink", "ipv6"), ("unsupported", "the error queue")),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else None,
)
def test_what_a_sandbox_forbids_is_written_down(
    healthy: Lab, lacks: tuple[str, ...], missing: tuple[str, str] | None
) -> None:
    path = _without(healthy, *lacks)
    bundle = bundle_in(path)
    assert not crashes(bundle)
    assert missing is None or missing in _missing(bundle)
    assert 200 in _statuses(bundle)
    hops = [one for one in bundle.observations if isinstance(one, HopReply)]
    assert bool(hops) == ("error-queue" not in lacks)
    if "ipv6" in lacks:
        assert not [one for one in bundle.observations if isinstance(one, Connect)
                    and ":" in one.address and one.failure is None]  # fmt: skip
    # With all of it missing at once nobody knows whether the line has IPv6 at all: never more than "undecided".
    assert _side(healthy, path) in ({"none"} if len(lacks) == 1 else {"none", "inconclusive"})


def test_a_system_that_is_not_linux_is_measured_as_far_as_it_goes(healthy: Lab) -> None:
    output = healthy.home / "not-linux.zip"
    argv = collect_command(healthy, output)[len(NETDIAG) :]
    done = healthy.run("customer", [sys.executable, "-c", NOT_LINUX, *argv])
    assert done.returncode == 0, done.stderr
    bundle = bundle_in(output)
    assert not crashes(bundle)
    assert ("unsupported", "the error queue") in _missing(bundle)
    assert 200 in _statuses(bundle)
    assert not [one for one in bundle.observations if isinstance(one, HopReply)]
    assert _side(healthy, output) == "none"


def test_root_has_raw_sockets_where_others_have_none(healthy: Lab) -> None:
    """The mode stands in each record; found by trying, not by the user's number."""
    modes: dict[bool, set[str]] = {}
    for ordinary in (True, False):
        bundle = bundle_in(_without(healthy, "ping-sockets", ordinary=ordinary))
        assert not crashes(bundle)
        modes[ordinary] = {one.mode for one in bundle.observations if isinstance(one, Echo)}
        assert (("no_privilege", "ICMP echo") in _missing(bundle)) == ordinary
    assert modes == {True: set(), False: {"raw"}}


@pytest.mark.parametrize(
    ("url", "status", "failure"),
    [
        ("http://{name}/", 301, None),
        ("https://{name}:8443/", None, FailureCode.REFUSED),
        ("https://{vendor4}/", None, FailureCode.CERT_REJECTED),
        ("https://[{vendor6}]/", None, FailureCode.CERT_REJECTED),
        ("http://{vendor4}/", 301, None),
    ],
)
def test_targets_of_every_kind(healthy: Lab, url: str, status: int | None, failure: FailureCode | None) -> None:
    values = healthy.values
    bundle = bundle_in(healthy.collect(url=url.format(name=values["vendor_name"], **values)))
    assert not crashes(bundle)
    assert bundle.interrupted is None
    if status is not None:
        assert _statuses(bundle) == {status}
    codes = {one.failure.code for one in _of_target(bundle) if one.failure is not None}
    assert failure is None or failure in codes
    if bundle.target.is_literal:
        assert not [step for step in bundle.plan if step.probe in {"dns", "delegation"} and "class" in step.params
                    and step.params["use"] == "target"]  # fmt: skip
        assert not [step for step in bundle.plan if step.probe == "delegation"]


@pytest.mark.parametrize(
    "url", ["https://{gateway4}/", "http://192.168.178.99/", "https://[{gateway6}]/x", "https://nas/"]
)
def test_a_private_target_is_told_to_nobody_outside(lab: LabFactory, url: str) -> None:
    """Counted on the provider's first router: nothing but a question to the configured resolver leaves the house."""
    opened = lab(toml=NOTHING_IS_WRONG + '[customer]\nhosts = ["{gateway4} nas"]\n')
    own_resolver = {opened.values["isp_resolver4"], opened.values["isp_resolver6"]}
    with sniffing(opened, "isp1") as seen:
        bundle = bundle_in(opened.collect(url=url.format(**opened.values)))
    assert not crashes(bundle)
    assert bundle.target.private or ":" in url
    if bundle.target.private:
        assert not [one for one in bundle.plan if one.role == "control"]
        left = [one for one in seen["isp1"] if _is_of_customer(one.source) and one.target not in own_resolver]
        assert not left, left[:3]


def _is_of_customer(source: str) -> bool:
    network = home()
    address = ipaddress.ip_address(source)
    inside = [one.network for one in network.links_of("customer")[0].addresses("customer")]
    return source == network.customer_public4 or any(address in one for one in inside)


@pytest.mark.parametrize("network", ["home", "office"])
def test_a_proxied_line_works_end_to_end(lab: LabFactory, network: str) -> None:
    opened = lab("none-through-proxy", network=network)
    path = opened.collect()
    bundle = bundle_in(path)
    assert not crashes(bundle)
    through = [one for one in _of_target(bundle) if isinstance(one, Exchange) and one.via_proxy is not None]
    assert {one.status for one in through} == {200}
    direct = [one for one in _of_target(bundle) if isinstance(one, Connect)]
    assert direct
    assert all(one.failure is not None for one in direct)
    assert _side(opened, path) == "none"


IPV6_ONLY = (
    NOTHING_IS_WRONG
    + """
[customer]
resolver = ["{isp_resolver6}"]
[[change]]
at = "customer"
run = ["ip -4 address flush dev eth0", "ip -4 route flush table main"]
"""
)


def test_a_line_without_ipv4_is_healthy(lab: LabFactory) -> None:
    opened = lab(toml=IPV6_ONLY)
    path = opened.collect()
    bundle = bundle_in(path)
    assert not crashes(bundle)
    assert _statuses(bundle) == {200}
    assert _side(opened, path) == "none"


# RFC 6052: the well-known prefix, and the vendor's and the public resolvers' IPv4 addresses behind it. The translator
# is left out: what it would reach has the synthesised address itself.
WELL_KNOWN = int(ipaddress.IPv6Address("64:ff9b::"))
VENDOR64 = str(ipaddress.IPv6Address(WELL_KNOWN + int(ipaddress.IPv4Address(home().vendor.address4))))
NAT64 = (
    IPV6_ONLY.replace(
        "[[change]]",
        """[dns]
aaaa = false
isp_resolver = ['module-config: "dns64 iterator"', "dns64-prefix: 64:ff9b::/96"]
[[change]]""",
    )
    + f"""
[[change]]
at = "isp2"
ip = ["route replace {VENDOR64}/128 via {{via6:isp2>transit-a}}"]
[[change]]
at = "transit-a"
ip = ["route replace {VENDOR64}/128 via {{via6:transit-a>border}}"]
[[change]]
at = "border"
ip = ["route replace {VENDOR64}/128 via {{via6:border>vendor-firewall}}"]
[[change]]
at = "vendor-firewall"
ip = ["route replace {VENDOR64}/128 dev {{dev:vendor-firewall>vendor}}"]
[[change]]
at = "vendor"
ip = ["address add {VENDOR64}/128 dev eth0"]
"""
)


def test_nat64_is_found_and_its_addresses_are_measured(lab: LabFactory) -> None:
    opened = lab(toml=NAT64)
    path = opened.collect()
    bundle = bundle_in(path)
    assert not crashes(bundle)
    assert [one.prefix for one in bundle.observations if isinstance(one, Nat64)] == ["64:ff9b::/96"]
    assert {one.address for one in _of_target(bundle) if isinstance(one, Connect) and one.failure is None} == {VENDOR64}
    assert _statuses(bundle) == {200}
    assert _side(opened, path) == "none"


LOSSY = """
[[change]]
at = "gateway"
nft = ["add rule inet lab prerouting iifname br-lan numgen random mod 100 < 20 drop"]
"""
ICMP_LIMITED = """
[[change]]
at = "gateway"
nft = [
    "add rule inet lab input icmp type echo-request limit rate over 1/second burst 2 packets drop",
    "add rule inet lab input icmpv6 type echo-request limit rate over 1/second burst 2 packets drop",
]
"""
LINK_LOCAL_GATEWAY = """
[[change]]
at = "gateway"
ip = ["address add fe80::1/64 dev br-lan"]
[[change]]
at = "customer"
ip = ["route replace default via fe80::1 dev eth0"]
[customer]
resolver = ["fe80::1%eth0", "{isp_resolver4}"]
"""


def _knocks(bundle: Bundle) -> list[Connect]:
    steps = {step.id for step in bundle.plan if step.probe == "knock"}
    return [one for one in bundle.observations if isinstance(one, Connect) and one.step in steps]


def test_who_may_not_ping_knocks_at_the_gateway(healthy: Lab) -> None:
    path = _without(healthy, "ping")
    bundle = bundle_in(path)
    assert not crashes(bundle)
    loss = derive(bundle).machine.lan_loss.value
    assert loss is not None
    assert (loss.sent >= 10, loss.lost) == (True, 0)
    assert {step.params["count"] for step in bundle.plan if step.probe == "knock"} == {"5"}
    assert _side(healthy, path) == "none"


def test_loss_in_the_lan_is_counted_without_ping(lab: LabFactory) -> None:
    bundle = bundle_in(_without(lab(toml=NOTHING_IS_WRONG + LOSSY), "ping"))
    assert not crashes(bundle)
    loss = derive(bundle).machine.lan_loss.value
    assert loss is not None
    assert loss.sent >= 40
    assert 0.05 < loss.lost / loss.sent < 0.45


def test_a_gateway_that_limits_icmp_loses_nothing(lab: LabFactory) -> None:
    opened = lab(toml=NOTHING_IS_WRONG + ICMP_LIMITED)
    path = opened.collect()
    bundle = bundle_in(path)
    assert [one for one in bundle.observations if isinstance(one, Echo) and one.rtt_us is None], "nothing was limited"
    loss = derive(bundle).machine.lan_loss.value
    assert loss is not None
    assert loss.lost == 0
    assert _side(opened, path) == "none"


def test_a_gateway_with_a_link_local_address_is_measured(lab: LabFactory) -> None:
    opened = lab(toml=NOTHING_IS_WRONG + LINK_LOCAL_GATEWAY)
    path = opened.collect()
    bundle = bundle_in(path)
    assert not crashes(bundle)
    echoes = [one for one in bundle.observations if isinstance(one, Echo) and one.address == "fe80::1%eth0"]
    assert len(echoes) == 5
    # Nobody answers there: refused by the gateway itself, and not by this machine for want of the zone.
    lookups = [one for one in bundle.observations if isinstance(one, Lookup) and one.server == "fe80::1%eth0"]
    codes = {one.failure.code if one.failure is not None else None for one in lookups if one.transport == "udp"}
    assert FailureCode.REFUSED in codes
    assert FailureCode.DENIED_LOCALLY not in codes
    assert all(one.rtt_us is not None for one in echoes)
    assert _side(opened, path) == "none"
