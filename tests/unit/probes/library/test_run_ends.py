"""Whatever a library call waits for, the end of the run ends it, and a stopped run at once."""

import socket
import threading
from collections.abc import Callable

import pytest

from netdiag.evidence.record import ObsId, StepId
from netdiag.probes.base import OutOfTimeError, Question, Request, Stamp
from netdiag.probes.clock import Clock
from netdiag.probes.library import lookup, names, tls, tunnel, web
from netdiag.probes.library.sockets import SocketStream
from tests.fakes.servers import serving, wait_for_close

STAMP = Stamp(id=ObsId("o1"), step=StepId("s"), role="target")
ME = web.Identity(run_id="r")
LONG_MS = 600_000
HOUR_S = 3600.0


def shake(clock: Clock, port: int) -> object:
    with SocketStream(socket.create_connection(("127.0.0.1", port))) as stream:
        return tls.handshake(clock, STAMP, stream, "a.test", limit_ms=LONG_MS)


def exchange(clock: Clock, port: int) -> object:
    return web.exchange(clock, STAMP, Request(url=f"http://a.test:{port}/", address="127.0.0.1", limit_ms=LONG_MS), ME)


def secure_exchange(clock: Clock, port: int) -> object:
    return web.exchange(clock, STAMP, Request(url=f"https://a.test:{port}/", address="127.0.0.1", limit_ms=LONG_MS), ME)


def connect(clock: Clock, port: int) -> object:
    request = Request(url="https://a.test/", proxy=f"http://127.0.0.1:{port}", limit_ms=LONG_MS)
    return tunnel.tunnel(clock, STAMP, request, ME)


def ask(clock: Clock, port: int) -> object:
    question = Question(
        name="a.test",
        rrtype="A",
        server="127.0.0.1",
        server_class="configured",
        transport="tcp",
        port=port,
        limit_ms=LONG_MS,
    )
    return names.query(clock, STAMP, question)


def look_up(clock: Clock, _: int) -> object:
    return lookup.ask_system(clock, "localhost", limit_ms=LONG_MS)


CALLS = pytest.mark.parametrize("call", [shake, exchange, secure_exchange, connect, ask, look_up])


@pytest.fixture(autouse=True)
def _hanging_lookup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "_PROGRAM", "import time; time.sleep(3600)")


@CALLS
def test_the_deadline_of_the_run_ends_it(call: Callable[[Clock, int], object]) -> None:
    with serving(wait_for_close) as port, pytest.raises(OutOfTimeError):
        call(Clock(0.3), port)


@CALLS
def test_a_stopped_run_ends_it(call: Callable[[Clock, int], object]) -> None:
    clock = Clock(HOUR_S)
    threading.Timer(0.1, clock.stop).start()
    with serving(wait_for_close) as port, pytest.raises(OutOfTimeError):
        call(clock, port)
