"""Loss and its look-alike, through real routers: where it begins, and that a limiter is none.

The first SYN is lost for certain, so that the closer look begins; then three of five datagrams are. That a hop beyond
the lossy link loses none of its dozen is a chance of 1 in 60,000.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import pytest

from netdiag.evidence.bundle import Bundle
from netdiag.evidence.transport import HopReply
from netdiag.facts import derive
from netdiag.verdict import decide
from tests.conftest import LabFactory
from tests.netns.collecting import NOTHING_IS_WRONG, bundle_in, crashes

pytestmark = pytest.mark.lab

NETWORKS = ("home", "office")

FIRST_SYN = """
[[change]]
at = "isp2"
nft = ["add rule inet lab forward ip daddr {vendor_net4} tcp flags syn numgen inc mod 1000 == 0 drop"]
"""
MOST = "meta l4proto {{ udp, icmp }} numgen random mod 100 < 60 drop"

FORWARD = f"""
[[change]]
at = "isp2"
nft = ["add rule inet lab forward ip daddr {{vendor_net4}} {MOST}"]
"""
RETURN = f"""
[[change]]
at = "isp2"
nft = ["add rule inet lab forward ip daddr {{customer_public4}} {MOST}"]
"""
AT_THE_HOST = f"""
[[change]]
at = "vendor"
nft = ["add rule inet lab input {MOST}"]
"""


def paced(bundle: Bundle, role: str = "target") -> list[HopReply]:
    steps = {step.id for step in bundle.plan if step.probe == "paced" and step.role == role}
    return [one for one in bundle.observations if isinstance(one, HopReply) and one.step in steps]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("change", [FORWARD, RETURN], ids=["there", "back"])
def test_loss_in_a_router_is_placed_behind_it(lab: LabFactory, network: str, change: str) -> None:
    opened = lab(toml=NOTHING_IS_WRONG + FIRST_SYN + change, network=network)
    bundle = bundle_in(opened.collect())
    assert not crashes(bundle)
    facts = derive(bundle)
    onset = facts.losses.onset.value
    assert onset is not None
    path = facts.losses.path.value
    assert path is not None
    assert path.address == opened.values["vendor4"]
    lossy = [hop.ttl for hop in path.hops if hop.share.lost > 3]
    clean = [hop.ttl for hop in path.hops if not hop.share.lost]
    assert max(clean) < min(lossy)
    assert onset.last_clean <= max(clean)
    assert onset.first_lossy is None or onset.first_lossy >= min(lossy)
    assert decide(facts).side not in {"local", "host"}


@pytest.mark.parametrize("network", NETWORKS)
def test_loss_at_the_host_is_placed_at_the_end(lab: LabFactory, network: str) -> None:
    opened = lab(toml=NOTHING_IS_WRONG + FIRST_SYN + AT_THE_HOST, network=network)
    facts = derive(bundle_in(opened.collect()))
    onset = facts.losses.onset.value
    path = facts.losses.path.value
    assert onset is not None
    assert path is not None
    assert onset.first_lossy is None
    assert onset.first_lossy_address == path.address == opened.values["vendor4"]
    assert not [hop for hop in path.hops if hop.share.lost]
    assert facts.losses.shared.value is not True
    assert decide(facts).side != "local"


@pytest.mark.parametrize("network", NETWORKS)
def test_routers_that_limit_their_icmp_lose_nothing(lab: LabFactory, network: str) -> None:
    bundle = bundle_in(lab("none-icmp-limited-and-a-lost-packet", network=network).collect())
    assert not crashes(bundle)
    facts = derive(bundle)
    path = facts.losses.path.value
    assert path is not None
    assert [hop for hop in path.hops if hop.share.lost >= 4], "nothing was limited"
    assert not facts.losses.onset.known
    assert decide(facts).side == "none"


def test_nobody_is_asked_more_than_once_a_second(lab: LabFactory) -> None:
    bundle = bundle_in(lab(toml=NOTHING_IS_WRONG + FIRST_SYN).collect())
    asked: dict[tuple[str, int], list[int]] = defaultdict(list)
    for role in ("target", "control"):
        for one in paced(bundle, role):
            asked[one.address, one.ttl].append(one.began_ns)
    assert len(asked) > 4
    for times in asked.values():
        assert len(times) <= 12
        assert min(later - sooner for sooner, later in pairwise(sorted(times))) > 900_000_000


def test_a_healthy_line_is_not_sampled(lab: LabFactory) -> None:
    bundle = bundle_in(lab("healthy").collect())
    assert not paced(bundle)
    assert not derive(bundle).losses.path.known
