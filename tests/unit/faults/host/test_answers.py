"""What HTTP answers say of the host, and who may have written them."""

from typing import Any

import msgspec
import pytest

from netdiag.facts import Fact, Facts, HttpState, seen
from netdiag.facts.agent import AgentFacts
from netdiag.faults.base import Lean
from netdiag.verdict import decide
from tests.unit.faults.host.scene import TLS_OK, W, answer, at, facts, found, run, said


def answering(status: int, *, given: Facts | None = None, **changes: object) -> Facts:
    """The target answers this, through good TLS."""
    http: HttpState = answer(status, **changes)
    return facts(at(tls=TLS_OK, http=http)) if given is None else given


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "code"),
        [
            (500, "host.http.server_error"),
            (502, "host.http.gateway_error"),
            (504, "host.http.gateway_error"),
            (522, "host.http.gateway_error"),
        ],
    )
    def test_the_status_through_good_tls_is_proof(self, status: int, code: str) -> None:
        assert said(answering(status)) == ("host", "established", code)

    def test_a_bare_429_is_likely_a_limit(self) -> None:
        """Some fronts answer so to every client whose name they do not like."""
        assert said(answering(429)) == ("host", "likely", "host.limit.http")
        assert "client name" in decide(answering(429)).summary

    @pytest.mark.parametrize(
        "sign",
        [{"limit_headers": ("retry-after: 60",)}, {"page": "limit"}, {"statuses": (429, 200)}],
        ids=["headers", "page", "others served"],
    )
    def test_with_a_sign_of_counting_it_is_one(self, sign: dict[str, Any]) -> None:
        assert said(answering(429, **sign)) == ("host", "established", "host.limit.http")
        assert "client name" not in decide(answering(429, **sign)).summary

    def test_over_plain_http_anybody_may_have_written_it(self) -> None:
        assert said(facts(at(http=answer(500)), target__scheme=seen("http", W)))[1] == "likely"

    @pytest.mark.parametrize("status", [429, 500, 502, 503])
    def test_and_where_nothing_shows_how_far_away_its_writer_is_nobody_is_accused(self, status: int) -> None:
        plain = at(http=answer(status))
        given = facts(plain, target__scheme=seen("http", W), path__proxy_in_path=Fact())
        assert said(given)[0] == "inconclusive"
        given = facts(plain, target__scheme=seen("http", W), path__proxy_in_path=Fact(), agent=run(fails=True))
        assert said(given)[0] == "inconclusive", "what both ways have in common may answer both"
        assert any("a box on the way may have written that" in one.says for one in decide(given).evidence)
        given = facts(plain, target__scheme=seen("http", W), agent=run(fails=True))
        assert said(given)[0] == "host", "it comes from where the target stands"

    def test_a_limit_for_everyone_is_not_said_to_be_of_this_address(self) -> None:
        everyone = found("host.limit.http", facts(at(tls=TLS_OK, http=answer(429)), agent=run(fails=True)))
        assert "another line" in everyone.because
        assert "this address" not in everyone.because
        alone = found("host.limit.http", facts(at(tls=TLS_OK, http=answer(429)), agent=run(works=True)))
        assert "of this address" in alone.because

    def test_a_filters_page_is_nobodys_answer_here(self) -> None:
        unsealed = msgspec.structs.replace(TLS_OK, mozilla_code=19)
        http: HttpState = answer(503, page="filter", product="FortiGuard")
        given = facts(at(tls=unsealed, http=http))
        assert said(given)[0] == "inconclusive"
        assert found("local.firewall.filter_page", given).lean is Lean.SUPPORTS

    def test_unless_it_came_through_the_vendors_own_tls(self) -> None:
        given = answering(503, page="filter", product="FortiGuard")
        assert said(given)[0] == "host"
        assert found("local.firewall.filter_page", given).lean is Lean.OPPOSES

    def test_where_tls_is_opened_on_this_line_a_filters_page_is_of_this_side(self) -> None:
        opened = msgspec.structs.replace(TLS_OK, mozilla_code=19, issuer="CN=Gatewatch")
        http: HttpState = answer(403, page="filter", product="FortiGuard")
        given = facts(at(tls=opened, http=http), controls__intercepting_issuer=seen("CN=Gatewatch", W))
        assert said(given) == ("local", "likely", "local.firewall.filter_page")

    def test_a_filters_page_over_plain_http_accuses_nobody(self) -> None:
        http: HttpState = answer(403, page="filter", product="FortiGuard")
        given = facts(at(http=http), target__scheme=seen("http", W), path__proxy_in_path=Fact())
        assert said(given)[0] == "inconclusive"

    def test_the_ids_for_the_vendors_logs_are_kept(self) -> None:
        assert decide(answering(502, search_keys=(("cf-ray", "8f-AMS"),))).search_keys == (("cf-ray", "8f-AMS"),)


OPENED = msgspec.structs.replace(TLS_OK, mozilla_code=19, issuer="CN=Gatewatch")
"""This machine trusts it; no public list does."""


class TestOpenedTls:
    """A box that opens TLS passes most answers on, and writes some itself."""

    def everything(self, status: int, agent: AgentFacts | None = None, **changes: Any) -> Facts:
        """Controls show the issuer of the box as well."""
        state = at(tls=OPENED, http=answer(status, **changes))
        return facts(state, agent=agent, controls__intercepting_issuer=seen("CN=Gatewatch", W))

    def this_name(self, status: int, agent: AgentFacts | None = None, **changes: Any) -> Facts:
        """Controls are spared, as inspection spares many names."""
        return facts(at(tls=OPENED, http=answer(status, **changes)), agent=agent)

    def test_it_passes_on_what_a_known_server_wrote(self) -> None:
        given = self.everything(500, product="nginx", page="bare")
        assert said(given) == ("host", "likely", "host.http.server_error")
        assert "not the reason" not in decide(given).summary

    def test_but_it_writes_gateway_errors_itself(self) -> None:
        given = self.everything(502, product="nginx", page="origin")
        assert said(given)[0] == "inconclusive"

    @pytest.mark.parametrize("status", [403, 429, 500, 503])
    def test_and_may_have_written_an_answer_that_nobody_signed(self, status: int) -> None:
        for given in (self.everything(status, bare=True), self.this_name(status, bare=True)):
            verdict = decide(given)
            assert verdict.side == "inconclusive"
            assert "not the reason" not in verdict.summary
            assert found("local.tls.interception", given).explains

    @pytest.mark.parametrize("status", [403, 429, 500, 503])
    def test_that_another_line_is_served_does_not_tell_the_two_apart(self, status: int) -> None:
        for page in ({"bare": True}, {"bare": True, "product": "nginx", "page": "bare"}):
            served = self.everything(status, run(works=True), **page)
            assert said(served)[0] == "inconclusive"
            assert "log" in decide(served).next_evidence[0]
            assert said(self.this_name(status, run(works=True), **page))[0] == "inconclusive"

    @pytest.mark.parametrize("status", [429, 500])
    def test_what_another_line_gets_as_well_is_the_vendors(self, status: int) -> None:
        given = self.everything(status, run(fails=True), limit_headers=("retry-after: 9",))
        assert said(given)[:2] == ("host", "established")

    def test_an_authority_of_the_vendors_own_is_shown_to_other_lines(self) -> None:
        limited = {"limit_headers": ("retry-after: 9",)}
        alike = shown(run(works=True), same=True)
        assert said(self.this_name(429, alike, **limited)) == ("host", "established", "host.limit.http")
        another = shown(run(works=True), same=False)
        assert said(self.this_name(429, another, **limited))[0] == "inconclusive"
        assert "another line is shown" in found("local.tls.interception", self.this_name(429, another)).because

    def test_a_public_certificate_is_no_boxs(self) -> None:
        given = facts(at(tls=TLS_OK, http=answer(500)), controls__intercepting_issuer=seen("CN=Gatewatch", W))
        assert said(given) == ("host", "established", "host.http.server_error")

    def test_a_private_name_has_a_private_authority_by_right(self) -> None:
        given = msgspec.structs.replace(self.this_name(500), private_target=True)
        assert said(given)[0] == "host"


def shown(agent: AgentFacts, *, same: bool) -> AgentFacts:
    """The agent's run, which was shown the same certificate, or another."""
    runs = tuple(msgspec.structs.replace(one, same_certificate=same) for one in agent.runs.value or ())
    return msgspec.structs.replace(agent, runs=seen(runs, W))


class TestServedElsewhere:
    """An error of this line alone is no outage."""

    @pytest.mark.parametrize(
        "http",
        [answer(500), answer(502), answer(503, page="origin", product="HAProxy")],
        ids=["500", "502", "503"],
    )
    def test_is_said_and_no_more_than_likely(self, http: HttpState) -> None:
        given = facts(at(tls=TLS_OK, http=http), agent=run(works=True))
        assert said(given)[:2] == ("host", "likely")
        assert "serves another line" in decide(given).summary

    def test_a_page_that_refuses_everyone_is_said_to(self) -> None:
        given = facts(at(tls=TLS_OK, http=answer(403, refuses="address")), agent=run(fails=True))
        assert "so it does to another line" in decide(given).summary


class TestUnavailableOrLimited:
    def test_a_bare_503_is_one_or_the_other(self) -> None:
        assert said(answering(503)) == ("host", "likely", None)

    def test_towards_another_line_too_it_is_no_limit_of_this_address(self) -> None:
        given = facts(at(tls=TLS_OK, http=answer(503)), agent=run(fails=True))
        assert said(given) == ("host", "established", "host.http.unavailable")

    def test_with_requests_that_succeed_it_is_a_limit(self) -> None:
        assert said(answering(503, statuses=(503, 200))) == ("host", "likely", "host.limit.http")

    def test_while_another_line_is_served_it_is_a_limit(self) -> None:
        given = facts(at(tls=TLS_OK, http=answer(503)), agent=run(works=True))
        assert said(given) == ("host", "likely", "host.limit.http")

    def test_headers_that_count_requests_speak_of_a_limit(self) -> None:
        assert said(answering(503, limit_headers=("ratelimit: 0",), statuses=(503, 200))) == (
            "host",
            "established",
            "host.limit.http",
        )

    def test_a_time_to_wait_alone_does_not(self) -> None:
        assert said(answering(503, limit_headers=("retry-after: 3600",), retry_after_s=3600))[1:] == ("likely", None)

    def test_a_front_that_names_its_origin_is_no_limit(self) -> None:
        given = answering(503, page="origin", product="HAProxy")
        assert said(given) == ("host", "established", "host.http.unavailable")

    def test_a_challenge_is_no_limit(self) -> None:
        given = answering(429, challenge=True, page="challenge", product="Cloudflare")
        assert found("host.limit.http", given).lean is Lean.OPPOSES
        assert said(given) == ("host", "likely", "host.block.challenge")


class TestForbidden:
    def test_a_known_block_page_is_proof_whatever_its_status(self) -> None:
        for status in (200, 403):
            given = facts(at(tls=TLS_OK, http=answer(status, page="block", product="F5 BIG-IP ASM"), works=False))
            assert said(given) == ("host", "established", "host.block.http_forbidden")

    def test_words_of_a_refused_address_are_proof(self) -> None:
        assert said(answering(403, refuses="address")) == ("host", "established", "host.block.http_forbidden")

    def test_a_bare_page_to_every_client_is_likely(self) -> None:
        given = answering(403, bare=True, product="nginx", page="bare", other_agent_status=403)
        assert said(given) == ("host", "likely", "host.block.http_forbidden")

    def test_a_bare_page_to_netdiags_own_client_is_likely_too(self) -> None:
        assert said(answering(403, bare=True)) == ("host", "likely", "host.block.http_forbidden")

    def test_a_page_that_may_be_the_applications_decides_nothing(self) -> None:
        assert said(answering(403))[0] == "inconclusive"

    def test_another_line_being_served_is_proof_of_a_rule_on_this_one(self) -> None:
        given = facts(at(tls=TLS_OK, http=answer(403, bare=True)), agent=run(works=True))
        assert said(given) == ("host", "established", "host.block.http_forbidden")
        assert "this one is refused" in decide(given).summary

    def test_a_rule_against_netdiags_own_name_is_no_block(self) -> None:
        given = answering(403, bare=True, other_agent_status=200)
        assert found("host.block.http_forbidden", given).lean is Lean.OPPOSES

    def test_the_applications_own_403_is_no_fault(self) -> None:
        given = facts(at(tls=TLS_OK, http=answer(403), works=True))
        assert said(given)[0] == "none"


def test_a_page_that_may_ask_for_a_key_accuses_nobody() -> None:
    """Whether such an answer is a refusal is not known: ``works`` is None."""
    refused = HttpState(how="answered", status=403, bare=True, other_agent_status=403, product="AWS API Gateway")
    unknown, failing = at(tls=TLS_OK, http=refused, works=None), at(tls=TLS_OK, http=refused, works=False)
    assert found("host.block.http_forbidden", facts(unknown)).lean is Lean.SILENT
    assert found("host.block.http_forbidden", facts(failing)).lean is Lean.SUPPORTS
