"""Slowness in real networks: who is named, and that the vendor's budget is kept."""

from __future__ import annotations

import json

import pytest

from netdiag.evidence.transport import HopReply, Transfer
from netdiag.facts import Facts, derive
from netdiag.verdict import decide
from tests.conftest import LabFactory
from tests.netns.collecting import NOTHING_IS_WRONG, bundle_in, crashes
from tests.netns.lab import Lab
from tests.netns.sniffer import sniffing

pytestmark = pytest.mark.lab

BUDGET_BYTES = 1_000_000
ROUTER_BURST, ROUTER_GAP_S, JITTER_S = 3, 1.0, 0.05

CASES = {
    "host-slow-first-byte": ("server", None, "host", "host.service.slow"),
    "host-slow-body": ("body", "sender", "host", "host.service.slow"),
    "transit-policed": ("body", "drops", "inconclusive", "transit.path.throttled"),
    "transit-link-congested": ("body", "path", "transit", "transit.path.congested"),
    "transit-access-congested": ("body", "access", "inconclusive", "transit.access.congested"),
    "local-lan-congested": ("body", "lan", "local", "local.lan.congested"),
}
"""What is waited for, what holds it up, and the verdict."""


def facts_in(opened: Lab) -> Facts:
    bundle = bundle_in(opened.collect())
    assert not crashes(bundle)
    return derive(bundle)


@pytest.mark.parametrize("network", ["home", "office"])
@pytest.mark.parametrize("scenario", CASES)
def test_who_is_slow_is_named_and_no_more_than_is_known(lab: LabFactory, scenario: str, network: str) -> None:
    waiting, limit, side, fault = CASES[scenario]
    facts = facts_in(lab(scenario, network=network))
    assert facts.speed.slow.value is True
    assert (facts.speed.waiting_for.value, facts.speed.limited_by.value) == (waiting, limit)
    verdict = decide(facts)
    assert (verdict.side, verdict.fault) == (side, fault)
    assert verdict.certainty == (None if side == "inconclusive" else "likely")


@pytest.mark.parametrize("network", ["home", "office"])
def test_what_is_fast_is_not_called_slow_because_it_was_asked(lab: LabFactory, network: str) -> None:
    facts = facts_in(lab("none-fast-when-asked", network=network))
    assert facts.speed.slow.value is False
    assert decide(facts).side == "none"


def test_a_healthy_url_is_not_downloaded_without_being_asked(lab: LabFactory) -> None:
    bundle = bundle_in(lab("healthy", network="home").collect())
    assert not [one for one in bundle.observations if isinstance(one, Transfer)]


def test_the_vendor_is_asked_for_a_megabyte_at_most_and_the_routers_gently(lab: LabFactory) -> None:
    page = "root /run/lab/pages; try_files /large.bin =404;"
    made = 'run = ["mkdir -p /run/lab/pages && head -c 9000000 /dev/urandom > /run/lab/pages/large.bin"]'
    opened = lab(toml=f'{NOTHING_IS_WRONG}\n[vendor]\nlocation = "{page}"\n[[change]]\nat = "vendor"\n{made}\n')
    opened.apply(
        at="vendor",
        nft=[
            "add set inet lab flows { type inet_service; flags dynamic; counter; size 1024; }",
            "add rule inet lab output tcp sport 443 update @flows { tcp dport }",
        ],
    )
    with sniffing(opened, "isp1", "isp2") as seen:
        bundle = bundle_in(opened.collect(args=["--slow"]))
    (transfer,) = [one for one in bundle.observations if isinstance(one, Transfer) and one.address in _own(opened)]
    assert transfer.complete is False, "the page is too small to test the budget"
    assert transfer.received > BUDGET_BYTES / 2
    largest = max(_sent_by_flow(opened))
    assert transfer.received < largest <= BUDGET_BYTES
    assert [one for one in bundle.observations if isinstance(one, HopReply) and one.attempt > 1]
    for router, packets in seen.items():
        times = sorted(one.at for one in packets if one.ttl == 1 and one.is_probe)
        late = [t for t in times if sum(t <= other < t + ROUTER_GAP_S - JITTER_S for other in times) > ROUTER_BURST + 1]
        assert not late, (router, late)


def _own(opened: Lab) -> set[str]:
    return {opened.values["vendor4"], opened.values["vendor6"]}


def _sent_by_flow(opened: Lab) -> list[int]:
    """Bytes that left the vendor's service by the peer's port, headers included."""
    listed = opened.run("vendor", ["nft", "-j", "list", "set", "inet", "lab", "flows"], ordinary=False)
    (found,) = [one["set"] for one in json.loads(listed.stdout)["nftables"] if "set" in one]
    return [one["elem"]["counter"]["bytes"] for one in found["elem"]]
