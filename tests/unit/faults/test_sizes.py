"""Whose link loses large packets: what may be said, and what may not."""

import pytest

from netdiag.facts import Facts, derive
from netdiag.faults import CATALOGUE
from netdiag.faults.base import Finding, Lean
from netdiag.verdict import decide
from tests.fakes.records import (
    CARRIER,
    CONTROL,
    CONTROL_HOST,
    EDGE,
    GATEWAY,
    ISP,
    SECOND,
    SILENT,
    TARGET,
    Story,
)
from tests.unit.facts import Prefixes
from tests.unit.sizes import TO_TARGET, Outcome, size_walk, small_segments, stalling, to_control

BY_CODE = {fault.code: fault for fault in CATALOGUE}
MTU = ("local.link.mtu", "transit.path.mtu", "host.path.mtu")
SHARED = "100.64.7.1"
OWN_SECOND, FOREIGN_PRIVATE = "192.168.7.1", "10.99.0.1"


def hole(
    passes: int, *, everyone: bool, routers: tuple[str, ...] = TO_TARGET, profile: Prefixes | None = None,
    apart: bool = False,
) -> Facts:  # fmt: skip
    """Large packets get as far as TTL ``passes``; to ``everyone``, or to the target alone."""
    story = stalling(controls="helped" if everyone else "large", routers=routers, apart=apart)
    size_walk(story, passes=passes, routers=routers)
    size_walk(
        story, address=CONTROL, routers=to_control(routers, apart=apart), passes=passes if everyone else 99,
        role="control", host=CONTROL_HOST,
    )  # fmt: skip
    return derive(story.bundle(), (), profile)


def said(facts: Facts) -> tuple[str, str | None, str | None]:
    verdict = decide(facts)
    return verdict.side, verdict.certainty, verdict.fault


def found(code: str, facts: Facts) -> Finding:
    return BY_CODE[code].assess(facts)


class TestWhereItIs:
    def test_inside_the_local_network(self) -> None:
        facts = hole(0, everyone=True)
        assert said(facts) == ("local", "likely", "local.link.mtu")
        assert "between this machine and 192.168.1.1 (hop 1)" in decide(facts).summary

    def test_between_two_routers_of_the_customers(self) -> None:
        assert said(hole(1, everyone=True, routers=(GATEWAY, OWN_SECOND, ISP, CARRIER, EDGE)))[0] == "local"

    def test_on_the_line_it_is_undecided(self) -> None:
        facts = hole(1, everyone=True)
        assert said(facts)[0] == "inconclusive"
        assert found("local.link.mtu", facts).at_most_possible
        assert found("transit.path.mtu", facts).at_most_possible
        assert found("host.path.mtu", facts).lean is Lean.OPPOSES

    @pytest.mark.parametrize("router", [SHARED, FOREIGN_PRIVATE])
    def test_behind_a_router_that_may_be_anybodys_it_is_undecided(self, router: str) -> None:
        facts = hole(2, everyone=True, routers=(GATEWAY, router, ISP, CARRIER, EDGE))
        assert said(facts)[0] == "inconclusive"

    def test_at_the_provider_when_everyone_is_hit(self) -> None:
        facts = hole(2, everyone=True)
        assert said(facts) == ("transit", "established", "transit.path.mtu")
        assert found("local.link.mtu", facts).lean is Lean.OPPOSES
        assert "restart" not in decide(facts).reply

    def test_between_public_routers_that_only_the_vendors_packets_pass_it_is_undecided(self) -> None:
        facts = hole(2, everyone=False, apart=True)
        assert said(facts)[0] == "inconclusive"
        assert found("local.link.mtu", facts).lean is Lean.OPPOSES

    def test_before_a_router_that_carries_others_it_is_not_the_vendors(self) -> None:
        facts = hole(2, everyone=False)
        assert said(facts) == ("transit", "likely", "transit.path.mtu")
        assert found("host.path.mtu", facts).lean is Lean.OPPOSES

    def test_at_the_vendors_border_it_is_undecided(self) -> None:
        facts = hole(3, everyone=False)
        assert said(facts)[0] == "inconclusive"
        assert {code for code in MTU if found(code, facts).lean is Lean.SUPPORTS} == {
            "transit.path.mtu", "host.path.mtu",
        }  # fmt: skip

    def test_behind_the_vendors_border_it_is_the_vendors(self) -> None:
        facts = hole(4, everyone=False)
        assert said(facts) == ("host", "likely", "host.path.mtu")

    def test_the_profile_tells_whose_router_it_is(self) -> None:
        facts = hole(3, everyone=False, profile=Prefixes(CARRIER + "/32", "198.51.100.0/24"))
        assert said(facts) == ("host", "likely", "host.path.mtu")


class TestOnTheWayBack:
    def test_for_everyone_it_is_not_the_vendors_and_undecided(self) -> None:
        story = stalling(controls="helped")
        size_walk(story)
        facts = derive(story.bundle())
        assert said(facts)[0] == "inconclusive"
        assert found("host.path.mtu", facts).lean is Lean.OPPOSES

    def test_for_the_target_alone_it_is_not_the_customers_and_undecided(self) -> None:
        story = stalling()
        size_walk(story)
        facts = derive(story.bundle())
        assert said(facts)[0] == "inconclusive"
        assert found("local.link.mtu", facts).lean is Lean.OPPOSES

    def test_without_a_walk_nothing_is_placed(self) -> None:
        facts = derive(stalling(controls="stall").bundle())
        assert said(facts)[0] == "inconclusive"
        assert all(found(code, facts).at_most_possible for code in MTU)


def as_far_as_echoes(story: Story) -> None:
    """The service is met where the address answers echoes: nothing nearer accepts its connections."""
    story.walk()
    story.walk(protocol="icmp")


class TestWhatLooksLikeIt:
    @pytest.mark.parametrize("code", MTU)
    def test_a_service_that_is_silent_to_small_packets_too(self, code: str) -> None:
        story = stalling(small="fails")
        size_walk(story)
        as_far_as_echoes(story)
        facts = derive(story.bundle())
        assert found(code, facts).lean is Lean.OPPOSES
        assert said(facts) == ("host", "likely", "host.service.silent")

    @pytest.mark.parametrize("passes", [0, 1, 2, 3, 4])
    def test_where_small_segments_help_the_service_is_not_to_blame(self, passes: int) -> None:
        facts = hole(passes, everyone=passes < 3)
        assert found("host.service.silent", facts).lean is Lean.OPPOSES

    def test_where_neither_was_tried_it_is_as_undecided_as_ever(self) -> None:
        facts = derive(stalling(small=None).bundle())
        assert said(facts) == ("inconclusive", None, "host.service.silent")

    @pytest.mark.parametrize("small", [None, "works", "fails"])
    def test_small_segments_decide_between_the_service_and_the_path(self, small: Outcome | None) -> None:
        story = stalling(small=small)
        as_far_as_echoes(story)
        finding = found("host.service.silent", derive(story.bundle()))
        if small == "works":
            assert finding.lean is Lean.OPPOSES
        else:
            assert finding.at_most_possible is (small is None)

    @pytest.mark.parametrize("code", MTU)
    def test_a_filter_that_cut_packets_evade(self, code: str) -> None:
        """The greeting never arrives whole, does in pieces, and nothing large is lost: that is no matter of size."""
        story = stalling(acked=False)
        size_walk(story)
        assert found(code, derive(story.bundle())).lean is Lean.SILENT

    def test_a_greeting_too_large_for_the_path_is_one(self) -> None:
        story = stalling(acked=False, controls="stall")
        size_walk(story, passes=2)
        size_walk(story, address=CONTROL, routers=to_control(TO_TARGET), passes=2, role="control", host=CONTROL_HOST)
        assert said(derive(story.bundle())) == ("transit", "established", "transit.path.mtu")

    @pytest.mark.parametrize("code", MTU)
    def test_a_target_that_works(self, code: str) -> None:
        story = Story()
        story.surroundings()
        story.well()
        size_walk(story, passes=2)
        facts = derive(story.bundle())
        assert not facts.sizes.stalls.known
        assert decide(facts).side == "none"
        assert BY_CODE[code].needs == ("sizes.stalls",)

    def test_a_filter_of_large_datagrams_that_hits_everyone_is_not_taken_for_the_hole(self) -> None:
        """Large answers of controls come over TCP: what vanishes alike towards them is no link that is too small."""
        story = stalling(controls="large")
        for address, role, host in ((TARGET, "target", story.host), (CONTROL, "control", CONTROL_HOST)):
            routers = TO_TARGET if role == "target" else to_control(TO_TARGET)
            size_walk(story, address=address, routers=routers, passes=2, role=role, host=host)  # type: ignore[arg-type]
        assert said(derive(story.bundle()))[0] == "inconclusive"

    def test_a_tunnel_hides_its_own_way(self) -> None:
        story = stalling(controls="helped")
        story.interface("tun0", "tunnel", ("10.8.0.2", 24))
        size_walk(story, passes=0)
        assert found("local.link.mtu", derive(story.bundle())).lean is not Lean.SETTLES


def test_an_address_that_small_segments_do_not_help_is_not_explained() -> None:
    story = stalling()
    size_walk(story, passes=2)
    story.connect(SECOND)
    story.handshake(SECOND, SILENT, acked=True, server_hello=False)
    small_segments(story, SECOND, "fails")
    assert all(found(code, derive(story.bundle())).lean is Lean.OPPOSES for code in MTU)
