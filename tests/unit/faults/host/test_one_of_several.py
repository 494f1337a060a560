"""One family, or one of several addresses, shut to this line alone: told from one that is dead, on whole runs."""

import pytest

from netdiag.evidence.record import Failure
from netdiag.facts import derive
from netdiag.verdict import Verdict, decide
from tests.fakes.records import (
    CARRIER,
    CONTROL6,
    CONTROL_HOST,
    EDGE,
    GATEWAY,
    GATEWAY6,
    ISP,
    REFUSED,
    SECOND,
    SILENT,
    TARGET,
    TARGET6,
    Story,
    port_unreachable,
)

EDGE6 = "2001:db8:7::1"
HOPS6 = (GATEWAY6, "2001:db8:2::1", "2001:db8:3::1", EDGE6)


def dual_stack(failure: Failure | None) -> Story:
    """A line with both families; the target's IPv6 address fails so, and IPv4 serves."""
    told = Story()
    told.surroundings(ipv6=True)
    told.reach(CONTROL6, role="control", host=CONTROL_HOST)
    told.well(TARGET)
    if failure is None:
        told.well(TARGET6)
        return told
    told.connect(TARGET6, failure)
    end = "icmp" if failure.native is not None and failure is not SILENT and failure is not REFUSED else "silent"
    told.walk(TARGET6, HOPS6, end=end, end_icmp=failure.native if end == "icmp" else None)  # type: ignore[arg-type]
    told.walk(TARGET6, HOPS6, protocol="icmp")
    told.connect(TARGET6, failure, round_=2, attempts=1)
    return told


def judged(told: Story, elsewhere: Story | None = None) -> Verdict:
    return decide(derive(told.bundle(), () if elsewhere is None else (elsewhere.bundle(),)))


def test_a_limit_that_answers_in_the_targets_name_is_a_rule_over_ipv6() -> None:
    """``ufw limit``, tripped by a program that prefers IPv6."""
    told = dual_stack(port_unreachable(TARGET6))
    alone, both = judged(told), judged(told, dual_stack(None))
    for verdict in (alone, both):
        assert (verdict.side, verdict.certainty, verdict.fault) == ("host", "established", "host.block.rejected")
    assert "repaired" not in alone.reply
    assert "the rule is about this one" in both.summary
    assert "the rule is about this one" not in alone.summary


def test_a_silent_one_is_dead_until_another_line_is_let_in() -> None:
    told = dual_stack(SILENT)
    alone, same, served = judged(told), judged(told, dual_stack(SILENT)), judged(told, dual_stack(None))
    assert (alone.side, alone.certainty, alone.fault) == ("host", "likely", "host.ipv6.dead")
    assert "A block of this address over IPv6 alone would look the same" in alone.summary
    assert (same.side, same.fault) == ("host", "host.ipv6.dead")
    assert (served.side, served.certainty, served.fault) == ("host", "likely", "host.block.source_address")


def two_addresses(failure: Failure | None) -> Story:
    told = Story()
    told.surroundings()
    told.system_lookup(TARGET, SECOND)
    told.well(TARGET)
    if failure is None:
        told.well(SECOND)
        return told
    told.connect(SECOND, failure)
    told.walk(SECOND, (GATEWAY, ISP, CARRIER, EDGE), end="silent" if failure is SILENT else "refused")
    told.walk(SECOND, (GATEWAY, ISP, CARRIER, EDGE), protocol="icmp")
    told.connect(SECOND, failure, round_=2, attempts=1)
    return told


@pytest.mark.parametrize(("failure", "code"), [(SILENT, "host.block.source_address"), (REFUSED, "host.block.rejected")])
def test_one_address_of_two_is_dead_until_another_line_is_let_in(failure: Failure, code: str) -> None:
    told = two_addresses(failure)
    alone, same, served = judged(told), judged(told, two_addresses(failure)), judged(told, two_addresses(None))
    assert (alone.side, alone.certainty, alone.fault) == ("host", "likely", "host.address.partly_dead")
    assert (same.side, same.fault) == ("host", "host.address.partly_dead")
    assert (served.side, served.certainty, served.fault) == ("host", "likely", code)
