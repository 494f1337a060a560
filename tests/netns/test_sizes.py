"""Links that are too small for large packets, as an ordinary user: where they are, for whom, and what only looks so."""

from __future__ import annotations

import pytest

from netdiag.evidence.bundle import Bundle
from netdiag.evidence.record import NotRun
from netdiag.evidence.transport import Connect, HopReply
from netdiag.facts import Facts, derive
from netdiag.facts.sizes import Stall
from netdiag.verdict import decide
from tests.conftest import LabFactory
from tests.netns.collecting import bundle_in, crashes
from tests.netns.lab import Lab
from tests.netns.networks import NETWORKS
from tests.netns.sniffer import sniffing
from tests.netns.topology import node_addresses

pytestmark = pytest.mark.lab

ROUTER_PROBES, SYNS = 12 + 24, 4

ANSWERS = "x" * 4000
"""What the vendor answers in the test of answers: more than one packet."""

NARROW_LINK = f"""
schema = "netdiag/scenario/1"
title = "A provider's link loses large packets, and the vendor's certificate is small"
about = "TLS comes about, and the answer never does."
[truth]
fault = "transit.path.mtu"
[truth.alone]
sides = ["transit", "inconclusive"]
[vendor]
location = "return 200 {ANSWERS};"
[[change]]
at = "isp2"
ip = ["link set dev {{dev:isp2>towards-customer}} mtu 1480"]
nft = [
    "add rule inet lab output icmp type destination-unreachable icmp code frag-needed drop",
    "add rule inet lab output icmpv6 type packet-too-big drop",
]
"""


def addresses(lab: Lab, *roles: str) -> set[str]:
    network = NETWORKS[lab.network]()
    return {str(one.ip) for role in roles for one in node_addresses(network, network.node(role).name)}


def stalls(facts: Facts) -> tuple[Stall, ...]:
    assert facts.sizes.stalls.value
    return facts.sizes.stalls.value


def check_truth(lab: Lab, facts: Facts) -> None:
    verdict, truth = decide(facts), lab.scenario.truth
    assert verdict.side in truth.alone.sides
    if verdict.certainty == "established":
        assert truth.alone.certainty == "established"
    if verdict.fault is not None and verdict.side != "inconclusive":
        assert truth.fault.startswith(verdict.fault)


def collected(lab: Lab, *args: str) -> tuple[Bundle, Facts]:
    bundle = bundle_in(lab.collect(args=args))
    assert not crashes(bundle)
    return bundle, derive(bundle)


@pytest.mark.parametrize(
    ("scenario", "network", "gap", "whom"),
    [
        ("local-link-mtu", "home", ((), ("gateway",)), "everyone"),
        ("local-link-mtu", "office", ((), ("gateway",)), "everyone"),
        ("transit-path-mtu-line", "home", (("gateway",), ("isp1",)), "everyone"),
        ("transit-path-mtu-line", "office", (("office-firewall",), ("isp1",)), "everyone"),
        ("transit-path-mtu", "home", (("isp1",), ("isp2",)), "everyone"),
        ("transit-path-mtu", "office", (("isp-core",), ("isp2",)), "everyone"),
        ("transit-path-mtu-carrier", "home", (("isp2",), ("transit-a", "transit-b")), "target"),
        ("transit-path-mtu-carrier", "office", (("transit-c",), ("transit-a", "transit-b")), "target"),
        ("host-path-mtu-border", "home", (("border",), ("vendor-firewall",)), "target"),
        ("host-path-mtu-border", "office", (("border",), ("vendor-firewall",)), "target"),
        ("host-path-mtu", "home", (("vendor-firewall",), ("vendor",)), "target"),
        ("host-path-mtu", "office", (("vendor-firewall",), ("vendor",)), "target"),
    ],
)
def test_a_black_hole_is_placed(
    lab: LabFactory, scenario: str, network: str, gap: tuple[tuple[str, ...], tuple[str, ...]], whom: str
) -> None:
    last, missing = gap
    opened = lab(scenario, network=network)
    with sniffing(opened, "isp2", "vendor") as seen:
        _, facts = collected(opened)
    for stall in stalls(facts):
        walk = stall.walk
        assert walk is not None
        assert (stall.small, stall.direction, stall.for_whom) == ("works", "forward", whom)
        assert (walk.last_address in addresses(opened, *last)) if last else walk.large_last_seen == 0
        assert walk.missing_address in addresses(opened, *missing)
        assert (walk.largest_passed, walk.smallest_lost) == (1400, 1420)
    check_truth(opened, facts)
    for version in (4, 6):
        ended = [one for one in seen["isp2"] if one.ttl == 1 and one.is_probe and (":" in one.target) == (version == 6)]
        assert len(ended) <= ROUTER_PROBES
        syns = [
            one for one in seen["vendor"] if one.is_syn and one.port == 443 and (":" in one.target) == (version == 6)
        ]
        assert len(syns) <= SYNS


@pytest.mark.parametrize("network", ["home", "office"])
@pytest.mark.parametrize(
    ("scenario", "whom"), [("transit-path-mtu-return", "everyone"), ("host-path-mtu-return", "target")]
)
def test_a_hole_on_the_way_back_is_known_for_one(lab: LabFactory, scenario: str, whom: str, network: str) -> None:
    opened = lab(scenario, network=network)
    _, facts = collected(opened)
    (stall,) = stalls(facts)
    assert (stall.small, stall.direction, stall.for_whom) == ("works", "back", whom)
    check_truth(opened, facts)


@pytest.mark.parametrize("network", ["home", "office"])
def test_a_service_that_hangs_is_as_silent_to_small_segments(lab: LabFactory, network: str) -> None:
    opened = lab("host-accept-silent", network=network)
    _, facts = collected(opened)
    assert {stall.small for stall in stalls(facts)} == {"fails"}
    assert decide(facts).side in opened.scenario.truth.alone.sides


def test_an_answer_that_is_too_large_is_asked_for_again_in_small_segments(lab: LabFactory) -> None:
    opened = lab(toml=NARROW_LINK, network="office")
    _, facts = collected(opened)
    (stall,) = stalls(facts)
    assert (stall.layer, stall.small, stall.direction, stall.for_whom) == ("http", "works", "forward", "everyone")
    assert stall.walk is not None
    assert (stall.walk.largest_passed, stall.walk.smallest_lost) == (1420, 1492)


@pytest.mark.parametrize("scenario", ["healthy", "none-path-mtu-1400", "none-vendor-mss-clamp"])
@pytest.mark.parametrize("network", ["home", "office"])
def test_where_all_is_well_nothing_large_is_sent(lab: LabFactory, scenario: str, network: str) -> None:
    bundle, facts = collected(lab(scenario, network=network))
    assert not [one for one in bundle.observations if isinstance(one, HopReply) and one.size]
    assert not [one for one in bundle.observations if isinstance(one, Connect) and one.mss_clamp]
    assert decide(facts).side == "none"


def test_a_router_that_tells_is_known_and_no_fault(lab: LabFactory) -> None:
    opened = lab("none-path-mtu-1400", network="home")
    bundle, facts = collected(opened, "--deep")
    assert not [one for one in bundle.observations if isinstance(one, NotRun) and one.why == "declined"]
    walks = facts.sizes.walks.value or ()
    assert {walk.role for walk in walks} == {"target", "control"}
    for walk in walks:
        assert {(one.router in addresses(opened, "gateway"), one.next_mtu) for one in walk.told} == {(True, 1400)}
        assert (walk.size, walk.first_missing) == (1400, None)
        # With --deep the target's own limit of ICMP errors is often spent on other questions.
        assert walk.whole or walk.role == "target"
    assert decide(facts).side == "none"
