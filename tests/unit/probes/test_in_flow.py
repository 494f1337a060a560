"""The in-flow probe and its rules against a scripted World and a table of what was seen."""

from collections.abc import Sequence

import msgspec
import pytest

from netdiag.evidence.bundle import Options, Step, Target
from netdiag.evidence.machine import DefaultRoute
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import Failure, FailureCode, Icmp, NotRun, ObsId, StepId
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import ArrivingTtl, Connect, HopReply, InFlow
from netdiag.evidence.web import Exchange
from netdiag.probes import in_flow
from netdiag.probes.base import DeclinedError, Payload, Stage, Stamp, Stream
from netdiag.probes.plan.canaries import ask_where_nobody_is
from netdiag.probes.plan.in_flow import (
    NEUTRAL_NAME,
    look_inside_the_flow,
    looked_inside,
    may_be_for_size,
    walk_beside_a_reset,
)
from netdiag.probes.plan.seen import Inputs, Seen, make_step
from tests.fakes.world import FakeWorld, Host, Path, Router

VENDOR, NAME = "203.0.114.7", "a.example"
HOST_TTL = 57


def asked(**params: str) -> Step:
    fields = {"payload": "client_hello", "neutral": NEUTRAL_NAME, "met": "end", **params}
    return Step(id=StepId("s"), probe="in_flow", role="target", subject=NAME, address=VENDOR, port=443, params=fields)


class Filter:
    """A path of ``distance`` hops on which the vendor's name meets ``end`` at a TTL from ``begins`` on; ``arrives`` is
    the TTL with which that end comes."""

    def __init__(self, *, begins: int, end: str = "reset", arrives: int = HOST_TTL, distance: int = 9) -> None:
        self.begins, self.end, self.arrives, self.distance = begins, end, arrives, distance
        self.sent: list[tuple[bool, int | None, int | None]] = []

    def in_flow(self, stamp: Stamp, payload: Payload, stage: Stage) -> InFlow:
        self.sent.append((payload.neutral, stage.ttl, stage.min_ttl))
        return InFlow(
            id=stamp.id, step=stamp.step, attempt=stamp.attempt, caused_by=stamp.caused_by, began_ns=0, ended_ns=1,
            address=VENDOR, port=443, payload=payload.kind, name=payload.name, neutral=payload.neutral, ttl=stage.ttl,
            min_ttl=stage.min_ttl, limit_ms=stage.limit_ms, answer=self._answer(payload, stage),  # type: ignore[arg-type]
        )  # fmt: skip

    def _answer(self, payload: Payload, stage: Stage) -> str:
        ttl = 64 if stage.ttl is None else stage.ttl
        if not payload.neutral and ttl >= self.begins:
            return "none" if (stage.min_ttl or 0) > self.arrives else self.end
        if ttl < self.distance:
            return "expired"
        return "none" if (stage.min_ttl or 0) > HOST_TTL else "data"

    def arriving_ttl(self, stamp: Stamp, _: Payload) -> ArrivingTtl:
        return ArrivingTtl(
            id=stamp.id, step=stamp.step, began_ns=0, ended_ns=1, address=VENDOR, port=443, of="ack", how="min_ttl",
            low=HOST_TTL, high=HOST_TTL,
        )  # fmt: skip

    def world(self, kind: type[FakeWorld] = FakeWorld) -> FakeWorld:
        path = Path([Router(f"192.0.2.{n}") for n in range(1, self.distance)], Host(address=VENDOR))
        return kind(path, in_flow=self.in_flow, arriving_ttl=self.arriving_ttl)


def run(step: Step, world: FakeWorld) -> list[Observation]:
    return list(in_flow.PROBE.run(step, world))


def test_the_neutral_name_comes_first_and_both_connections_have_one_syn() -> None:
    way = Filter(begins=64)
    world = way.world()
    records = run(asked(ttls="2,5,8"), world)
    assert way.sent[0] == (True, None, None)
    assert way.sent[1:] == [
        *((False, ttl, None) for ttl in (2, 5, 8)),
        *((False, None, least) for least in (HOST_TTL + 1, HOST_TTL)),
    ]
    assert [one.syns_sent for one in world.connects] == [1, 1]
    assert [type(one) for one in records[:3]] == [Connect, InFlow, ArrivingTtl]


def test_a_gap_on_the_way_is_looked_into_on_a_third_connection() -> None:
    way = Filter(begins=4)
    world = way.world()
    run(asked(ttls="2,5,8"), world)
    assert [ttl for neutral, ttl, _ in way.sent if not neutral] == [2, 5, 3, 4]
    assert len(world.connects) == 3


def test_the_arriving_ttl_is_told_by_what_is_hidden() -> None:
    for arrives, seen_at in ((HOST_TTL + 1, HOST_TTL + 1), (HOST_TTL, HOST_TTL), (HOST_TTL - 1, None)):
        way = Filter(begins=9, arrives=arrives)
        records = run(asked(ttls="8"), way.world())
        ends = [one for one in records if isinstance(one, InFlow) and one.answer == "reset"]
        assert [(one.ttl, one.min_ttl) for one in ends] == [(None, seen_at)]


def test_two_silences_are_enough_and_hide_nothing_more() -> None:
    way = Filter(begins=3, end="none")
    run(asked(ttls="2,3,4,5,8", met="silence"), way.world())
    sent = [(False, 2, None), (False, 3, None), (False, 4, None), (False, None, None)]
    assert [one for one in way.sent if not one[0]] == sent


def test_where_the_name_meets_silence_a_neutral_one_is_sent_with_the_same_ttls() -> None:
    """First with those that are known; and, after a gap was looked into, with the new ones among them."""
    way = Filter(begins=4, end="none")
    world = way.world()
    records = run(asked(ttls="2,6,8", met="silence"), world)
    assert [ttl for neutral, ttl, _ in way.sent if not neutral] == [2, 6, 8, None, 3, 4, 5]
    assert [ttl for neutral, ttl, _ in way.sent if neutral] == [2, 6, 8, None, 4, 5]
    assert [one.syns_sent for one in world.connects] == [1, 1, 1, 1]
    beside = [one for one in records if isinstance(one, InFlow) and one.neutral and one.ttl is not None]
    assert {one.answer for one in beside} == {"expired"}


def test_where_the_name_is_reset_no_silence_is_asked_about() -> None:
    way = Filter(begins=64)
    run(asked(ttls="2,5,8"), way.world())
    assert [ttl for neutral, ttl, _ in way.sent if neutral] == [None]


def test_deep_asks_for_every_ttl_and_stops_where_it_ends() -> None:
    way = Filter(begins=6)
    run(asked(ttls="2,5,8", distance="9", deep="yes"), way.world())
    assert [ttl for neutral, ttl, _ in way.sent if neutral] == [None, *range(1, 10)]
    assert [ttl for neutral, ttl, _ in way.sent if not neutral] == [2, 5, 8, 1, 2, 3, 4, 5, 6]


class Spent(FakeWorld):
    """No place for a SYN any more, ever."""

    def connect(self, *_: object, **__: object) -> tuple[Connect, Stream | None]:
        raise DeclinedError("spent")


def test_a_spent_budget_is_waited_for_and_recorded() -> None:
    world = Filter(begins=64).world(Spent)
    records = run(asked(), world)
    assert [one.why for one in records if isinstance(one, NotRun)] == ["declined", "declined"]
    assert world.slept
    assert world.time_left_ms() > 0, "there is time for what comes after"


# The rules

INPUTS = Inputs(
    target=Target(scheme="https", host=NAME, port=443), url=f"https://{NAME}/", options=Options(), controls=(),
    public_resolvers=(),
)  # fmt: skip
REACH = make_step("reach", "target", subject=NAME, address=VENDOR, port=443, params={"tls": "yes"})
WALK = make_step("walk", "target", subject=NAME, address=VENDOR, port=443, params={"protocol": "tcp"})
CONTROL_WALK = make_step("walk", "control", subject="c.example", address="192.0.2.99", port=443)
MACHINE = make_step("machine", "machine", subject=NAME)


def shaken(code: FailureCode | None, *, acked: bool | None = None) -> Handshake:
    failure = None if code is None else Failure(op="handshake", code=code)
    return Handshake(id=ObsId("h"), step=REACH.id, began_ns=0, ended_ns=1, failure=failure, acked=acked)


def hop(step: Step, ttl: int, router: str | None) -> HopReply:
    error = None if router is None else Icmp(type=11, code=0, sender=router)
    return HopReply(
        id=ObsId(f"w{step.role}{ttl}"), step=step.id, began_ns=0, ended_ns=1, address=step.address or "", port=443,
        flow=1, ttl=ttl, answer="syn_ack" if router is None else "icmp", replier=router or step.address, icmp=error,
    )  # fmt: skip


WALKED = [
    *(
        hop(WALK, ttl, router)
        for ttl, router in enumerate(("192.168.1.1", "10.9.0.1", "203.0.115.1", "203.0.115.2"), 1)
    ),
    *(hop(WALK, ttl, router) for ttl, router in enumerate(("203.0.116.1", "203.0.116.2", "203.0.116.3"), 5)),
    hop(WALK, 8, None),
    hop(CONTROL_WALK, 4, "203.0.115.2"),
]


def wanted(records: Sequence[Observation], *, running: Sequence[Step] = ()) -> list[Step]:
    steps = {step.id: step for step in (REACH, WALK, CONTROL_WALK, MACHINE)}
    ended = frozenset(id_ for id_, step in steps.items() if step not in running)
    return list(look_inside_the_flow(INPUTS, Seen(steps, ended, records)))


def test_what_is_cut_short_is_looked_into_once_the_walk_has_ended() -> None:
    for code in (FailureCode.RESET, FailureCode.CLOSED):
        (step,) = wanted([shaken(code), *WALKED])
        assert (step.address, step.params["neutral"]) == (VENDOR, "www.example.com")
        assert wanted([shaken(code), *WALKED], running=[WALK]) == []
    assert wanted([shaken(None), *WALKED]) == []


def test_the_ttls_are_where_networks_meet() -> None:
    (step,) = wanted([shaken(FailureCode.RESET), *WALKED])
    # The last private router and the next, the last that a control passes too, the last two.
    assert (step.params["ttls"], step.params["distance"]) == ("2,3,4,6,7", "8")
    (blind,) = wanted([shaken(FailureCode.RESET)])
    assert "ttls" not in blind.params


def test_silence_after_an_acknowledgement_is_nobodys_on_the_way() -> None:
    assert wanted([shaken(FailureCode.TIMED_OUT, acked=True), *WALKED]) == []


def sent_before(answer: str) -> list[Observation]:
    """A greeting that was not acknowledged, and what came of the neutral name after it."""
    way = Filter(begins=64)
    (first,) = wanted([shaken(FailureCode.TIMED_OUT, acked=False), *WALKED])
    record = way.in_flow(way.world().stamp(first), Payload(kind="client_hello", name="n", neutral=True), Stage())
    return [shaken(FailureCode.TIMED_OUT, acked=False), msgspec.structs.replace(record, answer=answer), *WALKED]


def test_where_all_is_silence_the_neutral_name_is_sent_alone() -> None:
    (step,) = wanted([shaken(FailureCode.TIMED_OUT, acked=False), *WALKED])
    assert (step.params["send"], step.params["ttls"]) == ("neutral", "2,3,4,6,7")
    assert wanted([shaken(FailureCode.TIMED_OUT, acked=False), *WALKED], running=[WALK]) == []


def test_in_silence_both_names_are_sent_with_the_same_ttls_and_nothing_more() -> None:
    way = Filter(begins=5, end="none")
    world = way.world()
    for params in ({"send": "neutral"}, {"send": "vendor", "heard": "2,4,5,8"}):
        run(asked(ttls="2,4,5,8", met="silence", **params), world)
    assert [ttl for neutral, ttl, _ in way.sent if neutral] == [2, 4, 5, 8, None]
    assert [ttl for neutral, ttl, _ in way.sent if not neutral] == [2, 4, 5, 8, None]
    assert [one.syns_sent for one in world.connects] == [1, 1]


@pytest.mark.parametrize(("answer", "follows"), [("data", True), ("acked", True), ("none", False), ("reset", False)])
def test_the_vendors_name_follows_where_the_neutral_one_arrived(answer: str, follows: bool) -> None:
    records = sent_before(answer)
    (first,) = wanted([records[0], *WALKED])
    started = {step.id: step for step in (REACH, WALK, CONTROL_WALK, first)}
    steps = look_inside_the_flow(INPUTS, Seen(started, frozenset(started), records))
    assert [step.params.get("ttls") for step in steps if step.params["send"] == "vendor"] == ["2,3,4,6,7"] * follows


def test_what_is_learnt_later_starts_no_second_look() -> None:
    """Walks to controls go on meanwhile, and tell of other TTLs than were chosen."""
    records: list[Observation] = [shaken(FailureCode.RESET), *WALKED]
    (first,) = wanted(records)
    steps = {step.id: step for step in (REACH, WALK, CONTROL_WALK, first)}
    later = [*records, hop(CONTROL_WALK, 5, "203.0.116.1")]
    assert wanted(later)[0].params["ttls"] != first.params["ttls"]
    assert list(look_inside_the_flow(INPUTS, Seen(steps, frozenset(steps), later))) == []


@pytest.mark.parametrize(("answer", "open_"), [("data", False), ("none", True)])
def test_what_arrives_as_large_is_no_matter_of_size(answer: str, open_: bool) -> None:
    records = sent_before(answer)
    (first,) = wanted([shaken(FailureCode.TIMED_OUT, acked=False), *WALKED])
    steps = {step.id: step for step in (REACH, first)}
    waiting = Seen(steps, frozenset([REACH.id]), records[:1])
    told = Seen(steps, frozenset(steps), records[:2])
    assert not may_be_for_size(INPUTS, VENDOR, waiting), "the neutral name goes first"
    assert may_be_for_size(INPUTS, VENDOR, told) is open_


def test_a_silence_after_an_acknowledgement_may_be_for_size() -> None:
    seen = Seen({REACH.id: REACH}, frozenset([REACH.id]), [shaken(FailureCode.TIMED_OUT, acked=True)])
    assert may_be_for_size(INPUTS, VENDOR, seen)


HTTP_INPUTS = msgspec.structs.replace(INPUTS, target=Target(scheme="http", host=NAME, port=443, path="/v"))
HTTP = make_step("http", "target", subject=NAME, address=VENDOR, port=443)


@pytest.mark.parametrize(("code", "send"), [(FailureCode.RESET, None), (FailureCode.TIMED_OUT, "neutral")])
def test_a_plain_request_that_is_cut_is_followed_as_one(code: FailureCode, send: str | None) -> None:
    cut = Exchange(
        id=ObsId("x"), step=HTTP.id, began_ns=0, ended_ns=1, method="GET", url=f"http://{NAME}/v",
        failure=Failure(op="receive", code=code), request_acked=False,
    )  # fmt: skip
    (step,) = look_inside_the_flow(HTTP_INPUTS, Seen({HTTP.id: HTTP}, frozenset([HTTP.id]), [cut]))
    assert (step.params["payload"], step.params["path"], step.params.get("send")) == ("request", "/v", send)
    way = Filter(begins=64)
    records = run(step, way.world())
    sent = [(one.name, one.payload) for one in records if isinstance(one, InFlow)]
    assert sent[0] == (NEUTRAL_NAME, "request")
    assert ((NAME, "request") in sent) is (send is None)


def test_the_look_inside_is_the_check_once_more() -> None:
    step = asked()
    way = Filter(begins=64)
    records = run(step, way.world())
    assert looked_inside(VENDOR, Seen({step.id: step}, frozenset(), records))
    neutral = [one for one in records if isinstance(one, InFlow) and one.neutral]
    assert not looked_inside(VENDOR, Seen({step.id: step}, frozenset(), neutral))


def test_nobody_is_asked_while_all_is_well() -> None:
    steps = {step.id: step for step in (REACH, MACHINE)}
    route = DefaultRoute(id=ObsId("r"), step=MACHINE.id, began_ns=0, ended_ns=1, family=4, exists=True)
    well = Seen(steps, frozenset(steps), [route, shaken(None)])
    ill = Seen(steps, frozenset(steps), [route, shaken(FailureCode.RESET)])
    assert list(ask_where_nobody_is(INPUTS, well)) == []
    asks = list(ask_where_nobody_is(INPUTS, ill))
    assert [(step.address, step.port, step.role) for step in asks] == [
        ("192.0.2.1", 443, "machine"),
        ("192.0.2.53", 53, "machine"),
    ]
    assert all(NAME not in step.params.values() for step in asks), "the vendor's name goes to nobody else"


def refused_by(sender: str, ttl: int) -> HopReply:
    error = Icmp(type=3, code=13, sender=sender)
    return HopReply(
        id=ObsId("r"), step=WALK.id, began_ns=0, ended_ns=1, address=VENDOR, port=443, flow=1, ttl=ttl, answer="icmp",
        replier=sender, icmp=error,
    )  # fmt: skip


def test_a_refusal_in_the_name_of_the_address_is_walked_beside() -> None:
    def beside(record: HopReply) -> list[str]:
        seen = Seen({WALK.id: WALK}, frozenset(), [record])
        return [step.params["protocol"] for step in walk_beside_a_reset(INPUTS, seen)]

    assert beside(refused_by(VENDOR, 8)) == ["udp"]
    assert beside(refused_by(VENDOR, 1)) == []
    assert beside(refused_by("203.0.116.3", 7)) == []
