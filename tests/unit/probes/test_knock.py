"""Which connects count the losses of the LAN."""

import pytest

from netdiag.evidence.bundle import Step
from netdiag.evidence.record import Failure, FailureCode, StepId
from netdiag.evidence.transport import Connect
from netdiag.probes import knock
from netdiag.probes.base import Stamp
from tests.fakes.records import port_unreachable
from tests.fakes.world import FakeStream, FakeWorld

GATEWAY = "192.168.1.1"
STEP = Step(id=StepId("k"), probe="knock", role="gateway", address=GATEWAY, params={"count": "7"})
SILENT = Failure(op="connect", code=FailureCode.TIMED_OUT)
REFUSED = Failure(op="connect", code=FailureCode.REFUSED)


class Gateway(FakeWorld):
    """A gateway that does with each port as ``ports`` says; None: it listens."""

    def __init__(self, ports: dict[int, Failure | None]) -> None:
        super().__init__()
        self.ports = ports
        self.streams: list[FakeStream] = []

    def connect(
        self, stamp: Stamp, address: str, port: int, *, limit_ms: int, syn_retries: int = 1, **_: object
    ) -> tuple[Connect, FakeStream | None]:
        assert (limit_ms >= 1000, syn_retries) == (True, 1)
        failure = self.ports.get(port, SILENT)
        stream = FakeStream() if failure is None else None
        if stream is not None:
            self.streams.append(stream)
        record = Connect(
            id=stamp.id, step=stamp.step, began_ns=0, ended_ns=1, address=address, port=port, limit_ms=limit_ms,
            failure=failure,
        )  # fmt: skip
        return record, stream


@pytest.mark.parametrize(
    ("ports", "asked"),
    [
        ({53: None}, [53, 80, 443] + [53] * 6),
        ({80: REFUSED}, [53, 80, 443] + [80] * 6),
        ({443: None, 80: REFUSED}, [53, 80, 443] + [80] * 6),
        ({}, [53, 80, 443]),
        ({53: port_unreachable(GATEWAY)}, [53, 80, 443]),  # an ICMP error may be limited
    ],
)
def test_the_first_port_that_answers_is_knocked_at_again(ports: dict[int, Failure | None], asked: list[int]) -> None:
    world = Gateway(ports)
    records = [one for one in knock.PROBE.run(STEP, world) if isinstance(one, Connect)]
    assert [one.port for one in records] == asked
    assert all(stream.is_closed for stream in world.streams)
