"""Refusals named by what answers so: groups that the wire tells apart."""

from typing import Any

import pytest

from netdiag.evidence.record import Icmp
from netdiag.facts import AddressState, HttpState, TlsState, seen
from netdiag.faults.base import Finding, Lean
from netdiag.faults.host._mechanisms import of_accepted, of_icmp
from netdiag.faults.reading import PROHIBITED4, PROHIBITED6, REJECTED4, REJECTED6, UNREACHABLE4, UNREACHABLE6
from netdiag.verdict import decide
from tests.unit.faults.host.scene import TARGET, TLS_OK, W, at, facts, found, icmp, run, walk

SENDERS = {4: "203.0.113.9", 6: "2001:db8::9"}


def error(version: int, code: int, kind: int | None = None) -> Icmp:
    told = kind if kind is not None else (3 if version == 4 else 1)
    return Icmp(version=4 if version == 4 else 6, type=told, code=code, sender=SENDERS[version])


@pytest.mark.parametrize(
    ("version", "code", "maker", "no_maker"),
    [
        (4, 3, "fail2ban", "firewalld's zones"),
        (6, 4, "ufw limit", "firewalld's zones"),
        (4, 13, "firewalld's zones on nftables", "fail2ban"),
        (6, 1, "firewalld's zones", "fail2ban"),
        (4, 10, "firewalld's zones on iptables", "routers"),
        (4, 9, "routers' access lists", "firewalld"),
        (4, 1, "a REJECT whose type was chosen", "fail2ban"),
    ],
)
def test_each_code_names_its_group_and_no_other(version: int, code: int, maker: str, no_maker: str) -> None:
    mechanism = of_icmp(error(version, code))
    assert mechanism is not None
    assert maker in mechanism.makers
    assert no_maker not in mechanism.makers


def test_every_code_that_is_a_refusal_has_a_name() -> None:
    four = [error(4, code) for code in {REJECTED4, *PROHIBITED4, *UNREACHABLE4}]
    six = [error(6, code) for code in {REJECTED6, *PROHIBITED6, *UNREACHABLE6}]
    assert all(of_icmp(one) is not None for one in [*four, *six])


@pytest.mark.parametrize("other", [error(4, 0, kind=11), error(6, 0, kind=3), error(4, 4), error(6, 0, kind=2)])
def test_what_is_no_refusal_has_none(other: Icmp) -> None:
    assert of_icmp(other) is None


def test_the_verdict_says_what_answers_so_and_where_to_look() -> None:
    verdict = decide(facts(at(connect=icmp(3, "target")), target=walk()))
    assert "port unreachable" in verdict.summary
    assert "fail2ban" in verdict.summary
    assert any(name == "rule" and "fail2ban-client" in where for name, where in verdict.search_keys)


def test_a_router_of_the_vendors_that_prohibits_is_no_ban_of_fail2ban() -> None:
    finding = found("host.block.rejected", facts(at(connect=icmp(13, "vendor"))))
    assert "access lists" in finding.because
    assert "fail2ban" not in finding.because


def test_an_end_after_the_request_is_another_groups_than_one_after_the_greeting() -> None:
    greeted = of_accepted(at(tls=TlsState(how="closed", acked=True)))
    asked = of_accepted(at(tls=TLS_OK, http=HttpState(how="closed")))
    assert greeted is not None
    assert asked is not None
    assert "tcp wrappers" in greeted
    assert "444" in asked


@pytest.mark.parametrize("state", [at(), at(tls=TLS_OK), at(tls=TLS_OK, http=HttpState(how="answered", status=200))])
def test_what_was_answered_is_nobodys_way_of_blocking(state: AddressState) -> None:
    assert of_accepted(state) is None


def worked_then_refused(by: str, **changes: Any) -> Finding:
    """TLS worked, and the next connection was refused with port unreachable."""
    refused = Icmp(version=4, type=3, code=3, sender=by)
    given = facts(at(tls=TLS_OK, http=HttpState(how="failed", refused_by=refused)), **changes)
    return found("host.block.source_address", given)


def test_a_host_that_lets_one_in_and_refuses_the_next_itself_has_a_limit() -> None:
    finding = worked_then_refused(TARGET)
    assert "port unreachable" in finding.because
    assert (finding.lean, finding.at_most_likely, finding.at_most_possible) == (Lean.SUPPORTS, True, False)


def test_another_sender_or_a_proxy_in_between_leaves_it_open_whose_limit_it_is() -> None:
    assert worked_then_refused("192.0.2.1").at_most_possible
    assert worked_then_refused(TARGET, path__proxy_in_path=seen(True, W)).at_most_possible


def test_a_connection_closed_for_this_line_alone_is_told_with_what_does_so() -> None:
    given = facts(at(tls=TLS_OK, http=HttpState(how="closed", acked=True)), agent=run(works=True))
    finding = found("host.block.source_address", given)
    assert TARGET in finding.because
    assert finding.because.endswith("HAProxy's reject of a request.")
