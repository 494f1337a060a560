"""The own machine, the first hop, the clock, the proxy."""

import pytest

from netdiag.faults.local import proxy_refusing
from tests.fakes.records import (
    CONTROL,
    CONTROL_HOST,
    CONTROL_HOST2,
    GATEWAY,
    ISP,
    OWN,
    REFUSED,
    RESOLVER,
    SECOND,
    SILENT,
    TARGET,
    TARGET6,
    Story,
    icmp,
    prohibited,
)
from tests.unit.facts import facts_of

PROXY = "10.1.1.1:3128"


def test_a_plain_home() -> None:
    story = Story()
    story.surroundings(ipv6=True)
    machine = facts_of(story).machine
    assert machine.link_up.value is True
    assert machine.default_route4.value is True
    assert machine.default_route6.value is True
    assert machine.global_ipv6.value is True
    assert machine.lan_prefixes.value == ("192.168.1.0/24", "2001:db8:1::/64")
    assert machine.gateway_answers.value is True
    assert machine.gateway_neighbour_alive.value is True
    assert machine.beyond_gateway_answers.value is True
    assert not machine.local_refusal.known
    assert not machine.proxy.known


def test_an_empty_bundle_knows_nothing_of_the_machine() -> None:
    machine = facts_of(Story()).machine
    known = [name for name in machine.__struct_fields__ if getattr(machine, name).known]
    assert known == []


@pytest.mark.parametrize(("up", "value"), [(True, True), (False, False)])
def test_link(up: bool, value: bool) -> None:
    story = Story()
    story.machine(link_up=up, gateway=None)
    assert facts_of(story).machine.link_up.value is value


def test_a_link_that_carries_answers_is_not_down() -> None:
    story = Story()
    story.machine(link_up=False)
    story.reach(CONTROL, role="control")
    assert not facts_of(story).machine.link_up.known


def test_no_ipv6() -> None:
    story = Story()
    story.machine()
    machine = facts_of(story).machine
    assert machine.global_ipv6.value is False
    assert machine.default_route6.value is False


@pytest.mark.parametrize(
    ("state", "alive"), [("reachable", True), ("failed", False), ("stale", None), ("permanent", None), ("delay", None)]
)
def test_the_gateways_neighbour_entry(state: str, alive: bool | None) -> None:
    story = Story()
    story.machine(neighbour=state)
    assert facts_of(story).machine.gateway_neighbour_alive.value is alive


def test_incomplete_counts_only_after_traffic() -> None:
    story = Story()
    story.machine(neighbour="incomplete")
    assert not facts_of(story).machine.gateway_neighbour_alive.known
    story.connect(CONTROL, SILENT, role="control")
    story.neighbour(GATEWAY, "incomplete")
    assert facts_of(story).machine.gateway_neighbour_alive.value is False


def test_a_failed_entry_that_the_gateway_itself_refutes() -> None:
    story = Story()
    story.machine(neighbour="failed")
    story.walk()
    assert facts_of(story).machine.gateway_neighbour_alive.value is True


def test_a_dead_neighbour_on_the_lan_is_not_the_gateway() -> None:
    story = Story("https://192.168.1.50/", literal=True)
    story.machine(neighbour="stale")
    story.connect("192.168.1.50", icmp(3, 1, OWN), ms=3070)
    assert not facts_of(story).machine.gateway_neighbour_alive.known


def test_a_silent_gateway() -> None:
    story = Story()
    story.machine(neighbour="stale")
    story.echo(GATEWAY, "...", role="gateway")
    machine = facts_of(story).machine
    assert machine.gateway_answers.value is False
    assert not machine.lan_loss.known  # a gateway that answers no echo loses none


def test_lan_loss() -> None:
    story = Story()
    story.machine()
    story.echo(GATEWAY, "!.!!.!!!!!", role="gateway")
    loss = facts_of(story).machine.lan_loss.value
    assert loss is not None
    assert (loss.sent, loss.lost) == (10, 2)


def test_lan_loss_by_tcp_counts_refusals_as_answers_and_goes_before_limited_echoes() -> None:
    story = Story()
    story.machine()
    story.echo(GATEWAY, "!!...", role="gateway")
    for port, answers in ((53, [SILENT] * 3), (80, [REFUSED, None, SILENT, REFUSED]), (443, [prohibited(GATEWAY)])):
        for failure in answers:
            story.connect(GATEWAY, failure, port=port, role="gateway", attempts=1, syns=1)
    loss = facts_of(story).machine.lan_loss.value
    assert loss is not None
    assert (loss.sent, loss.lost) == (4, 1)  # a port that never answers says nothing, nor does an ICMP error


def test_nothing_beyond_the_gateway() -> None:
    story = Story()
    story.machine()
    story.lookup(RESOLVER, failure=SILENT)
    story.connect(CONTROL, SILENT, role="control")
    story.walk(TARGET, (GATEWAY,), end="silent")
    machine = facts_of(story).machine
    assert machine.beyond_gateway_answers.value is False
    assert machine.gateway_answers.value is True


@pytest.mark.parametrize(
    "beyond",
    [
        lambda s: s.walk(TARGET, (GATEWAY, ISP), end="silent"),
        lambda s: s.lookup(RESOLVER, rcode=2),
        lambda s: s.connect(CONTROL, role="control"),
        lambda s: s.echo(TARGET, ".!"),
    ],
)
def test_anything_beyond_the_gateway(beyond: object) -> None:
    story = Story()
    story.machine()
    story.connect(CONTROL, SILENT, role="control")
    assert callable(beyond)
    beyond(story)
    assert facts_of(story).machine.beyond_gateway_answers.value is True


def test_a_connect_that_ttl_1_explains_shows_nothing_beyond() -> None:
    story = Story()
    story.machine()
    story.egress(target="accepted", control="accepted")
    story.connect(CONTROL, role="control")
    assert not facts_of(story).machine.beyond_gateway_answers.known


def test_tunnels() -> None:
    story = Story()
    story.machine()
    story.interface("tun0", "tunnel", ("10.8.0.2", 24))
    story.route()
    assert facts_of(story).machine.target_by_tunnel.value is False
    story.route(SECOND, device="tun0", gateway=None)
    assert facts_of(story).machine.target_by_tunnel.value is True


@pytest.mark.parametrize("off", [0, 3600, -90_000])
def test_clock_offset(off: int) -> None:
    story = Story()
    story.machine()
    story.http(clock_ahead_s=off)
    assert not facts_of(story).machine.clock_offset_s.known  # one host
    story.portal_page(clock_ahead_s=off)
    fact = facts_of(story).machine.clock_offset_s
    assert fact.value == off
    assert (fact.agree, fact.looked_at) == (2, 2)


def test_clocks_that_disagree_say_nothing() -> None:
    story = Story()
    story.machine()
    story.http(clock_ahead_s=0)
    story.portal_page(clock_ahead_s=600)
    assert not facts_of(story).machine.clock_offset_s.known
    story.portal_page("192.0.2.81", host=CONTROL_HOST2, clock_ahead_s=602)
    assert facts_of(story).machine.clock_offset_s.value == 601


def test_a_portals_date_counts_for_nothing() -> None:
    story = Story()
    story.machine()
    story.http(clock_ahead_s=0)
    story.portal_page(status=302, location="http://portal.test/")
    assert not facts_of(story).machine.clock_offset_s.known


def test_a_cached_answers_age_is_added() -> None:
    story = Story()
    story.machine()
    story.http(clock_ahead_s=500, headers={"Age": "500"})
    story.portal_page(clock_ahead_s=0)
    assert facts_of(story).machine.clock_offset_s.value == 0


def with_proxy() -> Story:
    story = Story()
    story.machine()
    story.proxy_setting()
    return story


def test_a_proxy_that_works() -> None:
    story = with_proxy()
    story.http(None, 200, proxy=PROXY, method="CONNECT")
    story.http(None, 200, proxy=PROXY)
    story.http(None, 204, proxy=PROXY, role="control", host=CONTROL_HOST)
    facts = facts_of(story)
    proxy = facts.machine.proxy.value
    assert proxy is not None
    assert (proxy.where, proxy.connects, proxy.target_ok, proxy.control_ok) == (PROXY, True, True, True)
    assert (proxy.refusal, proxy.control_refusal) == (None, None)
    assert not facts.target.addresses.known  # nothing direct was measured


@pytest.mark.parametrize("status", [403, 407, 502, 503, 504])
def test_a_proxy_that_refuses(status: int) -> None:
    story = with_proxy()
    story.http(None, status, proxy=PROXY, method="CONNECT")
    proxy = facts_of(story).machine.proxy.value
    assert proxy is not None
    assert (proxy.connects, proxy.target_ok, proxy.refusal, proxy.control_ok) == (True, False, status, None)


def test_an_open_tunnel_is_no_answer_yet() -> None:
    story = with_proxy()
    story.http(None, 200, proxy=PROXY, method="CONNECT")
    proxy = facts_of(story).machine.proxy.value
    assert proxy is not None
    assert (proxy.connects, proxy.target_ok, proxy.refusal) == (True, None, None)


def test_a_status_through_the_tunnel_is_the_hosts() -> None:
    story = with_proxy()
    story.http(None, 503, proxy=PROXY)
    proxy = facts_of(story).machine.proxy.value
    assert proxy is not None
    assert (proxy.target_ok, proxy.refusal) == (True, None)


def test_plain_http_through_a_proxy() -> None:
    story = Story("http://api.vendor.test/")
    story.machine()
    story.proxy_setting(scheme="http")
    story.http(None, 503, proxy=PROXY, headers={"X-Squid-Error": "ERR_DNS_FAIL 0"})
    proxy = facts_of(story).machine.proxy.value
    assert proxy is not None
    assert (proxy.target_ok, proxy.refusal) == (False, 503)


def plainly(*targets: tuple[int, str]) -> Story:
    """The target asked over plain HTTP through a proxy, once by each of these client names."""
    story = Story("http://api.vendor.test/")
    story.surroundings()
    story.proxy_setting(scheme="http")
    for status, agent in targets:
        story.http(None, status, proxy=PROXY, body="<h1>policy</h1>", agent=agent)
    return story


def test_a_refusal_in_plain_http_may_be_the_proxys_or_the_targets() -> None:
    proxy = facts_of(plainly((403, "netdiag"), (403, "browser"))).machine.proxy.value
    assert proxy is not None
    assert (proxy.target_ok, proxy.doubtful, proxy.refusal, proxy.target_failure) == (None, 403, None, None)


@pytest.mark.parametrize("answers", [((403, "netdiag"), (200, "browser")), ((404, "netdiag"),), ((200, "netdiag"),)])
def test_an_answer_in_plain_http_is_the_targets_otherwise(answers: tuple[tuple[int, str], ...]) -> None:
    proxy = facts_of(plainly(*answers)).machine.proxy.value
    assert proxy is not None
    assert (proxy.target_ok, proxy.doubtful) == (True, None)


@pytest.mark.parametrize(("status", "passes"), [(204, True), (429, False), (200, False), (302, False)])
def test_a_connectivity_check_passes_a_proxy_only_as_it_is_known_to_answer(status: int, passes: bool) -> None:
    story = with_proxy()
    story.http(None, 429, proxy=PROXY, method="CONNECT")
    expected = {"use": "portal", "expect_status": "204"}
    url = f"http://{CONTROL_HOST}/generate_204"
    story.http(None, status, proxy=PROXY, role="control", host=CONTROL_HOST, url=url, params=expected)
    facts = facts_of(story)
    proxy = facts.machine.proxy.value
    assert proxy is not None
    assert (proxy.refusal, proxy.control_ok is True) == (429, passes)
    assert ("while other hosts pass through it" in proxy_refusing.FAULT.assess(facts).because) is passes


def test_a_dead_proxy() -> None:
    story = with_proxy()
    story.connect("10.1.1.1", REFUSED, role="proxy", host=PROXY, port=3128)
    proxy = facts_of(story).machine.proxy.value
    assert proxy is not None
    assert (proxy.connects, proxy.target_ok) == (False, None)


def test_a_bypassed_proxy_or_one_for_another_scheme_does_not_apply() -> None:
    bypassed = Story()
    bypassed.machine()
    bypassed.proxy_setting(bypassed=True)
    assert not facts_of(bypassed).machine.proxy.known
    other = Story()
    other.machine()
    other.proxy_setting(scheme="http")
    assert not facts_of(other).machine.proxy.known


def test_egress_of_the_other_family() -> None:
    story = Story()
    story.machine(ipv6=True)
    story.egress(TARGET6, control_address="2001:db8:80::80", gateway="2001:db8:1::1")
    machine = facts_of(story).machine
    assert machine.egress6.value is not None
    assert machine.egress6.value.target == "gateway"
    assert not machine.egress4.known
