"""What routers quote -> what was rewritten, between which two of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.evidence.record import Icmp
from netdiag.evidence.transport import HopReply, Quote
from netdiag.facts import derive
from netdiag.facts.rewrites import Rewrite
from tests.fakes.records import GATEWAY, OWN, TARGET, Story

ROUTERS = (GATEWAY, "198.51.100.2", "198.51.100.3", "198.51.100.4")
SENT: dict[str, Any] = {
    "ttl": 1, "tos": 0, "source_address": OWN, "source_port": 51_001, "destination_address": TARGET,
    "destination_port": 443, "mss": 1460, "checksum_kept": True, "length": 40,
}  # fmt: skip


def told(quotes: list[dict[str, Any] | None], *, raw: bool = True, replier: str | None = None) -> Story:
    """A walk whose nth router quoted the packet with these differences; None: it was silent."""
    story = Story()
    story.surroundings()
    params = {"protocol": "tcp"} | ({"mode": "raw"} if raw else {})
    step = story.step("walk", "target", story.host, TARGET, 443, params=params)
    for ttl, quote in enumerate(quotes, 1):
        fields: dict[str, Any] = {"answer": "none"}
        if quote is not None:
            fields = story_reply(replier or ROUTERS[ttl - 1], {**SENT, **quote})
        story.add(
            HopReply, step, ms=1500, address=TARGET, port=443, mode="raw" if raw else "unprivileged", flow=1,
            source_port=51_001, ttl=ttl, **fields,
        )  # fmt: skip
    return story


def story_reply(router: str, quote: dict[str, Any]) -> dict[str, Any]:
    return {
        "answer": "icmp", "replier": router, "icmp": Icmp(type=11, code=0, sender=router), "rtt_us": 4000,
        "quote": Quote(**quote),
    }  # fmt: skip


def rewrites(story: Story) -> tuple[Rewrite, ...] | None:
    return derive(story.bundle()).path.rewrites.value


def test_untouched_packets_were_not_rewritten() -> None:
    assert rewrites(told([{}, {}, {}])) == ()


def test_without_a_quote_nothing_is_known() -> None:
    assert rewrites(told([None, None])) is None


@pytest.mark.parametrize("raw", [True, False])
def test_a_clamped_mss_lies_between_the_last_that_kept_it_and_the_first_that_did_not(raw: bool) -> None:
    (found,) = rewrites(told([{}, {}, None, {"mss": 1360}], raw=raw)) or ()
    assert (found.part, found.sent, found.seen) == ("mss", "1460", "1360")
    assert (found.last_kept, found.last_kept_by) == (2, ROUTERS[1])
    assert (found.first_changed, found.first_changed_by) == (4, ROUTERS[3])
    assert found.mode == ("raw" if raw else "unprivileged")
    assert len(found.witnesses) == 2


@pytest.mark.parametrize(
    ("part", "seen"),
    [
        ("source_port", 1024),
        ("destination_address", "10.9.9.9"),
        ("destination_port", 8443),
        ("tos", 40),
    ],
)
def test_what_left_is_known_of_these_so_that_the_first_router_tells_too(part: str, seen: str | int) -> None:
    (found,) = rewrites(told([{part: seen}, {part: seen}])) or ()
    assert (found.part, found.sent, found.seen) == (part, None, str(seen))
    assert (found.last_kept, found.last_kept_by, found.first_changed) == (0, None, 1)
    (later,) = rewrites(told([{}, {part: seen}])) or ()
    assert (later.last_kept, later.first_changed) == (1, 2)
    assert later.sent is not None


def test_another_checksum_is_a_rewrite_of_something() -> None:
    (found,) = rewrites(told([{}, {"checksum_kept": False}])) or ()
    assert (found.part, found.sent, found.seen, found.last_kept) == ("checksum", None, None, 1)


@pytest.mark.parametrize(("part", "seen"), [("mss", 1400), ("source_address", "203.0.113.99")])
def test_what_the_nearest_router_saw_of_these_is_what_left(part: str, seen: str | int) -> None:
    assert rewrites(told([{part: seen}, {part: seen}])) == ()
    (found,) = rewrites(told([{}, {part: seen}])) or ()
    assert (found.part, found.sent, found.last_kept) == (part, str(SENT[part]), 1)


def test_one_router_that_quotes_otherwise_is_no_rewrite() -> None:
    assert rewrites(told([{}, {"mss": 1360, "tos": 8}, {}])) == ()


def test_what_the_target_quotes_itself_says_nothing_of_the_way() -> None:
    assert rewrites(told([{"destination_address": "10.9.9.9"}], replier=TARGET)) is None


def test_a_raw_walk_is_another_walk_and_the_unprivileged_one_stays_the_targets() -> None:
    story = told([{}, {}])
    story.walk(TARGET, ROUTERS, end="silent")
    path = derive(story.bundle()).path
    assert path.target4.value is not None
    assert (path.target4.value.mode, path.target4.value.last_seen) == ("unprivileged", 4)
    assert [walk.mode for walk in path.others.value or ()] == ["raw"]


def test_where_there_is_only_the_raw_walk_it_is_the_targets() -> None:
    path = derive(told([{}, {}]).bundle()).path
    assert path.target4.value is not None
    assert path.target4.value.mode == "raw"


@given(
    st.integers(0, 4),
    st.sampled_from(["mss", "tos", "source_address", "destination_port"]),
    st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_the_interval_holds_the_router_that_rewrote(at: int, part: str, silent: list[bool]) -> None:
    """The router at ``at`` rewrites what it forwards (0: this machine's own stack, after we made the packet)."""
    other: dict[str, str | int] = {"mss": 1200, "tos": 8, "source_address": "203.0.113.99", "destination_port": 8443}
    quotes: list[dict[str, Any] | None] = [
        None if is_silent else {part: other[part]} if ttl > at else {}
        for ttl, is_silent in zip(range(1, 5), silent, strict=True)
    ]
    found = rewrites(told(quotes))
    for one in found or ():
        assert one.part == part
        assert one.last_kept <= at < one.first_changed
    shown = {ttl > at for ttl, is_silent in zip(range(1, 5), silent, strict=True) if not is_silent}
    assert found is None or bool(found) or shown != {True, False}
