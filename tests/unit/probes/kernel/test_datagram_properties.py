"""Errors in any order, twice, late, cut off: none of them puts a router at a place where it does not stand."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netdiag.evidence.record import Icmp, ObsId, StepId
from netdiag.evidence.transport import HopReply
from netdiag.probes.base import HopProbe, Stamp
from netdiag.probes.clock import Clock
from netdiag.probes.kernel import errqueue
from netdiag.probes.kernel.datagram_probe import DatagramFlow, open_flow
from netdiag.probes.kernel.errqueue import QueuedError
from netdiag.probes.kernel.numbers import IS_LINUX, V4
from netdiag.probes.kernel.packet import udp_payload

pytestmark = pytest.mark.skipif(not IS_LINUX, reason="the error queue is Linux's")

ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.just(0), st.just(False)),
        st.tuples(st.just("answer"), st.integers(1, 12), st.booleans()),  # which packet; is its quote cut off?
        st.tuples(st.just("give up"), st.integers(1, 12), st.just(False)),
    ),
    max_size=40,
)


def a_probe(ttl: int) -> HopProbe:
    stamp = Stamp(id=ObsId(f"o{ttl}"), step=StepId("s"), role="control")
    return HopProbe(stamp=stamp, address="127.0.0.1", port=9, protocol="udp", ttl=ttl, flow=1)


def the_error_about(ttl: int, *, is_cut_off: bool) -> QueuedError:
    quoted = b"" if is_cut_off else udp_payload(V4, ttl)  # the nth packet has TTL n and token n
    return QueuedError(113, Icmp(type=11, code=0, sender=f"198.51.100.{ttl}"), quoted, None, None)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTS)
def test_each_error_is_about_the_packet_that_met_its_sender(
    monkeypatch: pytest.MonkeyPatch, acts: list[tuple[str, int, bool]]
) -> None:
    arrived: list[QueuedError] = []
    monkeypatch.setattr(errqueue, "drain", lambda *_: [arrived.pop(0) for _ in list(arrived)])
    flow = open_flow(Clock(10), a_probe(1))
    assert isinstance(flow, DatagramFlow)
    replies: list[HopReply] = []
    sent = 0
    for act, number, is_cut_off in acts:
        if act == "send":
            sent += 1
            replies += flow.send(a_probe(sent))
        elif act == "answer" and number <= sent:
            arrived.append(the_error_about(number, is_cut_off=is_cut_off))
            replies += flow.read()
        elif act == "give up":
            replies += [reply for out in flow.outstanding() if out.probe.ttl == number for reply in flow.silent(out)]
    flow.close()
    assert all(reply.replier == f"198.51.100.{reply.ttl}" for reply in replies if reply.answer == "icmp")
    assert len({reply.id for reply in replies}) == len(replies)


def test_a_cut_off_quote_counts_where_only_one_packet_can_be_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errqueue, "drain", lambda *_: [the_error_about(1, is_cut_off=True)])
    flow = open_flow(Clock(10), a_probe(1))
    assert isinstance(flow, DatagramFlow)
    flow.send(a_probe(1))
    (reply,) = flow.read()
    flow.close()
    assert (reply.ttl, reply.replier) == (1, "198.51.100.1")
    assert reply.quote is not None
    assert reply.quote.length == 8
