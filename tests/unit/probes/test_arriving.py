"""Arriving TTLs by connections that hide answers: the search, the probe, and when it is wanted."""

from collections.abc import Callable
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.evidence.bundle import Options, Step, Target
from netdiag.evidence.record import Failure, FailureCode, Icmp, Native, ObsId, StepId
from netdiag.evidence.transport import ArrivingTtl, Connect
from netdiag.probes import arriving
from netdiag.probes.base import Stamp, Stream
from netdiag.probes.plan.arriving import measure_arriving_ttls
from netdiag.probes.plan.seen import Inputs, Seen, make_step
from netdiag.probes.ttl_search import TtlSearch
from tests.fakes.world import FakeStream, FakeWorld

VENDOR = "203.0.114.7"
STEP = Step(id=StepId("s"), probe="arriving", role="target", subject="a.example", address=VENDOR, port=443)

SILENT = Failure(op="connect", code=FailureCode.TIMED_OUT)
RESET = Failure(op="connect", code=FailureCode.REFUSED, native=Native(kind="errno", number=111), errno=111)
REJECTED = Failure(op="connect", code=FailureCode.REFUSED, native=Icmp(type=3, code=3, sender=VENDOR), errno=111)

Answer = Failure | None
Answering = Callable[[int, int], Answer]
"""What the connect of this number, counted from 1, with this least TTL meets; None: it is accepted."""


@given(first=st.sampled_from([64, 128, 255]), hops=st.integers(min_value=0, max_value=39))
def test_every_likely_ttl_is_found(first: int, hops: int) -> None:
    ttl, search, asked = first - hops, TtlSearch(), 0
    while (floor := search.guess()) is not None:
        search.told(came=ttl >= floor)
        asked += 1
    assert search.found() == (ttl, ttl)
    assert asked <= 8


def test_what_never_came_is_not_found() -> None:
    search = TtlSearch()
    while search.guess() is not None:
        search.told(came=False)
    assert search.found() == (None, None)


class Floors(FakeWorld):
    """An address whose answers are hidden by floors."""

    def __init__(self, answering: Answering) -> None:
        super().__init__()
        self.answering, self.floors = answering, list[int]()

    def connect(
        self, stamp: Stamp, address: str, port: int, *, limit_ms: int, syn_retries: int = 1, ttl: int | None = None,
        min_ttl: int | None = None, mss_clamp: int | None = None,
    ) -> tuple[Connect, Stream | None]:  # fmt: skip
        assert min_ttl is not None
        self.floors.append(min_ttl)
        failure = self.answering(len(self.floors), min_ttl)
        record = Connect(
            id=stamp.id, step=stamp.step, attempt=stamp.attempt, began_ns=0, ended_ns=1, failure=failure,
            address=address, port=port, limit_ms=limit_ms, min_ttl=min_ttl, syns_sent=1,
        )  # fmt: skip
        return record, FakeStream() if failure is None else None


def arrives(ttl: int, answer: Answer) -> Answering:
    return lambda _, floor: answer if ttl >= floor else SILENT


def found(answering: Answering) -> tuple[list[ArrivingTtl], Floors]:
    world = Floors(answering)
    return [one for one in arriving.PROBE.run(STEP, world) if isinstance(one, ArrivingTtl)], world


@pytest.mark.parametrize(("answer", "of"), [(None, "syn_ack"), (RESET, "rst")])
@pytest.mark.parametrize("ttl", [57, 119, 255])
def test_the_ttl_of_either_answer_is_found_and_proven(answer: Answer, of: Literal["syn_ack", "rst"], ttl: int) -> None:
    (told,), world = found(arrives(ttl, answer))
    assert (told.of, told.how, told.low, told.high) == (of, "min_ttl", ttl, ttl)
    assert told.connections == len(world.floors)
    assert world.floors[-1] == ttl, "the last question is answered: nobody began to be silent meanwhile"


def test_a_lost_answer_gives_no_ttl() -> None:
    """The third answer is lost: taken for hidden, it would place the TTL too low."""
    (told,), _ = found(lambda number, floor: SILENT if number == 3 or floor > 57 else None)
    (whole,), _ = found(arrives(57, None))
    assert (told.low, told.high) == (None, None)
    assert whole.low == 57


@pytest.mark.parametrize("other", [RESET, REJECTED])
def test_answers_of_two_kinds_give_no_ttl(other: Failure) -> None:
    (told,), _ = found(lambda number, floor: other if number == 4 else None if floor <= 62 else SILENT)
    assert (told.low, told.high) == (None, None)


def test_a_limit_that_sets_in_gives_no_ttl() -> None:
    """All is silence from the sixth on: the questions about a TTL just above would be answered as they should be."""
    records, _ = found(lambda number, floor: SILENT if number >= 6 or floor > 60 else None)
    assert all((one.low, one.high) == (None, None) for one in records)


def test_silence_alone_says_nothing() -> None:
    assert found(lambda *_: SILENT)[0] == []


# When it is wanted

DEEP = Inputs(
    target=Target(scheme="https", host="a.example", port=443), url="https://a.example/", options=Options(deep=True),
    controls=(), public_resolvers=(),
)  # fmt: skip


def wanted(mine: Answer, other: Answer, *, deep: bool = True) -> list[int | None]:
    steps, records = {}, []
    for port, failure in ((443, mine), (80, other)):
        step = make_step("reach", "target", subject="a.example", address=VENDOR, port=port)
        steps[step.id] = step
        record = Connect(
            id=ObsId(f"o{port}"), step=step.id, began_ns=0, ended_ns=1, failure=failure, address=VENDOR, port=port,
            limit_ms=1000,
        )  # fmt: skip
        records.append(record)
    inputs = msgspec.structs.replace(DEEP, options=Options(deep=deep))
    return [step.port for step in measure_arriving_ttls(inputs, Seen(steps, frozenset(steps), records))]


@pytest.mark.parametrize("other", [None, RESET])
def test_a_reset_beside_an_answer_of_another_port_is_measured_when_asked_for(other: Answer) -> None:
    assert wanted(RESET, other) == [443, 80]
    assert wanted(RESET, other, deep=False) == []


@pytest.mark.parametrize(("mine", "other"), [(RESET, SILENT), (REJECTED, None), (SILENT, None), (None, RESET)])
def test_nothing_is_measured_without_both(mine: Answer, other: Answer) -> None:
    assert wanted(mine, other) == []


def test_connects_that_hide_answers_tell_the_plan_nothing() -> None:
    record = Connect(
        id=ObsId("o"), step=STEP.id, began_ns=0, ended_ns=1, failure=SILENT, address=VENDOR, port=443, limit_ms=1000,
        min_ttl=60,
    )  # fmt: skip
    assert list(Seen({STEP.id: STEP}, frozenset(), [record]).of(Connect)) == []
