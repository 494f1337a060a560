"""From what a socket told to a ``HopReply``: times, and the fields that every answer shares."""

import time
from typing import Literal, NamedTuple

from netdiag.evidence.record import Failure, Icmp
from netdiag.evidence.transport import HopReply, Label, Quote
from netdiag.probes.base import HopProbe
from netdiag.probes.clock import Clock

# Linux asks a neighbour three times, once a second (arp(7), retrans_time_ms), before a router reports it missing.
_LEAST_NEIGHBOUR_WAIT_US = 900_000

Answer = Literal["none", "icmp", "syn_ack", "rst", "echo_reply", "data", "not_sent"]


class Sent(NamedTuple):
    """A probe on its way: when it left by the run's clock and by the wall clock, which is what kernel stamps use."""

    probe: HopProbe
    source_port: int | None
    mode: Literal["unprivileged", "raw"]
    at_ns: int
    wall_ns: int


def sent_now(
    clock: Clock, probe: HopProbe, source_port: int | None, mode: Literal["unprivileged", "raw"] = "unprivileged"
) -> Sent:
    """``probe`` leaves now."""
    return Sent(probe, source_port, mode, clock.now_ns(), time.time_ns())


def rtt_us(sent: Sent, now_ns: int, kernel_ns: int | None) -> int:
    """Microseconds from sending to reception; by the kernel's stamp where it is sane.

    The stamp is wall clock. It can be no later than we read it; when it is, the clock was set meanwhile.
    """
    ours_ns = now_ns - sent.at_ns
    if kernel_ns is not None and 0 <= kernel_ns - sent.wall_ns <= ours_ns:
        return (kernel_ns - sent.wall_ns) // 1000
    return ours_ns // 1000


def reply(
    sent: Sent,
    ended_ns: int,
    answer: Answer,
    *,
    replier: str | None = None,
    icmp: Icmp | None = None,
    rtt_us: int | None = None,
    replier_ttl: int | None = None,
    quote: Quote | None = None,
    failure: Failure | None = None,
    next_mtu: int | None = None,
    labels: tuple[Label, ...] = (),
) -> HopReply:
    """The record of what ``sent`` met. That a neighbour is missing is said after seconds of asking for it (ARP, NDP):
    this is no round trip, and has no ``rtt_us``."""
    probe = sent.probe
    if icmp is not None and rtt_us is not None and rtt_us >= _LEAST_NEIGHBOUR_WAIT_US and _is_no_neighbour(icmp):
        rtt_us = None
    return HopReply(
        id=probe.stamp.id,
        step=probe.stamp.step,
        attempt=probe.stamp.attempt,
        caused_by=probe.stamp.caused_by,
        began_ns=sent.at_ns,
        ended_ns=ended_ns,
        failure=failure,
        address=probe.address,
        port=probe.port,
        protocol=probe.protocol,
        mode=sent.mode,
        flow=probe.flow,
        source_port=sent.source_port,
        ttl=probe.ttl,
        answer=answer,
        replier=replier,
        icmp=icmp,
        rtt_us=rtt_us,
        replier_ttl=replier_ttl,
        quote=quote,
        size=probe.size or None,
        next_mtu=next_mtu,
        labels=labels,
    )


def _is_no_neighbour(icmp: Icmp) -> bool:
    """Host unreachable, address unreachable: RFC 792 type 3 code 1, RFC 4443 type 1 code 3."""
    return (icmp.type, icmp.code) == ((3, 1) if icmp.version == 4 else (1, 3))
