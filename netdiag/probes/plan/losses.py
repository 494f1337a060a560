"""More samples where packets may be lost: without the ICMP that routers limit, and only when something is ill."""

from collections import defaultdict
from collections.abc import Iterator

from netdiag.evidence.addresses import classify
from netdiag.evidence.bundle import Step
from netdiag.evidence.machine import DefaultRoute
from netdiag.evidence.names import Lookup
from netdiag.evidence.record import FailureCode, NotRun, Observed
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import Connect, Echo
from netdiag.probes.plan.seen import Inputs, Seen, make_step, stays_here

FEW, MORE = "5", "20"
"""Samples of the own gateway: for want of echoes, and once something was lost."""

PACED, PACE_MS = "10", "300"
"""Echoes to a control once something was lost, slowly enough for hosts that limit ICMP."""


def gateway_of(route: DefaultRoute) -> str | None:
    """Its address, with the link where the address is of that link alone (IPv6 routers announce themselves so)."""
    if route.gateway is None or route.device is None or classify(route.gateway) != "link_local":
        return route.gateway
    return f"{route.gateway}%{route.device}"


def knock_where_no_echo_is_allowed(_: Inputs, seen: Seen) -> Iterator[Step]:
    """The gateway over TCP, for a user who may not send ICMP."""
    for step, missing in seen.of(NotRun, "gateway"):
        if step.probe == "echo" and missing.why in {"no_privilege", "unsupported"}:
            yield make_step("knock", "gateway", address=step.address, caused_by=missing.id, params={"count": FEW})


def count_more_where_something_is_lost(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """Towards the gateway and a control, so that a loss in the LAN is told from one on the way."""
    if stays_here(inputs.target) or not is_anything_lost(seen):
        return
    for _, route in seen.of(DefaultRoute):
        address = gateway_of(route)
        if address is not None:
            yield make_step("knock", "gateway", address=address, caused_by=route.id, params={"count": MORE})
    answering = {one.address: step for step, one in seen.of(Echo, "control") if one.rtt_us is not None}
    for address, step in list(answering.items())[:1]:
        params = {"count": PACED, "pace_ms": PACE_MS}
        yield make_step("echo", "control", subject=step.subject, address=address, params=params)


def is_anything_lost(seen: Seen) -> bool:
    """Did anybody who answered once stay silent at another time, or was anything sent again on a connection?"""
    if any(one.tcp is not None and one.tcp.total_retrans for _, one in seen.of(Handshake)):
        return True
    answered: dict[str, set[bool]] = defaultdict(set)
    for _, connect in seen.of(Connect):
        _add(answered, f"tcp {connect.address} {connect.port}", connect, is_answer=connect.failure is None)
    for _, lookup in seen.of(Lookup):
        if lookup.transport == "udp":
            _add(answered, f"dns {lookup.server} {lookup.name}", lookup, is_answer=lookup.rcode is not None)
    for _, one in seen.of(Echo):
        if one.failure is None:
            answered[f"icmp {one.address}"].add(one.rtt_us is not None)
    return any(len(both) > 1 for both in answered.values())


def _add(answered: dict[str, set[bool]], who: str, one: Observed, *, is_answer: bool) -> None:
    """Silence and answers only: a refusal says nothing of loss."""
    if is_answer or (one.failure is not None and one.failure.code is FailureCode.TIMED_OUT):
        answered[who].add(is_answer)
