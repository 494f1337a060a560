"""The kernel's own stamps are what round trips are told by: for every protocol, family and mode."""

import time
from collections.abc import Sequence

import pytest

from netdiag.evidence.record import NotRun, ObsId, StepId
from netdiag.evidence.transport import HopReply
from netdiag.probes.base import HopProbe, Stamp
from netdiag.probes.clock import Clock
from netdiag.probes.kernel import answers, hops
from netdiag.probes.kernel.answers import Sent
from netdiag.probes.kernel.hops import Due
from netdiag.probes.kernel.numbers import IS_LINUX
from tests.required import leave_out

pytestmark = pytest.mark.skipif(not IS_LINUX, reason="kernel stamps are Linux's here")

STAMP = Stamp(id=ObsId("o1"), step=StepId("s"), role="control")
PROBE = HopProbe(stamp=STAMP, address="127.0.0.1", port=9, protocol="udp", ttl=1, flow=1)


@pytest.mark.parametrize(
    ("stamped_after_us", "told_us"),
    [(300, 300), (None, 5000), (-1, 5000), (6000, 5000)],  # a stamp before sending, or after reading: the clock was set
)
def test_a_stamp_counts_where_it_can_be_true(stamped_after_us: int | None, told_us: int) -> None:
    sent = Sent(PROBE, None, "unprivileged", at_ns=1_000_000, wall_ns=1_700_000_000_000_000_000)
    stamp = None if stamped_after_us is None else sent.wall_ns + stamped_after_us * 1000
    assert answers.rtt_us(sent, sent.at_ns + 5_000_000, stamp) == told_us


@pytest.fixture
def stamps(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """Every kernel stamp that a round trip is told by."""
    found: list[int | None] = []
    tell = answers.rtt_us

    def listening(sent: Sent, now_ns: int, kernel_ns: int | None) -> int:
        found.append(kernel_ns)
        return tell(sent, now_ns, kernel_ns)

    monkeypatch.setattr(answers, "rtt_us", listening)
    return found


# What answers an unprivileged SYN on loopback is no ICMP error; there TCP_INFO tells the time of a SYN-ACK.
@pytest.mark.parametrize(
    ("protocol", "raw"), [("udp", False), ("icmp", False), ("udp", True), ("icmp", True), ("tcp", True)]
)
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_answers_of_the_network_carry_a_stamp(stamps: list[int | None], protocol: str, address: str, raw: bool) -> None:
    probe = HopProbe(
        stamp=STAMP, address=address, port=0 if protocol == "icmp" else 9, protocol=protocol,  # type: ignore[arg-type]
        ttl=3, flow=1, raw=raw,
    )  # fmt: skip
    before = time.time_ns()
    found: Sequence[HopReply | NotRun] = list(hops.hops(Clock(5), [Due(0, probe)], limit_ms=1000))
    if isinstance(found[0], NotRun):
        leave_out(found[0].what)
    assert found[0].answer in {"icmp", "echo_reply", "rst"}
    (stamp,) = stamps
    assert stamp is not None
    assert before <= stamp <= time.time_ns()
