"""A dead equal-cost member: whose it is by where its flows end, and when it explains that the target fails."""

from typing import Any

import msgspec
import pytest

from netdiag.facts import Facts, PathFacts, seen
from netdiag.facts.members import FlowSeen, Members
from netdiag.faults.base import Finding, Lean
from netdiag.faults.host import path_member_dead as inside
from netdiag.faults.host._reading import border
from netdiag.faults.transit import path_member_dead as between
from tests.unit.faults.local.stage import VENDOR, facts, failing, opened, path, target, walk

ROUTER = "203.0.113.9"


def members(dead: bool | None, last: str | None = "public", missing: str | None = "public", **more: Any) -> Members:
    never = FlowSeen(source_port=40_001, tries=3, answered=0, last_seen=4, last_seen_address=ROUTER)
    passes = FlowSeen(source_port=40_002, tries=2, answered=2, last_seen=6)
    return Members(
        host="h", address=VENDOR, family=4, port=443, protocol="tcp", flows=(never,) * 4 + (passes,) * 4, nodes=(),
        links=(), far=6, dead_member=dead, chance=0.001, last_seen=4, last_seen_addresses=(ROUTER,),
        last_seen_place=last, first_missing=5, first_missing_place=missing, witnesses=("main:o1",), **more,  # type: ignore[arg-type]
    )  # fmt: skip


def told(*found: Members, fails: bool = True) -> Facts:
    path = PathFacts(members=seen(found, ("main:o1",)))
    return facts(target=target(failing() if fails else opened(), works=not fails), path=path)


def judged(*found: Members, fails: bool = True) -> tuple[Finding, Finding]:
    story = told(*found, fails=fails)
    return between.assess(story), inside.assess(story)


def test_flows_that_end_on_the_way_are_the_ways() -> None:
    way, vendor = judged(members(dead=True))
    assert (way.lean, way.at_most_likely, way.at_most_possible) == (Lean.SETTLES, True, False)
    assert way.explains
    assert vendor.lean is Lean.OPPOSES
    assert f"{ROUTER} at hop 4" in way.because
    assert "40001" in way.because


def test_flows_that_end_in_the_vendors_network_are_the_vendors() -> None:
    way, vendor = judged(members(dead=True, last="vendor", missing="target"))
    assert way.lean is Lean.OPPOSES
    assert (vendor.lean, vendor.at_most_likely) == (Lean.SETTLES, True)


@pytest.mark.parametrize("missing", ["vendor", "target"])
def test_the_link_between_the_two_is_nobodys_for_certain(missing: str) -> None:
    way, vendor = judged(members(dead=True, missing=missing))
    assert way.at_most_possible
    assert vendor.lean is Lean.SILENT


@pytest.mark.parametrize("near", ["gateway", "private", None])
def test_what_ends_near_the_customer_is_nobodys(near: str | None) -> None:
    way, _ = judged(members(dead=True, last=near))
    assert way.lean is Lean.SILENT


def test_without_a_split_there_is_no_such_fault() -> None:
    assert {one.lean for one in judged(members(dead=False))} == {Lean.OPPOSES}
    assert {one.lean for one in judged(members(dead=None))} == {Lean.SILENT}


@pytest.mark.parametrize(
    ("flows", "far", "lean"),
    [
        (("passes", "passes", "not asked"), 6, Lean.OPPOSES),
        (("passes", "never"), 6, Lean.SILENT),
        (("passes", "now and then"), 6, Lean.SILENT),
        (("passes", "passes"), 7, Lean.SILENT),
    ],
)
def test_a_few_flows_that_pass_beside_enough_of_another_protocol(flows: tuple[str, ...], far: int, lean: Lean) -> None:
    tries = {"passes": (1, 1), "never": (3, 0), "now and then": (3, 1), "not asked": (0, 0)}
    seen_ = tuple(
        FlowSeen(source_port=40_000, tries=tries[one][0], answered=tries[one][1], last_seen=far) for one in flows
    )
    few = msgspec.structs.replace(members(dead=None), flows=seen_, far=far)
    enough = msgspec.structs.replace(members(dead=False), protocol="udp", far=6)
    assert {one.lean for one in judged(few, enough)} == {lean}
    assert {one.lean for one in judged(few)} == {Lean.SILENT}


def test_where_the_target_works_the_member_is_no_reason() -> None:
    way, _ = judged(members(dead=True), fails=False)
    assert not way.explains


@pytest.mark.parametrize("dead", [True, None])
def test_what_another_port_answers_says_nothing_where_flows_differ(dead: bool | None) -> None:
    state = msgspec.structs.replace(failing(), answers_otherwise=True)
    walked = walk("192.168.1.1", "198.51.100.2", ROUTER)
    other = walk("192.168.1.1", "198.51.100.2", ROUTER, end="open", port=80)
    alone = facts(target=target(state), path=path(walked, others=(other,)))
    split = facts(target=target(state), path=path(walked, others=(other,), members=(members(dead),)))
    assert border(alone, state) is not None
    assert border(split, state) is None
