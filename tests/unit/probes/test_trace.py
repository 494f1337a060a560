"""A trace has what it needs before its clock runs, and loads nothing in vain."""

import pytest

from netdiag.probes import trace
from netdiag.probes.clock import Clock
from netdiag.probes.kernel import features
from netdiag.probes.trace import TraceRequest, Tracing


@pytest.fixture
def happened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was loaded, and when the clock began."""
    order: list[str] = []

    def clock(budget_s: int) -> Clock:
        order.append("clock")
        return Clock(budget_s)

    monkeypatch.setattr(trace, "load", lambda: order.append("scapy"))
    monkeypatch.setattr(trace, "Clock", clock)
    return order


def may(monkeypatch: pytest.MonkeyPatch, *, send_raw: bool, has_scapy: bool = True) -> None:
    monkeypatch.setattr(features, "may_send_icmp", lambda *, raw: send_raw and raw)
    monkeypatch.setattr(features, "has_scapy", lambda: has_scapy)


def request(*, raw: bool) -> TraceRequest:
    return TraceRequest(host="192.0.2.7", address="192.0.2.7", raw=raw)


def test_a_raw_trace_loads_scapy_before_its_clock_runs(happened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    may(monkeypatch, send_raw=True)
    Tracing(request(raw=True))
    assert happened == ["scapy", "clock"]


def test_what_this_process_may_not_or_need_not_use_is_not_loaded(
    happened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    may(monkeypatch, send_raw=True)
    Tracing(request(raw=False))
    may(monkeypatch, send_raw=False)
    Tracing(request(raw=True))
    may(monkeypatch, send_raw=True, has_scapy=False)
    Tracing(request(raw=True))
    assert happened == ["clock"] * 3
