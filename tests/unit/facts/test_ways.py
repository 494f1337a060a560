"""Second ways out: what they say of addresses that fail here, and when they say nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.evidence.bundle import Via
from netdiag.evidence.record import FailureCode
from netdiag.facts import Facts, derive
from netdiag.facts.base import Fact
from netdiag.facts.ways import WayState
from tests.fakes.records import EDGE, OWN, TARGET, Story, failed, port_unreachable

PROXY = Via(kind="proxy", name="198.51.100.9:3128")
LAN_PROXY = Via(kind="proxy", name="192.168.178.5:3128")
OTHER_LINE = Via(kind="interface", name="wwan0")
SILENT = failed(FailureCode.TIMED_OUT)
REFUSED_HERE = port_unreachable(TARGET)


SAME = {"interface": "eth0", "source": OWN}


def story(failure: object = SILENT) -> Story:
    told = Story()
    told.surroundings()
    told.connect(failure=failure)  # type: ignore[arg-type]
    return told


def facts_of(told: Story) -> Facts:
    return derive(told.bundle())


@pytest.mark.parametrize("via", [PROXY, LAN_PROXY, OTHER_LINE])
def test_works_there_between_two_failures_here(via: Via) -> None:
    told = story()
    told.way(via)
    told.way(via, None, role="control")
    told.connect(failure=SILENT, round_=2, attempts=1)
    facts = facts_of(told)
    (way,) = facts.ways.states.value or ()
    (trial,) = way.trials
    assert (trial.works, trial.fails_here, trial.outlasted, trial.recovered) == (True, True, True, False)
    assert way.control_works is True
    assert facts.ways.outlasted.value == (TARGET,)


def test_what_recovered_meanwhile_is_no_difference_between_ways() -> None:
    """It works there, and then here, too: the way made no difference."""
    told = story()
    told.way(OTHER_LINE)
    told.connect(round_=2)
    facts = facts_of(told)
    assert facts.ways.works_there.value is None
    assert facts.ways.outlasted.value is None


def test_what_was_not_tried_here_again_may_have_recovered() -> None:
    told = story()
    told.way(OTHER_LINE)
    facts = facts_of(told)
    assert facts.ways.works_there.value == (TARGET,)
    assert facts.ways.outlasted.value is None


def test_a_way_that_works_never_makes_the_own_one_work() -> None:
    """Its records are another story: the address stays dead from here, and no walk or connect counts twice."""
    told = story()
    without = facts_of(told)
    told.way(OTHER_LINE)
    told.way(PROXY)
    told.way(PROXY, None, role="control")
    with_ways = facts_of(told)
    assert with_ways.target == without.target
    assert with_ways.controls == without.controls
    assert with_ways.machine == without.machine
    assert with_ways.target.works.value is False


def test_two_addresses_of_one_network_may_share_the_public_one() -> None:
    """Its failing says nothing, however alike."""
    told = story()
    told.way(Via(kind="source", name="192.168.178.21"), failure=failed(FailureCode.TIMED_OUT))
    told.way(Via(kind="source", name="192.168.178.21"), "192.0.2.200", role="control")
    told.connect(failure=SILENT, round_=2, attempts=1)
    facts = facts_of(told)
    (way,) = facts.ways.states.value or ()
    assert (way.other_address, way.trials[0].alike) == (None, True)
    assert facts.ways.fails_there.value is None


def tried(told: Story, via: Via) -> WayState:
    """Works by ``via`` between two failures here."""
    told.way(via)
    told.way(via, "192.0.2.200", role="control")
    told.connect(failure=SILENT, round_=2, attempts=1)
    (way,) = facts_of(told).ways.states.value or ()
    return way


@pytest.mark.parametrize("kind", ["interface", "source"])
@pytest.mark.parametrize("known_by", ["the default route", "the route", "the route's source"])
def test_the_own_way_once_more_is_no_other_way(kind: Any, known_by: str) -> None:
    """What works by it shows a service that fails now and then, and no block."""
    told = story()
    if known_by != "the default route":
        told.route(device="eth0" if known_by == "the route" else None)
    way = tried(told, Via(kind=kind, name=SAME[kind]))
    (trial,) = way.trials
    assert (trial.works, trial.other_way, trial.other_address, way.other_address) == (True, False, False, False)
    ways = facts_of(told).ways
    assert (ways.works_there, ways.outlasted, ways.seen_elsewhere) == (Fact(), Fact(), Fact())


@pytest.mark.parametrize("kind", ["interface", "source"])
def test_what_fails_by_the_own_way_once_more_is_no_other_failure(kind: Any) -> None:
    told = Story()
    told.machine(own="198.51.100.20")
    told.healthy_names()
    told.healthy_controls()
    told.connect(failure=SILENT)
    via = Via(kind=kind, name="eth0" if kind == "interface" else "198.51.100.20")
    told.way(via, failure=failed(FailureCode.TIMED_OUT))
    told.way(via, "192.0.2.200", role="control")
    told.connect(failure=SILENT, round_=2, attempts=1)
    assert facts_of(told).ways.fails_there.value is None


def test_an_interface_that_another_route_goes_by_is_another_way() -> None:
    """The target is reached by a tunnel: then the line of the default route is the second way."""
    told = story()
    told.interface("tun0", "tunnel", ("10.8.0.2", 24))
    told.route(device="tun0")
    way = tried(told, Via(kind="interface", name="eth0"))
    assert (way.trials[0].other_way, way.other_address) == (True, None)
    assert facts_of(told).ways.outlasted.value == (TARGET,)


@pytest.mark.parametrize(
    ("via", "other_address"),
    [
        (Via(kind="source", name="192.168.178.21"), None),
        (Via(kind="source", name="198.51.100.77"), True),
        (Via(kind="interface", name="wwan0"), True),
        (Via(kind="interface", name="wlan0"), None),
        (Via(kind="interface", name="absent0"), None),
        (PROXY, True),
        (LAN_PROXY, None),
        (Via(kind="proxy", name="proxy.test:3128"), None),
    ],
)
def test_only_a_public_address_is_known_to_be_seen_as_another(via: Via, other_address: bool | None) -> None:
    told = story()
    told.interface("wwan0", "other", ("198.51.100.77", 24))
    told.interface("wlan0", "wireless", ("192.168.8.20", 24), ("fe80::8", 64))
    way = tried(told, via)
    assert (way.trials[0].other_way, way.trials[0].other_address, way.other_address) == (
        True, other_address, other_address,
    )  # fmt: skip
    ways = facts_of(told).ways
    assert ways.outlasted.value == (TARGET,)
    assert ways.seen_elsewhere.value == ((TARGET,) if other_address else None)


@pytest.mark.parametrize("name", ["127.0.0.1:3128", "[::1]:3128", f"{OWN}:3128"])
def test_where_a_proxy_on_this_machine_goes_is_unknown(name: str) -> None:
    way = tried(story(), Via(kind="proxy", name=name))
    assert (way.trials[0].other_way, way.other_address) == (None, None)


def test_without_a_route_nothing_is_known_of_the_own_way() -> None:
    told = Story()
    told.connect(failure=SILENT)
    way = tried(told, Via(kind="interface", name="eth0"))
    assert (way.trials[0].other_way, way.other_address) == (None, None)


@pytest.mark.parametrize(("control", "known"), [(200, True), (None, False)])
def test_failing_from_another_public_address_counts_with_a_control_alone(control: int | None, known: bool) -> None:
    source = Via(kind="source", name="198.51.100.77")
    told = story()
    told.way(source, failure=failed(FailureCode.TIMED_OUT))
    failure = None if control else failed(FailureCode.TIMED_OUT)
    told.way(source, "192.0.2.200", control, failure=failure, role="control")
    told.connect(failure=SILENT, round_=2, attempts=1)
    assert facts_of(told).ways.fails_there.value == ((TARGET,) if known else None)


@pytest.mark.parametrize("status", [403, 407, 405])
def test_a_proxy_that_refuses_says_nothing_of_the_target(status: int) -> None:
    told = story()
    told.way(PROXY, connect_status=status)
    (way,) = facts_of(told).ways.states.value or ()
    assert (way.trials[0].works, way.trials[0].failed_at) == (None, None)


def test_a_proxy_that_cannot_reach_it_fails_elsewhere_than_here() -> None:
    told = story()
    told.way(PROXY, connect_status=504)
    (way,) = facts_of(told).ways.states.value or ()
    assert (way.trials[0].works, way.trials[0].failed_at, way.trials[0].alike) == (False, "proxy", False)


def test_an_address_that_the_proxy_chose_is_not_held_against_one_of_ours() -> None:
    told = story()
    told.way(PROXY, None)
    told.connect(failure=SILENT, round_=2, attempts=1)
    facts = facts_of(told)
    (way,) = facts.ways.states.value or ()
    assert (way.trials[0].works, way.trials[0].fails_here) == (True, None)
    assert facts.ways.works_there.value is None


def test_what_this_machine_did_not_send_says_nothing() -> None:
    told = story()
    told.way(OTHER_LINE, failure=failed(FailureCode.UNREACHABLE, 101))
    (way,) = facts_of(told).ways.states.value or ()
    assert way.trials[0].works is None


def test_a_page_by_the_other_way_that_is_refused_does_not_work() -> None:
    told = story()
    told.way(OTHER_LINE, status=503)
    told.connect(failure=SILENT, round_=2, attempts=1)
    facts = facts_of(told)
    (way,) = facts.ways.states.value or ()
    assert (way.trials[0].works, way.trials[0].failed_at, way.trials[0].alike) == (False, "http", False)
    assert facts.ways.works_there.value is None


def test_the_other_family_is_another_way() -> None:
    told = Story()
    told.surroundings(ipv6=True)
    told.connect(failure=SILENT)
    told.well("2001:db8:5::7")
    assert facts_of(told).ways.other_family_works.value is True
    assert EDGE not in (facts_of(told).ways.works_there.value or ())


def test_a_family_that_the_line_does_not_have_is_no_other_way() -> None:
    told = Story()
    told.surroundings(ipv6=False)
    told.connect(address="2001:db8:5::7", failure=SILENT)
    told.well(EDGE)
    assert facts_of(told).ways.other_family_works.value is None


@given(st.text(max_size=40), st.sampled_from(["interface", "source", "proxy"]), st.text(max_size=20))
def test_a_strangers_bundle_may_say_anything_of_its_ways(name: str, kind: Any, address: str) -> None:
    told = story()
    told.way(Via(kind=kind, name=name), address)
    assert facts_of(told).ways.states.known
