"""Blocks, challenges and shut-out regions by their pages; which tier fails; and in which words it is said."""

import ast
import re
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from netdiag import faults
from netdiag.facts import Fact, Facts, HttpState, seen
from netdiag.faults import CATALOGUE
from netdiag.faults.base import Fault, Lean
from tests.unit.faults.host.scene import TLS_OK, W, answer, at, facts, found, run, said

BLOCK, CHALLENGE, REGION, LIMIT = (
    "host.block.http_forbidden",
    "host.block.challenge",
    "host.block.region",
    "host.limit.http",
)


def answering(status: int, *, agent: object = None, **changes: object) -> Facts:
    http: HttpState = answer(status, **changes)
    given = facts(at(tls=TLS_OK, http=http, works=False))
    return given if agent is None else msgspec.structs.replace(given, agent=agent)


def suspects(given: Facts) -> set[str]:
    """The faults of the host's HTTP answers that speak for themselves."""
    codes = (
        BLOCK,
        CHALLENGE,
        REGION,
        LIMIT,
        "host.http.unavailable",
        "host.http.gateway_error",
        "host.http.server_error",
    )
    return {code for code in codes if found(code, given).lean in (Lean.SETTLES, Lean.SUPPORTS)}


@pytest.mark.parametrize(
    ("status", "page", "refuses", "code"),
    [
        (403, "block", None, BLOCK),
        (200, "block", None, BLOCK),
        (503, "block", None, BLOCK),
        (500, "block", None, BLOCK),
        (403, "block", "address", BLOCK),
        (403, "block", "network", BLOCK),
        (403, "block", "client", BLOCK),
        (401, None, "address", BLOCK),
        (403, "block", "region", REGION),
        (451, None, "region", REGION),
        (403, "challenge", None, CHALLENGE),
        (405, "challenge", None, CHALLENGE),
        (202, "challenge", None, CHALLENGE),
        (429, "challenge", None, CHALLENGE),
        (503, "challenge", None, CHALLENGE),
        (429, None, None, LIMIT),
        (429, None, "address", LIMIT),
        (403, "limit", None, LIMIT),
        (500, "limit", None, LIMIT),
        (403, "origin", None, "host.http.gateway_error"),
        (530, "origin", None, "host.http.gateway_error"),
        (500, "origin", None, "host.http.gateway_error"),
        (464, "origin", None, "host.http.gateway_error"),
        (503, "origin", None, "host.http.unavailable"),
    ],
)
def test_one_page_is_one_fault(status: int, page: str | None, refuses: str | None, code: str) -> None:
    given = answering(status, page=page, refuses=refuses, challenge=page == "challenge", product="Acme")
    assert suspects(given) == {code}
    assert said(given)[0] == "host"
    assert said(given)[2] == code


class TestChallenge:
    GIVEN: ClassVar[dict[str, Any]] = {"page": "challenge", "challenge": True, "product": "Cloudflare"}

    def test_alone_it_is_no_proof_for_the_customers_own_program(self) -> None:
        assert said(answering(403, **self.GIVEN)) == ("host", "likely", CHALLENGE)

    def test_another_line_being_served_shows_that_this_address_is_distrusted(self) -> None:
        given = answering(403, agent=run(works=True), **self.GIVEN)
        assert said(given) == ("host", "established", CHALLENGE)
        assert "this address" in found(CHALLENGE, given).because

    def test_for_everybody_it_is_a_policy(self) -> None:
        given = answering(403, agent=run(fails=True), **self.GIVEN)
        assert said(given) == ("host", "likely", CHALLENGE)
        assert "another line gets it as well" in found(CHALLENGE, given).because

    def test_one_for_netdiags_client_alone_is_none(self) -> None:
        given = answering(403, other_agent_status=200, **self.GIVEN)
        assert found(CHALLENGE, given).lean is Lean.OPPOSES

    def test_another_clients_challenge_with_success_is_no_success(self) -> None:
        given = answering(403, other_agent_status=200, other_agent_page="challenge", **self.GIVEN)
        assert found(CHALLENGE, given).lean is Lean.SUPPORTS


class TestBlock:
    def test_whom_the_page_refuses_is_said(self) -> None:
        for whom, words in (("address", "this address is refused"), ("network", "the network of this address")):
            assert words in found(BLOCK, answering(403, page="block", refuses=whom)).because

    def test_a_refused_kind_of_client_need_not_be_the_customers(self) -> None:
        given = answering(403, page="block", refuses="client", product="Cloudflare", page_code="1010")
        assert said(given) == ("host", "likely", BLOCK)

    def test_what_stands_in_front_is_not_said_to_decide(self) -> None:
        given = answering(403, bare=True, page="bare", product="nginx", fronts=("Cloudflare",), other_agent_status=403)
        because = found(BLOCK, given).because
        assert "need not have decided" in because
        assert "a page of nginx" in because

    def test_a_default_page_for_everybody_is_said_to_be_so(self) -> None:
        given = answering(403, bare=True, page="bare", product="nginx", agent=run(fails=True))
        assert "to another line" in found(BLOCK, given).because

    def test_over_plain_http_a_block_page_is_anybodys(self) -> None:
        http: HttpState = answer(403, page="block", product="Akamai")
        given = facts(at(http=http), target__scheme=seen("http", W), path__proxy_in_path=Fact())
        assert said(given)[0] == "inconclusive"


class TestRegion:
    def test_the_page_itself_is_proof(self) -> None:
        given = answering(403, page="block", refuses="region", product="CloudFront")
        assert said(given) == ("host", "established", REGION)
        assert found(BLOCK, given).lean is Lean.OPPOSES

    def test_for_netdiags_client_alone_it_is_none(self) -> None:
        given = answering(403, page="block", refuses="region", other_agent_status=204)
        assert found(REGION, given).lean is Lean.OPPOSES


class TestTiers:
    def test_the_tier_and_its_meaning_are_named(self) -> None:
        given = answering(522, page="origin", product="Cloudflare", page_says="the origin did not answer in time")
        because = found("host.http.gateway_error", given).because
        assert "a page of Cloudflare" in because
        assert "the origin did not answer in time" in because

    @pytest.mark.parametrize("product", ["HAProxy", "Apache"])
    def test_a_limiters_own_500_is_not_surely_the_application(self, product: str) -> None:
        given = answering(500, page="bare", bare=True, product=product, first_byte_ms=10000)
        assert said(given)[:2] == ("host", "likely")
        assert "or" in found("host.http.server_error", given).because
        for_all = answering(500, page="bare", bare=True, product=product, agent=run(fails=True))
        assert said(for_all)[:2] == ("host", "established")

    def test_a_tarpit_is_a_refusal_where_another_line_is_served(self) -> None:
        held = {"page": "bare", "bare": True, "product": "HAProxy"}
        given = answering(500, agent=run(works=True), first_byte_ms=5046, **held)
        assert said(given) == ("host", "established", BLOCK)
        assert "tarpit" in found(BLOCK, given).because
        assert found(BLOCK, answering(500, agent=run(works=True), first_byte_ms=3, **held)).lean is Lean.OPPOSES
        alone = answering(500, first_byte_ms=5046, **held)
        assert suspects(alone) == {BLOCK, "host.http.server_error"}
        assert said(alone)[:2] == ("host", "likely")

    def test_another_servers_500_is(self) -> None:
        assert said(answering(500, page="bare", bare=True, product="nginx"))[:2] == ("host", "established")


SHARED = [fault for fault in CATALOGUE if fault.code.startswith(("host.block.", "host.limit."))]
ACCUSES = re.compile(
    r"\byou(?: are| were| have been|'re|r (?:address|ip|line|connection|company|network))?\b[^.]{0,40}"
    r"\b(?:block|bann|refus|limit|challeng|distrust|shut out|exceed|too (?:many|fast|often))",
    re.IGNORECASE,
)


def sentences(fault: Fault) -> list[str]:
    """The reply, and every text in the file that may become part of a sentence."""
    path = Path(faults.__file__).parent / "host" / f"{'_'.join(fault.code.split('.')[1:])}.py"
    tree = ast.parse(path.read_text())
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    documented = (node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.FunctionDef))
    docstrings = {ast.get_docstring(node, clean=False) for node in documented}
    return [fault.reply, *(text for text in texts if text not in docstrings)]


@pytest.mark.parametrize("fault", SHARED, ids=lambda fault: fault.code)
def test_an_address_may_be_shared_so_nobody_is_told_that_he_is_blocked(fault: Fault) -> None:
    for text in sentences(fault):
        assert not ACCUSES.search(text), text


@pytest.mark.parametrize("text", ["You are blocked.", "your address is banned", "You sent too many requests"])
def test_which_would_be_found(text: str) -> None:
    assert ACCUSES.search(text)
