"""One fault at several positions of the path, each beside its look-alike: whose side is named, and how surely."""

from typing import NamedTuple

import pytest

from netdiag.evidence.record import FailureCode, Icmp
from netdiag.facts import derive
from netdiag.facts.derivation.book import VendorProfile
from netdiag.verdict import Verdict, decide
from tests.fakes.records import (
    CARRIER,
    CONTROL,
    CONTROL2,
    CONTROL6,
    CONTROL_HOST,
    CONTROL_HOST2,
    EDGE,
    EXCHANGE,
    GATEWAY,
    GATEWAY6,
    ISP,
    OWN,
    REFUSED,
    RESOLVER,
    SILENT,
    TARGET,
    TARGET6,
    Story,
    failed,
    icmp,
    prohibited,
)

UPLINK = "203.0.113.200"
"""The vendor's border, by the number that its provider gave to their link."""
INNER = "198.18.5.1"
"""A router of the vendor's outside of the target's own /24."""


class Published(NamedTuple):
    """What facts need of a vendor's profile."""

    prefixes: tuple[str, ...]


PROFILE = Published(prefixes=("198.51.100.0/24", "198.18.5.0/24"))
WAY = (GATEWAY, ISP, CARRIER, EXCHANGE, UPLINK, EDGE)


def port_shut_after(
    *hops: str, way: tuple[str, ...] = WAY, carried: tuple[str, ...] = (GATEWAY, ISP, CARRIER)
) -> Story:
    """The service's port goes silent after ``hops``, while the address answers UDP and ICMP all the way. The control is
    reached over ``carried``. As in a real run, the other walks begin where the first one left off."""
    told = Story()
    told.surroundings()
    told.connect(TARGET, SILENT)
    told.echo(TARGET)
    told.walk(TARGET, hops, end="silent", beyond=len(way) - len(hops) + 3)
    rest, first = way[len(hops) :], len(hops) + 1
    told.walk(TARGET, rest, first=first, protocol="udp", port=33434)
    told.walk(TARGET, rest, first=first, protocol="icmp", port=0)
    told.walk(CONTROL, carried, role="control")
    return told


def verdict(told: Story, profile: VendorProfile | None = None) -> Verdict:
    return decide(derive(told.bundle(), profile=profile))


@pytest.mark.parametrize(
    ("told", "alone", "with_profile"),
    [
        # Controls pass the next router as well, so it is nobody's but the provider's.
        pytest.param(port_shut_after(GATEWAY, ISP), "transit", "transit", id="provider's-first-router"),
        # The next router carries the vendor's packets alone: only the profile shows that the vendor begins later.
        pytest.param(port_shut_after(GATEWAY, ISP, CARRIER), "inconclusive", "transit", id="provider's-last-router"),
        # The next router stands directly before the vendor's, and may be its border.
        pytest.param(port_shut_after(*WAY[:4]), "inconclusive", "inconclusive", id="before-the-border"),
        pytest.param(port_shut_after(*WAY[:5]), "host", "host", id="after-the-border"),
        pytest.param(port_shut_after(*WAY), "host", "host", id="before-the-machine"),
    ],
)
def test_a_port_that_is_shut_while_echo_answers(told: Story, alone: str, with_profile: str) -> None:
    for found, expected in ((verdict(told), alone), (verdict(told, PROFILE), with_profile)):
        assert found.side == expected
        assert found.certainty == (None if expected == "inconclusive" else "likely")


def test_a_router_that_no_control_passes_may_be_the_vendors_own_far_from_its_machines() -> None:
    """The vendor's network may be deep: with routers beyond that the profile knows, its own border is the next one."""
    way = (GATEWAY, ISP, CARRIER, UPLINK, INNER, EDGE)
    assert verdict(port_shut_after(*way[:3], way=way), PROFILE).side == "inconclusive"
    assert verdict(port_shut_after(*way[:4], way=way), PROFILE).side == "host"


def test_the_customers_own_router_is_shown_by_its_next_one() -> None:
    own = "192.168.1.254"
    told = port_shut_after(GATEWAY, way=(GATEWAY, own, *WAY[1:]), carried=(GATEWAY, own, ISP, CARRIER))
    assert (verdict(told).side, verdict(told).fault) == ("local", "local.firewall.router")
    assert verdict(port_shut_after(GATEWAY)).side == "inconclusive"


def test_an_agent_whose_own_network_drops_the_port_says_nothing_of_the_vendor() -> None:
    def alike(agent: Story) -> bool | None:
        facts = derive(port_shut_after(*WAY).bundle(), [agent.bundle()])
        return facts.agent.fails_elsewhere.value

    assert alike(port_shut_after(GATEWAY)) is None
    assert alike(port_shut_after(*WAY)) is True


def test_stars_before_the_machine_are_no_strangers() -> None:
    told = Story()
    told.surroundings()
    told.connect(TARGET, SILENT)
    told.echo(TARGET)
    told.walk(TARGET, (GATEWAY, ISP), end="silent")
    told.walk(TARGET, (None, None, None), first=3, protocol="icmp", port=0)
    told.walk(CONTROL, (GATEWAY, ISP, CARRIER), role="control")
    assert (verdict(told).side, verdict(told).certainty) == ("host", "likely")


def reset_behind(*hops: str, distance: int) -> Story:
    """A reset comes from behind ``hops``, and echo replies from ``distance`` hops away."""
    told = Story()
    told.surroundings()
    told.connect(TARGET, REFUSED)
    told.walk(TARGET, hops, end="refused")
    told.walk(TARGET, WAY[: distance - 1], protocol="icmp", port=0)
    told.walk(CONTROL, (GATEWAY, ISP, CARRIER), role="control")
    return told


def test_a_reset_from_nearer_than_the_machine_is_not_the_hosts() -> None:
    assert verdict(reset_behind(GATEWAY, ISP, distance=7)).side in ("transit", "inconclusive")
    assert verdict(reset_behind(*WAY, distance=7)).side == "host"


def circle(*routers: str) -> Story:
    """Packets reach the first router behind the carrier's, and circle between ``routers``."""
    told = Story()
    told.surroundings()
    told.connect(TARGET, icmp(11, 0, routers[0]))
    told.walk(TARGET, (GATEWAY, ISP, CARRIER, *routers * 4), end="cut")
    told.walk(CONTROL, (GATEWAY, ISP, CARRIER), role="control")
    return told


@pytest.mark.parametrize(
    ("routers", "alone", "with_profile"),
    [
        pytest.param((EDGE, "198.51.100.2"), "host likely", "host established", id="the-vendor's-own-routers"),
        pytest.param((INNER, "198.18.5.2"), "inconclusive", "host established", id="known-by-the-profile-alone"),
        pytest.param((UPLINK, INNER), "inconclusive", "host likely", id="the-vendor-sends-them-out-again"),
        pytest.param((EXCHANGE, UPLINK), "inconclusive", "inconclusive", id="nobody-known"),
        pytest.param((CARRIER, ISP), "transit established", "transit established", id="the-provider's"),
    ],
)
def test_a_circle_is_theirs_whose_routers_it_is_made_of(
    routers: tuple[str, ...], alone: str, with_profile: str
) -> None:
    for found, expected in ((verdict(circle(*routers)), alone), (verdict(circle(*routers), PROFILE), with_profile)):
        assert " ".join(filter(None, (found.side, found.certainty))) == expected


def refused_everywhere(router: str, code: int, *, own: str = OWN) -> Story:
    """No name resolves, and a router behind the gateway refuses what is sent to any control."""
    told = Story()
    told.machine(own=own)
    told.lookup(RESOLVER, failure=failed(FailureCode.TIMED_OUT, op="resolve"))
    told.lookup(RESOLVER, failure=failed(FailureCode.TIMED_OUT, op="resolve"), use="control")
    for address, host in ((CONTROL, CONTROL_HOST), (CONTROL2, CONTROL_HOST2)):
        told.connect(address, icmp(3, code, router), role="control", host=host)
    told.egress(CONTROL)
    return told


@pytest.mark.parametrize(
    ("told", "side"),
    [
        pytest.param(refused_everywhere(ISP, 0), "transit", id="the-provider-has-no-route"),
        pytest.param(refused_everywhere("100.64.0.1", 13), "transit", id="the-provider's-translator-is-full"),
        # An office may let only its proxy out, and answer so at a public address of its own.
        pytest.param(refused_everywhere(ISP, 13), "inconclusive", id="a-rule-of-whomever"),
        pytest.param(refused_everywhere("192.168.1.254", 13), "inconclusive", id="the-customer's-second-router"),
        pytest.param(refused_everywhere(ISP, 0, own="198.18.77.20"), "inconclusive", id="no-NAT-shows-whose-router"),
    ],
)
def test_a_router_that_refuses_every_host(told: Story, side: str) -> None:
    found = verdict(told)
    assert found.side == side
    assert found.fault in (None, "transit.access.outage")
    assert found.certainty == ("likely" if side == "transit" else None)


def silent_everywhere(*hops: str, own: str = OWN) -> Story:
    """No name resolves, no control answers, and the walk to one of them ends in silence after ``hops``."""
    told = Story()
    told.machine(own=own)
    told.lookup(RESOLVER, failure=failed(FailureCode.TIMED_OUT, op="resolve"))
    told.lookup(RESOLVER, failure=failed(FailureCode.TIMED_OUT, op="resolve"), use="control")
    for address, host in ((CONTROL, CONTROL_HOST), (CONTROL2, CONTROL_HOST2)):
        told.connect(address, SILENT, role="control", host=host)
    told.walk(CONTROL, hops, end="silent", role="control")
    told.echo(GATEWAY, role="gateway")
    return told


@pytest.mark.parametrize(
    ("told", "side"),
    [
        pytest.param(silent_everywhere(GATEWAY, ISP), "transit", id="behind-the-provider's-first-router"),
        pytest.param(silent_everywhere(GATEWAY, "100.64.0.1"), "transit", id="behind-its-translator"),
        # The gateway's own uplink may be gone, or the gateway may be told to drop everything.
        pytest.param(silent_everywhere(GATEWAY), "inconclusive", id="behind-the-gateway"),
        pytest.param(silent_everywhere(GATEWAY, "192.168.1.254"), "inconclusive", id="behind-another-of-the-LAN's"),
        pytest.param(silent_everywhere(GATEWAY, ISP, own="198.18.77.20"), "inconclusive", id="no-NAT-shows-whose"),
    ],
)
def test_a_line_on_which_every_walk_ends(told: Story, side: str) -> None:
    found = verdict(told)
    assert found.side == side
    assert found.certainty == ("likely" if side == "transit" else None)


def unreachable_after(ms: float) -> Story:
    """The provider's router, which carries a control's traffic, says host unreachable for the target's address."""
    told = Story()
    told.surroundings()
    told.connect(TARGET, icmp(3, 1, CARRIER), ms=ms)
    said = Icmp(type=3, code=1, sender=CARRIER, version=4)
    told.walk(TARGET, (GATEWAY, ISP, CARRIER), end="icmp", end_icmp=said)
    told.walk(CONTROL, (GATEWAY, ISP, CARRIER), role="control")
    return told


def test_a_router_that_waits_for_a_neighbour_is_the_last_one_only_while_no_line_reaches_the_machine() -> None:
    agent = Story()
    agent.surroundings()
    agent.well()
    for told, alone in ((unreachable_after(5), "transit"), (unreachable_after(3100), "inconclusive")):
        assert verdict(told).side == alone
        elsewhere = decide(derive(told.bundle(), [agent.bundle()]))
        assert (elsewhere.side, elsewhere.fault) == ("transit", "transit.path.unreachable")


def test_of_two_refusals_the_one_whose_router_is_known_tells_and_is_not_sure_of_the_other() -> None:
    provider6 = "2001:db8:5::1"
    told = Story()
    told.surroundings(ipv6=True)
    told.connect(TARGET, prohibited(ISP))
    told.connect(TARGET6, prohibited(provider6))
    told.walk(CONTROL, (GATEWAY, None, CARRIER), role="control")
    told.walk(CONTROL6, (GATEWAY6, provider6), role="control")
    found = verdict(told)
    assert (found.side, found.certainty, found.fault) == ("transit", "likely", "transit.path.prohibited")
