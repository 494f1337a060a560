"""What the same question is answered elsewhere, and what then counts as working."""

from datetime import timedelta
from typing import Any

import pytest

from netdiag.evidence.bundle import Via
from netdiag.evidence.record import FailureCode
from netdiag.evidence.web import Exchange, Header
from netdiag.facts import AddressState
from netdiag.facts.derivation.exchanges import is_cut
from netdiag.faults import CATALOGUE
from netdiag.verdict import Verdict, decide
from tests.fakes.records import BEGAN_AT, SECOND, SILENT, TARGET, Story, failed
from tests.unit.facts import facts_of, state_of

HTTP = "http://api.vendor.test/"
HTTPS = "https://api.vendor.test/"
WAY = Via(kind="interface", name="wwan0")


def told(
    status: int = 200, *, url: str = HTTPS, also: int | None = None, later: timedelta | None = None, **more: Any
) -> Story:
    """One line that gets ``status`` from the target, and ``also`` when it asks as a browser."""
    story = Story(url, began_at=BEGAN_AT + (later or timedelta()))
    story.surroundings()
    if url.startswith("https"):
        story.reach()
    else:
        story.connect(TARGET)
    story.http(TARGET, status, **more)
    if also is not None:
        story.http(TARGET, also, agent="browser", round_=2)
    return story


def with_pages(*sha256: str, kind: str = "text/html", length: int = 15) -> Story:
    """A line whose addresses answer 200 with bodies of these hashes, in turn."""
    story = Story()
    story.surroundings()
    for address, page in zip((TARGET, SECOND), sha256, strict=False):
        story.reach(address)
        story.add(
            Exchange, story.step("http", "target", story.host, address), ms=60, method="GET", url=HTTPS,
            address=address, port=443, status=200, body_bytes=length, body_complete=True, body_sha256=page * 32,
            headers=(Header(name="content-type", value=kind),),
        )  # fmt: skip
    return story


def judged(story: Story, *agents: Story) -> tuple[AddressState, Verdict]:
    facts = facts_of(story, *agents)
    return state_of(facts, TARGET), decide(facts, CATALOGUE)


class TestAnotherLine:
    @pytest.mark.parametrize("status", [400, 403, 404, 406, 410, 418, 430])
    def test_an_error_that_another_line_does_not_get_is_a_failure(self, status: int) -> None:
        state, verdict = judged(told(status, body="no"), told(200))
        assert (state.works, state.failed_at) == (False, "http")
        assert state.http is not None
        assert state.http.elsewhere is not None
        assert (state.http.elsewhere.where, state.http.elsewhere.status) == ("line", 200)
        assert (verdict.side, verdict.fault) == ("host", "host.block.http_forbidden")
        assert (verdict.certainty == "established") is (status in (403, 406))
        assert "worked" not in verdict.summary + verdict.reply

    @pytest.mark.parametrize("status", [400, 404, 410])
    def test_an_error_that_every_line_gets_is_the_applications_answer(self, status: int) -> None:
        state, verdict = judged(told(status, body="no"), told(status, body="no"))
        assert (state.works, verdict.side) == (True, "none")
        assert state.http is not None
        assert state.http.elsewhere is None

    def test_a_login_may_be_spared_to_another_line(self) -> None:
        assert judged(told(401), told(200))[0].works is True

    def test_an_error_for_netdiags_name_alone_is_none_of_the_address(self) -> None:
        assert judged(told(404, also=200), told(200))[0].works is True

    @pytest.mark.parametrize(
        "agent",
        [told(200, later=timedelta(hours=3)), told(200, url="https://api.vendor.test/status")],
        ids=["another-time", "another-page-of-the-site"],
    )
    def test_another_question_says_nothing(self, agent: Story) -> None:
        assert judged(told(404, body="no"), agent)[0].works is True

    @pytest.mark.parametrize(
        ("mine", "theirs"),
        [
            pytest.param(with_pages("aa"), with_pages("bb", length=900), id="once-each"),
            pytest.param(with_pages("aa", "aa"), with_pages("bb", "bb"), id="of-one-length"),
        ],
    )
    def test_another_page_is_told_and_is_no_failure(self, mine: Story, theirs: Story) -> None:
        state, verdict = judged(mine, theirs)
        assert (state.works, verdict.side) == (True, "none")
        assert "with another page; pages that are made anew" in verdict.summary
        assert "worked" not in verdict.summary + verdict.reply

    @pytest.mark.parametrize(
        ("mine", "theirs"),
        [
            pytest.param(with_pages("aa"), with_pages("bb", kind="application/json"), id="of-another-kind"),
            pytest.param(with_pages("aa", "aa"), with_pages("bb", "bb", length=900), id="every-time"),
        ],
    )
    def test_a_page_in_the_place_of_another_decides_nothing(self, mine: Story, theirs: Story) -> None:
        state, verdict = judged(mine, theirs)
        assert (state.works, verdict.side) == (None, "inconclusive")
        assert "with another page." in verdict.summary

    @pytest.mark.parametrize(
        ("mine", "theirs"),
        [
            pytest.param(with_pages("aa"), with_pages("aa"), id="the-same"),
            pytest.param(with_pages("aa", "ab"), with_pages("bb", "bc", length=900), id="new-each-time"),
            pytest.param(with_pages("aa", "ab"), with_pages("bb", "bb", length=900), id="new-each-time-here"),
        ],
    )
    def test_a_page_that_is_the_same_or_always_new_works(self, mine: Story, theirs: Story) -> None:
        _, verdict = judged(mine, theirs)
        assert "worked" in verdict.summary
        assert "worked" in verdict.reply


class TestWithinOneRun:
    def test_a_second_way_that_is_served(self) -> None:
        story = told(403, body="no", also=403)
        story.way(WAY, TARGET, 200)
        state, verdict = judged(story)
        assert state.works is False
        assert verdict.side != "none"

    def test_a_second_way_that_gets_the_same(self) -> None:
        story = told(403, body="no", also=403)
        story.way(WAY, TARGET, 403)
        assert judged(story)[0].works is True

    def test_another_address_that_is_served(self) -> None:
        story = told(403, body="no", also=403)
        story.reach(SECOND)
        story.http(SECOND, 200)
        state, verdict = judged(story)
        assert state.works is False
        assert verdict.side != "none"

    def test_every_address_alike(self) -> None:
        story = told(403, body="no", also=403)
        story.reach(SECOND)
        story.http(SECOND, 403, body="no")
        state, verdict = judged(story)
        assert (state.works, verdict.side) == (True, "none")
        assert "whether that asks for a login or refuses this address is not known" in verdict.summary
        assert "worked" not in verdict.summary + verdict.reply
        assert verdict.next_evidence


class TestPlainHttp:
    def test_a_redirect_to_somebody_else_that_another_line_does_not_get(self) -> None:
        mine = told(302, url=HTTP, location="http://block.provider.example/")
        state, verdict = judged(mine, told(301, url=HTTP, location=HTTPS))
        assert state.works is False
        assert verdict.side == "inconclusive"

    def test_alone_it_is_told(self) -> None:
        state, verdict = judged(told(302, url=HTTP, location="http://block.provider.example/"))
        assert (state.works, verdict.side) == (True, "none")
        assert "a redirect to block.provider.example" in verdict.summary

    def test_a_page_where_another_line_is_redirected(self) -> None:
        assert judged(told(200, url=HTTP), told(301, url=HTTP, location=HTTPS))[0].works is False

    def test_a_redirect_within_the_vendors_domain_differs_by_region(self) -> None:
        mine = told(302, url=HTTP, location="https://de.vendor.test/")
        state, verdict = judged(mine, told(302, url=HTTP, location="https://us.vendor.test/"))
        assert (state.works, verdict.side) == (True, "none")

    def test_a_redirect_to_encrypted_http_works(self) -> None:
        _, verdict = judged(told(301, url=HTTP, location=HTTPS))
        assert "worked" in verdict.summary

    def test_a_redirect_into_the_customers_own_network(self) -> None:
        _, verdict = judged(told(302, url=HTTP, location="http://192.168.1.1/blocked"))
        assert (verdict.side, verdict.certainty, verdict.fault) == ("local", "likely", "local.firewall.filter_page")

    def test_a_redirect_to_a_private_network_of_somebody(self) -> None:
        _, verdict = judged(told(302, url=HTTP, location="http://10.77.0.9/blocked"))
        assert verdict.side == "inconclusive"

    def test_a_redirect_to_a_private_address_that_everybody_gets(self) -> None:
        mine, other = (told(302, url=HTTP, location="http://192.168.1.1/") for _ in range(2))
        assert judged(mine, other)[1].side == "inconclusive"


def body(code: FailureCode | None, *, came: int, announced: int | None, seconds: float, status: int = 200) -> Story:
    """An answer whose body ended in this way."""
    story = Story()
    story.surroundings()
    story.reach()
    story.add(
        Exchange, story.step("http", "target", story.host, TARGET), ms=seconds * 1000, method="GET", url=HTTPS,
        address=TARGET, port=443, status=status, body_bytes=came, body_complete=code is None,
        headers=() if announced is None else (Header(name="content-length", value=str(announced)),),
        failure=None if code is None else failed(code, op="receive"),
    )  # fmt: skip
    return story


CLOSED, RESET, TIMED_OUT = FailureCode.CLOSED, FailureCode.RESET, FailureCode.TIMED_OUT


@pytest.mark.parametrize(
    ("story", "works"),
    [
        pytest.param(body(CLOSED, came=3, announced=5000, seconds=1), False, id="closed-before-its-length"),
        pytest.param(body(RESET, came=3, announced=None, seconds=1), False, id="reset-within"),
        pytest.param(body(TIMED_OUT, came=20, announced=5000, seconds=10), False, id="drips"),
        pytest.param(body(TIMED_OUT, came=40_000, announced=60_000, seconds=10), True, id="slow-line"),
        pytest.param(body(TIMED_OUT, came=20, announced=None, seconds=10), True, id="stream"),
        pytest.param(body(None, came=5000, announced=5000, seconds=1), True, id="whole"),
        pytest.param(body(CLOSED, came=3, announced=5000, seconds=1, status=404), True, id="error-page-cut"),
    ],
)
def test_a_body_that_does_not_come_whole(story: Story, works: bool) -> None:
    state, verdict = judged(story)
    assert state.works is works
    if not works:
        assert state.http is not None
        assert (state.http.how, state.http.status) == ("cut", 200)
        assert verdict.side == "inconclusive"
        assert "does not send all that it announces" in verdict.summary


def test_another_attempt_that_came_whole_counts() -> None:
    story = body(CLOSED, came=3, announced=5000, seconds=1)
    story.http(TARGET, 200, round_=2)
    assert judged(story)[0].works is True


def test_what_was_read_as_far_as_wanted_is_not_cut() -> None:
    story = body(None, came=65_536, announced=3_000_000, seconds=1)
    records = [record for record in story.bundle().observations if isinstance(record, Exchange)]
    assert not any(is_cut(record) for record in records)


def test_a_connection_that_failed_during_the_run_is_told() -> None:
    story = Story()
    story.surroundings()
    story.connect(TARGET, SILENT, attempts=1)
    story.reach(TARGET)
    story.http(TARGET)
    assert "but not all of the time (198.51.100.7 accepted 1 of 2 connections)" in judged(story)[1].summary
    assert "not all of the time" not in judged(told(200))[1].summary
