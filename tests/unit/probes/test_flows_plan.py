"""When several flows are sent, and where to."""

from typing import Any

import msgspec
import pytest

from netdiag.evidence.bundle import Options, Step, Target
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import Failure, FailureCode, Icmp, ObsId, StepId
from netdiag.evidence.transport import Connect, Echo, HopReply
from netdiag.probes.plan import Inputs, Seen
from netdiag.probes.plan.flows import look_at_other_flows

ADDRESS = "203.0.113.7"
WALK = Step(
    id=StepId("w"), probe="walk", role="target", subject="h", address=ADDRESS, port=443, params={"protocol": "tcp"}
)
REACH = Step(id=StepId("r"), probe="reach", role="target", subject="h", address=ADDRESS, port=443)


def hop(ttl: int, answer: str, replier: str | None = None, *, icmp: Icmp | None = None, **more: Any) -> HopReply:
    if answer == "router":
        answer, replier = "icmp", f"198.51.100.{ttl}"
        icmp = Icmp(type=11, code=0, sender=replier)
    return HopReply(
        id=ObsId(f"o{ttl}{answer}{more}"), step=WALK.id, began_ns=0, ended_ns=2_000_000_000, address=ADDRESS, port=443,
        flow=ttl, ttl=ttl, answer=answer, replier=replier, icmp=icmp, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def connect(number: int, failed: bool) -> Connect:
    failure = Failure(op="connect", code=FailureCode.TIMED_OUT) if failed else None
    return Connect(
        id=ObsId(f"c{number}"), step=REACH.id, began_ns=0, ended_ns=1, address=ADDRESS, port=443, limit_ms=3000,
        failure=failure,
    )  # fmt: skip


def wanted(
    *found: Observation,
    deep: bool = False,
    ended: bool = True,
    more: tuple[Step, ...] = (),
    also_ended: tuple[str, ...] = (),
) -> list[Step]:
    target = Target(scheme="https", host="h", port=443)
    inputs = Inputs(target=target, url="https://h/", options=Options(deep=deep), controls=(), public_resolvers=())
    finished = frozenset({WALK.id, REACH.id}) if ended else frozenset({REACH.id})
    finished |= {StepId(one) for one in also_ended}
    started = {step.id: step for step in (WALK, REACH, *more)}
    return list(look_at_other_flows(inputs, Seen(started, finished, found)))


ROUTERS = tuple(hop(ttl, "router") for ttl in range(1, 6))
ARRIVED = (*ROUTERS, hop(6, "syn_ack", ADDRESS))
SILENT = (*ROUTERS, hop(6, "none"), hop(7, "none"))


def test_a_walk_that_ends_in_silence_asks_for_flows_on_both_sides_of_the_break() -> None:
    (step,) = wanted(*SILENT)
    assert step.params == {"flows": "8", "look": "split", "tcp": "3,4,5", "udp": "6,7,8"}
    assert wanted(*SILENT, ended=False) == []


def test_a_walk_that_arrives_asks_only_where_connections_differ_or_deep_is_given() -> None:
    assert wanted(*ARRIVED) == []
    assert wanted(*ARRIVED, connect(1, failed=False)) == []
    assert wanted(*ARRIVED, connect(1, failed=True))  # the walk's SYN was accepted
    (step,) = wanted(*ARRIVED, connect(1, failed=True), connect(2, failed=False))
    assert step.params["udp"] == "6"  # the host itself, whose distance is known
    (deep,) = wanted(*ARRIVED, deep=True)
    assert deep.params["flows"] == "24"


def test_no_syn_is_asked_for_beyond_a_router_that_something_proved() -> None:
    beyond = hop(7, "router", protocol="udp")
    (step,) = wanted(*SILENT, beyond)
    assert step.params["tcp"] == "5,6,7"
    assert step.params["udp"] == "8,9,10"


@pytest.mark.parametrize(
    "end",
    [
        (hop(6, "rst", ADDRESS),),
        (hop(6, "icmp", "198.51.100.6", icmp=Icmp(type=3, code=13, sender="198.51.100.6")),),
    ],
)
def test_a_refusal_is_no_silence(end: tuple[HopReply, ...]) -> None:
    assert wanted(*ROUTERS, *end) == []


@pytest.mark.parametrize(("sender", "asked"), [(ADDRESS, False), ("198.51.100.6", True)])
def test_a_host_that_refused_a_connection_by_icmp_may_be_silent_to_the_walk(sender: str, asked: bool) -> None:
    """Hosts limit their ICMP. A router that says so may be the neighbour of one member of several."""
    refusal = Failure(op="connect", code=FailureCode.UNREACHABLE, native=Icmp(type=3, code=13, sender=sender))
    refused = msgspec.structs.replace(connect(1, failed=True), failure=refusal)
    assert bool(wanted(*SILENT, refused)) is asked
    assert wanted(*SILENT, refused, deep=True)


@pytest.mark.parametrize(("sender", "asked"), [(ADDRESS, False), ("198.51.100.6", True)])
def test_a_host_that_refuses_echoes_has_a_rule_and_may_be_silent_to_the_walk(sender: str, asked: bool) -> None:
    step = Step(id=StepId("e"), probe="echo", role="target", subject="h", address=ADDRESS)
    refusal = Failure(op="receive", code=FailureCode.UNREACHABLE, native=Icmp(type=3, code=3, sender=sender))
    echo = Echo(
        id=ObsId("e1"), step=step.id, began_ns=0, ended_ns=1, address=ADDRESS, identifier=1, sequence=1,
        mode="ping_socket", failure=refusal,
    )  # fmt: skip
    assert bool(wanted(*SILENT, echo, more=(step,))) is asked


def test_a_few_datagrams_do_where_the_host_answers_them_and_no_connection_came_about() -> None:
    said = Icmp(type=3, code=3, sender=ADDRESS)
    answered = hop(7, "icmp", ADDRESS, icmp=said, protocol="udp")
    (step,) = wanted(*SILENT, answered)
    assert step.params == {"flows": "8", "look": "split", "sample": "4", "tcp": "3,4,5", "udp": "7"}
    (partly,) = wanted(*SILENT, answered, connect(1, failed=True), connect(2, failed=False))
    assert "sample" not in partly.params
    (deep,) = wanted(*SILENT, answered, deep=True)
    assert "sample" not in deep.params


def test_a_host_that_refuses_another_port_by_icmp_is_first_asked_for_the_service_once_more() -> None:
    refusal = Failure(op="connect", code=FailureCode.REFUSED, native=Icmp(type=3, code=3, sender=ADDRESS))
    other = msgspec.structs.replace(connect(1, failed=True), failure=refusal, port=80)
    assert wanted(*SILENT, other) == []
    again = msgspec.structs.replace(REACH, id=StepId("r2"), round=2)
    assert wanted(*SILENT, other, more=(again,)) == []
    assert wanted(*SILENT, other, more=(again,), also_ended=("r2",))


def test_nothing_is_sent_into_a_loop_or_behind_a_gateway_that_is_all_there_is() -> None:
    circle = [
        hop(ttl, "icmp", name, icmp=Icmp(type=11, code=0, sender=name)) for ttl, name in enumerate("ababababab", 2)
    ]
    assert wanted(ROUTERS[0], *circle, hop(12, "none")) == []
    assert wanted(ROUTERS[0], hop(2, "none"), hop(3, "none")) == []
