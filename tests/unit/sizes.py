"""Stories of connections that stall, and of what large and small packets met: for the tests of facts and of faults."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from netdiag.evidence.bundle import Role
from netdiag.evidence.machine import RouteLookup
from netdiag.evidence.record import FailureCode, Icmp
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import Connect, HopReply
from netdiag.evidence.web import Exchange
from tests.fakes.records import (
    CARRIER,
    CONTROL,
    CONTROL2,
    CONTROL_HOST,
    CONTROL_HOST2,
    EDGE,
    EXCHANGE,
    GATEWAY,
    HOST,
    ISP,
    SILENT,
    TARGET,
    TCP,
    Story,
    failed,
)

TO_TARGET = (GATEWAY, ISP, CARRIER, EDGE)
LARGE = msgspec.structs.replace(TCP, bytes_received=4000, rcv_mss=1448)

Outcome = Literal["works", "fails"]


def stalling(
    *, acked: bool | None = True, small: Outcome | None = "works",
    controls: Literal["large", "stall", "helped"] = "large", routers: Sequence[str] = TO_TARGET, apart: bool = False,
) -> Story:  # fmt: skip
    """TLS to the target stalls after the greeting. ``small``: the same with small segments. ``controls``: their large
    answers come, or they stall as well, and one of them is helped by small segments."""
    story = Story()
    story.machine()
    story.healthy_names()
    for address, host in ((CONTROL, CONTROL_HOST), (CONTROL2, CONTROL_HOST2)):
        story.connect(address, role="control", host=host)
        control_stalls = controls != "large"
        story.handshake(address, SILENT if control_stalls else None, role="control", host=host)
        if not control_stalls:
            _replace_last(story, tcp=LARGE)
    story.portal_page(CONTROL)
    story.egress()
    story.connect(TARGET)
    story.handshake(TARGET, SILENT, acked=acked, server_hello=False)
    if small is not None:
        small_segments(story, TARGET, small)
    if controls == "helped":
        small_segments(story, CONTROL, "works", role="control", host=CONTROL_HOST)
    story.walk(TARGET, routers)
    story.walk(CONTROL, to_control(routers, apart=apart), role="control")
    story.add(RouteLookup, story.step("route", "target", "", TARGET), destination=TARGET, device="eth0")
    return story


def to_control(routers: Sequence[str], *, apart: bool = False) -> tuple[str, ...]:
    """The way to the control: the same but for its last router; ``apart``: but for all behind the second."""
    return (*routers[:2], EXCHANGE) if apart else (*routers[:-1], EXCHANGE)


def _replace_last(story: Story, **fields: Any) -> None:
    story._records[-1] = msgspec.structs.replace(story._records[-1], **fields)


def small_segments(
    story: Story, address: str, outcome: Outcome, *, role: Role = "target", host: str = HOST, ms: float = 5000
) -> None:
    """A connection with small segments, and TLS on it."""
    params = {"tls": "yes", "use": "small_segments", "mss": "536"}
    step = story.step("reach", role, host, address, 443, params=params)
    connect = story.add(Connect, step, ms=20, address=address, port=443, limit_ms=1500, mss_clamp=536, tcp=TCP)
    failure = failed(FailureCode.TIMED_OUT, op="handshake") if outcome == "fails" else None
    story.add(
        Handshake, step, ms=ms if failure else 30, caused_by=connect, server_name=host, failure=failure, acked=True,
        server_hello=failure is None, tcp=msgspec.structs.replace(LARGE, rcv_mss=524),
    )  # fmt: skip


def small_request(story: Story, address: str, outcome: Outcome, *, status: int = 200, body_bytes: int = 4000) -> None:
    """The request once more over small segments."""
    params = {"url": f"https://{HOST}/", "user_agent": "netdiag", "use": "small_segments", "mss": "536"}
    step = story.step("http", "target", HOST, address, 443, params=params)
    failure = failed(FailureCode.TIMED_OUT, op="receive") if outcome == "fails" else None
    story.add(
        Exchange, step, ms=10_000 if failure else 60, method="GET", url=f"https://{HOST}/", address=address, port=443,
        status=None if failure else status, body_complete=None if failure else True, failure=failure,
        body_bytes=None if failure else body_bytes, request_acked=True, tcp=LARGE,
    )  # fmt: skip


def broken_off(story: Story, address: str) -> None:
    """A status came, and the body did not end in time."""
    story.http(address, 200)
    _replace_last(story, failure=failed(FailureCode.TIMED_OUT, op="receive"), body_complete=False)


def size_walk(
    story: Story, *, address: str = TARGET, routers: Sequence[str] = TO_TARGET, passes: int = 99,
    role: Role = "target", host: str = HOST, asked: int = 2, told: int | None = None, host_answers: bool = True,
    answers_later: bool = False,
) -> None:  # fmt: skip
    """Pairs of small and large datagrams. Those of 1500 bytes get as far as TTL ``passes``; where a router ``told``
    what it carries, that one is behind there. ``asked``: so often where they do not come back. ``answers_later``: the
    router right behind is silent to large ones, and those after it answer them."""
    step = story.step("sizes", role, host, address, params={"size": "1500"})
    ends = [*routers, address] if host_answers else list(routers)
    common: dict[str, Any] = {"address": address, "port": 33434, "protocol": "udp", "flow": 1, "source_port": 52_000}
    for ttl, router in enumerate(ends, 1):
        story.add(HopReply, step, ms=4, ttl=ttl, **common, **_answer(router, address))
        large = ttl <= passes or (answers_later and ttl > passes + 1)
        if told is not None and ttl > passes:
            teller = ends[passes - 1]
            error = Icmp(type=3, code=4, sender=teller)
            story.add(
                HopReply, step, ms=4, ttl=ttl, size=1500, answer="icmp", replier=teller, icmp=error, next_mtu=told,
                rtt_us=4000, **common,
            )  # fmt: skip
            story.add(HopReply, step, ms=4, ttl=ttl, size=told, **common, **_answer(router, address))
        elif large:
            story.add(HopReply, step, ms=4, ttl=ttl, size=1500, **common, **_answer(router, address))
        else:
            for attempt in range(1, asked + 1):
                story.add(HopReply, step, ms=1500, ttl=ttl, size=1500, attempt=attempt, answer="none", **common)
    if passes < len(ends) and told is None:
        limit = passes + 1
        story.add(HopReply, step, ms=1500, ttl=limit, size=1420, answer="none", **common)
        story.add(HopReply, step, ms=4, ttl=limit, size=1400, **common, **_answer(ends[passes], address))


def _answer(router: str, address: str) -> dict[str, Any]:
    kind, code = (3, 3) if router == address else (11, 0)
    error = Icmp(type=kind, code=code, sender=router)
    return {"answer": "icmp", "replier": router, "icmp": error, "rtt_us": 4000}
