"""Certificates and handshakes: the vendor's own only when the address, the clock and the line are beyond doubt."""

from typing import Any, Literal

import msgspec
import pytest

from netdiag.facts import ControlState, Fact, Facts, TlsState, seen
from netdiag.faults.base import Lean
from netdiag.verdict import decide
from tests.unit.faults.host.scene import LEAF, OPEN, W, at, facts, found, run, said, untrusted, walk

DATES = [("host.tls.expired", 10), ("host.tls.not_yet_valid", 9)]
ISSUERS = [
    ("host.tls.private_ca", untrusted(19)),
    ("host.tls.private_ca", untrusted(20)),
    ("host.tls.self_signed", untrusted(18, chain_length=1)),
]
INTERCEPTED = seen("CN=Gatewatch", W)


def control(tls: TlsState) -> ControlState:
    return ControlState(
        host="control.example", address="192.0.2.80", port=443, family=4, connect=OPEN, tls=tls, healthy=tls.how == "ok"
    )


@pytest.mark.parametrize(("code", "number"), DATES)
class TestDates:
    def test_established_while_other_certificates_are_accepted(self, code: str, number: int) -> None:
        assert said(facts(at(tls=untrusted(number)))) == ("host", "established", code)

    def test_the_clock_is_in_doubt_when_other_certificates_fail_too(self, code: str, number: int) -> None:
        given = facts(
            at(tls=untrusted(number)),
            controls__tls_time_errors=seen(True, W),
            machine__clock_offset_s=seen(-90_000_000, W),
        )
        assert found(code, given).lean is Lean.SILENT
        assert said(given) == ("local", "established", "local.clock.wrong")

    def test_a_clock_that_is_off_weakens_the_word(self, code: str, number: int) -> None:
        given = facts(at(tls=untrusted(number)), machine__clock_offset_s=seen(-900, W))
        assert found(code, given).at_most_likely
        assert said(given)[1] != "established"

    def test_without_controls_it_is_undecided(self, code: str, number: int) -> None:
        given = facts(
            at(tls=untrusted(number)),
            controls__states=Fact(),
            controls__intercepting_issuer=Fact(),
            machine__clock_offset_s=Fact(),
        )
        assert said(given)[0] == "inconclusive"

    def test_the_agents_line_is_proof_as_well(self, code: str, number: int) -> None:
        given = facts(at(tls=untrusted(number)), controls__states=Fact(), agent=run(fails=True))
        assert said(given) == ("host", "established", code)

    def test_only_the_true_address_counts(self, code: str, number: int) -> None:
        assert found(code, facts(at(tls=untrusted(number), genuine=False))).lean is Lean.OPPOSES


class TestName:
    def test_at_the_true_address_a_filter_for_this_name_alone_is_not_excluded(self) -> None:
        assert said(facts(at(tls=untrusted(62)))) == ("host", "likely", "host.tls.wrong_name")

    def test_established_where_another_line_is_shown_the_same(self) -> None:
        given = facts(at(tls=untrusted(62)), agent=run(fails=True))
        assert said(given) == ("host", "established", "host.tls.wrong_name")

    def test_likely_where_the_address_is_not_known_to_be_true(self) -> None:
        assert said(facts(at(tls=untrusted(62), genuine=None)))[1] != "established"

    def test_the_names_are_said(self) -> None:
        assert "api.vendor.test" in found("host.tls.wrong_name", facts(at(tls=untrusted(62)))).because


class TestIssuers:
    @pytest.mark.parametrize(("code", "tls"), ISSUERS)
    def test_alone_it_is_likely(self, code: str, tls: TlsState) -> None:
        assert said(facts(at(tls=tls))) == ("host", "likely", code)

    @pytest.mark.parametrize(("code", "tls"), ISSUERS)
    def test_with_the_agents_line_it_is_established(self, code: str, tls: TlsState) -> None:
        assert said(facts(at(tls=tls), agent=run(fails=True))) == ("host", "established", code)

    @pytest.mark.parametrize(("code", "tls"), ISSUERS)
    def test_a_trusted_certificate_elsewhere_acquits_the_vendor(self, code: str, tls: TlsState) -> None:
        assert found(code, facts(at(tls=tls), agent=run(works=True))).lean is Lean.OPPOSES

    def test_the_issuer_that_other_hosts_show_is_not_the_vendors(self) -> None:
        given = facts(at(tls=untrusted(19, issuer="CN=Gatewatch")), controls__intercepting_issuer=INTERCEPTED)
        assert found("host.tls.private_ca", given).lean is Lean.OPPOSES
        assert said(given)[::2] == ("local", "local.tls.interception")

    def test_this_machines_own_list_is_not_the_vendors(self) -> None:
        given = facts(at(tls=untrusted(20, mozilla_code=0)))
        assert found("host.tls.private_ca", given).lean is Lean.OPPOSES
        assert said(given)[0] == "inconclusive"

    def test_where_other_hosts_fail_tls_too_nothing_is_said(self) -> None:
        given = facts(at(tls=untrusted(20)), controls__states=seen((control(untrusted(20)),), W))
        assert found("host.tls.private_ca", given).lean is Lean.SILENT

    def test_a_lone_leaf_that_says_where_its_issuer_is_lacks_the_intermediate(self) -> None:
        leaf = msgspec.structs.replace(LEAF, issuer_url="http://ca.example/ca.der")
        given = facts(at(tls=untrusted(20, leaf=leaf, chain_length=1)))
        assert said(given) == ("host", "likely", "host.tls.missing_intermediate")

    def test_a_lone_leaf_that_does_not_may_be_of_a_private_authority(self) -> None:
        assert said(facts(at(tls=untrusted(20, chain_length=1)))) == ("host", "likely", "host.tls")


class TestHandshakes:
    def alert(self, number: int = 40, *, asked: bool | None = None) -> Facts:
        return facts(at(tls=TlsState(how="alert", alert=number, acked=True, client_certificate_asked=asked)))

    def test_an_alert_is_the_hosts(self) -> None:
        assert said(self.alert()) == ("host", "likely", "host.tls.handshake")
        assert "alert 40 (handshake failure)" in found("host.tls.handshake", self.alert()).because

    def test_the_agents_line_proves_it(self) -> None:
        given = facts(at(tls=TlsState(how="alert", alert=70)), agent=run(fails=True))
        assert said(given) == ("host", "established", "host.tls.handshake")

    def test_a_certificate_of_the_client_that_is_asked_for_is_no_fault(self) -> None:
        assert found("host.tls.handshake", self.alert(asked=True)).lean is Lean.SILENT
        assert found("host.tls.handshake", self.alert(116)).lean is Lean.SILENT

    def test_a_client_that_nobody_understands_is_not_the_hosts(self) -> None:
        failing = control(TlsState(how="alert", alert=70))
        given = facts(at(tls=TlsState(how="alert", alert=70)), controls__states=seen((failing,), W))
        assert found("host.tls.handshake", given).lean is Lean.SILENT

    def test_a_port_that_does_not_speak_tls(self) -> None:
        assert said(facts(at(tls=TlsState(how="not_tls")))) == ("host", "likely", "host.tls.not_tls")
        given = facts(at(tls=TlsState(how="not_tls")), agent=run(fails=True))
        assert said(given) == ("host", "established", "host.tls.not_tls")


def placed(end: int, *, nearer_by: int | None) -> dict[str, Any]:
    """The port is answered at this hop, which is so much nearer than pings say; at the first hop it is no target's."""
    met = walk(end="open", last=max(end - 1, 1), place="public")
    met = msgspec.structs.replace(met, end_ttl=end, nearer_by=nearer_by)
    at_first = seen(True, W) if end == 1 else Fact()
    return {
        "target": met,
        "path__proxy_in_path": seen(False, W) if nearer_by == 0 else at_first,
        "machine__own_addresses": seen(("192.168.1.20",), W),
    }


BOXES = [
    pytest.param(untrusted(18, chain_length=1), id="self-signed"),
    pytest.param(untrusted(62), id="a name of its own"),
    pytest.param(TlsState(how="alert", alert=40, server_hello=False, acked=True), id="alert"),
    pytest.param(TlsState(how="not_tls", acked=True), id="plain text"),
]


class TestSomethingAnswersInTheVendorsPlace:
    @pytest.mark.parametrize("tls", BOXES)
    def test_nobody_is_accused_of_what_comes_from_nearer(self, tls: TlsState) -> None:
        for end in (1, 2):
            assert said(facts(at(tls=tls), **placed(end, nearer_by=6)))[0] == "inconclusive"

    @pytest.mark.parametrize("tls", BOXES)
    def test_nor_where_nothing_shows_how_far_it_came(self, tls: TlsState) -> None:
        assert said(facts(at(tls=tls), path__proxy_in_path=Fact()))[0] == "inconclusive"

    @pytest.mark.parametrize("tls", BOXES)
    def test_from_the_targets_own_distance_it_is_likely_the_vendors(self, tls: TlsState) -> None:
        given = facts(at(tls=tls), **placed(7, nearer_by=0))
        assert said(given)[:2] == ("host", "likely")
        assert found("transit.tls.interception", given).lean is Lean.OPPOSES

    @pytest.mark.parametrize("tls", BOXES)
    def test_where_another_line_is_served_it_is_not_the_vendors(self, tls: TlsState) -> None:
        for end in (1, 2, 7):
            given = facts(at(tls=tls), agent=run(works=True), **placed(end, nearer_by=0 if end == 7 else 6))
            assert said(given)[0] != "host"

    @pytest.mark.parametrize("how", ["silent", "closed"])
    @pytest.mark.parametrize("end", [1, 3])
    @pytest.mark.parametrize("works", [True, False])
    def test_a_box_that_takes_connections_and_says_nothing_convicts_nobody(
        self, how: Literal["silent", "closed"], end: int, works: bool
    ) -> None:
        """A transparent proxy whose connections the vendor drops is as mute."""
        given = facts(at(tls=TlsState(how=how, acked=True)), agent=run(works=works), **placed(end, nearer_by=7 - end))
        assert said(given)[0] == "inconclusive"
        suspect = "local.tls.interception" if end == 1 else "transit.tls.interception"
        assert found(suspect, given).lean is Lean.SUPPORTS

    @pytest.mark.parametrize("tls", BOXES)
    def test_beyond_the_customers_network_it_is_named_and_not_convicted(self, tls: TlsState) -> None:
        given = facts(at(tls=tls), agent=run(works=True), **placed(3, nearer_by=4))
        assert said(given) == ("inconclusive", None, "transit.tls.interception")
        assert "hop 3" in found("transit.tls.interception", given).because
        assert "log" in decide(given).next_evidence[0]

    @pytest.mark.parametrize("tls", BOXES)
    def test_next_to_the_machine_it_is_the_customers(self, tls: TlsState) -> None:
        given = facts(at(tls=tls), agent=run(works=True), **placed(1, nearer_by=6))
        assert said(given) == ("local", "likely", "local.tls.interception")

    def test_a_machine_without_a_network_of_its_own_has_its_provider_there(self) -> None:
        given = placed(1, nearer_by=6) | {"machine__own_addresses": seen(("203.0.113.20",), W)}
        served = facts(at(tls=untrusted(18)), agent=run(works=True), **given)
        assert said(served)[0] == "inconclusive"

    def test_what_another_line_is_shown_too_is_likely_the_vendors(self) -> None:
        """A box in front of the vendor, which both ways have in common, would look the same."""
        given = facts(at(tls=untrusted(18, chain_length=1)), agent=run(fails=True), **placed(2, nearer_by=5))
        assert said(given) == ("host", "likely", "host.tls.self_signed")
