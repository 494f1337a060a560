"""The machine's own tables, in the test session's empty network and on links that the tests make there."""

import errno
import itertools
import os
import platform
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from netdiag.evidence.bundle import Step
from netdiag.evidence.machine import (
    DefaultRoute,
    HostsEntry,
    Interface,
    KernelCounters,
    Neighbour,
    Platform,
    ProxySetting,
    ResolverConfig,
    RouteLookup,
    SystemLookup,
)
from netdiag.evidence.record import FailureCode, NotRun, ObsId, StepId
from netdiag.probes import machine as machine_probe
from netdiag.probes.base import Stamp
from netdiag.probes.clock import Clock
from netdiag.probes.library.machine import PortableMachine
from netdiag.probes.library.machine_linux import LinuxMachine
from tests.fakes.world import FakeWorld
from tests.netns import kernel

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="reads Linux")
STEP = StepId("m")
STAMP = Stamp(id=ObsId("o1"), step=STEP, role="machine")


@pytest.fixture
def machine() -> LinuxMachine:
    return LinuxMachine(Clock(30), {"error_queue": True})


@pytest.fixture
def stamps() -> Callable[[], Stamp]:
    numbers = itertools.count(1)
    return lambda: Stamp(id=ObsId(f"o{next(numbers)}"), step=STEP, role="machine")


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def link() -> Iterator[str]:
    """A link with a gateway that is known and one that is not, and routes that refuse.

    In a network namespace of its own: the session's is shared by all workers of pytest-xdist.
    """
    session = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    kernel.unshare(kernel.CLONE_NEWNET)
    try:
        kernel.loopback_up()
        yield from _links()
    finally:
        kernel.setns(session, kernel.CLONE_NEWNET)
        os.close(session)


def _links() -> Iterator[str]:
    ip("link", "add", "net0", "mtu", "1400", "type", "veth", "peer", "name", "net1")
    ip("address", "add", "192.0.2.2/24", "dev", "net0")
    ip("address", "add", "2001:db8::2/64", "dev", "net0", "nodad")
    ip("link", "set", "net1", "up")
    ip("link", "set", "net0", "up")
    ip("route", "add", "default", "via", "192.0.2.1", "metric", "50")
    ip("route", "add", "default", "dev", "net0", "metric", "70")
    ip("neighbour", "replace", "192.0.2.1", "lladdr", "02:00:00:00:00:01", "dev", "net0", "nud", "permanent")
    for kind, destination in (("unreachable", "5"), ("prohibit", "6"), ("blackhole", "7")):
        ip("route", "add", kind, f"198.51.100.{destination}")
    yield "net0"


@pytest.mark.lab
@pytest.mark.usefixtures("link")
def test_links_routes_and_neighbours_are_read(machine: LinuxMachine, stamps: Callable[[], Stamp]) -> None:
    by_name = {one.name: one for one in machine.interfaces(stamps) if isinstance(one, Interface)}
    net0 = by_name["net0"]
    assert by_name["lo"].link == "loopback"
    assert (net0.link, net0.is_up, net0.has_carrier, net0.mtu) == ("ethernet", True, True, 1400)
    assert {(one.address, one.prefix_length) for one in net0.addresses} >= {("192.0.2.2", 24), ("2001:db8::2", 64)}
    assert net0.tx_packets is not None
    routes = [one for one in machine.default_routes(stamps) if isinstance(one, DefaultRoute)]
    found = [(one.family, one.exists, one.gateway, one.device, one.metric) for one in routes]
    assert found == [
        (4, True, "192.0.2.1", "net0", 50),
        (4, True, None, "net0", 70),
        (6, False, None, None, None),
    ]
    known = machine.neighbour(STAMP, "192.0.2.1")
    unknown = machine.neighbour(STAMP, "192.0.2.77")
    assert isinstance(known, Neighbour)
    assert isinstance(unknown, Neighbour)
    assert (known.state, known.device, unknown.state, unknown.device) == ("permanent", "net0", "absent", "net0")


@pytest.mark.lab
@pytest.mark.usefixtures("link")
@pytest.mark.parametrize(
    ("destination", "number", "code"),
    [
        ("198.51.100.5", errno.EHOSTUNREACH, FailureCode.UNREACHABLE),
        ("198.51.100.6", errno.EACCES, FailureCode.DENIED_LOCALLY),
        ("198.51.100.7", errno.EINVAL, FailureCode.DENIED_LOCALLY),
        ("2001:db8:1::1", errno.ENETUNREACH, FailureCode.UNREACHABLE),
    ],
)
def test_a_route_that_refuses_has_its_errno(
    machine: LinuxMachine, destination: str, number: int, code: FailureCode
) -> None:
    looked = machine.route(STAMP, destination)
    assert isinstance(looked, RouteLookup)
    assert looked.failure is not None
    assert (looked.failure.errno, looked.failure.code) == (number, code)


@pytest.mark.lab
@pytest.mark.usefixtures("link")
def test_a_route_has_gateway_device_and_source(machine: LinuxMachine) -> None:
    looked = machine.route(STAMP, "203.0.113.1")
    assert isinstance(looked, RouteLookup)
    assert (looked.gateway, looked.device, looked.source) == ("192.0.2.1", "net0", "192.0.2.2")
    portable = PortableMachine(Clock(30), {}).route(STAMP, "203.0.113.1")
    assert isinstance(portable, RouteLookup)
    assert portable.source == "192.0.2.2"


@pytest.mark.parametrize(
    ("own", "upstream", "servers"),
    [
        ("nameserver 192.0.2.53", "nameserver 192.0.2.99", ("192.0.2.53",)),
        (
            "nameserver 127.0.0.53",
            "nameserver 192.0.2.99\nnameserver 192.0.2.98",
            ("127.0.0.53", "192.0.2.99", "192.0.2.98"),
        ),
        (None, None, ("127.0.0.1",)),
    ],
)
def test_resolvers_behind_the_stub_are_found(
    own: str | None, upstream: str | None, servers: tuple[str, ...], machine: LinuxMachine, tmp_path: Path
) -> None:
    machine.resolv_conf, machine.resolved_conf = tmp_path / "own", tmp_path / "upstream"
    for path, text in ((machine.resolv_conf, own), (machine.resolved_conf, upstream)):
        if text is not None:
            path.write_text(text)
    config = machine.resolvers(STAMP)
    assert isinstance(config, ResolverConfig)
    assert config.servers == servers


def test_the_hosts_file_is_read_for_one_name(machine: LinuxMachine, tmp_path: Path) -> None:
    machine.hosts_path = tmp_path / "hosts"
    missing = machine.hosts_entry(STAMP, "a.test")
    machine.hosts_path.write_text("192.0.2.1 a.test\n192.0.2.2 secret.test\n")
    entry = machine.hosts_entry(STAMP, "a.test")
    assert isinstance(missing, HostsEntry)
    assert isinstance(entry, HostsEntry)
    assert (missing.addresses, entry.addresses) == ((), ("192.0.2.1",))


def test_proxies_follow_the_environment_in_both_cases(
    machine: LinuxMachine, stamps: Callable[[], Stamp], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://u:s3cret@p.test:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://q.test:2")
    monkeypatch.setenv("no_proxy", "a.test")
    found = machine.proxies(stamps, "api.a.test")
    assert [(one.scheme, one.host, one.port, one.bypassed) for one in found] == [
        ("http", "p.test", 1, True),
        ("https", "q.test", 2, True),
    ]
    assert "s3cret" not in repr(found)
    assert not any(one.bypassed for one in machine.proxies(stamps, "b.test"))


def test_counters_clock_and_platform_are_read(machine: LinuxMachine) -> None:
    counters = machine.counters(STAMP)
    assert isinstance(counters, KernelCounters)
    assert None not in (counters.tcp_out_segments, counters.ip_out_no_routes, counters.ip_reverse_path_filter)
    assert machine.clock(STAMP).synchronised in {True, False}
    told = machine.platform(STAMP)
    assert (told.system, told.error_queue, told.raw_sockets) == ("Linux", True, None)


def test_the_system_lookup_is_killed_at_its_limit(machine: LinuxMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    found = machine.system_lookup(STAMP, "localhost", limit_ms=5000)
    assert found.failure is None
    assert "127.0.0.1" in found.addresses
    monkeypatch.setattr("netdiag.probes.library.lookup._PROGRAM", "import time; time.sleep(60)")
    hung = machine.system_lookup(STAMP, "localhost", limit_ms=100)
    assert hung.failure is not None
    assert hung.failure.code is FailureCode.TIMED_OUT
    assert hung.ended_ns - hung.began_ns < 30_000_000_000
    monkeypatch.setattr("netdiag.probes.library.lookup._PROGRAM", "raise SystemExit(3)")
    crashed = machine.system_lookup(STAMP, "localhost", limit_ms=5000)
    assert crashed.failure is not None


@pytest.mark.parametrize("name", ["nowhere.invalid", "-x", "a" * 70 + ".test", "\u00fc" * 80])
def test_a_system_lookup_that_fails_is_a_record(machine: LinuxMachine, name: str) -> None:
    found = machine.system_lookup(STAMP, name, limit_ms=5000)
    assert found.failure is not None
    assert found.addresses == ()


def test_another_platform_says_what_it_cannot_tell(stamps: Callable[[], Stamp]) -> None:
    portable = PortableMachine(Clock(30), {})
    silent = [*portable.default_routes(stamps), portable.neighbour(STAMP, "192.0.2.1"), portable.counters(STAMP)]
    assert [one.why for one in silent if isinstance(one, NotRun)] == ["unsupported"] * 3
    assert portable.clock(STAMP).synchronised is None
    assert any(isinstance(one, Interface) and one.link == "loopback" for one in portable.interfaces(stamps))


def test_the_probe_reads_all_first_and_what_moves_again(machine: LinuxMachine) -> None:
    world = FakeWorld(machine=machine)
    step = Step(id=STEP, probe="machine", role="machine", subject="localhost")
    first = {type(one) for one in machine_probe.PROBE.run(step, world)}
    again = Step(id=STEP, probe="machine", role="machine", subject="localhost", round=2)
    second = {type(one) for one in machine_probe.PROBE.run(again, world)}
    assert first >= second | {Platform, ResolverConfig, ProxySetting, HostsEntry, SystemLookup}
    assert {Interface, DefaultRoute, KernelCounters} <= second
    assert SystemLookup not in second
    literal = Step(id=STEP, probe="machine", role="machine", subject="192.0.2.1")
    assert not {type(one) for one in machine_probe.PROBE.run(literal, world)} & {SystemLookup, HostsEntry}
