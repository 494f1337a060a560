"""Loss and its look-alike, through real routers: where it begins, and that a limiter is none.

The SYNs of the first two attempts are lost for certain; then three of five datagrams are by chance. That a hop beyond
the lossy link loses none of its dozen is a chance of 1 in 60,000.
"""

from __future__ import annotations

from collections import defaultdict

import pytest

from netdiag.evidence.addresses import family_of
from netdiag.evidence.bundle import Bundle
from netdiag.evidence.transport import HopReply
from netdiag.facts import derive
from netdiag.facts.derivation.paced import BACKGROUND
from netdiag.facts.losses import PathLoss
from netdiag.probes.plan.losses import ROUNDS
from netdiag.verdict import decide
from tests.conftest import LabFactory
from tests.netns.collecting import NOTHING_IS_WRONG, bundle_in, crashes

pytestmark = pytest.mark.lab

NETWORKS = ("home", "office")
ISP2 = {"home": 3, "office": 5}
"""The hop that loses what it forwards."""

SYN = "ip ttl > 30 tcp dport {vendor_port} tcp flags syn"
"""That of a connection to the service, and none of a walk's."""

FIRST_SYN = f"""
[[change]]
at = "isp2"
nft = ["add rule inet lab forward ip daddr {{vendor_net4}} {SYN} numgen inc mod 1000 < 2 drop"]
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


LATE = 1
"""What a healthy router may leave out: a packet that a busy machine sends late makes the next one early, and the limit
of one error a second (icmp(7), icmp_ratelimit) hits it."""


def told_by_tcp(path: PathLoss) -> bool:
    """Where by chance both echoes were lost, too, the two SYNs must tell: beside many data segments they do not."""
    return path.tcp is not None and path.tcp.low > BACKGROUND


def paced(bundle: Bundle, role: str = "target") -> list[HopReply]:
    steps = {step.id for step in bundle.plan if step.probe == "paced" and step.role == role}
    return [one for one in bundle.observations if isinstance(one, HopReply) and one.step in steps]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("change", [FORWARD, RETURN], ids=["there", "back"])
def test_loss_in_a_router_is_placed_behind_it(lab: LabFactory, network: str, change: str) -> None:
    bundle = bundle_in(lab(toml=NOTHING_IS_WRONG + FIRST_SYN + change, network=network).collect())
    assert not crashes(bundle)
    facts = derive(bundle)
    onset, path = facts.losses.onset.value, facts.losses.path.value
    assert path is not None
    assert family_of(path.address) == 4, "the other family loses nothing"
    assert not [hop for hop in path.hops if hop.ttl <= ISP2[network] and hop.share.lost > LATE]
    assert all(hop.share.sent == ROUNDS for hop in path.hops), "others have spent what the manners allow"
    assert [hop for hop in path.hops if hop.ttl > ISP2[network] and hop.share.lost]
    hidden = path.end is None or not told_by_tcp(path)
    assert onset is not None or hidden, "only an end that was silent twelve times, or TCP that lost little, hides it"
    if onset is not None:
        assert onset.last_clean <= ISP2[network]
        assert onset.first_lossy is None or onset.first_lossy > ISP2[network]
    assert decide(facts).side not in {"local", "host"}


@pytest.mark.parametrize("network", NETWORKS)
def test_loss_at_the_host_is_placed_at_the_end(lab: LabFactory, network: str) -> None:
    facts = derive(bundle_in(lab(toml=NOTHING_IS_WRONG + FIRST_SYN + AT_THE_HOST, network=network).collect()))
    onset, path = facts.losses.onset.value, facts.losses.path.value
    assert path is not None
    assert not [hop for hop in path.hops if hop.share.lost > LATE]
    assert onset is not None or path.end is None or path.end.lost < 4 or not told_by_tcp(path)
    assert onset is None or (onset.first_lossy is None and onset.first_lossy_place == "target")
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
    """A packet that a busy machine sends late shortens the pause after it, not the pace: a limiter with any burst lets
    that pass (GCRA, ITU-T I.371)."""
    bundle = bundle_in(lab(toml=NOTHING_IS_WRONG + FIRST_SYN).collect())
    asked: dict[tuple[str, int], list[int]] = defaultdict(list)
    for role in ("target", "control"):
        for one in paced(bundle, role):
            asked[one.address, one.ttl].append(one.began_ns)
    assert len(asked) > 4
    for times in map(sorted, asked.values()):
        assert 2 < len(times) <= 12
        assert (times[-1] - times[0]) / (len(times) - 1) > 900_000_000
        assert min(later - sooner for sooner, later in zip(times, times[2:], strict=False)) > 1_000_000_000


def test_a_healthy_line_is_not_sampled(lab: LabFactory) -> None:
    bundle = bundle_in(lab("healthy").collect())
    assert not paced(bundle)
    assert not derive(bundle).losses.path.known
