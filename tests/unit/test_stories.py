"""Lines and vendors that the lab does not have: what is said of each, and that no customer is blamed falsely."""

from collections.abc import Callable

import pytest

from netdiag.evidence.record import FailureCode
from netdiag.facts import derive
from netdiag.verdict import decide
from tests.fakes.records import (
    CARRIER,
    CONTROL,
    CONTROL2,
    CONTROL6,
    CONTROL_HOST,
    CONTROL_HOST2,
    GATEWAY,
    ISP,
    NO_ROUTE,
    PUBLIC_RESOLVER,
    PUBLIC_RESOLVER2,
    RESOLVER,
    SECOND,
    SILENT,
    TARGET,
    TARGET6,
    Story,
    certificate,
    failed,
    prohibited,
)

SHARED, TEN = "100.64.0.1", "10.11.12.1"
CAPTIVE = "http://login.hotel.example/"


def line(url: str = "https://api.vendor.test/") -> Story:
    told = Story(url)
    told.surroundings()
    return told


def offline_controls(told: Story) -> Story:
    told.machine()
    told.healthy_names()
    told.connect(CONTROL, SILENT, role="control", host=CONTROL_HOST)
    told.connect(CONTROL2, SILENT, role="control", host=CONTROL_HOST2)
    return told


def named(told: Story, *configured: str, true: str = TARGET, resolver: str = RESOLVER) -> Story:
    """A machine whose resolver gives ``configured``, while the vendor's servers give ``true``."""
    told.machine(resolvers=(resolver,))
    told.system_lookup(*configured)
    told.lookup(resolver, *configured)
    told.lookup(resolver, CONTROL, use="control")
    told.lookup(PUBLIC_RESOLVER, true, server_class="public")
    told.parent()
    told.authority(true)
    told.healthy_controls()
    return told


def refused_by(router: str) -> Story:
    told = line()
    told.connect(TARGET, prohibited(router))
    told.walk(CONTROL, (GATEWAY, router, ISP, CARRIER), role="control")
    return told


def dropped_after(router: str) -> Story:
    told = line()
    told.connect(TARGET, SILENT)
    told.walk(TARGET, (GATEWAY, router), end="silent")
    told.walk(CONTROL, (GATEWAY, router, ISP, CARRIER), role="control")
    return told


def resolver_dead(server: str) -> Story:
    told = Story()
    told.machine(resolvers=(server,))
    told.healthy_controls()
    told.system_lookup(gai_error=-3)
    told.lookup(server, failure=SILENT)
    told.lookup(server, failure=SILENT, use="control")
    told.lookup(PUBLIC_RESOLVER, TARGET, server_class="public")
    told.parent()
    told.authority(TARGET)
    told.well()
    return told


def hangs_up(server: str) -> Story:
    """A forwarder that takes questions over TCP and closes, while it waits in vain."""
    told = resolver_dead(server)
    told.lookup(server, failure=failed(FailureCode.CLOSED, op="receive"), transport_="tcp")
    told.lookup(server, failure=failed(FailureCode.CLOSED, op="receive"), transport_="tcp", use="control")
    return told


def proxied(status: int) -> Story:
    told = Story()
    told.machine()
    told.proxy_setting()
    told.system_lookup(TARGET)
    told.lookup(RESOLVER, TARGET)
    told.connect(TARGET, prohibited(GATEWAY))
    told.connect(CONTROL, prohibited(GATEWAY), role="control", host=CONTROL_HOST)
    told.connect(CONTROL2, prohibited(GATEWAY), role="control", host=CONTROL_HOST2)
    told.http(None, status, proxy="10.1.1.1:3128")
    told.http(None, 200, proxy="10.1.1.1:3128", role="control", host=CONTROL_HOST)
    return told


def proxy_not_told() -> Story:
    """An office that lets only its proxy out, and whose machine does not say so."""
    told = Story()
    told.machine()
    told.system_lookup(TARGET)
    told.lookup(RESOLVER, TARGET)
    for address, host in ((CONTROL, CONTROL_HOST), (CONTROL2, CONTROL_HOST2)):
        told.connect(address, prohibited(GATEWAY), role="control", host=host)
    told.connect(TARGET, prohibited(GATEWAY))
    return told


def split_horizon() -> Story:
    told = named(Story(), "10.20.0.5")
    told.well("10.20.0.5")
    told.well(TARGET)
    return told


def cdn() -> Story:
    told = named(Story(), SECOND)
    told.lookup(PUBLIC_RESOLVER2, "203.0.113.200", server_class="public")
    told.well(SECOND)
    told.well(TARGET)
    return told


def cdn_site_dead() -> Story:
    told = named(Story(), "203.0.113.7")
    told.connect("203.0.113.7", SILENT)
    told.well(TARGET)
    return told


def one_control_down() -> Story:
    told = Story()
    told.machine()
    told.healthy_names()
    told.reach(CONTROL, role="control", host=CONTROL_HOST)
    told.connect(CONTROL2, SILENT, role="control", host=CONTROL_HOST2)
    told.well()
    return told


def controls_down(*, status: int | None) -> Story:
    told = offline_controls(Story())
    if status is None:
        told.connect(TARGET, SILENT)
        told.walk(TARGET, (GATEWAY, ISP, CARRIER), end="silent")
    else:
        told.reach(TARGET)
        told.http(TARGET, status)
    return told


def portal_that_lets_checks_pass() -> Story:
    told = line()
    told.connect(TARGET)
    told.handshake(TARGET, verify=62, chain=(certificate("CN=hotel", names=("login.hotel.example",)),))
    return told


def portal_before_a_plain_target() -> Story:
    told = Story("http://api.vendor.test/")
    told.machine()
    told.healthy_names()
    told.portal_page(CONTROL, 302, location=CAPTIVE)
    told.portal_page(CONTROL2, 302, host=CONTROL_HOST2, location=CAPTIVE)
    told.connect(TARGET)
    told.http(TARGET, 302, location=CAPTIVE)
    return told


def answered(status: int, **more: str) -> Story:
    told = line()
    told.reach(TARGET)
    told.http(TARGET, status, **more)  # type: ignore[arg-type]
    return told


def public_dns_shut(*, rcode: int) -> Story:
    told = Story()
    told.machine(resolvers=("192.168.1.53",))
    if rcode:
        told.system_lookup(gai_error=-2)
        told.lookup("192.168.1.53", rcode=rcode)
    else:
        told.system_lookup(TARGET)
        told.lookup("192.168.1.53", TARGET)
        told.well()
    told.lookup("192.168.1.53", CONTROL, use="control")
    told.lookup(PUBLIC_RESOLVER, failure=SILENT, server_class="public")
    told.parent(failure=SILENT)
    told.authority(failure=SILENT)
    told.healthy_controls()
    return told


def other_port() -> Story:
    told = line("https://api.vendor.test:8443/")
    told.connect(TARGET, SILENT)
    told.walk(TARGET, (GATEWAY, ISP, CARRIER), end="silent")
    return told


def literal() -> Story:
    told = Story("https://198.51.100.7/", literal=True)
    told.machine()
    told.healthy_controls()
    told.connect(TARGET, SILENT)
    told.walk(TARGET, (GATEWAY, ISP, CARRIER), end="silent")
    return told


def vendor_on_ipv6_alone() -> Story:
    told = named(Story(), TARGET6, true=TARGET6)
    told.connect(TARGET6, NO_ROUTE)
    return told


def nat64() -> Story:
    told, made = Story(), "64:ff9b::c633:6407"
    told.machine(ipv6=True, own="", gateway=None)
    told.nat64()
    told.system_lookup(made)
    told.lookup(RESOLVER, made)
    told.lookup(PUBLIC_RESOLVER, TARGET, server_class="public")
    told.authority(TARGET)
    told.reach(CONTROL6, role="control", host=CONTROL_HOST)
    told.well(made)
    told.connect(TARGET, NO_ROUTE)
    return told


def one_owners_private_authority() -> Story:
    """Controls of one owner, under a private authority that the target uses as well: no interception."""
    told, chain = Story(), (certificate("CN=Corp CA"),)
    told.machine()
    told.healthy_names()
    for host, address in (("a.corp.example", CONTROL), ("b.corp.example", CONTROL2)):
        told.connect(address, role="control", host=host)
        told.handshake(address, role="control", host=host, mozilla=20, chain=chain)
    told.connect(TARGET)
    told.handshake(TARGET, verify=20, chain=chain)
    return told


def line_of_the_provider_dead() -> Story:
    told = Story()
    told.machine(neighbour="stale")
    told.system_lookup(TARGET)
    told.lookup("192.168.1.53", failure=SILENT)
    told.lookup("192.168.1.53", failure=SILENT, use="control")
    for address, host in ((CONTROL, CONTROL_HOST), (CONTROL2, CONTROL_HOST2)):
        told.connect(address, SILENT, role="control", host=host)
    told.connect(TARGET, SILENT)
    return told


def one_try_in_silence() -> Story:
    told = line()
    told.connect(TARGET, SILENT, attempts=1)
    told.echo(TARGET, "!!")
    return told


@pytest.mark.parametrize(
    ("told", "sides", "certainty"),
    [
        pytest.param(lambda: dropped_after(SHARED), {"inconclusive"}, None, id="dropped-after-a-cgnat-hop"),
        pytest.param(lambda: dropped_after(TEN), {"inconclusive"}, None, id="dropped-after-a-10-hop"),
        pytest.param(lambda: refused_by(SHARED), {"transit"}, "established", id="refused-by-a-cgnat-hop"),
        pytest.param(lambda: refused_by(TEN), {"inconclusive"}, None, id="refused-by-a-10-hop"),
        pytest.param(lambda: resolver_dead("100.64.0.53"), {"transit"}, "likely", id="resolver-in-cgnat-dead"),
        pytest.param(lambda: resolver_dead("10.0.0.53"), {"inconclusive"}, None, id="resolver-in-10-dead"),
        pytest.param(lambda: hangs_up(GATEWAY), {"inconclusive"}, None, id="forwarder-hangs-up"),
        pytest.param(lambda: proxied(200), {"none"}, None, id="only-the-proxy-gets-out"),
        pytest.param(lambda: proxied(503), {"host", "inconclusive"}, None, id="vendor-fails-through-the-proxy"),
        pytest.param(proxy_not_told, {"inconclusive"}, None, id="proxy-not-told"),
        pytest.param(split_horizon, {"none"}, None, id="split-horizon"),
        pytest.param(cdn, {"none"}, None, id="cdn-answers-differ"),
        pytest.param(cdn_site_dead, {"host", "inconclusive"}, None, id="one-site-of-a-cdn-dead"),
        pytest.param(one_control_down, {"none"}, None, id="one-control-down"),
        pytest.param(lambda: controls_down(status=200), {"none"}, None, id="controls-down-target-well"),
        pytest.param(lambda: controls_down(status=500), {"host"}, "established", id="controls-down-target-500"),
        pytest.param(lambda: controls_down(status=None), {"inconclusive"}, None, id="controls-down-target-silent"),
        pytest.param(portal_that_lets_checks_pass, {"host", "inconclusive"}, "likely", id="portal-lets-checks-pass"),
        pytest.param(portal_before_a_plain_target, {"inconclusive"}, None, id="portal-before-a-plain-target"),
        pytest.param(lambda: answered(511), {"host", "inconclusive"}, None, id="vendors-own-511"),
        pytest.param(lambda: answered(302, location="https://login.vendor.test/"), {"none"}, None, id="login-redirect"),
        pytest.param(lambda: answered(403, body='{"error": "token"}'), {"none"}, None, id="application-403"),
        pytest.param(
            lambda: answered(403, body="Your IP address 203.0.113.9 has been blocked."),
            {"host"},
            "established",
            id="page-names-the-address",
        ),
        pytest.param(lambda: public_dns_shut(rcode=0), {"none"}, None, id="public-dns-shut"),
        pytest.param(lambda: public_dns_shut(rcode=3), {"inconclusive"}, None, id="public-dns-shut-name-missing"),
        pytest.param(lambda: public_dns_shut(rcode=2), {"inconclusive"}, None, id="public-dns-shut-servfail"),
        pytest.param(other_port, {"inconclusive"}, None, id="port-8443"),
        pytest.param(literal, {"inconclusive"}, None, id="address-literal"),
        pytest.param(vendor_on_ipv6_alone, {"inconclusive"}, None, id="vendor-on-ipv6-alone"),
        pytest.param(nat64, {"none"}, None, id="nat64"),
        pytest.param(one_owners_private_authority, {"host", "inconclusive"}, None, id="one-owners-authority"),
        pytest.param(line_of_the_provider_dead, {"inconclusive"}, None, id="nothing-answers-but-the-machine"),
        pytest.param(one_try_in_silence, {"inconclusive"}, None, id="one-try-in-silence"),
    ],
)
def test_story(told: Callable[[], Story], sides: set[str], certainty: str | None) -> None:
    verdict = decide(derive(told().bundle()))
    assert verdict.side in sides, verdict.summary
    if certainty != "established":
        assert verdict.certainty in (None, certainty), verdict.summary
