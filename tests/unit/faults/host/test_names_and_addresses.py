"""The vendor's zone, its IPv6 and its several addresses."""

from typing import Any

import pytest

from netdiag.facts import AuthorityState, Fact, Facts, ResolverState, seen
from netdiag.faults.base import Lean
from netdiag.verdict import decide
from tests.unit.faults.host.scene import (
    ELSEWHERE,
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
    untrusted,
    walk,
)


def resolver(outcome: Any, *, public: bool = False, errors: tuple[int, ...] = (), number: int = 53) -> ResolverState:
    return ResolverState(
        server=f"192.0.2.{number}" if public else "203.0.113.53",
        server_class="public" if public else "configured",
        place="outside",
        target=outcome,
        control="answers",
        extended_errors=errors,
        random_answers=False,
        witnesses=W,
    )


def zone(outcome: Any, public: Any, *, count: int = 2, **changes: Any) -> Facts:
    """No name: the zone's servers say ``outcome``, the provider's and the public resolvers ``public``."""
    servers = tuple(
        AuthorityState(
            server=f"198.51.100.{53 + n}", server_name=f"ns{n + 1}.vendor.test", outcome=outcome, witnesses=W
        )
        for n in range(count)
    )
    given: dict[str, Any] = {
        "names__authorities": seen(servers, W) if count else Fact(),
        "names__resolvers": seen((resolver(public), resolver(public, public=True)), W),
        "names__parents_answer": seen(True, W),
        "names__delegated": seen(True, W),
        "names__system_resolves": seen(False, W),
        "names__configured_resolve": seen(False, W),
        "names__independent_resolve": seen(False, W),
        "target__addresses": Fact(),
        "target__works": Fact(),
        "target__works_somewhere": Fact(),
    }
    return facts(**(given | changes))


class TestZone:
    @pytest.mark.parametrize(
        ("outcome", "public", "code"),
        [
            ("nxdomain", "nxdomain", "host.dns.nxdomain"),
            ("nodata", "nodata", "host.dns.nxdomain"),
            ("lame", "servfail", "host.dns.lame"),
            ("refused", "servfail", "host.dns.lame"),
            ("unreachable", "servfail", "host.dns.dead"),
            ("servfail", "servfail", "host.dns.servfail"),
        ],
    )
    def test_what_the_zones_servers_and_an_independent_resolver_agree_on_is_proof(
        self, outcome: str, public: str, code: str
    ) -> None:
        assert said(zone(outcome, public)) == ("host", "established", code)

    def test_silence_stays_likely(self) -> None:
        assert said(zone("silent", "servfail")) == ("host", "likely", "host.dns.dead")

    def test_silence_of_the_parents_too_says_nothing(self) -> None:
        given = zone("silent", "servfail", names__parents_answer=seen(False, W))
        assert found("host.dns.dead", given).lean is Lean.SILENT

    def test_a_box_on_this_line_may_answer_in_the_servers_place(self) -> None:
        given = zone("nxdomain", "nxdomain", names__resolvers=seen((resolver("nxdomain"),), W))
        assert found("host.dns.nxdomain", given).at_most_likely
        assert said(given)[1] != "established"

    def test_the_agents_line_is_proof(self) -> None:
        given = zone("nxdomain", "nxdomain", names__resolvers=seen((resolver("nxdomain"),), W), agent=run(names=True))
        assert said(given) == ("host", "established", "host.dns.nxdomain")

    def test_a_name_that_independent_resolvers_know_is_not_the_zones_fault(self) -> None:
        given = zone("nxdomain", "nxdomain", names__independent_resolve=seen(True, W))
        assert found("host.dns.nxdomain", given).lean is Lean.OPPOSES

    def test_broken_signatures_show_at_two_resolvers(self) -> None:
        both = tuple(resolver("servfail", public=True, errors=(6,), number=n) for n in (53, 54))
        given = zone("answers", "servfail", names__resolvers=seen(both, W), names__independent_resolve=seen(True, W))
        assert said(given) == ("host", "established", "host.dns.servfail")

    def test_a_domain_that_its_parent_does_not_know(self) -> None:
        given = zone("nxdomain", "nxdomain", names__authorities=seen((), W), names__delegated=seen(False, W))
        assert said(given)[::2] == ("host", "host.dns.nxdomain")

    def test_an_address_needs_no_name(self) -> None:
        assert found("host.dns.dead", zone("silent", "servfail", names__needed=seen(False, W))).lean is Lean.OPPOSES


WORKING = at(tls=TLS_OK, http=answer(200))


def on_ipv6(*states: Any, **changes: Any) -> Facts:
    given = {"controls__any_healthy6": seen(True, W), "machine__global_ipv6": seen(True, W)}
    return facts(*states, **(given | changes))


class TestIpv6:
    def test_likely_inside_the_vendors_network(self) -> None:
        dead = at(TARGET6, SILENT)
        given = on_ipv6(WORKING, dead, target=walk(TARGET6))
        assert said(given) == ("host", "likely", "host.ipv6.dead")

    def test_undecided_where_the_drop_is_not_placed(self) -> None:
        given = on_ipv6(WORKING, at(TARGET6, SILENT), target=walk(TARGET6, place="public", sender=ISP))
        assert said(given)[0] == "inconclusive"

    def test_proven_by_the_vendors_last_router_and_likely_where_another_line_fails(self) -> None:
        missed = at(TARGET6, icmp(3, "vendor", sender="2001:db8:7::1", kind=1, elapsed_ms=3070))
        assert said(on_ipv6(WORKING, missed)) == ("host", "established", "host.ipv6.dead")
        given = on_ipv6(WORKING, at(TARGET6, SILENT), target=walk(TARGET6), agent=run(fails=True))
        assert said(given) == ("host", "likely", "host.ipv6.dead")

    @pytest.mark.parametrize("code", [1, 3, 4, 5])
    def test_what_the_target_itself_refuses_is_a_rule_and_no_death(self, code: int) -> None:
        refused = at(TARGET6, icmp(code, "target", sender=TARGET6, kind=1))
        given = on_ipv6(WORKING, refused)
        assert said(given) == ("host", "established", "host.block.rejected")
        assert f"connections to {TARGET} come about" in decide(given).summary
        assert found("host.ipv6.dead", given).lean is Lean.OPPOSES

    def test_a_route_that_is_gone_is_not_told_from_a_rule_at_once(self) -> None:
        given = on_ipv6(WORKING, at(TARGET6, icmp(0, "vendor", sender="2001:db8:7::1", kind=1)), target=walk(TARGET6))
        assert said(given)[:2] != ("host", "established")

    def test_silent_here_alone_it_is_a_block_of_this_address_over_ipv6(self) -> None:
        """As a limit leaves it that was tripped by programs, which prefer IPv6."""
        given = on_ipv6(WORKING, at(TARGET6, SILENT), target=walk(TARGET6), agent=run(works=True))
        verdict = decide(given)
        assert (verdict.side, verdict.certainty, verdict.fault) == ("host", "likely", "host.block.source_address")
        assert f"get no answer (those to {TARGET} come about)" in verdict.summary
        assert found("host.ipv6.dead", given).lean is Lean.OPPOSES
        assert found("host.block.source_address", on_ipv6(WORKING, at(TARGET6, SILENT))).lean is Lean.SILENT

    def test_silent_here_alone_and_nowhere_placed_it_is_undecided(self) -> None:
        stray = walk(TARGET6, place="public", sender=ISP)
        given = on_ipv6(WORKING, at(TARGET6, SILENT), target=stray, agent=run(works=True))
        verdict = decide(given)
        assert verdict.side == "inconclusive"
        assert "nothing that was measured explains" not in verdict.summary

    def test_not_the_vendors_where_nobody_answers_over_ipv6(self) -> None:
        given = facts(WORKING, at(TARGET6, SILENT), target__works=seen(True, W))
        assert found("host.ipv6.dead", given).lean is Lean.OPPOSES
        assert said(given)[0] == "none"

    def test_ipv4_dead_as_well_is_another_fault(self) -> None:
        given = on_ipv6(at(connect=SILENT), at(TARGET6, SILENT), target=walk(TARGET6))
        assert found("host.ipv6.dead", given).lean is Lean.SILENT


class TestOneOfSeveral:
    def test_beside_a_sibling_in_the_same_network_it_is_likely(self) -> None:
        verdict = decide(facts(WORKING, at(SECOND, SILENT), target=walk(SECOND)))
        assert (verdict.side, verdict.certainty, verdict.fault) == ("host", "likely", "host.address.partly_dead")
        assert SECOND in verdict.summary

    def test_in_another_network_without_a_second_sign_it_is_undecided(self) -> None:
        given = facts(WORKING, at(ELSEWHERE, SILENT), target=walk(ELSEWHERE, place="public", sender=ISP))
        assert said(given)[0] == "inconclusive"

    def test_the_agents_line_leaves_a_provider_that_both_share(self) -> None:
        given = facts(WORKING, at(SECOND, SILENT), target=walk(SECOND), agent=run(fails=True))
        assert said(given) == ("host", "likely", "host.address.partly_dead")

    def test_where_another_line_is_let_in_it_is_a_block_there(self) -> None:
        given = facts(WORKING, at(SECOND, SILENT), target=walk(SECOND), agent=run(works=True))
        assert said(given) == ("host", "likely", "host.block.source_address")
        reset = facts(WORKING, at(SECOND, REFUSED), target=walk(SECOND, end="refused"), agent=run(works=True))
        assert said(reset) == ("host", "likely", "host.block.rejected")
        assert found("host.address.partly_dead", given).lean is Lean.OPPOSES

    def test_what_the_address_itself_refuses_is_a_rule_and_no_death(self) -> None:
        given = facts(WORKING, at(SECOND, icmp(3, "target", sender=SECOND)), target=walk(SECOND, end="icmp"))
        assert said(given) == ("host", "established", "host.block.rejected")
        assert found("host.address.partly_dead", given).lean is Lean.OPPOSES

    def test_the_whole_host_is_not_blocked_then(self) -> None:
        given = facts(WORKING, at(SECOND, SILENT), target=walk(SECOND))
        assert found("host.block.everyone", given).lean is Lean.OPPOSES

    def test_addresses_that_all_connect_do_not_differ(self) -> None:
        assert found("host.address.partly_dead", facts(WORKING, at(SECOND, OPEN))).lean is Lean.OPPOSES


def test_two_real_faults_lead_with_the_one_that_explains() -> None:
    """Broken IPv6 at home, and a certificate that has expired."""
    given = facts(
        at(tls=untrusted(10)),
        machine__global_ipv6=seen(True, W),
        machine__default_route6=seen(False, W),
    )
    verdict = decide(given)
    assert (verdict.side, verdict.certainty, verdict.fault) == ("host", "established", "host.tls.expired")
    assert "Besides, and not the reason" in verdict.summary
