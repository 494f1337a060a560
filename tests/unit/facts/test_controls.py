"""Controls: health, portals, interception, ports."""

import pytest

from tests.fakes.records import (
    CONTROL,
    CONTROL2,
    CONTROL6,
    CONTROL_HOST,
    CONTROL_HOST2,
    REFUSED,
    SILENT,
    Story,
    certificate,
)
from tests.unit.facts import control_of, facts_of

INSPECTION = "CN=Office Inspection CA"


def test_healthy_controls() -> None:
    story = Story()
    story.surroundings(ipv6=True)
    controls = facts_of(story).controls
    assert controls.any_healthy.value is True
    assert controls.any_healthy4.value is True
    assert controls.any_healthy6.value is True
    assert controls.all_failed.value is False
    assert controls.any_open_port.value is True
    assert controls.port_443_fails.value is False
    assert controls.tls_time_errors.value is False
    assert not controls.portal.known
    assert not controls.intercepting_issuer.known


def test_no_controls_are_not_failed_controls() -> None:
    story = Story()
    story.surroundings(controls=False)
    controls = facts_of(story).controls
    assert not controls.any_healthy.known
    assert not controls.all_failed.known


def test_failed_controls() -> None:
    story = Story()
    story.machine()
    story.connect(CONTROL, SILENT, role="control")
    controls = facts_of(story).controls
    assert controls.any_healthy.value is False
    assert not controls.all_failed.known  # one host may have its own trouble
    story.connect(CONTROL2, REFUSED, role="control", host=CONTROL_HOST2)
    controls = facts_of(story).controls
    assert controls.all_failed.value is True
    assert controls.any_open_port.value is False
    assert not controls.any_healthy6.known


def test_a_dead_family() -> None:
    story = Story()
    story.surroundings()
    story.connect(CONTROL6, SILENT, role="control")
    controls = facts_of(story).controls
    assert (controls.any_healthy4.value, controls.any_healthy6.value) == (True, False)


def test_only_port_443_fails() -> None:
    story = Story()
    story.machine()
    story.connect(CONTROL, SILENT, role="control")
    assert not facts_of(story).controls.port_443_fails.known
    story.portal_page()
    assert facts_of(story).controls.port_443_fails.value is True


@pytest.mark.parametrize(
    ("status", "location", "page"),
    [
        (204, None, "expected"),
        (302, "http://portal.hotel.test/login", "redirected"),
        (200, None, "other"),
        (511, None, "other"),
    ],
)
def test_connectivity_check_pages(status: int, location: str | None, page: str) -> None:
    story = Story()
    story.machine()
    story.portal_page(status=status, location=location)
    facts = facts_of(story)
    control = control_of(facts, CONTROL)
    assert (control.page, control.port, control.http_status) == (page, 80, status)
    assert control.healthy is (page == "expected")
    assert facts.controls.portal.known is (page != "expected")


def test_one_replaced_page_among_healthy_controls_is_no_portal() -> None:
    story = Story()
    story.surroundings()
    story.portal_page(CONTROL2, 302, host=CONTROL_HOST2, location="https://check.example/moved")
    assert not facts_of(story).controls.portal.known


def test_two_replaced_pages_are_a_portal() -> None:
    story = Story()
    story.surroundings(controls=False)
    story.reach(CONTROL, role="control", host=CONTROL_HOST)
    for address, host in ((CONTROL, CONTROL_HOST), (CONTROL2, CONTROL_HOST2)):
        story.portal_page(address, 302, host=host, location="http://portal.hotel.test/login?x")
    assert facts_of(story).controls.portal.value == "portal.hotel.test"


def intercepted(*hosts: str, system: int = 0, mozilla: int = 20, issuer: str = INSPECTION) -> Story:
    story = Story()
    story.machine()
    for address, host in zip((CONTROL, CONTROL2), hosts, strict=False):
        story.connect(address, role="control", host=host)
        story.handshake(address, role="control", host=host, verify=system, mozilla=mozilla, chain=[certificate(issuer)])
    return story


def test_interception_needs_two_hosts() -> None:
    assert facts_of(intercepted(CONTROL_HOST, CONTROL_HOST2)).controls.intercepting_issuer.value == INSPECTION
    assert (
        facts_of(intercepted(CONTROL_HOST, CONTROL_HOST2, system=19)).controls.intercepting_issuer.value == INSPECTION
    )
    assert not facts_of(intercepted(CONTROL_HOST)).controls.intercepting_issuer.known
    assert not facts_of(intercepted(CONTROL_HOST, CONTROL_HOST)).controls.intercepting_issuer.known
    assert not facts_of(intercepted(CONTROL_HOST, CONTROL_HOST2, mozilla=0)).controls.intercepting_issuer.known


@pytest.mark.parametrize("code", [9, 10])
def test_time_errors_everywhere(code: int) -> None:
    facts = facts_of(intercepted(CONTROL_HOST, CONTROL_HOST2, system=code, mozilla=code))
    assert facts.controls.tls_time_errors.value is True
    assert not facts.controls.intercepting_issuer.known


def test_loss_counts_retransmitted_syns_and_echoes_of_the_living() -> None:
    story = Story()
    story.machine()
    story.connect(CONTROL, role="control", syns=3)
    story.connect(CONTROL2, SILENT, role="control", host=CONTROL_HOST2)  # dead: no loss
    story.echo(CONTROL, "!!.!", role="control")
    story.echo(CONTROL2, "....", role="control")
    loss = facts_of(story).controls.loss.value
    assert loss is not None
    assert (loss.sent, loss.lost) == (7, 3)
    assert 0 < loss.low < 3 / 7 < loss.high < 1


def test_a_proxied_control_is_no_direct_one() -> None:
    story = Story()
    story.machine()
    story.http(None, proxy="10.1.1.1:3128", role="control", host=CONTROL_HOST)
    assert not facts_of(story).controls.states.known


def test_a_handshake_proves_the_connect_whose_record_is_missing() -> None:
    story = Story()
    story.machine()
    story.reach(CONTROL, role="control")
    story._records = [record for record in story._records if type(record).__name__ != "Connect"]
    assert facts_of(story).controls.any_healthy.value is True
