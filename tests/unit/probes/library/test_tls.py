"""The handshake against real servers: every verify code, both directions of alerts, and peers that speak no TLS."""

import contextlib
import socket
import ssl
from pathlib import Path

import pytest

from netdiag.evidence.record import FailureCode, Native, ObsId, StepId
from netdiag.evidence.tls import Alert, Handshake
from netdiag.probes.base import Stamp
from netdiag.probes.clock import Clock
from netdiag.probes.library import tls
from netdiag.probes.library.sockets import SocketStream
from tests.fakes.certificates import Issued, mint, server_context
from tests.fakes.servers import Handle, over_tls, reset, serving, wait_for_close

STAMP = Stamp(id=ObsId("o1"), step=StepId("s"), role="target")


@pytest.fixture(scope="module")
def root() -> Issued:
    return mint("Lab Root", is_ca=True)


@pytest.fixture(scope="module")
def inter(root: Issued) -> Issued:
    return mint("Lab Intermediate", issuer=root, is_ca=True)


@pytest.fixture(autouse=True)
def _trusted(root: Issued, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "roots.pem").write_bytes(root.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "roots.pem"))


def shake(handle: Handle, name: str | None = "good.test", *, limit_ms: int = 3000, h2: bool = True) -> Handshake:
    with serving(handle) as port, SocketStream(socket.create_connection(("127.0.0.1", port))) as stream:
        return tls.handshake(Clock(30), STAMP, stream, name, limit_ms=limit_ms, offer_h2=h2)


def codes(seen: Handshake) -> dict[str, int]:
    return {one.store: one.code for one in seen.verifications}


def test_a_good_handshake_is_recorded_whole(root: Issued, inter: Issued, tmp_path: Path) -> None:
    leaf = mint("good.test", names=("good.test", "127.0.0.1"), issuer=inter)
    context = server_context(leaf, inter, directory=tmp_path)
    context.set_alpn_protocols(["h2"])
    seen = shake(over_tls(context, wait_for_close))
    assert seen.failure is None
    assert (seen.server_name, seen.protocol, seen.alpn) == ("good.test", "TLSv1.3", "h2")
    assert seen.cipher is not None
    assert (seen.server_hello, seen.acked, seen.client_certificate_asked) == (True, True, False)
    assert [one.subject for one in seen.chain] == ["CN=good.test", "CN=Lab Intermediate"]
    assert seen.chain[0].names == ("good.test", "127.0.0.1")
    assert [one.is_ca for one in seen.chain] == [False, True]
    assert codes(seen) == {"system": 0, "mozilla": 20}
    assert seen.alerts == ()
    assert seen.first_bytes is None


@pytest.mark.parametrize("use_rsa", [False, True])
def test_the_second_opinion_can_be_good(tmp_path: Path, *, use_rsa: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    root = mint("Public Root", is_ca=True)
    (tmp_path / "public.pem").write_bytes(root.pem)
    monkeypatch.setattr("certifi.where", lambda: str(tmp_path / "public.pem"))
    monkeypatch.setattr("netdiag.probes.library.trust._contexts", {})
    leaf = mint("good.test", names=("good.test",), issuer=root, use_rsa=use_rsa)
    seen = shake(over_tls(server_context(leaf, directory=tmp_path), wait_for_close))
    assert codes(seen) == {"system": 20, "mozilla": 0}


def wrong(kind: str, inter: Issued) -> tuple[Issued, ...]:
    names = ("good.test",)
    match kind:
        case "not yet valid":
            return mint("good.test", names=names, issuer=inter, days=(2, 9)), inter
        case "expired":
            return mint("good.test", names=names, issuer=inter, days=(-9, -2)), inter
        case "self-signed":
            return (mint("good.test", names=names),)
        case "private root":
            other = mint("Other Root", is_ca=True)
            return mint("good.test", names=names, issuer=other), other
        case "missing intermediate":
            return (mint("good.test", names=names, issuer=inter),)
        case "wrong name":
            return mint("other.test", names=("other.test",), issuer=inter), inter
        case "common name only":
            return mint("good.test", issuer=inter), inter
    raise AssertionError(kind)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("not yet valid", 9),
        ("expired", 10),
        ("self-signed", 18),
        ("private root", 19),
        ("missing intermediate", 20),
        ("wrong name", 62),
        ("common name only", 62),
    ],
)
def test_each_wrong_certificate_has_its_code_and_its_chain(
    kind: str, code: int, version: ssl.TLSVersion, inter: Issued, tmp_path: Path
) -> None:
    chain = wrong(kind, inter)
    context = server_context(*chain, directory=tmp_path)
    context.maximum_version = context.minimum_version = version
    seen = shake(over_tls(context, wait_for_close))
    assert seen.failure is not None
    assert seen.failure.code is FailureCode.CERT_REJECTED
    assert seen.failure.native is None
    assert codes(seen)["system"] == code
    assert len(seen.chain) == len(chain)
    assert seen.protocol == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[version.name]
    assert [one.direction for one in seen.alerts] == ["sent"]
    assert seen.chain[0].self_signed == (kind == "self-signed")


@pytest.mark.parametrize(("names", "code"), [(("127.0.0.1",), 0), (("127.0.0.2", "good.test"), 64)])
@pytest.mark.parametrize("given", ["127.0.0.1", None])
def test_an_address_is_checked_without_a_server_name(
    names: tuple[str, ...], code: int, given: str | None, inter: Issued, tmp_path: Path
) -> None:
    asked: list[str | None] = []
    context = server_context(mint("x", names=names, issuer=inter), inter, directory=tmp_path)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    seen = shake(over_tls(context, wait_for_close), given)
    assert codes(seen)["system"] == code
    assert seen.server_name is None
    assert asked == [None]


def test_no_common_version_is_alert_70(inter: Issued, tmp_path: Path) -> None:
    context = server_context(mint("good.test", names=("good.test",), issuer=inter), inter, directory=tmp_path)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    seen = shake(over_tls(context, wait_for_close))
    assert seen.failure is not None
    assert seen.failure.code is FailureCode.PROTOCOL
    assert seen.alerts == (Alert(direction="received", number=70),)


def alert(level: int, number: int) -> Handle:
    """Answer the ClientHello with this alert, as a raw record (RFC 8446 section 6), and reset at once."""

    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(bytes([21, 3, 3, 0, 2, level, number]))
        reset(connection)

    return handle


@pytest.mark.parametrize("number", [40, 70, 80, 112, 120])
def test_an_alert_of_the_peer_is_kept_by_its_number_even_before_a_reset(number: int) -> None:
    seen = shake(alert(2, number))
    assert seen.failure is not None
    assert (seen.failure.code, seen.failure.native) == (FailureCode.PROTOCOL, Native(kind="tls-alert", number=number))
    assert seen.alerts == (Alert(direction="received", number=number),)
    assert (seen.server_hello, seen.acked) == (False, True)


def test_an_unknown_server_name_is_alert_112(inter: Issued, tmp_path: Path) -> None:
    context = server_context(mint("good.test", names=("good.test",), issuer=inter), inter, directory=tmp_path)
    context.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    seen = shake(over_tls(context, wait_for_close))
    assert seen.failure is not None
    assert seen.failure.native == Native(kind="tls-alert", number=112)


@pytest.mark.parametrize(("version", "number"), [(ssl.TLSVersion.TLSv1_2, 40), (ssl.TLSVersion.TLSv1_3, 116)])
def test_a_demanded_client_certificate_shows(
    version: ssl.TLSVersion, number: int, root: Issued, inter: Issued, tmp_path: Path
) -> None:
    context = server_context(mint("good.test", names=("good.test",), issuer=inter), inter, directory=tmp_path)
    context.maximum_version = context.minimum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=root.pem.decode())
    seen = shake(over_tls(context, wait_for_close))
    assert seen.failure is not None
    assert seen.failure.native == Native(kind="tls-alert", number=number)
    assert seen.client_certificate_asked is True


def test_an_optional_client_certificate_is_no_failure(root: Issued, inter: Issued, tmp_path: Path) -> None:
    context = server_context(mint("good.test", names=("good.test",), issuer=inter), inter, directory=tmp_path)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(cadata=root.pem.decode())
    seen = shake(over_tls(context, wait_for_close))
    assert seen.failure is None
    assert seen.client_certificate_asked is True


def test_a_peer_that_speaks_http_is_quoted() -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n\x1b[31m" + b"x" * 500)
        wait_for_close(connection)

    seen = shake(refuse)
    assert seen.failure is not None
    assert seen.failure.code is FailureCode.PROTOCOL
    assert seen.first_bytes is not None
    assert seen.first_bytes.startswith("HTTP/1.1 400 Bad Request\n\n.[31m")
    assert len(seen.first_bytes) <= 200
    assert seen.server_hello is False


def after_hello(then: Handle) -> Handle:
    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        then(connection)

    return handle


def test_a_reset_is_told_from_an_end_and_from_silence() -> None:
    by_reset = shake(after_hello(reset))
    by_end = shake(after_hello(lambda connection: connection.shutdown(socket.SHUT_RDWR)))
    by_silence = shake(wait_for_close, limit_ms=200)
    found = [one.failure.code for one in (by_reset, by_end, by_silence) if one.failure is not None]
    assert found == [FailureCode.RESET, FailureCode.CLOSED, FailureCode.TIMED_OUT]
    assert (by_reset.acked, by_silence.acked, by_silence.server_hello) == (None, True, False)
    assert by_silence.ended_ns - by_silence.began_ns >= 200_000_000


def test_a_peer_that_drips_meets_the_deadline() -> None:
    def drip(connection: socket.socket) -> None:
        for byte in b"\x16\x03\x03\x40\x00" + bytes(10_000):
            connection.sendall(bytes([byte]))
            with contextlib.suppress(TimeoutError):
                connection.settimeout(0.02)
                while connection.recv(65536):
                    pass
                return

    seen = shake(drip, limit_ms=300)
    assert seen.failure is not None
    assert seen.failure.code is FailureCode.TIMED_OUT


def test_a_name_that_cannot_be_sent_is_a_record_and_no_crash() -> None:
    seen = shake(wait_for_close, "x" * 70 + ".test")
    assert seen.failure is not None
    assert seen.failure.code is FailureCode.UNCLASSIFIED


def test_the_stream_keeps_its_socket(inter: Issued, tmp_path: Path) -> None:
    context = server_context(mint("good.test", names=("good.test",), issuer=inter), inter, directory=tmp_path)
    with serving(over_tls(context, wait_for_close)) as port:
        stream = SocketStream(socket.create_connection(("127.0.0.1", port)))
        tls.handshake(Clock(30), STAMP, stream, "good.test", limit_ms=1000)
        assert stream.socket.fileno() >= 0
        stream.close()
