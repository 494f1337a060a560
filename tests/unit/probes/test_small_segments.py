"""Connections with a small MSS: the wish of a step reaches the socket, on a bare connection and under a request."""

from netdiag.evidence.bundle import Step
from netdiag.evidence.record import ObsId, StepId
from netdiag.evidence.transport import Connect
from netdiag.probes import reach
from netdiag.probes.base import Request, Stamp
from netdiag.probes.clock import Clock
from netdiag.probes.library.web import Identity, exchange
from tests.fakes.servers import answering, serving
from tests.fakes.world import FakeWorld, Host, Path, Router
from tests.unit.probes.test_http import ProxiedWorld
from tests.unit.probes.test_http import run as run_http
from tests.unit.probes.test_http import step as http_step

STAMP = Stamp(id=ObsId("o1"), step=StepId("s"), role="target")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" + b"x" * 3000


def step(**params: str) -> Step:
    return Step(
        id=StepId("r"), probe="reach", role="target", subject="a.test", address="203.0.113.7", port=443,
        params={"tls": "no", **params},
    )  # fmt: skip


def test_a_step_asks_for_them_once() -> None:
    world = FakeWorld(Path([Router("192.0.2.1")], Host(tcp="none")))
    found = [
        one
        for one in reach.PROBE.run(step(use="small_segments", mss="536"), world)
        if isinstance(one, Connect)
    ]  # fmt: skip
    assert [one.mss_clamp for one in found] == [536]


def test_other_steps_do_not() -> None:
    world = FakeWorld(Path([Router("192.0.2.1")]))
    assert [one.mss_clamp for one in reach.PROBE.run(step(), world) if isinstance(one, Connect)] == [None]


def test_a_request_hands_them_on() -> None:
    world = ProxiedWorld()
    run_http(http_step("https://a.test/", use="small_segments", mss="1220"), world)
    run_http(http_step("https://a.test/"), world)
    assert [request.mss_clamp for request in world.requests] == [1220, None]


def test_both_ends_send_small_segments_only() -> None:
    with serving(answering(ANSWER)) as port:
        request = Request(url=f"http://good.test:{port}/", address="127.0.0.1", mss_clamp=536)
        seen = exchange(Clock(30), STAMP, request, Identity(run_id="r-1"))
    assert seen.body_bytes == 3000
    assert seen.tcp is not None
    assert seen.tcp.snd_mss <= 536
    assert seen.tcp.rcv_mss <= 536
