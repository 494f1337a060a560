"""Walks: ends, intervals, places, and what else clears the way."""

import msgspec
import pytest

from netdiag.evidence.record import Icmp
from netdiag.evidence.tls import Handshake
from netdiag.facts import Walk
from tests.fakes.records import (
    CARRIER,
    CONTROL,
    EDGE,
    EXCHANGE,
    GATEWAY,
    GATEWAY6,
    ISP,
    OWN,
    REFUSED,
    SECOND,
    SILENT,
    TARGET,
    TARGET6,
    TCP,
    Story,
)
from tests.unit.facts import Prefixes, facts_of


def walked(story: Story, profile: Prefixes | None = None) -> Walk:
    walk = facts_of(story, profile=profile).path.target4.value
    assert walk is not None
    return walk


def test_an_open_walk() -> None:
    story = Story()
    story.surroundings()
    story.walk()
    walk = walked(story)
    assert (walk.end, walk.end_ttl, walk.end_place) == ("open", 5, "target")
    assert (walk.last_seen, walk.last_seen_address, walk.first_missing) == (4, EDGE, None)
    assert [hop.place for hop in walk.hops] == ["gateway", "public", "public", "vendor", None]
    assert walk.same_flow


def test_a_silent_walk_gives_an_interval() -> None:
    story = Story()
    story.surroundings()
    story.walk(TARGET, (GATEWAY, None, CARRIER), end="silent")
    walk = walked(story)
    assert (walk.end, walk.end_ttl, walk.last_seen, walk.first_missing) == ("silent", None, 3, 4)
    assert walk.last_seen_place == "public"
    assert walk.same_flow
    assert walk.beyond_cleared is None


def test_a_walk_that_was_cut_short_claims_no_interval() -> None:
    story = Story()
    story.surroundings()
    story.walk(TARGET, (GATEWAY, ISP), end="cut")
    walk = walked(story)
    assert (walk.end, walk.last_seen, walk.first_missing) == ("silent", 2, None)


def test_silence_that_was_not_waited_for_is_not_silence() -> None:
    story = Story()
    story.surroundings()
    story.walk(TARGET, (GATEWAY, ISP), end="silent", wait_ms=300)
    walk = walked(story)
    assert walk.first_missing is None
    assert len(walk.hops) == 2


def test_the_wait_grows_with_the_round_trip() -> None:
    story = Story()
    story.surroundings()
    story.walk(TARGET, (GATEWAY, ISP), end="silent", wait_ms=1500)
    assert walked(story).first_missing == 3
    story.echo(TARGET, "!", rtt_ms=800)
    assert walked(story).first_missing is None


def test_alternating_routers_and_attempts() -> None:
    story = Story()
    story.surroundings()
    story.walk(TARGET, (GATEWAY, ISP, CARRIER))
    story.walk(TARGET, (GATEWAY, ISP, EXCHANGE), flow=2)
    story.walk(TARGET, (GATEWAY, None, CARRIER))
    walk = walked(story)
    assert walk.hops[2].repliers == (CARRIER, EXCHANGE)
    assert (walk.hops[1].asked, walk.hops[1].answered) == (3, 2)


def test_the_interval_needs_one_flow() -> None:
    story = Story()
    story.surroundings()
    story.walk(TARGET, (GATEWAY, ISP), end="cut", flow=1)
    story.walk(TARGET, (None, None), end="silent", flow=2)
    walk = walked(story)
    assert (walk.last_seen, walk.first_missing, walk.same_flow) == (2, 3, False)


@pytest.mark.parametrize(("passes", "end"), [(2, "silent"), (3, "loop"), (6, "loop")])
def test_loops(passes: int, end: str) -> None:
    story = Story()
    story.surroundings()
    story.walk(TARGET, (GATEWAY, ISP, *(CARRIER, EXCHANGE) * passes), end="cut")
    walk = walked(story)
    assert walk.end == end
    assert walk.end_ttl == (3 if end == "loop" else None)


def test_one_router_at_two_ttls_is_no_loop() -> None:
    story = Story()
    story.surroundings()
    story.walk(TARGET, (GATEWAY, ISP, ISP, ISP, ISP, CARRIER))
    assert walked(story).end == "open"


def test_a_walk_that_ends_in_a_rule() -> None:
    story = Story()
    story.surroundings()
    story.walk(TARGET, (GATEWAY, ISP, CARRIER), end="icmp", end_icmp=Icmp(type=3, code=13, sender=CARRIER))
    walk = walked(story)
    assert (walk.end, walk.end_ttl, walk.end_place) == ("icmp", 4, "public")
    assert walk.end_icmp == Icmp(type=3, code=13, sender=CARRIER)


def test_a_rule_of_the_gateway() -> None:
    story = Story()
    story.surroundings()
    story.walk(TARGET, (GATEWAY,), end="icmp", end_icmp=Icmp(type=3, code=10, sender=GATEWAY))
    assert walked(story).end_place == "gateway"


def test_a_walk_that_never_leaves() -> None:
    story = Story()
    story.machine()
    story.walk(TARGET, (), end="local")
    facts = facts_of(story)
    assert walked(story).end == "local"
    assert not facts.path.first_hop_only.known
    own = Story()
    own.machine()
    own.walk(TARGET, (), end="icmp", end_icmp=Icmp(type=3, code=1, sender=OWN))
    assert walked(own).end == "local"


def test_a_reset() -> None:
    story = Story()
    story.surroundings()
    story.walk(end="refused")
    assert (walked(story).end, walked(story).end_ttl) == ("refused", 5)


def test_another_protocol_clears_the_way() -> None:
    story = Story()
    story.surroundings()
    story.connect(TARGET, SILENT)
    story.walk(TARGET, (GATEWAY, ISP, CARRIER), end="silent")
    story.walk(TARGET, (GATEWAY, ISP, CARRIER, EXCHANGE), protocol="icmp")
    facts = facts_of(story)
    walk = walked(story)
    assert (walk.last_seen, walk.first_missing, walk.beyond_cleared) == (3, 4, 5)
    assert facts.path.others.value is not None
    assert [other.protocol for other in facts.path.others.value] == ["icmp"]
    state = facts.target.addresses.value
    assert state is not None
    assert state[0].answers_otherwise is True


def test_the_hop_before_the_target_is_the_vendors_border() -> None:
    story = Story()
    story.surroundings()
    story.walk(TARGET, (GATEWAY, ISP, CARRIER, EXCHANGE), end="silent")
    assert walked(story).last_seen_place == "public"
    story.walk(TARGET, (GATEWAY, ISP, CARRIER, EXCHANGE), protocol="icmp")
    assert walked(story).last_seen_place == "vendor"


def test_a_limited_host_is_still_where_it_first_answered() -> None:
    story = Story()
    story.surroundings()
    story.walk(TARGET, (GATEWAY, ISP, CARRIER, EXCHANGE), end="icmp", end_icmp=Icmp(type=3, code=3, sender=TARGET))
    story.walk(TARGET, (GATEWAY, ISP, CARRIER, EXCHANGE, None, None), protocol="udp")
    assert walked(story).last_seen_place == "vendor"


def test_a_host_that_answers_datagrams_of_other_flows_alone_is_where_they_reached_it() -> None:
    """Its limit of ICMP was used up while the walk's own datagrams came."""
    story = Story()
    story.surroundings()
    story.connect(TARGET, SILENT)
    story.walk(TARGET, (GATEWAY, ISP, CARRIER, EXCHANGE), end="silent")
    story.walk(TARGET, (), protocol="udp", first=5, beyond=3, end="silent", port=33434)
    assert walked(story).last_seen_place == "public"
    unreachable = Icmp(type=3, code=3, sender=TARGET)
    for flow, ttl in ((11, 6), (12, 5)):
        story.walk(
            TARGET,
            (),
            protocol="udp",
            first=ttl,
            end="icmp",
            end_icmp=unreachable,
            flow=flow,
            port=33434,
            probe="flows",
        )
    story.walk(TARGET, (EDGE,), protocol="udp", first=4, end="cut", flow=13, port=33434, probe="flows")
    facts = facts_of(story)
    assert walked(story).last_seen_place == "vendor"
    assert facts.path.others.value is not None
    (datagrams,) = facts.path.others.value
    assert (datagrams.end, datagrams.end_ttl, datagrams.end_place) == ("icmp", 5, "target")
    assert [hop.ttl for hop in datagrams.hops] == [5, 6, 7]  # a router of another flow is none of this walk's
    assert facts.target.addresses.value is not None
    assert facts.target.addresses.value[0].answers_otherwise is True


def test_a_connection_accepted_nearer_by_moves_no_border() -> None:
    story = Story()
    story.surroundings()
    story.walk(TARGET, (GATEWAY, ISP))
    story.walk(TARGET, (GATEWAY, ISP, CARRIER, EXCHANGE), protocol="icmp")
    facts = facts_of(story)
    assert walked(story).last_seen_place == "public"
    assert facts.path.others.value is not None
    assert facts.path.others.value[0].last_seen_place == "vendor"


def test_the_profile_names_the_vendors_routers() -> None:
    story = Story()
    story.surroundings()
    story.walk(TARGET, (GATEWAY, ISP, CARRIER), end="silent")
    assert walked(story).last_seen_place == "public"
    assert walked(story, Prefixes("203.0.113.64/26")).last_seen_place == "vendor"


def test_a_shared_router_is_not_the_vendors() -> None:
    story = Story()
    story.surroundings()
    story.walk(TARGET, (GATEWAY, ISP, EDGE), end="silent")
    assert walked(story).last_seen_place == "vendor"
    story.walk(CONTROL, (GATEWAY, ISP, EDGE), role="control")
    assert walked(story).last_seen_place == "public"


def test_what_is_shared_with_a_healthy_control() -> None:
    story = Story()
    story.surroundings()
    story.walk(TARGET, (GATEWAY, ISP, CARRIER), end="silent")
    assert walked(story).shared_until is None
    story.walk(CONTROL, (GATEWAY, ISP, EXCHANGE), role="control")
    assert walked(story).shared_until == 2


def test_a_control_that_fails_clears_nothing() -> None:
    story = Story()
    story.machine()
    story.connect(CONTROL, SILENT, role="control")
    story.walk(TARGET, (GATEWAY, ISP, CARRIER), end="silent")
    story.walk(CONTROL, (GATEWAY, ISP, EXCHANGE), role="control")
    assert walked(story).shared_until is None


def test_the_failing_address_is_the_one_that_counts() -> None:
    story = Story()
    story.surroundings()
    story.reach(TARGET)
    story.connect(SECOND, SILENT)
    story.walk(TARGET)
    story.walk(SECOND, (GATEWAY, ISP), end="silent")
    assert walked(story).address == SECOND


def test_ipv6_walks_and_the_gateways_other_address() -> None:
    story = Story()
    story.surroundings(ipv6=True)
    story.walk(TARGET6, ("2001:db8:1::1", "2001:db8:2::1", "2001:db8:7::1"))
    facts = facts_of(story)
    walk = facts.path.target6.value
    assert walk is not None
    assert [hop.place for hop in walk.hops[:3]] == ["gateway", "public", "vendor"]
    assert facts.machine.gateways.value == (GATEWAY, GATEWAY6)
    assert not facts.path.target4.known


@pytest.mark.parametrize(("hops", "only"), [((GATEWAY,), True), ((GATEWAY, ISP), False), ((), True)])
def test_nothing_beyond_the_first_hop(hops: tuple[str, ...], only: bool) -> None:
    story = Story()
    story.machine()
    story.walk(TARGET, hops, end="silent")
    facts = facts_of(story)
    assert facts.path.first_hop_only.value is only
    assert facts.machine.beyond_gateway_answers.value is not only


def test_a_proxy_in_the_path() -> None:
    accepted = Story()
    accepted.machine()
    accepted.egress(target="accepted", control="accepted")
    assert facts_of(accepted).path.proxy_in_path.value is True
    nearer = Story()
    nearer.machine()
    nearer.walk(TARGET, (GATEWAY,))
    nearer.walk(TARGET, (GATEWAY, ISP, CARRIER, EDGE), protocol="icmp")
    assert facts_of(nearer).path.proxy_in_path.value is True
    plain = Story()
    plain.surroundings()
    assert facts_of(plain).path.proxy_in_path.value is False
    unknown = Story()
    unknown.machine()
    assert not facts_of(unknown).path.proxy_in_path.known


def refused_after(hops: tuple[str | None, ...], echoes: str = "") -> Story:
    """The port is refused right after these routers; the address' echo replies come over seven (their TTL is 57)."""
    story = Story()
    story.surroundings()
    story.connect(TARGET, REFUSED)
    story.walk(TARGET, hops, end="refused")
    if echoes:
        story.echo(TARGET, echoes)
    return story


@pytest.mark.parametrize(
    ("hops", "echoes", "nearer_by", "proxy"),
    [
        ((GATEWAY, ISP, None, None, None, CARRIER, EDGE), "!!", 0, False),
        ((GATEWAY, ISP, None, None, CARRIER, EDGE), "!!", 1, False),
        ((GATEWAY, ISP, None, CARRIER, EDGE), "!!", 2, None),
        ((GATEWAY, ISP), "!!", 5, None),
        ((GATEWAY, ISP, CARRIER, EDGE), "", None, None),
        ((GATEWAY, ISP, CARRIER, EDGE), "..", None, None),
    ],
)
def test_where_a_reset_comes_from(
    hops: tuple[str | None, ...], echoes: str, nearer_by: int | None, proxy: bool | None
) -> None:
    """Against the address' own echo replies; where these are missing, nothing was compared, and nothing is said."""
    path = facts_of(refused_after(hops, echoes)).path
    assert path.target4.value is not None
    assert path.target4.value.nearer_by == nearer_by
    assert path.proxy_in_path.value is proxy


def test_a_reset_from_nearer_than_another_protocol_goes() -> None:
    story = refused_after((GATEWAY,))
    story.walk(TARGET, (GATEWAY, ISP, CARRIER, EDGE), protocol="icmp")
    assert facts_of(story).path.proxy_in_path.value is True


def test_an_answer_at_the_first_hop_is_no_far_hosts() -> None:
    story = Story()
    story.machine()
    story.walk(TARGET, ())
    assert facts_of(story).path.proxy_in_path.value is True


@pytest.mark.parametrize(("came", "large"), [(1448, (TARGET,)), (1400, ()), (536, ())])
def test_large_packets_come_through(came: int, large: tuple[str, ...]) -> None:
    story = Story()
    story.machine()
    story.connect(TARGET)
    step = story.step("reach", "target", story.host, TARGET, 443)
    story.add(Handshake, step, tcp=msgspec.structs.replace(TCP, bytes_received=4000, rcv_mss=came))
    assert facts_of(story).path.large_from.value == large
    assert not facts_of(refused_after((GATEWAY,))).path.large_from.known


def test_a_target_on_the_own_link_is_no_proxy() -> None:
    story = Story("https://192.168.1.50/", literal=True)
    story.machine()
    story.egress("192.168.1.50", target="accepted")
    assert not facts_of(story).path.proxy_in_path.known


def test_a_filter_that_resets_does_not_make_the_hop_before_it_the_vendors() -> None:
    story = Story()
    story.surroundings()
    story.walk(TARGET, (GATEWAY, ISP), end="refused")
    assert [hop.place for hop in walked(story).hops] == ["gateway", "public", None]
