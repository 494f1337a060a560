"""What second ways are said to show: another address, perhaps another one, or nothing."""

import pytest

from netdiag.evidence.bundle import Via
from netdiag.facts import Facts, derive
from netdiag.faults._ways import for_a_block, whence
from tests.fakes.records import SILENT, TARGET, Story

ANOTHER = "dead from here: that is evidence for a block of this address"
PERHAPS = f"{ANOTHER}, if the vendor sees another one that way"


def facts_with(*ways: Via) -> Facts:
    told = Story()
    told.surroundings()
    told.interface("wwan0", "other", ("198.51.100.77", 24))
    told.connect(failure=SILENT)
    for via in ways:
        told.way(via)
        told.way(via, "192.0.2.200", role="control")
    told.connect(failure=SILENT, round_=2, attempts=1)
    return derive(told.bundle())


@pytest.mark.parametrize(
    ("via", "said"),
    [
        (Via(kind="proxy", name="203.0.113.200:3128"), f"; works through the proxy, {ANOTHER}"),
        (Via(kind="proxy", name="127.0.0.1:3128"), f"; works through the proxy, {PERHAPS}"),
        (Via(kind="interface", name="wwan0"), f"; works by the other interface, {ANOTHER}"),
        (Via(kind="source", name="192.168.178.21"), f"; works from the other local address, {PERHAPS}"),
        (Via(kind="interface", name="eth0"), ""),
    ],
)
def test_the_words_claim_no_more_than_is_known_of_the_vendors_view(via: Via, said: str) -> None:
    facts = facts_with(via)
    assert for_a_block(facts, facts.target.addresses.value or ()) == said


def test_the_way_that_is_known_to_differ_is_the_one_that_is_named() -> None:
    facts = facts_with(Via(kind="source", name="192.168.178.21"), Via(kind="interface", name="wwan0"))
    assert for_a_block(facts, facts.target.addresses.value or ()) == f"; works by the other interface, {ANOTHER}"


def test_the_own_way_is_no_place_to_reach_it_from() -> None:
    assert whence(facts_with(Via(kind="interface", name="eth0"))) == "from another line"
    assert whence(facts_with(Via(kind="interface", name="wwan0"))) == "by the interface wwan0"


def test_what_works_there_is_of_the_very_address() -> None:
    facts = facts_with(Via(kind="interface", name="wwan0"))
    assert facts.ways.seen_elsewhere.value == (TARGET,)
    assert for_a_block(facts, ()) == ""
