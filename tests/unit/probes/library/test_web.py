"""HTTP exchanges against real servers that behave, misbehave, drip, flood and lie."""

import gzip
import hashlib
import select
import socket
import ssl
import time
from pathlib import Path
from typing import Literal

import pytest

from netdiag.evidence.record import FailureCode, ObsId, StepId
from netdiag.evidence.web import Exchange
from netdiag.probes.base import Request, Stamp
from netdiag.probes.clock import Clock
from netdiag.probes.library.tunnel import tunnel
from netdiag.probes.library.web import Identity, exchange
from tests.fakes.certificates import Issued, mint, server_context
from tests.fakes.servers import Handle, answering, over_tls, read_head, reset, serving, wait_for_close

STAMP = Stamp(id=ObsId("o1"), step=StepId("s"), role="target")
ME = Identity(run_id="r-1", customer_agent="acme/2")


@pytest.fixture(scope="module")
def root() -> Issued:
    return mint("Lab Root", is_ca=True)


@pytest.fixture(autouse=True)
def _trusted(root: Issued, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "roots.pem").write_bytes(root.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "roots.pem"))


@pytest.fixture
def context(root: Issued, tmp_path: Path) -> ssl.SSLContext:
    return server_context(mint("good.test", names=("good.test",), issuer=root), directory=tmp_path)


def ask(handle: Handle, request: Request | None = None, *, scheme: str = "http", path: str = "/") -> Exchange:
    with serving(handle) as port:
        made = Request(url=f"{scheme}://good.test:{port}{path}", address="127.0.0.1", limit_ms=3000)
        if request is not None:
            made = Request(**{**{f: getattr(request, f) for f in request.__struct_fields__}, "url": made.url})
        return exchange(Clock(30), STAMP, made, ME)


def code(seen: Exchange) -> FailureCode | None:
    return seen.failure.code if seen.failure is not None else None


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def test_the_request_names_the_host_and_us_and_carries_no_more() -> None:
    heads: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        heads.append(read_head(connection))
        connection.sendall(OK)

    seen = ask(handle, path="/a/b?key=secret")
    lines = heads[0].decode().split("\r\n")
    assert lines[0] == "GET /a/b?key=secret HTTP/1.1"
    sent = dict(line.split(": ", 1) for line in lines[1:] if line)
    assert sent.pop("Host").startswith("good.test:")
    assert sent.pop("User-Agent").startswith("netdiag/")
    assert sent == {
        "X-Netdiag-Run": "r-1",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    assert seen.failure is None
    assert (seen.status, seen.reason, seen.http_version) == (200, "OK", "1.1")
    assert seen.url.endswith("/a/b")
    assert (seen.body_start, seen.body_bytes, seen.body_complete) == (None, 5, True)
    assert seen.body_sha256 == hashlib.sha256(b"hello").hexdigest()
    assert seen.request_acked is True
    times = [seen.connected_us, seen.first_byte_us, seen.finished_us]
    assert times == sorted(time for time in times if time is not None)
    assert seen.secured_us is None
    assert seen.tcp is not None


@pytest.mark.parametrize(("who", "agent"), [("customer", "acme/2"), ("browser", "Mozilla/5.0")])
def test_the_repeat_does_not_identify_itself(who: Literal["customer", "browser"], agent: str) -> None:
    heads: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        heads.append(read_head(connection))
        connection.sendall(OK)

    request = Request(
        url="", address="127.0.0.1", identify=False, user_agent="customer" if who == "customer" else "browser"
    )
    seen = ask(handle, request)
    assert f"User-Agent: {agent}".encode() in heads[0]
    assert b"etdiag" not in heads[0]
    assert seen.user_agent == who


def test_https_keeps_the_name_and_times_each_phase(context: ssl.SSLContext) -> None:
    asked: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    seen = ask(over_tls(context, answering(OK)), scheme="https")
    assert seen.failure is None
    assert seen.status == 200
    assert asked == ["good.test"]
    assert seen.server_name == "good.test"
    assert seen.connected_us is not None
    assert seen.secured_us is not None
    assert seen.first_byte_us is not None
    assert seen.connected_us <= seen.secured_us <= seen.first_byte_us


def test_a_bad_certificate_ends_it_before_any_request(tmp_path: Path) -> None:
    heads: list[bytes] = []
    bad = server_context(mint("good.test", names=("good.test",)), directory=tmp_path)
    seen = ask(over_tls(bad, lambda connection: heads.append(read_head(connection))), scheme="https")
    assert code(seen) is FailureCode.CERT_REJECTED
    assert seen.failure is not None
    assert seen.failure.op == "handshake"
    assert seen.status is None
    assert heads == []


def test_a_client_certificate_demanded_late_is_an_alert(root: Issued, context: ssl.SSLContext) -> None:
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=root.pem.decode())
    seen = ask(over_tls(context, answering(OK)), scheme="https")
    assert code(seen) is FailureCode.PROTOCOL
    assert seen.failure is not None
    assert seen.failure.native is not None
    assert getattr(seen.failure.native, "number", None) == 116


def test_redirects_are_recorded_without_secrets_and_not_followed() -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: https://u:p@portal.test/in;jsessionid=S3?tok=S1&x=S2#S4\r\n"
    seen = ask(answering(head + b"Set-Cookie: a=S5\r\nWWW-Authenticate: Bearer tok=S6\r\nContent-Length: 0\r\n\r\n"))
    assert seen.status == 302
    assert seen.location == "https://portal.test/in"
    assert "S" not in "".join(one.value for one in seen.headers)
    assert "set-cookie" not in [one.name for one in seen.headers]
    assert seen.body_start is None


def test_two_kilobytes_of_an_error_page_are_kept() -> None:
    body = b"<h1>Blocked</h1>\x1b[2J" + b"x" * 100_000
    head = b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n" % len(body)
    seen = ask(answering(head + body))
    assert seen.body_start is not None
    assert seen.body_start.startswith("<h1>Blocked</h1>.[2J")
    assert len(seen.body_start) == 2048
    assert (seen.body_bytes, seen.body_complete, seen.failure) == (65536, False, None)


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"The requested URL was rejected.\nPlease consult. Your support ID is: 11243555", True),
        (b'{"balance": 100, "note": "Your support ID is: 11243555"}', False),
    ],
)
def test_of_a_success_only_a_known_refusal_is_kept(body: bytes, kept: bool) -> None:
    seen = ask(answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body))
    assert seen.status == 200
    assert (seen.body_start is not None) is kept


def test_a_portals_page_is_kept_when_asked_for() -> None:
    request = Request(url="", address="127.0.0.1", keep_page=True)
    assert ask(answering(OK), request).body_start == "hello"


def test_a_bomb_stays_small() -> None:
    body = gzip.compress(bytes(20_000_000))
    head = b"HTTP/1.1 500 Oops\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    seen = ask(answering(head + body))
    assert (seen.status, seen.body_start, seen.body_complete) == (500, None, True) if len(body) < 65536 else True
    assert seen.body_bytes is not None
    assert seen.body_bytes <= 65536


def test_an_endless_body_is_cut() -> None:
    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(bytes(65536))

    seen = ask(handle)
    assert (seen.body_bytes, seen.body_complete, seen.failure) == (65536, False, None)


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-A: "])
def test_a_peer_that_drips_meets_the_deadline(start: bytes) -> None:
    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(start)
        while True:
            connection.sendall(b"x")
            time.sleep(0.02)

    request = Request(url="", address="127.0.0.1", limit_ms=300)
    seen = ask(handle, request)
    assert code(seen) is FailureCode.TIMED_OUT
    assert (seen.status is None) == start.endswith(b"X-A: ")
    assert seen.first_byte_us is not None


@pytest.mark.parametrize(
    "flood",
    [
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(5000)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x00\x01\x02\r\n\r\n",
    ],
)
def test_what_is_no_http_is_a_protocol_failure(flood: bytes) -> None:
    assert code(ask(answering(flood))) is FailureCode.PROTOCOL


def test_silence_end_and_reset_are_told_apart() -> None:
    request = Request(url="", address="127.0.0.1", limit_ms=200)
    silent = ask(wait_for_close, request)

    def end(connection: socket.socket) -> None:
        read_head(connection)

    def cut(connection: socket.socket) -> None:
        read_head(connection)
        reset(connection)

    found = [code(silent), code(ask(end)), code(ask(cut))]
    assert found == [FailureCode.TIMED_OUT, FailureCode.CLOSED, FailureCode.RESET]
    assert silent.request_acked is True
    assert silent.first_byte_us is None


def test_a_short_body_keeps_its_status_and_says_how_it_broke_off() -> None:
    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")

    seen = ask(handle)
    assert (seen.status, seen.body_bytes, seen.body_complete) == (200, 3, False)
    assert code(seen) is FailureCode.CLOSED


def test_a_closed_port_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    seen = exchange(Clock(30), STAMP, Request(url=f"http://good.test:{port}/", address="127.0.0.1"), ME)
    assert code(seen) is FailureCode.REFUSED
    assert seen.failure is not None
    assert seen.failure.op == "connect"
    assert (seen.connected_us, seen.request_acked) == (None, None)


def test_the_environment_says_nothing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    assert ask(answering(OK)).status == 200


def proxying(to: int) -> Handle:
    """A proxy that opens one tunnel to ``to``."""

    def handle(connection: socket.socket) -> None:
        head = read_head(connection)
        assert head.startswith(b"CONNECT good.test:443 HTTP/1.1\r\nHost: good.test:443\r\n")
        connection.sendall(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 squid\r\n\r\n")
        with socket.create_connection(("127.0.0.1", to)) as onward:
            connection.setblocking(False)
            onward.setblocking(False)
            pairs = {connection: onward, onward: connection}
            while True:
                for ready in select.select(list(pairs), [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    pairs[ready].sendall(data)

    return handle


def test_a_tunnel_and_the_exchange_in_it_are_two_records(context: ssl.SSLContext) -> None:
    with serving(over_tls(context, answering(OK))) as vendor, serving(proxying(vendor)) as proxy:
        request = Request(url="https://good.test/x?y=z", proxy=f"http://127.0.0.1:{proxy}", limit_ms=3000)
        opened, stream = tunnel(Clock(30), STAMP, request, ME)
        assert stream is not None
        seen = exchange(Clock(30), STAMP, request, ME, tunnel=stream)
    assert (opened.method, opened.status, opened.url) == ("CONNECT", 200, "https://good.test:443")
    assert [one.name for one in opened.headers] == ["via"]
    assert opened.via_proxy == seen.via_proxy == f"127.0.0.1:{proxy}"
    assert (seen.failure, seen.status, seen.address, seen.connected_us) == (None, 200, None, None)
    assert seen.server_name == "good.test"


@pytest.mark.parametrize("status", [403, 407, 502])
def test_a_proxy_that_refuses_is_recorded_with_its_page(status: int) -> None:
    head = (
        b"HTTP/1.1 %d No\r\nProxy-Authenticate: NTLM TOKEN\r\nX-Squid-Error: ERR_X 0\r\nContent-Length: 4\r\n\r\npage"
    )
    with serving(answering(head % status)) as proxy:
        request = Request(url="https://good.test/", proxy=f"http://127.0.0.1:{proxy}", limit_ms=3000)
        opened, stream = tunnel(Clock(30), STAMP, request, ME)
    assert stream is None
    assert (opened.status, opened.failure, opened.body_start) == (status, None, "page")
    assert {one.name: one.value for one in opened.headers}["proxy-authenticate"] == "NTLM"


def test_a_proxy_that_resets_or_is_not_there_is_told_apart() -> None:
    def cut(connection: socket.socket) -> None:
        read_head(connection)
        reset(connection)

    with serving(cut) as proxy:
        request = Request(url="https://good.test/", proxy=f"http://127.0.0.1:{proxy}", limit_ms=3000)
        by_reset, _ = tunnel(Clock(30), STAMP, request, ME)
    gone, _ = tunnel(Clock(30), STAMP, request, ME)
    assert (by_reset.failure and by_reset.failure.op, code(by_reset)) == ("receive", FailureCode.RESET)
    assert (gone.failure and gone.failure.op, code(gone)) == ("connect", FailureCode.REFUSED)


def test_plain_http_goes_to_the_proxy_in_absolute_form() -> None:
    heads: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        heads.append(read_head(connection))
        connection.sendall(OK)

    with serving(handle) as proxy:
        request = Request(url="http://good.test/a?b=c", proxy=f"127.0.0.1:{proxy}", limit_ms=3000)
        seen = exchange(Clock(30), STAMP, request, ME)
    assert heads[0].startswith(b"GET http://good.test/a?b=c HTTP/1.1\r\nHost: good.test\r\n")
    assert (seen.status, seen.via_proxy, seen.port) == (200, f"127.0.0.1:{proxy}", 80)


def test_what_cannot_be_routed_is_a_bug_of_the_caller() -> None:
    for request in (
        Request(url="https://good.test/"),
        Request(url="ftp://good.test/", address="127.0.0.1"),
        Request(url="https://good.test/", proxy="http://127.0.0.1:1"),
        Request(url="https://good.test/", proxy="socks5://127.0.0.1:1"),
    ):
        with pytest.raises(ValueError, match=r"proxy|http|address"):
            exchange(Clock(30), STAMP, request, ME)
