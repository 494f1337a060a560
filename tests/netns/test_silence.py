"""The hard budget under every kind of silence, and how long collect takes on dead lines.

The figures are far above what a quiet machine needs (docs/accuracy.md and benchmarks/ have those): they catch a wait
that was added, not a slow day.
"""

from __future__ import annotations

import json
import time

import pytest

from netdiag.evidence.bundle import Bundle
from netdiag.evidence.record import FailureCode, Observed
from netdiag.evidence.transport import Connect, Echo, HopReply
from tests.conftest import LabFactory
from tests.netns.collecting import NOBODY_ANSWERS, NOTHING_IS_WRONG, bundle_in, crashes

pytestmark = pytest.mark.lab

BUDGET_S, DEAD_PATH_S = 60, 15

VENDOR = "185.112.41.10"
ADDRESSES = [f"185.112.41.{n}" for n in range(20, 28)]
EIGHT_SILENT = (
    NOTHING_IS_WRONG
    + f"""
[customer]
hosts = {json.dumps([f"{one} {{vendor_name}}" for one in ADDRESSES])}
[[change]]
at = "isp2"
nft = ["add rule inet lab forward ip daddr 185.112.41.0/24 drop"]
"""
)

NO_SIGN_OF_LIFE = (
    NOTHING_IS_WRONG
    + """
[customer]
resolver = ["{gateway4}", "1.1.1.1", "8.8.8.8"]
[[change]]
at = "gateway"
ip = ["link set br-lan down"]
[[change]]
at = "customer"
ip = ["neigh flush dev eth0"]
"""
)

SILENT_PROXY = NOBODY_ANSWERS.replace("[customer]", '[customer]\nenv = { https_proxy = "http://192.168.178.1:3128" }')


@pytest.mark.parametrize(
    "toml", [NOBODY_ANSWERS, EIGHT_SILENT, NO_SIGN_OF_LIFE, SILENT_PROXY],
    ids=["nobody-answers", "eight-silent-addresses", "no-arp", "silent-proxy"],
)  # fmt: skip
def test_the_budget_holds_where_nothing_answers(lab: LabFactory, toml: str) -> None:
    opened = lab(toml=toml)
    began = time.monotonic()
    bundle = bundle_in(opened.collect())
    assert time.monotonic() - began < 2 * DEAD_PATH_S
    assert bundle.duration_ns < BUDGET_S * 1_000_000_000
    assert bundle.interrupted is None
    assert not crashes(bundle)
    to_vendor = {one.address for one in bundle.observations if isinstance(one, Connect) and one.failure is None}
    assert not to_vendor & {*ADDRESSES, VENDOR}
    _check_silences(bundle)


@pytest.mark.parametrize(
    ("scenario", "network"),
    [("local-gateway-dead", "office"), ("local-resolver-dead", "home"), ("host-dns-dead", "office"),
     ("host-accept-silent", "home"), ("transit-black-hole-isp", "office")],
)  # fmt: skip
def test_a_dead_line_is_measured_soon(lab: LabFactory, scenario: str, network: str) -> None:
    opened = lab(scenario, network=network)
    bundle = bundle_in(opened.collect())
    assert bundle.duration_ns < DEAD_PATH_S * 1_000_000_000
    assert not crashes(bundle)
    _check_silences(bundle)


def _check_silences(bundle: Bundle) -> None:
    """Whatever is called silence was waited for: a second, or four times the largest round trip until it ended."""
    for one in bundle.observations:
        if _is_silence(one):
            rtts = [_rtt_us(other) for other in bundle.observations if other.ended_ns <= one.began_ns]
            least_ns = max(1_000_000_000, 4000 * max(rtts, default=0))
            assert one.ended_ns - one.began_ns >= least_ns, one


def _is_silence(one: Observed) -> bool:
    if isinstance(one, HopReply):
        return one.answer == "none"
    return one.failure is not None and one.failure.code is FailureCode.TIMED_OUT


def _rtt_us(one: Observed) -> int:
    if isinstance(one, HopReply | Echo):
        return one.rtt_us or 0
    return one.tcp.rtt_us if isinstance(one, Connect) and one.tcp is not None else 0
