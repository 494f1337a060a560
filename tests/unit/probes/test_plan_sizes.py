"""When packet sizes are looked at, and that what is tried with small segments is no attempt like the others."""

from typing import Any

import pytest

from netdiag.evidence.bundle import Options, Step
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import Failure, FailureCode
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import Connect, TcpInfo
from netdiag.evidence.web import Exchange
from tests.fakes.records import TCP
from tests.unit.probes.test_plan import VENDOR, VENDOR6, Line, inputs, plan, some


class Stalling(Line):
    """Some addresses accept connections, and then stall at ``layer``."""

    def __init__(self, *stalling: str, layer: str = "tls", controls: bool = False) -> None:
        super().__init__()
        self.stalling = set(stalling)
        self.layer, self.controls = layer, controls
        self.small_helps = True
        self.tcp: TcpInfo | None = None

    def _stalls(self, step: Step, layer: str) -> bool:
        ill = step.address in self.stalling or (self.controls and step.role == "control")
        return ill and layer == self.layer and not ("mss" in step.params and self.small_helps)

    def _reach(self, step: Step) -> list[Observation]:
        fields: dict[str, Any] = {"address": step.address, "port": step.port, "limit_ms": 3000}
        found = [self.record(Connect, step, **fields)]
        if step.params["tls"] == "yes":
            timed_out = Failure(op="handshake", code=FailureCode.TIMED_OUT)
            failure = timed_out if self._stalls(step, "tls") else None
            found.append(self.record(Handshake, step, failure=failure, tcp=self.tcp))
        return found

    def _http(self, step: Step) -> list[Observation]:
        timed_out = Failure(op="receive", code=FailureCode.TIMED_OUT)
        stalls = self._stalls(step, "http")
        return [
            self.record(
                Exchange, step, method="GET", url=step.params["url"], status=None if stalls else 200,
                failure=timed_out if stalls else None,
            )
        ]  # fmt: skip


def small(steps: list[Step]) -> list[Step]:
    return [step for step in steps if "mss" in step.params]


def test_a_healthy_line_sends_nothing_large() -> None:
    steps = plan(inputs(), Line())
    assert not some(steps, "sizes")
    assert not small(steps)


def test_a_stalled_handshake_is_looked_at_with_other_sizes() -> None:
    steps = plan(inputs(), Stalling(VENDOR))
    (again,) = small(steps)
    assert (again.probe, again.address, again.params["mss"]) == ("reach", VENDOR, "536")
    walks = some(steps, "sizes")
    assert sorted((step.role, step.params["size"], step.params["narrow"]) for step in walks) == [
        ("control", "1500", "no"),
        ("target", "1500", "yes"),
    ]
    assert all(step.params["ttls"] == "2,3" for step in walks)


def test_small_segments_lead_to_nothing_else() -> None:
    helped, not_helped = Stalling(VENDOR), Stalling(VENDOR)
    not_helped.small_helps = False
    for line in (helped, not_helped):
        steps = plan(inputs(), line)
        assert [step.address for step in some(steps, "http", "target")] == [VENDOR6]
        once_more = {(2, False)} if line is helped else set()  # small segments, too, were the further attempt
        made = {(step.round, "mss" in step.params) for step in some(steps, "reach", "target") if step.port == 443}
        assert made == {(1, False), (1, True)} | once_more


def test_a_stalled_answer_is_asked_for_again_with_small_segments() -> None:
    steps = plan(inputs(), Stalling(VENDOR6, layer="http"))
    (again,) = small(steps)
    assert (again.probe, again.address, again.params["mss"]) == ("http", VENDOR6, "1220")
    assert [step.round for step in some(steps, "http", "target") if step.address == VENDOR6] == [1, 1, 2]


def test_a_control_that_stalls_as_well_is_asked_once() -> None:
    steps = plan(inputs(), Stalling(VENDOR, controls=True))
    assert sorted(step.role for step in small(steps)) == ["control", "target"]


@pytest.mark.parametrize(("learnt", "walks"), [(1400, 2), (1500, 0)])
def test_a_smaller_path_mtu_is_looked_at_without_small_segments(learnt: int, walks: int) -> None:
    line = Stalling()
    line.families = (4,)
    line.tcp = TcpInfo(**{name: getattr(TCP, name) for name in TCP.__struct_fields__} | {"pmtu": learnt})
    steps = plan(inputs(), line)
    assert len(some(steps, "sizes")) == walks
    assert not small(steps)


def test_deep_always_looks() -> None:
    assert len(some(plan(inputs(options=Options(deep=True)), Line()), "sizes")) == 4
