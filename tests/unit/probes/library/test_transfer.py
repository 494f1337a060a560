"""Downloads from real servers: large, short, slow, endless, broken."""

import socket
import time
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from netdiag.evidence.record import FailureCode, ObsId, StepId
from netdiag.evidence.transport import Progress, Transfer
from netdiag.probes.base import Request, Stamp
from netdiag.probes.clock import Clock
from netdiag.probes.library.transfer import MOST_SAMPLES, Series, transfer
from netdiag.probes.library.web import Identity
from tests.fakes.servers import Handle, read_head, reset, serving, wait_for_close

STAMP = Stamp(id=ObsId("o1"), step=StepId("s"), role="control")
PIECE = b"x" * 10_000


def fetch(handle: Handle, *, limit_bytes: int = 1_000_000, limit_ms: int = 3000) -> Transfer:
    with serving(handle) as port:
        request = Request(url=f"http://good.test:{port}/a?key=secret", address="127.0.0.1", limit_ms=limit_ms)
        return transfer(Clock(30), STAMP, request, Identity(run_id="r"), limit_bytes=limit_bytes)


def page(*pieces: bytes | float, length: int | None = None) -> Handle:
    """An answer in pieces; a number is a pause in seconds."""

    def handle(connection: socket.socket) -> None:
        read_head(connection)
        size = sum(len(one) for one in pieces if isinstance(one, bytes)) if length is None else length
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for one in pieces:
            if isinstance(one, bytes):
                connection.sendall(one)
            else:
                time.sleep(one)
        wait_for_close(connection)

    return handle


def test_a_whole_page_is_counted_and_not_kept() -> None:
    seen = fetch(page(PIECE, PIECE))
    assert (seen.status, seen.received, seen.complete, seen.failure) == (200, 20_000, True, None)
    assert "secret" not in seen.url
    assert seen.progress[-1].received > 20_000
    assert seen.progress[-1].out_of_order == 0
    assert seen.acked_us is not None
    assert seen.first_byte_us is not None
    assert seen.finished_us is not None
    assert seen.first_byte_us <= seen.finished_us


def test_no_more_is_read_than_the_limit_and_hardly_more_is_sent() -> None:
    sent: list[int] = []

    def endless(connection: socket.socket) -> None:
        read_head(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            sent.append(connection.send(PIECE))
            time.sleep(0.001)

    seen = fetch(endless, limit_bytes=300_000)
    assert (seen.received, seen.complete, seen.failure) == (300_000, False, None)
    assert sum(sent) < 450_000  # what the sender's own queue holds is counted as sent here


def test_an_answer_that_never_ends_is_cut_at_its_time() -> None:
    seen = fetch(page(PIECE, 30.0, length=50_000), limit_ms=400)
    assert (seen.received, seen.complete, seen.failure) == (10_000, False, None)


def test_a_server_that_never_answers_is_no_cut_body() -> None:
    seen = fetch(wait_for_close, limit_ms=400)
    assert seen.failure is not None
    assert seen.failure.code is FailureCode.TIMED_OUT
    assert (seen.status, seen.received, seen.first_byte_us, seen.progress) == (None, 0, None, ())
    assert seen.acked_us is not None


def test_a_reset_in_the_body_is_a_failure() -> None:
    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n" + PIECE)
        time.sleep(0.2)
        reset(connection)

    seen = fetch(handle)
    assert seen.failure is not None
    assert (seen.failure.code, seen.received) == (FailureCode.RESET, 10_000)


def test_the_wait_for_the_server_stands_apart_from_the_acknowledgement() -> None:
    def late(connection: socket.socket) -> None:
        read_head(connection)
        time.sleep(0.5)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    seen = fetch(late)
    assert seen.acked_us is not None
    assert seen.first_byte_us is not None
    assert seen.first_byte_us > 5 * seen.acked_us


@given(st.lists(st.integers(0, 400_000), max_size=400))
def test_a_series_is_short_in_order_and_ends_at_the_end(gaps: list[int]) -> None:
    series, at = Series(), 0
    for count, gap in enumerate(gaps):
        at += gap
        series.add(Progress(at_us=at, received=count))
    kept = series.ended(Progress(at_us=at, received=len(gaps)))
    assert len(kept) <= MOST_SAMPLES
    times = [one.at_us for one in kept]
    assert times == sorted(times)
    assert kept[-1].received == len(gaps)


def test_a_series_of_a_short_download_keeps_its_beginning() -> None:
    series = Series()
    tick: Callable[[int], Progress] = lambda n: Progress(at_us=n * 10_000, received=n)  # noqa: E731
    for n in range(20):
        series.add(tick(n))
    assert [one.received for one in series.ended(tick(20))] == list(range(21))
