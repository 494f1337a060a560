"""The connections of a rate section on loopback: kept, closed, reset, silent."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from netdiag.evidence.limits import LimitAttempt, lapsed
from netdiag.evidence.record import ObsId, StepId
from netdiag.probes.base import LimitWish, Stamp
from netdiag.probes.clock import Clock
from netdiag.probes.kernel import tcp
from netdiag.probes.library.limit_line import LiveLimitLine, _is_over, _stands
from netdiag.probes.library.sockets import SocketStream
from netdiag.probes.library.web import Identity
from tests.fakes.certificates import mint, server_context

STAMP = Stamp(id=ObsId("o1"), step=StepId("limits"), role="target")
Handler = Callable[[socket.socket], None]


@contextmanager
def server(handle: Handler) -> Iterator[int]:
    """Every connection to the port that it yields goes to ``handle`` in a thread of its own."""
    listening = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                end, _ = listening.accept()
                threading.Thread(target=one, args=(end,), daemon=True).start()

    def one(end: socket.socket) -> None:
        with contextlib.suppress(OSError), end:
            handle(end)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.close()


def serve(*heads: str) -> Handler:
    """One answer after the other on one connection."""

    def handle(end: socket.socket) -> None:
        for head in heads:
            while b"\r\n\r\n" not in end.recv(65_536):
                pass
            end.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        end.recv(1)

    return handle


def line(port: int) -> LiveLimitLine:
    return LiveLimitLine(Clock(20), Identity(run_id="0" * 16), "127.0.0.1", port, f"http://127.0.0.1:{port}/status")


def ask(on: LiveLimitLine, *, connection: int = 1, request: bool = True, hold: bool = False) -> LimitAttempt:
    wish = LimitWish(phase="single", connection=connection, at_ns=0, request=request, hold=hold)
    return on.attempt(STAMP, wish, in_flight=1)


OK = "HTTP/1.1 200 OK\nContent-Length: 500"


def test_requests_share_a_connection_until_the_server_closes_it() -> None:
    with server(serve(OK, f"{OK}\nConnection: close")) as port, line(port) as on:
        first, second, third = ask(on), ask(on), ask(on)
    assert [one.fresh for one in (first, second, third)] == [True, False, True]
    assert first.source_port == second.source_port != third.source_port
    assert [one.closes for one in (first, second, third)] == [False, True, False]
    assert {one.outcome for one in (first, second, third)} == {"answered"}


def test_a_connection_that_was_idle_for_too_long_is_no_refusal() -> None:
    ended = threading.Event()

    def impatient(end: socket.socket) -> None:
        end.recv(65_536)
        end.sendall(OK.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        end.shutdown(socket.SHUT_WR)
        ended.set()
        end.recv(1)

    with server(impatient) as port, line(port) as on:
        first = ask(on)
        assert ended.wait(10)
        assert not on.is_open(1)
        second = ask(on)
    assert [(one.outcome, one.fresh) for one in (first, second)] == [("answered", True), ("answered", True)]


def test_a_server_that_speaks_between_two_requests_has_no_open_connection() -> None:
    answered, spoken = threading.Event(), threading.Event()

    def timing_out(end: socket.socket) -> None:
        end.recv(65_536)
        end.sendall(OK.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        answered.wait(10)
        end.sendall(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        spoken.set()
        end.recv(1)

    with server(timing_out) as port, line(port) as on:
        ask(on)
        answered.set()
        assert spoken.wait(10)
        assert not on.is_open(1)
        again = ask(on)
    assert (again.fresh, again.status) == (True, 200)


def test_an_end_that_crosses_the_request_is_told_from_a_refusal() -> None:
    def crossing(end: socket.socket) -> None:
        end.recv(65_536)
        end.sendall(OK.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        end.recv(65_536)

    with server(crossing) as port, line(port) as on:
        first, second, third = ask(on), ask(on), ask(on)
    assert [(one.outcome, one.fresh) for one in (first, second, third)] == [
        ("answered", True),
        ("closed", False),
        ("answered", True),
    ]
    assert lapsed([first, second, third]) == [second]
    assert (first.idle_ms, third.idle_ms) == (None, None)
    assert second.idle_ms is not None


def test_tickets_of_tls_leave_a_connection_open_and_close_notify_does_not(tmp_path: Path) -> None:
    near, far = socket.socketpair()
    certified = server_context(mint("a server"), directory=tmp_path)
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    plain.check_hostname, plain.verify_mode = False, ssl.CERT_NONE
    made: list[ssl.SSLSocket] = []
    shaking = threading.Thread(target=lambda: made.append(certified.wrap_socket(far, server_side=True)))
    shaking.start()
    with plain.wrap_socket(near) as end:
        shaking.join(10)
        with made[0] as other:
            assert not _is_over(end)  # two tickets lie there to be read
            assert not _is_over(end)
            other.settimeout(0)
            with contextlib.suppress(ssl.SSLWantReadError):
                other.unwrap()
            assert _is_over(end)


def test_an_end_is_told_from_none_though_its_fin_comes_late() -> None:
    """TLS ends with a close_notify, and its FIN is another segment; after an ICMP error there is none."""
    told = threading.Event()

    def ends_late(end: socket.socket) -> None:
        told.wait(10)
        end.shutdown(socket.SHUT_WR)
        end.recv(1)

    for is_told in (True, False):
        told.clear()
        with server(ends_late) as port, socket.create_connection(("127.0.0.1", port)) as end:
            late = threading.Timer(0.05, told.set)
            if is_told:
                late.start()
            assert _stands(end) is not is_told
            told.set()


def test_connections_that_are_being_made_count_as_held() -> None:
    def stay(end: socket.socket) -> None:
        end.recv(1)

    with server(stay) as port, line(port) as on:
        assert ask(on, connection=1, request=False, hold=True).held == 1
        made: list[LimitAttempt] = []
        both = [
            threading.Thread(target=lambda n=n: made.append(ask(on, connection=n, request=False, hold=True)))
            for n in (2, 3)
        ]
        for one in both:
            one.start()
        for one in both:
            one.join(10)
        assert sorted(one.held for one in made) == [2, 3]
        assert ask(on, connection=4, request=False).held == 4
        on.release()
        assert ask(on, connection=5, request=False).held == 1


@pytest.mark.parametrize(
    ("head", "outcome"),
    [
        ("HTTP/1.1 429 Too Many\nRetry-After: 7\nX-RateLimit-Remaining: 0\nSet-Cookie: a=b", "refused_http"),
        ("HTTP/1.1 503 Unavailable", "refused_http"),
        ("HTTP/1.1 403 Forbidden", "refused_http"),
        ("HTTP/1.1 429 Too Many\ncf-mitigated: challenge", "challenge"),
        ("HTTP/1.1 404 Not Found", "refused_http"),
        ("HTTP/1.1 401 Unauthorized", "refused_http"),
        ("HTTP/1.1 302 Found\nLocation: /login?token=secret", "answered"),
    ],
)
def test_answers_are_told_apart_and_cookies_are_not_kept(head: str, outcome: str) -> None:
    with server(serve(f"{head}\nContent-Length: 0")) as port, line(port) as on:
        made = ask(on)
    assert made.outcome == outcome
    said = {header.name: header.value for header in made.headers}
    assert "set-cookie" not in said
    assert said["content-length"] == "0"
    assert "secret" not in said.get("location", "")
    assert ("location" in said) is ("Location" in head)
    if "Retry-After" in head:
        assert made.retry_after_s == 7
        assert said["x-ratelimit-remaining"] == "0"


def test_a_connection_that_ends_without_an_answer_was_closed_or_reset() -> None:
    def close(end: socket.socket) -> None:
        end.recv(65_536)

    def reset(end: socket.socket) -> None:
        end.recv(65_536)
        SocketStream(end).close()

    for handle, outcome in ((close, "closed"), (reset, "reset")):
        with server(handle) as port, line(port) as on:
            assert ask(on).outcome == outcome


def test_a_connection_without_a_request_is_watched_for_its_end() -> None:
    def stay(end: socket.socket) -> None:
        end.recv(1)

    for handle, outcome in (
        (stay, "answered"),
        (lambda end: None, "closed"),
        (lambda end: SocketStream(end).close(), "reset"),
    ):
        with server(handle) as port, line(port) as on:
            made = ask(on, request=False, hold=True)
            assert made.outcome == outcome
            assert on.is_open(1) is (outcome == "answered")
            on.release()
            assert not on.is_open(1)


def test_a_closed_port_refuses_and_costs_one_syn() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with line(port) as on:
        made = ask(on)
    assert (made.outcome, made.syns_sent) == ("refused", 1)


def test_one_syn_alone_is_sent_for_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    wishes: list[tcp.Wish] = []
    connect = tcp.connect

    def watched(clock: Clock, stamp: Stamp, wish: tcp.Wish) -> object:
        wishes.append(wish)
        return connect(clock, stamp, wish)

    monkeypatch.setattr(tcp, "connect", watched)
    with server(serve(OK)) as port, line(port) as on:
        ask(on)
    assert [wish.syn_retries for wish in wishes] == [0]
