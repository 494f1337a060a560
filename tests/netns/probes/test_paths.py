"""Walks, connects, echoes and egress tests on real networks, as a user without any capability."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence

import msgspec
import pytest

from netdiag.evidence.machine import LocalSend
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import FailureCode, Icmp, Native
from netdiag.evidence.transport import Connect, Echo, HopReply
from netdiag.probes.walk_plan import is_router
from tests.netns.lab import Lab
from tests.netns.probes.runner import Outcome

pytestmark = pytest.mark.lab

LabFactory = Callable[..., Lab]

SYNS_PER_WALK = 2
SYNS_IN_30_S = 5
DROP = "add rule inet lab forward ip daddr {vendor_net4} drop"
HEAD = 'schema = "netdiag/scenario/1"\ntitle = "t"\nabout = "a"\n[truth]\nfault = "none"\nalone.sides = ["none"]\n'

# Routers on the way to the vendor, in order, and each network's distance; the equal-cost pair stands as one.
LINES = {
    "home": ("gateway", "isp1", "isp2", "transit", "border", "vendor-firewall"),
    "office": (
        "gateway",
        "office-firewall",
        "isp1",
        "isp-core",
        "isp2",
        "transit-c",
        "transit",
        "border",
        "vendor-firewall",
    ),
}


def changed(at: str, *rules: str) -> str:
    """A scenario in which ``at`` has these nft rules."""
    return f"{HEAD}[[change]]\nat = {json.dumps(at)}\nnft = {json.dumps(list(rules))}\n"


def run(lab: Lab, *steps: Mapping[str, object], ordinary: bool = True) -> list[Observation]:
    """The records of ``steps``, run side by side on the customer's machine."""
    argv = [sys.executable, "-m", "tests.netns.probes.runner", json.dumps(steps)]
    done = lab.run("customer", argv, ordinary=ordinary)
    assert done.returncode == 0, done.stderr
    return msgspec.json.decode(done.stdout, type=Outcome).observations


def step(lab: Lab, probe: str, family: int = 4, **params: str) -> dict[str, object]:
    address = lab.values[f"vendor{family}"]
    name = lab.values["vendor_name"]
    return {"probe": probe, "role": "target", "subject": name, "address": address, "port": 443, "params": params}


def hops(found: Sequence[Observation], protocol: str = "tcp") -> list[HopReply]:
    return [one for one in found if isinstance(one, HopReply) and one.protocol == protocol]


def last_router(found: Sequence[Observation], protocol: str = "tcp") -> int:
    return max((one.ttl for one in hops(found, protocol) if is_router(one)), default=0)


def addresses_of(lab: Lab, role: str) -> set[str]:
    """Every address that a node has."""
    listed = json.loads(lab.run(role, ["ip", "-j", "address"]).stdout)
    return {address["local"] for interface in listed for address in interface["addr_info"]}


def connects(found: Sequence[Observation]) -> list[Connect]:
    return [one for one in found if isinstance(one, Connect)]


@pytest.mark.parametrize("network", ["home", "office"])
def test_a_healthy_path_is_walked_whole(lab: LabFactory, network: str) -> None:
    healthy = lab("healthy", network=network)
    healthy.count_syns()
    found = run(healthy, step(healthy, "walk"))
    length = len(LINES[network])
    by_ttl = {one.ttl: one for one in hops(found) if is_router(one)}
    assert sorted(by_ttl) == list(range(1, length + 1))
    assert by_ttl[1].replier == healthy.values["gateway4"]
    assert all(one.mode == "unprivileged" and one.rtt_us for one in by_ttl.values())
    # The TTL of the answer and the quoted packet are kept: our own source port (NAT undoes itself), our MSS.
    assert all(one.replier_ttl and one.quote and one.quote.source_port == one.source_port for one in by_ttl.values())
    arrived = [one for one in hops(found) if one.answer == "syn_ack"]
    assert min(one.ttl for one in arrived) == length + 1
    assert 1 <= healthy.count_syns() <= SYNS_PER_WALK


def test_a_healthy_path_is_walked_over_ipv6_udp_and_icmp(lab: LabFactory) -> None:
    healthy = lab("healthy", network="home")
    distance = len(LINES["home"]) + 1
    (six,) = [run(healthy, step(healthy, "walk", 6))]
    assert last_router(six) == distance - 1
    assert min(one.ttl for one in hops(six) if one.answer == "syn_ack") == distance
    for family in (4, 6):
        udp = run(healthy, step(healthy, "walk", family, protocol="udp"))
        assert last_router(udp, "udp") == distance - 1
        assert len({one.source_port for one in hops(udp, "udp") if one.attempt == 1}) == 1
        assert healthy.values[f"vendor{family}"] in {one.replier for one in hops(udp, "udp")}
        echoes = run(healthy, step(healthy, "walk", family, protocol="icmp"), ordinary=False)
        assert min(one.ttl for one in hops(echoes, "icmp") if one.answer == "echo_reply") == distance


@pytest.mark.parametrize("network", ["home", "office"])
@pytest.mark.parametrize("at", ["gateway", "isp1", "isp2", "border", "vendor-firewall"])
def test_a_silent_drop_is_placed_after_the_router_that_drops(lab: LabFactory, network: str, at: str) -> None:
    broken = lab(toml=changed(at, DROP), network=network)
    found = run(broken, step(broken, "walk"))
    # A FORWARD rule: the router itself still answers (fault-signatures 8.3).
    position = LINES[network].index(at) + 1
    assert last_router(found) == position
    assert last_router(found, "udp") == 0
    first_silent = next(one for one in hops(found) if one.ttl == position + 1)
    (again,) = [one for one in hops(found) if one.attempt == 2]
    assert (again.ttl, again.answer, again.source_port) == (position, "icmp", first_silent.source_port)


def test_a_drop_of_one_port_is_told_from_a_drop_of_all(lab: LabFactory) -> None:
    broken = lab(toml=changed("border", "add rule inet lab forward tcp dport 443 drop"), network="home")
    found = run(broken, step(broken, "walk"))
    assert last_router(found) == LINES["home"].index("border") + 1
    assert broken.values["vendor4"] in {one.replier for one in hops(found, "udp")}


def test_a_drop_in_the_vendors_own_machine_costs_it_two_syns(lab: LabFactory) -> None:
    rule = "add rule inet lab input tcp dport 443 drop"
    broken = lab(toml=changed("vendor", rule), network="home")
    broken.count_syns()
    found = run(broken, step(broken, "walk"))
    assert last_router(found) == len(LINES["home"])
    assert broken.count_syns() == SYNS_PER_WALK


@pytest.mark.parametrize(
    ("reject", "icmp_type", "code", "failure"),
    [
        ("icmp type port-unreachable", 3, 3, FailureCode.REFUSED),
        ("icmp type net-unreachable", 3, 0, FailureCode.UNREACHABLE),
        ("icmp type host-prohibited", 3, 10, FailureCode.UNREACHABLE),
        ("icmp type admin-prohibited", 3, 13, FailureCode.UNREACHABLE),
    ],
)
def test_a_reject_keeps_type_code_and_sender(
    lab: LabFactory, reject: str, icmp_type: int, code: int, failure: FailureCode
) -> None:
    rule = f"add rule inet lab forward ip daddr {{vendor_net4}} tcp dport 443 reject with {reject}"
    broken = lab(toml=changed("border", rule), network="home")
    broken.count_syns()
    found = run(broken, step(broken, "walk"), step(broken, "reach"))
    refusals = [one for one in hops(found) if one.icmp and not is_router(one)]
    assert {(one.icmp.type, one.icmp.code) for one in refusals if one.icmp} == {(icmp_type, code)}
    assert {one.replier for one in refusals} <= addresses_of(broken, "border")
    # Asked again on the same flow, later than its limiter: it still refuses.
    (again,) = [one for one in hops(found) if one.attempt == 2]
    assert again in refusals
    for connect in connects(found):
        assert connect.failure is not None
        assert connect.failure.code is failure
        assert isinstance(connect.failure.native, Icmp)
        assert (connect.failure.native.type, connect.failure.native.code) == (icmp_type, code)
        assert connect.failure.native.sender in addresses_of(broken, "border")
    assert broken.count_syns() == 0


def test_an_ipv6_reject_is_remote_and_not_a_local_denial(lab: LabFactory) -> None:
    rule = "add rule inet lab forward ip6 daddr {vendor_net6} tcp dport 443 reject with icmpv6 type admin-prohibited"
    broken = lab(toml=changed("border", rule), network="home")
    for connect in connects(run(broken, step(broken, "reach", 6))):
        assert connect.failure is not None
        assert connect.failure.code is FailureCode.UNREACHABLE  # errno is EACCES
        assert isinstance(connect.failure.native, Icmp)
        assert (connect.failure.native.version, connect.failure.native.type, connect.failure.native.code) == (6, 1, 1)


def test_a_closed_port_is_refused_with_no_icmp(lab: LabFactory) -> None:
    closed = lab("host-port-closed", network="home")
    closed.count_syns()
    found = run(closed, step(closed, "walk"), step(closed, "reach"))
    assert "rst" in {one.answer for one in hops(found)}
    first, second = connects(found)
    assert first.failure is not None
    assert (first.failure.code, first.failure.native) == (FailureCode.REFUSED, Native(kind="errno", number=111))
    assert second.source_port != first.source_port
    assert closed.count_syns() <= SYNS_IN_30_S


@pytest.mark.parametrize("family", [4, 6])
def test_the_own_firewall_shows_in_packets_that_end_at_the_gateway(lab: LabFactory, family: int) -> None:
    rules = (
        "add rule inet lab output ip daddr {vendor4} tcp dport 443 drop",
        "add rule inet lab output ip6 daddr {vendor6} tcp dport 443 drop",
        "add rule inet lab output ip daddr {vendor4} udp dport 443 drop",
        "add rule inet lab output ip6 daddr {vendor6} udp dport 443 drop",
    )
    broken = lab(toml=changed("customer", *rules), network="home")
    control = {4: "1.1.1.1", 6: "2606:4700:4700::1111"}[family]
    found = run(
        broken, step(broken, "egress", family, control_address=control, control_port="443") | {"role": "machine"}
    )
    vendor, other_port, other_address = sorted(hops(found), key=lambda one: one.flow)
    assert vendor.answer == "none"
    assert other_port.answer == other_address.answer == "icmp"
    assert other_port.replier == broken.values[f"gateway{family}"]
    (sent,) = [one for one in found if isinstance(one, LocalSend)]
    assert sent.failure is not None
    assert sent.failure.code is FailureCode.DENIED_LOCALLY


def test_a_machine_that_is_off_is_reported_by_the_last_router(lab: LabFactory) -> None:
    for family in (4, 6):
        down = lab("host-down", network="home")
        # Beside the walk, whose packets wait at the same router for the same neighbour.
        found = run(down, step(down, "walk", family), step(down, "reach", family))
        natives = [one.failure.native for one in connects(found) if one.failure is not None]
        unreachable = {4: (3, 1), 6: (1, 3)}[family]
        assert unreachable in {(native.type, native.code) for native in natives if isinstance(native, Icmp)}


@pytest.mark.parametrize("family", [4, 6])
def test_everything_together_stays_inside_the_manners(lab: LabFactory, family: int) -> None:
    rule = "add rule inet lab input tcp dport 443 drop"
    broken = lab(toml=changed("vendor", rule), network="home")
    broken.count_syns()
    again = step(broken, "reach", family) | {"round": 2}
    found = run(
        broken, step(broken, "walk", family), step(broken, "reach", family), step(broken, "reach", family), again
    )
    assert broken.count_syns() <= SYNS_IN_30_S
    assert any(one.failure and one.failure.code is FailureCode.TIMED_OUT for one in connects(found))


def test_the_handshake_runs_on_the_connection_of_the_connect(lab: LabFactory) -> None:
    healthy = lab("healthy", network="home")
    connect, handshake = run(healthy, step(healthy, "reach", tls="yes"))
    assert isinstance(connect, Connect)
    assert connect.failure is None
    assert connect.tcp is not None
    assert connect.syns_sent == 1
    assert handshake.caused_by == connect.id
    assert handshake.failure is None


def test_echo_works_for_an_ordinary_user(lab: LabFactory) -> None:
    healthy = lab("healthy", network="home")
    gateway = {"probe": "echo", "role": "gateway", "address": healthy.values["gateway4"], "params": {"count": "3"}}
    found = [one for one in run(healthy, gateway) if isinstance(one, Echo)]
    assert [one.sequence for one in found] == [1, 2, 3]
    assert all(one.rtt_us and one.reply_ttl for one in found)
