"""What the addresses of the target add up to; layers gate each other per address."""

import pytest

from netdiag.evidence.record import Failure, FailureCode
from tests.fakes.records import (
    CONTROL6,
    NO_ROUTE,
    RESET,
    SECOND,
    SILENT,
    TARGET,
    TARGET6,
    Story,
    failed,
)
from tests.unit.facts import facts_of, state_of

CLOSED = failed(FailureCode.CLOSED, op="receive")


def receiving(failure: Failure) -> Failure:
    return Failure(op="receive", code=failure.code, native=failure.native, errno=failure.errno)


def test_all_well() -> None:
    story = Story()
    story.surroundings()
    story.well()
    facts = facts_of(story)
    assert facts.target.works.value is True
    assert facts.target.works_somewhere.value is True
    assert facts.target.scheme.value == "https"
    state = state_of(facts, TARGET)
    assert (state.genuine, state.works, state.failed_at) == (True, True, None)


def test_nothing_measured_is_unknown() -> None:
    story = Story()
    story.surroundings()
    facts = facts_of(story)
    assert not facts.target.works.known
    assert not facts.target.works_somewhere.known
    story.connect(TARGET)  # open, and no deeper
    assert not facts_of(story).target.works.known


@pytest.mark.parametrize(
    ("fields", "how"),
    [
        ({}, "ok"),
        ({"verify": 10}, "untrusted"),
        ({"alert": 40}, "alert"),
        ({"failure": RESET}, "reset"),
        ({"failure": CLOSED}, "closed"),
        ({"failure": SILENT}, "silent"),
        ({"failure": failed(FailureCode.PROTOCOL), "first_bytes": "HTTP/1.1 400"}, "not_tls"),
        ({"failure": failed(FailureCode.PROTOCOL)}, "failed"),
    ],
)
def test_tls(fields: dict[str, object], how: str) -> None:
    story = Story()
    story.surroundings()
    story.connect(TARGET)
    story.handshake(TARGET, **fields)  # type: ignore[arg-type]
    story.http(TARGET)
    state = state_of(facts_of(story), TARGET)
    assert state.tls is not None
    assert state.tls.how == how
    assert (state.works, state.failed_at) == ((True, None) if how == "ok" else (False, "tls"))
    assert (state.http is None) is (how != "ok")  # HTTP is judged only where TLS worked


def test_tls_details() -> None:
    story = Story()
    story.surroundings()
    story.connect(TARGET)
    story.handshake(TARGET, verify=20, mozilla=20)
    tls = state_of(facts_of(story), TARGET).tls
    assert tls is not None
    assert (tls.verify_code, tls.mozilla_code, tls.issuer, tls.chain_length) == (20, 20, "CN=Public CA R1", 1)
    assert tls.client_certificate_asked is False


@pytest.mark.parametrize(("failure", "how"), [(SILENT, "silent"), (RESET, "reset"), (CLOSED, "closed")])
def test_http_without_an_answer(failure: Failure, how: str) -> None:
    story = Story()
    story.surroundings()
    story.reach()
    story.http(failure=receiving(failure), acked=True)
    state = state_of(facts_of(story), TARGET)
    assert state.http is not None
    assert (state.http.how, state.http.acked, state.failed_at) == (how, True, "http")


def test_tls_is_not_looked_for_over_plain_http() -> None:
    story = Story("http://api.vendor.test/")
    story.surroundings()
    story.connect(TARGET)
    story.http(TARGET, 301, location="https://api.vendor.test/")
    state = state_of(facts_of(story), TARGET)
    assert (state.tls, state.works) == (None, True)
    assert state.http is not None
    assert state.http.location_host == "api.vendor.test"


def test_one_dead_address_fails_the_target() -> None:
    story = Story()
    story.surroundings()
    story.well(TARGET)
    story.connect(SECOND, SILENT)
    facts = facts_of(story)
    assert facts.target.works.value is False
    assert facts.target.works_somewhere.value is True


def with_ipv6_failing(failure: Failure, *, line: bool, control: bool | None) -> Story:
    story = Story()
    story.machine(ipv6=line)
    story.authority(TARGET, TARGET6)
    story.healthy_controls()
    if control is not None:
        story.connect(CONTROL6, None if control else SILENT, role="control")
    story.well(TARGET)
    story.connect(TARGET6, failure)
    return story


@pytest.mark.parametrize(
    ("failure", "line", "control", "works"),
    [
        (SILENT, True, True, False),  # the vendor's own IPv6 is dead
        (SILENT, True, False, True),  # dead for the controls, too
        (SILENT, True, None, False),  # nobody looked
        (NO_ROUTE, False, None, True),  # no IPv6 here
        (failed(FailureCode.UNCLASSIFIED, 99), False, None, True),  # nor an address to send from
    ],
)
def test_families(failure: Failure, line: bool, control: bool | None, works: bool) -> None:
    assert facts_of(with_ipv6_failing(failure, line=line, control=control)).target.works.value is works


def test_a_dead_family_does_not_excuse_a_target_that_works_nowhere() -> None:
    story = Story()
    story.surroundings()
    story.connect(CONTROL6, SILENT, role="control")
    story.connect(TARGET, SILENT)
    story.connect(TARGET6, SILENT)
    fact = facts_of(story).target.works
    assert (fact.value, fact.agree) == (False, 2)


def test_only_lies_were_measured() -> None:
    story = Story()
    story.machine()
    story.lookup("203.0.113.53", "10.66.0.1")
    story.authority(TARGET)
    story.connect("10.66.0.1", SILENT)
    facts = facts_of(story)
    assert state_of(facts, "10.66.0.1").genuine is False
    assert not facts.target.works.known


def test_other_answers_of_the_address() -> None:
    story = Story()
    story.surroundings()
    story.connect(TARGET, SILENT)
    assert state_of(facts_of(story), TARGET).answers_otherwise is None
    story.echo(TARGET, "..")
    assert state_of(facts_of(story), TARGET).answers_otherwise is False
    story.connect(TARGET, port=80)
    state = state_of(facts_of(story), TARGET)
    assert state.answers_otherwise is True
    assert state.connect is not None
    assert state.connect.how == "silent"  # the other port is not this one
    assert state.echo is not None
    assert (state.echo.sent, state.echo.lost, state.echo.high) == (2, 2, 1.0)


def test_loss_and_retransmits() -> None:
    story = Story()
    story.surroundings()
    story.connect(TARGET, syns=2)
    story.echo(TARGET, "!!!.")
    facts = facts_of(story)
    loss = facts.target.loss.value
    assert loss is not None
    assert (loss.sent, loss.lost) == (6, 2)
    assert not facts.target.retransmits.known
    story.well()
    again = facts_of(story).target.retransmits.value
    assert again is not None
    assert (again.sent, again.lost) == (8, 0)


def test_steps_through_a_proxy_are_not_direct_ones() -> None:
    story = Story()
    story.surroundings()
    story.well()
    story.connect(TARGET, SILENT, proxy="10.1.1.1:3128")
    story.http(None, 503, proxy="10.1.1.1:3128")
    assert facts_of(story).target.works.value is True


def test_a_silent_attempt_beside_one_that_worked_is_loss() -> None:
    story = Story()
    story.surroundings()
    story.connect(TARGET, SILENT, attempts=1, syns=1)
    story.connect(TARGET, syns=1)
    story.connect(SECOND, SILENT, syns=1)
    facts = facts_of(story)
    loss = facts.target.loss.value
    assert loss is not None
    assert (loss.sent, loss.lost) == (2, 1)
    connect = state_of(facts, TARGET).connect
    assert connect is not None
    assert connect.syn_lost == 1


def test_an_outage_that_ended_is_not_loss() -> None:
    story = Story()
    story.surroundings()
    story.connect(TARGET, SILENT, syns=1)
    story.connect(TARGET, syns=1, round_=2)
    loss = facts_of(story).target.loss.value
    assert loss is not None
    assert (loss.sent, loss.lost) == (1, 0)


def test_experiments_are_not_the_customers_case() -> None:
    story = Story()
    story.surroundings()
    story.connect(TARGET)
    story.handshake(TARGET, failure=RESET)
    story.handshake(TARGET, server_name="neutral.example")
    story.connect(TARGET, mss_clamp=1200)
    story.handshake(TARGET)
    story.connect(TARGET, SILENT, min_ttl=60)
    state = state_of(facts_of(story), TARGET)
    assert state.tls is not None
    assert state.tls.how == "reset"
    assert state.connect is not None
    assert (state.connect.attempts, state.connect.worked) == (1, 1)
