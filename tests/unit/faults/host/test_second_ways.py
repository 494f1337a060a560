"""A block of this address, shown by a second way out; and the networks that look like one."""

import pytest

from netdiag.evidence.bundle import Via
from netdiag.evidence.record import Failure, FailureCode
from netdiag.facts import derive
from netdiag.verdict import Verdict, decide
from tests.fakes.records import CARRIER, EDGE, GATEWAY, ISP, SILENT, TARGET, Story, failed, port_unreachable, prohibited

PROXY = Via(kind="proxy", name="203.0.113.200:3128")
LINE = Via(kind="interface", name="wwan0")
LAN = Via(kind="source", name="192.168.178.21")
TO_THE_HOST = (GATEWAY, ISP, CARRIER, EDGE)


def blocked(failure: Failure, *, hops: tuple[str | None, ...] = TO_THE_HOST, end: str = "silent") -> Story:
    told = Story()
    told.surroundings()
    told.connect(failure=failure)
    end_icmp = failure.native if end == "icmp" else None
    told.walk(hops=hops, end=end, end_icmp=end_icmp)  # type: ignore[arg-type]
    return told


def by(told: Story, via: Via, failure: Failure | None = None, *, control: bool = True) -> Story:
    told.way(via, failure=failure)
    told.way(via, None if via.kind == "proxy" else "192.0.2.200", role="control", failure=None if control else SILENT)
    return told


def again(told: Story, failure: Failure | None) -> Verdict:
    told.connect(failure=failure, round_=2, attempts=1)
    return decide(derive(told.bundle()))


def test_refused_by_the_target_here_and_served_there() -> None:
    refusal = port_unreachable(TARGET)
    verdict = again(by(blocked(refusal, end="icmp"), PROXY), refusal)
    assert (verdict.side, verdict.certainty, verdict.fault) == ("host", "established", "host.block.source_address")
    assert "works through the proxy, dead from here: that is evidence for a block of this address." in verdict.summary
    assert "is no reason to look for the fault at your end" in verdict.reply


@pytest.mark.parametrize("via", [LINE, LAN])
def test_a_way_by_which_the_vendor_may_see_the_same_address_does_not_prove_a_block_of_it(via: Via) -> None:
    """It may refuse one connection of several, whoever asks: that it refuses by a rule is all that is proven."""
    refusal = port_unreachable(TARGET)
    verdict = again(by(blocked(refusal, end="icmp"), via), refusal)
    assert (verdict.side, verdict.certainty, verdict.fault) == ("host", "established", "host.block.rejected")
    assert "if the vendor sees another one that way" in verdict.summary
    assert "so the rule is about this one" not in verdict.summary


def test_not_refused_again_is_no_proof_of_whom_it_is_about() -> None:
    """Without the check after it the vendor may have let everybody in meanwhile."""
    told = by(blocked(port_unreachable(TARGET), end="icmp"), LINE)
    assert decide(derive(told.bundle())).fault == "host.block.rejected"


def test_a_router_on_the_way_refuses_and_another_way_goes_round_it() -> None:
    refusal = prohibited(CARRIER)
    told = by(blocked(refusal, hops=(GATEWAY, ISP), end="icmp"), LINE)
    verdict = again(told, refusal)
    assert verdict.fault != "host.block.source_address"
    assert verdict.side != "host"


def test_silence_at_the_vendors_border_is_likely_and_not_for_everyone() -> None:
    told = blocked(SILENT)
    told.walk(protocol="icmp")
    verdict = again(by(told, PROXY), SILENT)
    assert (verdict.side, verdict.certainty, verdict.fault) == ("host", "likely", "host.block.source_address")
    assert "works through the proxy, dead from here" in verdict.summary


def test_a_black_hole_in_mid_path_with_a_way_round_it_is_not_the_hosts() -> None:
    verdict = again(by(blocked(SILENT, hops=(GATEWAY, ISP)), LINE), SILENT)
    assert verdict.side != "host"


def test_down_for_everyone_fails_both_ways() -> None:
    told = blocked(SILENT)
    told.walk(protocol="icmp")
    before = decide(derive(told.bundle()))
    told = by(told, Via(kind="source", name="203.0.113.201"), failed(FailureCode.TIMED_OUT))
    verdict = again(told, SILENT)
    assert verdict.fault != "host.block.source_address"
    assert (verdict.side, verdict.certainty) == (before.side, before.certainty)


def test_a_second_address_behind_the_same_nat_changes_nothing() -> None:
    """Two addresses of one network share the public one: that both fail says nothing."""
    told = blocked(SILENT)
    told.walk(protocol="icmp")
    alone = again(told, SILENT)
    shared = blocked(SILENT)
    shared.walk(protocol="icmp")
    both = again(by(shared, LAN, failed(FailureCode.TIMED_OUT)), SILENT)
    assert (both.side, both.certainty, both.fault) == (alone.side, alone.certainty, alone.fault)


def test_a_way_whose_own_control_fails_says_nothing() -> None:
    told = blocked(SILENT)
    told.walk(protocol="icmp")
    alone = again(told, SILENT)
    other = blocked(SILENT)
    other.walk(protocol="icmp")
    source = Via(kind="source", name="203.0.113.201")
    both = again(by(other, source, failed(FailureCode.TIMED_OUT), control=False), SILENT)
    assert (both.side, both.certainty, both.fault) == (alone.side, alone.certainty, alone.fault)


def test_an_address_is_blocked_and_nobody_is_accused() -> None:
    refusal = port_unreachable(TARGET)
    verdict = again(by(blocked(refusal, end="icmp"), PROXY), refusal)
    assert "this address" in verdict.summary
    assert "you were" not in verdict.reply.lower()
    assert "someone else may have triggered a block" in verdict.reply
