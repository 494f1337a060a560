"""When a walk is made once more with raw packets."""

import pytest

from netdiag.evidence.bundle import Options, Step
from netdiag.evidence.machine import Platform
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import ObsId
from netdiag.evidence.transport import HopReply
from netdiag.probes.plan.raw_walk import walk_with_raw_packets
from netdiag.probes.plan.seen import Seen, make_step
from tests.unit.probes.test_plan import VENDOR, VENDOR6, inputs


def machine(*, raw: bool | None) -> tuple[Step, Platform]:
    step = make_step("machine", "machine")
    platform = Platform(
        id=ObsId("p"), step=step.id, began_ns=0, ended_ns=1, system="Linux", release="6", python="3", openssl="3",
        raw_sockets=raw,
    )  # fmt: skip
    return step, platform


def walk(address: str, answer: str) -> tuple[Step, HopReply]:
    step = make_step("walk", "target", subject="h", address=address, port=443, params={"protocol": "tcp"})
    reply = HopReply(
        id=ObsId(address), step=step.id, began_ns=0, ended_ns=1, address=address, port=443, flow=1, ttl=3,
        answer=answer,  # type: ignore[arg-type]
    )  # fmt: skip
    return step, reply


def planned(*made: tuple[Step, Observation], deep: bool = False, running: str = "") -> list[Step]:
    steps = {step.id: step for step, _ in made}
    finished = frozenset(id_ for id_, step in steps.items() if step.address != running)
    seen = Seen(steps, finished, [one for _, one in made])
    return list(walk_with_raw_packets(inputs(options=Options(deep=deep)), seen))


def test_the_address_that_was_not_reached_is_walked_to_again() -> None:
    (step,) = planned(machine(raw=True), walk(VENDOR, "syn_ack"), walk(VENDOR6, "none"))
    assert (step.probe, step.role, step.address, step.port) == ("walk", "target", VENDOR6, 443)
    assert step.params == {"protocol": "tcp", "mode": "raw"}
    assert step.caused_by == VENDOR6


@pytest.mark.parametrize("raw", [False, None])
def test_not_without_the_privilege(raw: bool | None) -> None:
    assert planned(machine(raw=raw), walk(VENDOR, "none"), deep=True) == []


@pytest.mark.parametrize("answer", ["syn_ack", "rst"])
def test_where_all_is_well_only_when_asked_to_look_deeply(answer: str) -> None:
    assert planned(machine(raw=True), walk(VENDOR, answer), walk(VENDOR6, answer)) == []
    (step,) = planned(machine(raw=True), walk(VENDOR, answer), walk(VENDOR6, answer), deep=True)
    assert step.address == VENDOR


def test_not_before_the_first_walk_has_ended() -> None:
    assert planned(machine(raw=True), walk(VENDOR, "none"), running=VENDOR) == []


def test_once_in_a_run() -> None:
    first = planned(machine(raw=True), walk(VENDOR, "none"))[0]
    _, reply = walk(VENDOR, "none")
    assert planned(machine(raw=True), walk(VENDOR, "none"), walk(VENDOR6, "none"), (first, reply)) == []
