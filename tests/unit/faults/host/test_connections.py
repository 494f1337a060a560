"""Connections that the vendor's side drops, refuses or leaves without a machine, through the whole catalogue."""

from typing import Literal

import msgspec
import pytest

from netdiag.facts import (
    AddressState,
    ConnectState,
    ControlState,
    Fact,
    Facts,
    HttpState,
    LocalRefusal,
    Proxy,
    Share,
    TlsState,
    seen,
)
from netdiag.facts.agent import AgentFacts
from netdiag.facts.flow import Refusal
from netdiag.facts.path import HopPlace
from netdiag.faults.base import CONTROL_RUN, Lean
from netdiag.verdict import decide
from tests.unit.faults.host.scene import (
    BORDER,
    ISP,
    OPEN,
    REFUSED,
    SECOND,
    SILENT,
    TARGET,
    TARGET6,
    TLS_OK,
    W,
    answer,
    at,
    facts,
    found,
    icmp,
    run,
    said,
    walk,
)

DROPPED = at(connect=SILENT)


def after_greeting(how: Literal["silent", "closed", "reset"], *, acked: bool = True) -> TlsState:
    """What came of the TLS greeting."""
    return TlsState(how=how, acked=acked)


SILENT_FAULTS = ("host.block.source_address", "host.block.everyone")


class TestSilence:
    def test_alone_and_inside_the_vendors_network_it_is_likely_and_only_the_group(self) -> None:
        """A rule for everyone or a block of this address: one line cannot tell. Routers that answer a walk would mostly
        tell of a machine that is down, so that comes after them."""
        verdict = decide(facts(DROPPED, target=walk()))
        assert (verdict.side, verdict.certainty, verdict.fault) == ("host", "likely", "host.block")
        assert [one.standing for one in verdict.hypotheses if one.fault == "host.machine.down"] == ["possible"]
        assert verdict.next_evidence[0] == CONTROL_RUN
        assert f"hop 4 ({BORDER})" in verdict.summary

    @pytest.mark.parametrize(("distance", "side"), [(5, "host"), (6, "inconclusive"), (None, "inconclusive")])
    def test_another_answer_of_the_same_address_is_a_sign_where_nothing_stands_between(
        self, distance: int | None, side: str
    ) -> None:
        """The walk ends at hop 4; the other port answers from ``distance``, or nobody looked from where."""
        answering = at(connect=SILENT, answers_otherwise=True)
        ended = walk(place="public", sender=ISP)
        other = msgspec.structs.replace(ended, port=80, hops=(), end="open", end_ttl=distance)
        others = () if distance is None else (other,)
        assert said(facts(answering, target=ended, path__others=seen(others, ("main:o3",))))[0] == side

    def test_without_a_second_sign_it_is_undecided(self) -> None:
        verdict = decide(facts(DROPPED, target=walk(place="public", sender=ISP)))
        assert verdict.side == "inconclusive"
        assert verdict.next_evidence[0] == CONTROL_RUN

    def test_without_a_walk_it_is_undecided(self) -> None:
        assert said(facts(DROPPED))[0] == "inconclusive"

    def test_that_it_works_elsewhere_speaks_for_a_block_and_never_against(self) -> None:
        given = facts(DROPPED, target=walk(), agent=run(works=True))
        assert said(given) == ("host", "likely", "host.block.source_address")
        assert "work from another line" in decide(given).summary
        assert found("host.block.everyone", given).lean is Lean.OPPOSES

    def test_that_it_works_elsewhere_does_not_prove_whose_drop_it_is(self) -> None:
        given = facts(DROPPED, target=walk(place="public", sender=ISP), agent=run(works=True))
        assert said(given)[0] == "inconclusive"

    def test_that_it_works_inside_the_vendors_network_does_not_clear_its_border(self) -> None:
        given = facts(DROPPED, target=walk(), agent=run(works=True, caps=("inside_vendor",)))
        assert said(given)[:2] == ("host", "likely")

    def test_that_it_fails_elsewhere_acquits_the_address(self) -> None:
        given = facts(at(connect=SILENT, answers_otherwise=True), target=walk(), agent=run(fails=True))
        assert said(given) == ("host", "likely", "host.block.everyone")
        assert found("host.block.source_address", given).lean is Lean.OPPOSES

    def test_nothing_at_all_answering_anywhere_may_also_be_a_dead_machine(self) -> None:
        verdict = decide(facts(DROPPED, target=walk(), agent=run(fails=True)))
        assert (verdict.side, verdict.certainty, verdict.fault) == ("host", "likely", "host.block.everyone")
        assert [one.standing for one in verdict.hypotheses if one.fault == "host.machine.down"] == ["possible"]

    @pytest.mark.parametrize("code", SILENT_FAULTS)
    @pytest.mark.parametrize(
        "given",
        [
            facts(DROPPED, target=walk(), machine__target_leaves=seen(False, W)),
            facts(DROPPED, target=walk(), machine__local_refusal=seen(LocalRefusal(how="policy", errno=1), W)),
            facts(at(connect=OPEN), target=walk(end="open")),
            facts(at(connect=REFUSED), target=walk(end="refused")),
        ],
        ids=["never left", "refused by this machine", "open", "refused"],
    )
    def test_what_is_no_silence_of_the_vendor(self, code: str, given: Facts) -> None:
        assert found(code, given).lean is Lean.OPPOSES

    @pytest.mark.parametrize("code", [*SILENT_FAULTS, "host.machine.down", "host.port.closed", "host.block.rejected"])
    @pytest.mark.parametrize(
        "given",
        [
            facts(DROPPED, target=walk(), controls__any_healthy=seen(False, W)),
            facts(DROPPED, target=walk(), machine__proxy=seen(Proxy(where="10.0.0.9:3128", control_ok=True), W)),
            facts(at(connect=SILENT, genuine=False), target=walk()),
            facts(at("192.168.1.1", REFUSED, genuine=None)),
        ],
        ids=["nobody answers", "a proxy works", "a false address", "a private one"],
    )
    def test_what_says_nothing_of_the_vendor(self, code: str, given: Facts) -> None:
        assert found(code, given).lean is Lean.SILENT

    @pytest.mark.parametrize("code", SILENT_FAULTS)
    @pytest.mark.parametrize(
        "other",
        [
            at(SECOND, ConnectState(how="open", attempts=3, worked=1)),
            at(SECOND, ConnectState(how="open", attempts=2, worked=2, syn_lost=2)),
            at(SECOND, SILENT, echo=Share(sent=4, lost=2, low=0.1, high=0.9)),
        ],
        ids=["some connects", "SYNs again", "some echoes"],
    )
    def test_what_comes_and_goes_at_the_target_is_loss(self, code: str, other: AddressState) -> None:
        other = msgspec.structs.replace(other, family=6)
        given = facts(DROPPED, other, target=walk(), controls__any_healthy6=seen(True, W))
        given = given if other.connect == SILENT else facts(DROPPED, other, target=walk())
        assert found(code, given).at_most_possible
        assert not found(code, facts(DROPPED, target=walk())).at_most_possible

    def test_a_family_that_is_let_in_is_told_beside_the_one_that_is_not(self) -> None:
        """Overload that loses connections leaves one family now and then: that is no rule for the whole service."""
        other = at(TARGET6, tls=TLS_OK, http=answer(200))
        given = facts(DROPPED, other, target=walk(), agent=run(fails=True), controls__any_healthy6=seen(True, W))
        assert f"to {TARGET6} they come about" in found("host.block.everyone", given).because
        assert "come about" not in found("host.block.everyone", facts(DROPPED, target=walk())).because

    def test_a_walk_that_gets_through_where_connects_do_not_is_loss(self) -> None:
        through = at(connect=SILENT, answers_otherwise=True)
        assert found("host.block.everyone", facts(through, target=walk(end="open"))).at_most_possible

    @pytest.mark.parametrize("code", SILENT_FAULTS)
    @pytest.mark.parametrize(
        ("holes", "answer", "chance"), [((2, 3), True, True), ((2, 3), False, False), ((3,), True, False)]
    )
    def test_one_packet_that_came_through_by_chance_does_not_show_how_far_they_get(
        self, code: str, holes: tuple[int, ...], answer: bool, chance: bool
    ) -> None:
        """Routers that keep silent to all are no holes, nor is a single one."""
        there = walk()
        quiet = msgspec.structs.replace(
            there,
            hops=tuple(
                msgspec.structs.replace(hop, repliers=(), asked=2, answered=0) if hop.ttl in holes else hop
                for hop in there.hops
            ),
        )
        udp = msgspec.structs.replace(there if answer else quiet, protocol="udp")
        given = facts(DROPPED, target=quiet, path__others=seen((udp,), W))
        assert found(code, given).at_most_possible is chance

    def test_answers_may_be_lost_on_their_way_back(self) -> None:
        given = facts(DROPPED, target=walk(), agent=run(fails=True))
        verdict = decide(given)
        assert "on their way back" in verdict.summary
        assert "Nothing on your side" not in verdict.reply
        assert found("transit.path.black_hole", given).lean is Lean.SILENT

    def test_the_block_is_of_the_address(self) -> None:
        verdict = decide(facts(DROPPED, target=walk(), agent=run(works=True)))
        assert "this address" in verdict.summary
        assert "shared" in verdict.reply
        assert not any(word in verdict.summary for word in (" you ", "customer is blocked"))


class TestAcceptedThenNothing:
    def test_alone_it_is_the_service_or_the_size_of_its_answer(self) -> None:
        hung = at(tls=after_greeting("silent"))
        assert said(facts(hung)) == ("inconclusive", None, "host.service.silent")
        assert said(facts(hung, agent=run(fails=True))) == ("host", "likely", "host.service.silent")
        assert "MSS 536" in " ".join(decide(facts(hung, agent=run(fails=True))).next_evidence)

    def test_when_large_packets_came_from_there_it_is_the_service(self) -> None:
        hung, large = at(tls=TLS_OK, http=HttpState(how="silent", acked=True)), seen((TARGET,), W)
        assert said(facts(hung, path__large_from=large)) == ("host", "likely", "host.service.silent")
        given = facts(hung, path__large_from=large, agent=run(fails=True))
        assert said(given) == ("host", "established", "host.service.silent")

    def test_when_nobody_answers_a_greeting_it_is_the_line(self) -> None:
        mute = ControlState(
            host="control.example", address="192.0.2.80", port=443, family=4, connect=OPEN,
            tls=after_greeting("silent"), healthy=False,
        )  # fmt: skip
        given = facts(at(tls=after_greeting("silent")), controls__states=seen((mute,), W), agent=run(fails=True))
        assert found("host.service.silent", given).lean is Lean.SILENT

    def test_when_another_line_is_served_it_is_the_address_or_the_way(self) -> None:
        given = facts(at(tls=after_greeting("silent")), agent=run(works=True))
        assert said(given) == ("inconclusive", None, "host.block.source_address")
        assert said(facts(at(tls=after_greeting("closed")), agent=run(works=True)))[:2] == ("host", "likely")

    def test_a_later_connection_of_the_run_that_fails(self) -> None:
        given = facts(at(tls=TLS_OK, http=HttpState(how="failed")))
        finding = found("host.block.source_address", given)
        assert finding.at_most_possible
        assert "may have triggered a limit" in finding.because
        assert found("host.block.source_address", facts(at(tls=TLS_OK, http=answer(500)))).lean is Lean.OPPOSES

    def test_what_was_never_acknowledged_may_not_have_arrived(self) -> None:
        assert said(facts(at(tls=after_greeting("silent", acked=False))))[0] == "inconclusive"

    def test_an_end_without_a_byte(self) -> None:
        assert said(facts(at(tls=after_greeting("closed")))) == ("host", "likely", "host.service.closes")
        assert said(facts(at(tls=after_greeting("closed")), agent=run(fails=True)))[1] == "established"

    def test_a_reset_may_come_from_anywhere(self) -> None:
        assert said(facts(at(tls=after_greeting("reset"))))[0] == "inconclusive"
        given = facts(at(tls=after_greeting("reset")), agent=run(fails=True))
        assert said(given)[0] == "inconclusive"
        assert found("transit.tamper.reset_by_name", given).lean is Lean.SUPPORTS


class TestABoxOnTheWay:
    """What accepts the connection may stand nearer than the host: the walk ends nearer than echoes come from, or it is
    not known from where they do."""

    LARGE = seen((TARGET,), W)

    @pytest.mark.parametrize("how", ["silent", "closed"])
    @pytest.mark.parametrize("agent", [run(), run(works=True), run(fails=True)], ids=["unlike", "served", "alike"])
    @pytest.mark.parametrize(("nearer_by", "is_clear"), [(5, False), (2, False), (1, True), (0, True), (None, False)])
    def test_nobody_is_accused_where_it_may_be(
        self, nearer_by: int | None, is_clear: bool, agent: AgentFacts, how: Literal["silent", "closed"]
    ) -> None:
        way = msgspec.structs.replace(walk(end="open"), nearer_by=nearer_by)
        given = {"target": way, "path__large_from": self.LARGE, "path__proxy_in_path": Fact(), "agent": agent}
        side = said(facts(at(tls=after_greeting(how)), **given))[0]  # type: ignore[arg-type]
        assert side == ("host" if is_clear else "inconclusive")

    def test_a_walk_of_another_protocol_that_ends_as_far_away_clears_it(self) -> None:
        """An echo's way back may be the longer one."""
        way = msgspec.structs.replace(walk(end="open"), nearer_by=2)
        hung = at(tls=after_greeting("silent"))
        given = facts(hung, target=way, path__large_from=self.LARGE, path__proxy_in_path=seen(False, W))
        assert said(given)[0] == "host"


class TestRefusals:
    @pytest.mark.parametrize("code", [3, 10, 13])
    def test_icmp_of_the_target_itself_is_its_firewall(self, code: int) -> None:
        assert said(facts(at(connect=icmp(code, "target")), target=walk())) == (
            "host",
            "established",
            "host.block.rejected",
        )

    def test_icmp_with_connection_refused_is_no_closed_port(self) -> None:
        assert found("host.port.closed", facts(at(connect=icmp(3, "target")))).lean is Lean.OPPOSES

    def test_icmp_of_the_vendors_border_needs_the_profile(self) -> None:
        refused = at(connect=icmp(13, "vendor", sender=BORDER))
        assert found("host.block.rejected", facts(refused)).at_most_likely
        assert said(facts(refused, target=walk(end="icmp"), profile_given=True))[:2] == ("host", "established")

    def test_icmp_of_a_router_on_the_way_is_not_the_vendors_for_certain(self) -> None:
        given = facts(at(connect=icmp(13, "path", sender=ISP)), target=walk(place="public", end="icmp", sender=ISP))
        suspect = found("host.block.rejected", given)
        assert (suspect.lean, suspect.at_most_possible) == (Lean.SUPPORTS, True)
        assert said(given)[0] == "inconclusive"

    @pytest.mark.parametrize("code", [0, 13])
    def test_the_control_run_is_not_asked_for_once_it_was_given(self, code: int) -> None:
        refused = at(connect=icmp(code, "path", sender=ISP))
        given = {"target": walk(place="public", end="icmp", sender=ISP)}
        for elsewhere, asked in ((run(), False), (run(works=True), False), (None, True)):
            told = decide(facts(refused, agent=elsewhere, **given)).next_evidence
            assert (CONTROL_RUN in told) == asked
            assert not any("--control" in one for one in told if one != CONTROL_RUN)

    def test_icmp_of_the_gateway_is_not_the_vendors(self) -> None:
        given = facts(at(connect=icmp(13, "gateway", sender="192.168.1.1")))
        assert found("host.block.rejected", given).lean is Lean.OPPOSES
        assert said(given)[0] != "host"

    def test_for_everyone_when_another_line_is_refused_too(self) -> None:
        given = facts(at(connect=icmp(13, "target")), target=walk(), agent=run(fails=True))
        assert said(given) == ("host", "established", "host.block")

    def test_for_this_address_when_another_line_is_let_in(self) -> None:
        verdict = decide(facts(at(connect=icmp(3, "target")), target=walk(), agent=run(works=True)))
        assert verdict.fault == "host.block.rejected"
        assert "the rule is about this one" in verdict.summary

    def test_a_reset_is_a_closed_port_as_far_as_one_line_shows(self) -> None:
        given = facts(at(connect=REFUSED), target=walk(end="refused"))
        assert said(given) == ("host", "likely", "host.port.closed")

    @pytest.mark.parametrize(
        ("nearer_by", "words"),
        [(0, "5 hops away, where the host stands"), (1, "1 hop nearer"), (None, "behind a router of the vendor's")],
    )
    def test_where_the_reset_comes_from_in_words(self, nearer_by: int | None, words: str) -> None:
        way = msgspec.structs.replace(walk(end="refused"), nearer_by=nearer_by)
        given = facts(at(connect=REFUSED), target=way, agent=run(fails=True))
        assert words in decide(given).summary

    def test_protocol_unreachable_is_a_rule_as_well(self) -> None:
        assert said(facts(at(connect=icmp(2, "target")), target=walk()))[2] == "host.block.rejected"

    def test_a_reset_towards_another_line_too_closes_the_port(self) -> None:
        given = facts(at(connect=REFUSED), target=walk(end="refused"), agent=run(fails=True))
        assert said(given) == ("host", "established", "host.port.closed")

    def test_a_reset_towards_this_line_alone_is_a_rule(self) -> None:
        given = facts(at(connect=REFUSED), target=walk(end="refused"), agent=run(works=True))
        assert said(given)[::2] == ("host", "host.block.rejected")
        assert said(given)[1] == "likely"

    def test_a_reset_from_nearer_than_the_host_is_not_its_own(self) -> None:
        given = facts(at(connect=REFUSED), target=walk(end="refused"), path__proxy_in_path=seen(True, W))
        assert found("host.port.closed", given).lean is Lean.OPPOSES

    @pytest.mark.parametrize(
        ("nearer_by", "place", "alone", "both", "works"),
        [
            (0, "public", "likely", "established", "likely"),
            (1, "vendor", "likely", "established", "likely"),
            (None, "vendor", "likely", "established", "likely"),
            (None, "public", None, "likely", None),
            (2, "vendor", None, None, None),
            (4, "public", None, None, None),
        ],
    )
    def test_where_the_reset_comes_from(
        self, nearer_by: int | None, place: HopPlace, alone: str | None, both: str | None, works: str | None
    ) -> None:
        """A box on the way resets in the host's name, for one line or for two."""
        way = msgspec.structs.replace(walk(end="refused", place=place), nearer_by=nearer_by)
        refused = at(connect=REFUSED)
        assert said(facts(refused, target=way))[1] == alone
        assert said(facts(refused, target=way, agent=run(fails=True)))[1] == both
        assert said(facts(refused, target=way, agent=run(works=True)))[1] == works

    @pytest.mark.parametrize(
        ("ttl", "other_ttl", "place", "alone", "both"),
        [
            # 60 is what comes from 5 hops away, where the walk met the reset.
            (60, 60, "public", "likely", "likely"),
            (60, 60, "vendor", "likely", "established"),
            # A box that copies the TTL of a host which stands farther off.
            (57, 57, "public", None, "likely"),
            # Another machine behind the same address, or a box before it.
            (60, 58, "vendor", None, "likely"),
            (60, 58, "public", None, "likely"),
        ],
    )
    def test_the_ttl_of_the_reset(
        self, ttl: int, other_ttl: int, place: HopPlace, alone: str | None, both: str | None
    ) -> None:
        """Beside that of another port's answer: equal is no proof, and another shuts nothing out."""
        told = Refusal(address=TARGET, ttl=ttl, other_port=80, other_ttl=other_ttl, hops=65 - ttl)
        way, refusals = walk(end="refused", place=place), seen((told,), W)
        assert said(facts(at(connect=REFUSED), target=way, flow__refusals=refusals))[1] == alone
        other = run(fails=True)
        assert said(facts(at(connect=REFUSED), target=way, agent=other, flow__refusals=refusals))[1] == both

    def test_a_reset_from_the_second_hop_may_be_a_routers(self) -> None:
        given = facts(at(connect=REFUSED), target=walk(end="refused", last=1, place="gateway", sender="192.168.1.1"))
        assert found("host.port.closed", given).lean is Lean.SILENT


class TestDeadMachine:
    def test_the_vendors_last_router_gives_up_after_three_seconds(self) -> None:
        down = at(connect=icmp(1, "vendor", sender=BORDER, elapsed_ms=3070))
        assert said(facts(down, target=walk(end="icmp"))) == ("host", "established", "host.machine.down")

    def test_at_once_it_is_a_route_or_a_rule_of_the_vendors(self) -> None:
        down = at(connect=icmp(1, "vendor", sender=BORDER, elapsed_ms=20))
        verdict = decide(facts(down, target=walk(end="icmp")))
        assert verdict.side in ("host", "inconclusive")
        assert verdict.certainty != "established"

    def test_at_once_from_mid_path_it_is_not_the_machine(self) -> None:
        given = facts(at(connect=icmp(1, "path", sender=ISP, elapsed_ms=20)))
        assert found("host.machine.down", given).lean is Lean.SILENT

    def test_a_machine_that_works_elsewhere_is_up(self) -> None:
        down = at(connect=icmp(1, "vendor", sender=BORDER, elapsed_ms=3070))
        assert found("host.machine.down", facts(down, agent=run(works=True))).lean is Lean.OPPOSES

    def test_the_customers_own_machine_saying_so_is_not_the_vendors_router(self) -> None:
        given = facts(at(connect=icmp(1, "self", sender="192.168.1.20", elapsed_ms=3070)))
        assert found("host.machine.down", given).lean is Lean.OPPOSES


def test_a_target_that_works_is_no_suspect() -> None:
    assert said(facts(at(TARGET, OPEN, TLS_OK, answer(200)), target=walk(end="open"))) == ("none", None, None)
