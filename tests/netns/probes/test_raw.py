"""What one packet can show: raw flows beside the kernel's, sizes, labels, rewrites; on real networks."""

import json
import sys
import time
from collections.abc import Callable

import msgspec
import pytest

from netdiag.evidence.record import FailureCode, NotRun
from netdiag.evidence.transport import HopReply, Label
from netdiag.facts.derivation.whole import derive
from netdiag.facts.rewrites import Rewrite
from netdiag.probes.walk_plan import is_router
from tests.fakes.records import Story
from tests.netns.lab import Lab
from tests.netns.probes.label_router import MARK
from tests.netns.probes.test_paths import HEAD, LINES, SYNS_PER_WALK, changed, hops, run, step
from tests.netns.sniffer import RST, sniffing

pytestmark = pytest.mark.lab

LabFactory = Callable[..., Lab]
NARROW = 1400
_READY_S = 10.0


def ask(lab: Lab, *probes: dict[str, object], ordinary: bool = True) -> list[HopReply | NotRun]:
    """What these packets from the customer's machine met, in their order."""
    argv = [sys.executable, "-m", "tests.netns.probes.hop_runner", json.dumps(probes)]
    done = lab.run("customer", argv, ordinary=ordinary)
    assert done.returncode == 0, done.stderr
    return msgspec.json.decode(done.stdout, type=list[HopReply | NotRun])


def packet(lab: Lab, protocol: str, ttl: int, family: int = 4, **more: object) -> dict[str, object]:
    port = {"tcp": 443, "udp": 33_434, "icmp": 0}[protocol]
    return {"address": lab.values[f"vendor{family}"], "port": port, "protocol": protocol, "ttl": ttl, **more}


def rewrites(lab: Lab, found: list[HopReply], mode: str) -> dict[str, Rewrite]:
    """What the facts make of a walk."""
    story = Story()
    story.surroundings()
    address = found[0].address
    params = {"protocol": "tcp"} | ({"mode": "raw"} if mode == "raw" else {})
    name = story.step("walk", "target", lab.values["vendor_name"], address, 443, params=params)
    records = tuple(msgspec.structs.replace(one, step=name) for one in found)
    told = derive(msgspec.structs.replace(story.bundle(), observations=records)).path.rewrites.value
    return {one.part: one for one in told or ()}


@pytest.mark.parametrize("network", ["home", "office"])
def test_raw_packets_find_the_path_that_the_kernels_sockets_find(lab: LabFactory, network: str) -> None:
    healthy = lab("healthy", network=network)
    healthy.count_syns()
    plain = run(healthy, step(healthy, "walk"), ordinary=False)
    before = healthy.count_syns()
    raw = run(healthy, step(healthy, "walk", mode="raw"), ordinary=False)
    assert healthy.count_syns() - before <= SYNS_PER_WALK
    distance = len(LINES[network]) + 1
    for found, mode in ((plain, "unprivileged"), (raw, "raw")):
        assert {one.ttl for one in hops(found) if is_router(one)} == set(range(1, distance))
        assert min(one.ttl for one in hops(found) if one.answer == "syn_ack") == distance
        assert {one.mode for one in hops(found)} == {mode}
    # Up to the equal-cost pair there is one way.
    alone = LINES[network].index("transit")
    routers = [{one.ttl: one.replier for one in hops(found) if one.ttl <= alone} for found in (plain, raw)]
    assert routers[0] == routers[1]
    assert all(one.replier_ttl for one in hops(raw) if one.answer != "none")


def test_a_raw_walk_has_one_5_tuple_and_leaves_nothing_half_open(lab: LabFactory) -> None:
    healthy = lab("healthy", network="home")
    vendor = healthy.values["vendor4"]
    with sniffing(healthy, "gateway", "vendor") as seen:
        run(healthy, step(healthy, "walk", mode="raw"), ordinary=False)
    syns = [one for one in seen["gateway"] if one.is_syn and one.target == vendor and one.port == 443]
    assert {one.ttl for one in syns} >= set(range(1, len(LINES["home"]) + 2))
    assert len({(one.source, one.source_port) for one in syns}) == 1
    arrived = [one for one in seen["vendor"] if one.port == 443]
    assert any(one.is_syn for one in arrived)
    assert any(one.flags & RST for one in arrived)


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("protocol", ["udp", "icmp"])
def test_raw_udp_and_icmp_reach_the_host_over_both_families(lab: LabFactory, family: int, protocol: str) -> None:
    healthy = lab("healthy", network="home")
    found = run(healthy, step(healthy, "walk", family, mode="raw", protocol=protocol), ordinary=False)
    distance = len(LINES["home"]) + 1
    assert {one.ttl for one in hops(found, protocol) if is_router(one)} == set(range(1, distance))
    assert any(one.replier == one.address and one.ttl == distance for one in hops(found, protocol))
    assert len({one.source_port for one in hops(found, protocol)}) == 1
    quotes = [one.quote for one in hops(found, protocol) if is_router(one)]
    assert all(quote is not None and quote.ttl == 1 and quote.tos == 0 for quote in quotes)


def test_an_ordinary_user_has_no_raw_packets_and_that_is_said_once(lab: LabFactory) -> None:
    healthy = lab("healthy", network="home")
    (only,) = run(healthy, step(healthy, "walk", mode="raw"))
    assert isinstance(only, NotRun)
    assert (only.why, only.what) == ("no_privilege", "raw packets")


@pytest.mark.parametrize("mode", ["raw", "unprivileged"])
@pytest.mark.parametrize("family", [4, 6])
def test_a_clamped_mss_is_found_and_placed(lab: LabFactory, mode: str, family: int) -> None:
    tables = {4: "iptables", 6: "ip6tables"}[family]
    rule = "-t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1200"
    clamped = lab(toml=f'{HEAD}[[change]]\nat = "isp2"\n{tables} = {json.dumps([rule])}\n', network="home")
    params = {"mode": "raw"} if mode == "raw" else {}
    found = hops(run(clamped, step(clamped, "walk", family, **params), ordinary=mode == "unprivileged"))
    told = rewrites(clamped, found, mode)
    assert set(told) == ({"mss", "checksum"} if mode == "raw" else {"mss"})
    at = LINES["home"].index("isp2") + 1
    # The router looks at the TTL before it forwards: it quotes the packet as it came.
    assert (told["mss"].last_kept, told["mss"].first_changed, told["mss"].seen) == (at, at + 1, "1200")


def test_a_rewritten_dscp_is_found_by_raw_packets(lab: LabFactory) -> None:
    rule = "add rule inet lab forward ip daddr {vendor_net4} ip dscp set af11"
    marked = lab(toml=changed("isp1", rule), network="home")
    found = hops(run(marked, step(marked, "walk", mode="raw"), ordinary=False))
    told = rewrites(marked, found, "raw")
    at = LINES["home"].index("isp1") + 1
    assert set(told) == {"tos"}
    assert (told["tos"].last_kept, told["tos"].first_changed) == (at, at + 1)
    assert (told["tos"].sent, told["tos"].seen) == ("0", str(10 << 2))


def test_nothing_is_rewritten_on_a_healthy_path(lab: LabFactory) -> None:
    healthy = lab("healthy", network="home")
    assert rewrites(healthy, hops(run(healthy, step(healthy, "walk"))), "unprivileged") == {}
    raw = run(healthy, step(healthy, "walk", mode="raw"), ordinary=False)
    assert rewrites(healthy, hops(raw), "raw") == {}


def narrowed(*, tells: bool) -> str:
    """The border's cable towards the firewall carries ``NARROW`` bytes; the border says so, or keeps it to itself."""
    change = f'{HEAD}[[change]]\nat = "border"\nrun = ["ip link set {{dev:border>vendor-firewall}} mtu {NARROW}"]\n'
    if not tells:
        rules = [
            "add rule inet lab output icmp type destination-unreachable icmp code frag-needed drop",
            "add rule inet lab output icmpv6 type packet-too-big drop",
        ]
        change += f"nft = {json.dumps(rules)}\n"
    return change


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize(
    ("protocol", "ordinary", "raw"), [("udp", True, False), ("icmp", False, False), ("udp", False, True)]
)
def test_packets_have_their_size_and_the_narrow_router_tells(
    lab: LabFactory, family: int, protocol: str, ordinary: bool, raw: bool
) -> None:
    narrow = lab(toml=narrowed(tells=True), network="home")
    at = LINES["home"].index("border") + 1
    more: dict[str, object] = {"family": family, "raw": raw}
    asked = [
        packet(narrow, protocol, ttl, size=size, **more)  # type: ignore[arg-type]
        for ttl, size in ((at, 1500), (at + 1, NARROW), (at + 1, NARROW + 1), (20, NARROW), (20, 1501), (20, 1500))
    ]
    found = [one for one in ask(narrow, *asked, ordinary=ordinary) if isinstance(one, HopReply)]
    assert [one.size for one in found] == [probe["size"] for probe in asked]
    expires, passes, too_big, arrives, own_link, again = found
    assert is_router(expires)
    assert is_router(passes)
    assert arrives.replier == arrives.address
    for one in (too_big, again):  # the kernel's memory of the first does not stop the second
        assert (one.answer, one.next_mtu) == ("icmp", NARROW)
        assert one.icmp is not None
        assert (one.icmp.type, one.icmp.code) == ((3, 4) if family == 4 else (2, 0))
    assert own_link.answer == "not_sent"
    assert own_link.failure is not None
    assert own_link.failure.code is FailureCode.TOO_BIG
    assert raw or own_link.next_mtu == 1500


@pytest.mark.parametrize("family", [4, 6])
def test_a_narrow_router_that_keeps_silent_swallows_what_is_too_big(lab: LabFactory, family: int) -> None:
    narrow = lab(toml=narrowed(tells=False), network="home")
    at = LINES["home"].index("border") + 1
    asked = [
        packet(narrow, "udp", ttl, family, size=size)
        for ttl, size in ((at, 1500), (at + 1, 1500), (20, 1500), (20, 1400))
    ]
    answers = [one.answer for one in ask(narrow, *asked) if isinstance(one, HopReply)]
    assert answers == ["icmp", "none", "none", "icmp"]


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize(("protocol", "raw"), [("udp", False), ("tcp", False), ("udp", True), ("tcp", True)])
def test_mpls_labels_in_a_routers_error_are_kept(lab: LabFactory, family: int, protocol: str, raw: bool) -> None:
    rules = [
        f"add rule inet lab output meta mark != {MARK} icmp type time-exceeded drop",
        f"add rule inet lab output meta mark != {MARK} icmpv6 type time-exceeded drop",
    ]
    labelled = lab(toml=changed("isp1", *rules), network="home")
    ready = labelled.home / "label-router"
    argv = [sys.executable, "-m", "tests.netns.probes.label_router", str(ready), "16010"]
    program = labelled.popen("isp1", argv, ordinary=False)
    try:
        end = time.monotonic() + _READY_S
        while not ready.exists():
            assert time.monotonic() < end, "the label router did not start"
            time.sleep(0.01)
        probes = [packet(labelled, protocol, ttl, family, raw=raw, flow=ttl) for ttl in (1, 2)]
        without, found = ask(labelled, *probes, ordinary=not raw)
    finally:
        program.kill()
        program.wait()
    assert isinstance(without, HopReply)
    assert isinstance(found, HopReply)
    assert without.labels == ()
    assert found.labels == (Label(label=16_010, ttl=1),)
    assert found.quote is not None
    assert without.quote is not None
    assert found.quote.length == without.quote.length  # not the filling before the labels
