"""The watch after the run: the lifetime as an interval, apart from the run's own story."""

import pytest

from netdiag.evidence import limits, transport
from netdiag.evidence.limits import LimitBudget
from netdiag.facts import Facts, derive
from netdiag.reports.observed import observed
from netdiag.verdict import decide
from tests.fakes.records import OWN, SILENT, TARGET, TCP, Story


def refused() -> Story:
    told = Story()
    told.surroundings()
    told.connect(failure=SILENT)
    return told


def watch(told: Story, *marks: tuple[int, bool]) -> Facts:
    """Attempts after so many seconds of quiet each, and whether they worked."""
    step = told.step("watch", "target", told.host, TARGET, 443, params={"level": "connect", "for_s": "3600"})
    for number, (quiet_s, works) in enumerate(marks, 1):
        told.at_ms += quiet_s * 1000
        told.add(
            transport.Connect, step, attempt=number, ms=20 if works else 3300, address=TARGET, port=443,
            failure=None if works else SILENT, source_address=OWN, limit_ms=3300, syns_sent=1, tcp=TCP,
        )  # fmt: skip
    return derive(told.bundle())


def test_the_lifetime_lies_between_the_last_refusal_and_the_first_success() -> None:
    told = refused()
    facts = watch(told, (32, False), (64, False), (128, True))
    found = facts.recovery.value
    assert found is not None
    assert found.attempts == 3
    assert found.allowed_from_s is not None
    assert found.refused_until_s < found.allowed_from_s
    assert 96 <= found.refused_until_s <= 120
    assert 224 <= found.allowed_from_s <= 260
    assert (found.quiet_refused_s, found.quiet_allowed_s) == (64, 128)
    assert found.since is not None
    assert found.until < found.since


def test_what_works_later_did_not_work_in_the_run() -> None:
    """Mixed in, the success would make the address open, and the customer's evidence would be gone."""
    without = derive(refused().bundle())
    facts = watch(refused(), (32, True))
    assert facts.target == without.target
    assert facts.target.works.value is False
    assert decide(facts).side == decide(without).side


def test_still_refused_says_no_end() -> None:
    facts = watch(refused(), (32, False), (300, False))
    found = facts.recovery.value
    assert found is not None
    assert (found.allowed_from_s, found.since, found.quiet_refused_s) == (None, None, 300)
    (section,) = [one for one in observed(facts) if one.title == "After the run"]
    assert "was still refused" in section.sights[0].says


@pytest.mark.parametrize("works", [True, False])
def test_after_a_limit_that_was_met_on_purpose_it_counts_from_the_refusal(works: bool) -> None:
    told = Story()
    told.surroundings()
    told.connect()
    step = told.step("limits", "target", told.host, TARGET, 443, params=LimitBudget().params())
    for number, status in enumerate((200, 200, 429), 1):
        told.at_ms += 60_000
        told.add(
            limits.LimitAttempt, step, ms=20, address=TARGET, port=443, asks="request", connection=1, status=status,
            phase="single" if number == 1 else "burst_on_one_connection",
            outcome="answered" if status == 200 else "refused_http",
        )  # fmt: skip
    watching = told.step("watch", "target", told.host, TARGET, 443, params={"level": "connect", "after": "limit"})
    told.at_ms += 32_000
    told.add(
        transport.Connect, watching, ms=20, address=TARGET, port=443, failure=None if works else SILENT,
        source_address=OWN, limit_ms=3300, syns_sent=1, tcp=TCP,
    )  # fmt: skip
    facts = derive(told.bundle())
    found = facts.recovery.value
    assert found is not None
    assert (found.after, found.attempts) == ("limit", 1)
    assert (found.refused_until_s, found.allowed_from_s) == ((0, 33) if works else (32, None))
    (section,) = [one for one in observed(facts) if one.title == "After the run"]
    assert "after the limit was met" in section.sights[0].says
    assert facts.target.works.value is not False


def test_the_moments_are_search_keys() -> None:
    facts = watch(refused(), (32, False), (64, True))
    keys = dict(decide(facts).search_keys)
    assert {"refused_until_utc", "allowed_from_utc"} <= keys.keys()


def test_nothing_was_watched() -> None:
    assert not derive(refused().bundle()).recovery.known
