"""What is worth watching after a run, by how little."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import pytest

from netdiag.evidence.bundle import Options, Step
from netdiag.evidence.limits import LimitAttempt, Outcome
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import Failure, FailureCode, Icmp, Native, ObsId, StepId
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import Connect
from netdiag.evidence.web import Exchange, Header
from netdiag.probes.plan import Seen
from netdiag.probes.plan.recovery import what_to_watch
from netdiag.probes.plan.seen import make_step
from tests.unit.probes.test_plan import VENDOR, VENDOR6, inputs

SILENT = Failure(op="connect", code=FailureCode.TIMED_OUT)
REJECTED = Failure(op="connect", code=FailureCode.UNREACHABLE, native=Icmp(type=3, code=13, sender="203.0.114.1"))
NO_ROUTE = Failure(op="connect", code=FailureCode.UNREACHABLE, native=Native(kind="errno", number=101))
DENIED = Failure(op="connect", code=FailureCode.DENIED_LOCALLY, native=Native(kind="errno", number=1))
CUT = Failure(op="receive", code=FailureCode.RESET)
UNTRUSTED = Failure(op="handshake", code=FailureCode.CERT_REJECTED)


def reach(address: str, *, again: bool = False) -> Step:
    return make_step(
        "reach", "target", subject="api.vendor.com", address=address, port=443, params={"tls": "yes"}, again=again
    )


def seen(*made: tuple[Step, Failure | None], answered: Sequence[Exchange] = ()) -> Seen:
    steps = {step.id: step for step, _ in made}
    records: list[Observation] = [
        Connect(
            id=ObsId(f"o{number}"), step=step.id, began_ns=number, ended_ns=number, failure=failure,
            address=step.address or "", port=443, limit_ms=3300,
        )
        for number, (step, failure) in enumerate(made)
    ]  # fmt: skip
    http = make_step("http", "target", subject="api.vendor.com", address=VENDOR)
    steps |= {http.id: http} if answered else {}
    return Seen(steps, frozenset(steps), [*records, *answered])


def answer(status: int | None, failure: Failure | None = None, **headers: str) -> Exchange:
    http = make_step("http", "target", subject="api.vendor.com", address=VENDOR)
    held = tuple(Header(name=name.replace("_", "-"), value=value) for name, value in headers.items())
    return Exchange(
        id=ObsId(f"x{status}"), step=StepId(http.id), began_ns=9, ended_ns=9, method="GET",
        url="https://api.vendor.com/", address=VENDOR, status=status, failure=failure, headers=held,
    )  # fmt: skip


WATCHING = inputs(options=Options(watch_s=600))


@pytest.mark.parametrize("failure", [SILENT, REJECTED, Failure(op="connect", code=FailureCode.REFUSED)])
def test_a_connection_that_is_not_let_in_is_asked_about_by_one_syn(failure: Failure) -> None:
    step = what_to_watch(WATCHING, seen((reach(VENDOR), failure), (reach(VENDOR, again=True), failure)))
    assert step is not None
    assert (step.address, step.params["level"], step.params["for_s"]) == (VENDOR, "connect", "600")


@pytest.mark.parametrize("failure", [NO_ROUTE, DENIED])
def test_what_this_machine_refuses_recovers_by_no_waiting(failure: Failure) -> None:
    assert what_to_watch(WATCHING, seen((reach(VENDOR), failure))) is None


def test_what_has_recovered_already_is_not_watched() -> None:
    assert what_to_watch(WATCHING, seen((reach(VENDOR), SILENT), (reach(VENDOR, again=True), None))) is None


@pytest.mark.parametrize("status", [429, 503, 403, 500])
def test_a_request_that_is_refused_is_asked_about_by_a_request(status: int) -> None:
    step = what_to_watch(WATCHING, seen((reach(VENDOR), None), answered=[answer(status, retry_after="77")]))
    assert step is not None
    assert (step.params["level"], step.params["asked_s"]) == ("http", "77")


@pytest.mark.parametrize(("status", "failure"), [(200, None), (404, None), (401, None), (None, UNTRUSTED)])
def test_answers_and_certificates_are_not_watched(status: int | None, failure: Failure | None) -> None:
    assert what_to_watch(WATCHING, seen((reach(VENDOR), None), answered=[answer(status, failure)])) is None


def test_a_request_that_was_cut_off_is_watched() -> None:
    step = what_to_watch(WATCHING, seen((reach(VENDOR), None), answered=[answer(None, CUT)]))
    assert step is not None
    assert step.params["level"] == "http"


@pytest.mark.parametrize(
    ("code", "level"),
    [(FailureCode.TIMED_OUT, "http"), (FailureCode.CLOSED, "http"), (FailureCode.CERT_REJECTED, None)],
)
def test_accepted_and_then_cut_off_is_watched_and_a_certificate_is_not(code: FailureCode, level: str | None) -> None:
    before = seen((reach(VENDOR), None))
    failure = Failure(op="handshake", code=code)
    greeting = Handshake(id=ObsId("h"), step=reach(VENDOR).id, began_ns=5, ended_ns=6, failure=failure)
    step = what_to_watch(WATCHING, Seen(before.started, before.finished, [*before.observations, greeting]))
    assert (None if step is None else step.params["level"]) == level


def limited(*attempts: LimitAttempt) -> Seen:
    """Everything worked, and then the rate section met these."""
    before = seen((reach(VENDOR), None), answered=[answer(200)])
    step = make_step("limits", "target", subject="api.vendor.com", address=VENDOR, port=443)
    records = [msgspec.structs.replace(one, step=step.id) for one in attempts]
    return Seen({**before.started, step.id: step}, before.finished, [*before.observations, *records])


def attempt(
    number: int, outcome: Outcome, *, asks: Literal["request", "connection"] = "request", **more: Any
) -> LimitAttempt:
    return LimitAttempt(
        id=ObsId(f"l{number}"), step=StepId(""), began_ns=number, ended_ns=number, address=VENDOR, port=443,
        phase="single" if number == 1 else "burst_of_connections", asks=asks, connection=number, outcome=outcome,
        **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("refused", "level"),
    [
        (attempt(2, "refused_http", status=429, retry_after_s=90), "http"),
        (attempt(2, "closed", asks="connection", failure=Failure(op="receive", code=FailureCode.CLOSED)), "http"),
        (attempt(2, "silent", asks="connection", failure=SILENT), "connect"),
        (attempt(2, "icmp", failure=REJECTED), "connect"),
    ],
)
def test_a_limit_that_the_rate_section_met_is_watched_by_what_was_refused(refused: LimitAttempt, level: str) -> None:
    step = what_to_watch(WATCHING, limited(attempt(1, "answered", status=200), refused))
    assert step is not None
    assert (step.address, step.params["level"], step.params["after"]) == (VENDOR, level, "limit")
    assert step.params.get("asked_s") == (None if refused.retry_after_s is None else "90")


def test_a_rate_section_that_met_nothing_leaves_nothing_to_watch() -> None:
    served = attempt(1, "answered", status=200)
    for second in (attempt(2, "answered", status=200), attempt(2, "failed")):
        assert what_to_watch(WATCHING, limited(served, second)) is None
    assert what_to_watch(WATCHING, limited(attempt(1, "refused_http", status=401))) is None


def test_a_rate_section_that_was_refused_at_once_is_watched() -> None:
    assert what_to_watch(WATCHING, limited(attempt(1, "refused_http", status=429))) is not None


def test_one_address_is_watched_of_several() -> None:
    step = what_to_watch(WATCHING, seen((reach(VENDOR6), None), (reach(VENDOR), SILENT)))
    assert step is not None
    assert step.address == VENDOR
