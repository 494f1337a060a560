"""The manners of the design, counted where the packets arrive: in front of the vendor's host, and at every router."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import pytest

from netdiag.evidence.transport import HopReply
from netdiag.evidence.web import Exchange
from netdiag.probes.walk_plan import MAX_TTL
from tests.conftest import LabFactory
from tests.netns.collecting import bundle_in, crashes
from tests.netns.lab import Lab
from tests.netns.sniffer import FIN, RST, SYN, Packet, sniffing

pytestmark = pytest.mark.lab

SYNS, SYNS_IF_NONE_ACCEPTED, WINDOW_S = 4, 5, 30.0
OPEN_AT_ONCE = 2
REQUESTS, REQUEST_GAP_S = 20, 1.0
WALK_SYNS = 2
ROUTER_BURST, ROUTER_GAP_S, ROUTER_PROBES, ROUTER_FOLLOW_UPS = 3, 1.0, 12, 24

JITTER_S = 0.05
"""How much a packet may be late, or early, on a busy machine."""

BEFORE_THE_VENDOR = "vendor-firewall"
ROUTERS = ("isp1", "isp2", "transit-a", "transit-b", "border", BEFORE_THE_VENDOR)

HEALTHY_AND_ILL = ("healthy", "host-blocked-drop", "host-port-closed", "host-accept-reset", "host-blocked-http-403",
                   "host-rate-limit-429", "host-http-500")  # fmt: skip


@pytest.mark.parametrize(
    ("scenario", "network"),
    [(one, "home") for one in HEALTHY_AND_ILL] + [("host-blocked-drop", "office"), ("host-tls-silent", "office")],
)
def test_the_vendor_and_the_routers_are_asked_gently(lab: LabFactory, scenario: str, network: str) -> None:
    opened = lab(scenario, network=network)
    with sniffing(opened, *ROUTERS) as seen:
        bundle = bundle_in(opened.collect())
    assert not crashes(bundle)
    # One hop before the host, a TTL of 1 ends: what is counted is what reaches the host.
    at_vendor = [packet for packet in seen[BEFORE_THE_VENDOR] if packet.ttl > 1]
    endpoints = _syns_by_endpoint(opened, at_vendor)
    assert endpoints, "no SYN was seen at all: the counter is broken"
    for endpoint, times in endpoints.items():
        accepts = any((one.source, one.source_port) == endpoint and one.is_accepting for one in at_vendor)
        assert _most_within(times, WINDOW_S) <= (SYNS if accepts else SYNS_IF_NONE_ACCEPTED), endpoint
    assert _most_open(opened, at_vendor) <= OPEN_AT_ONCE
    exchanges = [one for one in bundle.observations if isinstance(one, Exchange) and _is_of_target(bundle.plan, one)]
    assert len(exchanges) <= REQUESTS
    asked = sorted(one.began_ns / 1e9 for one in exchanges)
    assert all(later - sooner >= REQUEST_GAP_S - JITTER_S for sooner, later in pairwise(asked))
    _check_walks(bundle.observations, at_vendor)
    for router in ROUTERS:
        for family in (4, 6):
            ended = [one.at for one in seen[router] if one.ttl == 1 and one.is_probe and _family(one) == family]
            most = ROUTER_PROBES + (0 if scenario == "healthy" else ROUTER_FOLLOW_UPS)
            assert len(ended) <= most, (router, family)
            assert _most_within(ended, ROUTER_GAP_S - JITTER_S) <= ROUTER_BURST + 1, (router, family, ended)
            assert _most_within(ended, JITTER_S) <= ROUTER_BURST, (router, family, ended)


def _family(packet: Packet) -> int:
    return 6 if ":" in packet.target else 4


def _is_of_target(plan: Sequence[object], exchange: Exchange) -> bool:
    return any(getattr(step, "id", None) == exchange.step and getattr(step, "role", "") == "target" for step in plan)


def _vendor_addresses(lab: Lab) -> set[str]:
    return {lab.values[name] for name in ("vendor4", "vendor6", "vendor_second4", "vendor_second6")}


def _syns_by_endpoint(lab: Lab, packets: Iterable[Packet]) -> dict[tuple[str, int], list[float]]:
    found: dict[tuple[str, int], list[float]] = {}
    for one in packets:
        if one.is_syn and one.target in _vendor_addresses(lab):
            found.setdefault((one.target, one.port), []).append(one.at)
    return found


def _most_within(times: Sequence[float], window_s: float) -> int:
    """The most of ``times`` that lie in any window of that length."""
    return max((sum(begin <= at < begin + window_s for at in times) for begin in times), default=0)


def _most_open(lab: Lab, packets: Sequence[Packet]) -> int:
    """The most connections that one port of the vendor had open at once, from the vendor's SYN-ACK to the first FIN
    or RST of either end."""
    vendor = _vendor_addresses(lab)
    is_open: dict[tuple[str, int], set[tuple[str, int]]] = {}
    most = 0
    for one in sorted(packets):
        from_vendor = one.source in vendor
        end = (one.source, one.source_port) if from_vendor else (one.target, one.port)
        peer = (one.target, one.port) if from_vendor else (one.source, one.source_port)
        if end[0] not in vendor:
            continue
        peers = is_open.setdefault(end, set())
        if one.flags & (FIN | RST):
            peers.discard(peer)
        elif one.flags & SYN and from_vendor:
            peers.add(peer)
        most = max(most, len(peers))
    return most


def _check_walks(observations: Iterable[object], at_vendor: Sequence[Packet]) -> None:
    """No more than two SYNs of one walk are seen to reach the host, by their source ports."""
    ports: dict[str, set[int]] = {}
    for one in observations:
        if isinstance(one, HopReply) and one.protocol == "tcp" and one.source_port is not None:
            ports.setdefault(f"{one.step} {one.address}", set()).add(one.source_port)
    for walk, own in ports.items():
        address = walk.split()[1]
        mine = [one for one in at_vendor if one.is_syn and one.target == address and one.source_port in own]
        # A later connection may have got a port that a walk had before; it has the system's TTL (64, RFC 1700).
        reached = [one for one in mine if one.ttl <= MAX_TTL]
        assert len(reached) <= WALK_SYNS, walk
