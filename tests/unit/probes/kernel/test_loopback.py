"""The kernel on loopback: connects, TTL-limited packets, echoes, and what is not there."""

import socket
import struct
import subprocess
import threading
from collections.abc import Iterator

import msgspec
import pytest

from netdiag.evidence.record import FailureCode, Icmp, Native, NotRun, ObsId, StepId
from netdiag.evidence.transport import Echo, HopReply
from netdiag.probes.base import HopProbe, OutOfTimeError, Stamp
from netdiag.probes.clock import Clock
from netdiag.probes.kernel import echo, features, local_send, syn_probe, tcp
from netdiag.probes.kernel.errqueue import QueuedError
from netdiag.probes.kernel.hops import Due, hops
from netdiag.probes.kernel.numbers import IS_LINUX, V4, V6, endpoint
from netdiag.probes.kernel.packet import echo_request, sequence_of_reply

pytestmark = pytest.mark.skipif(not IS_LINUX, reason="the error queue is Linux's")

LOOPBACK = {4: "127.0.0.1", 6: "::1"}
STAMP = Stamp(id=ObsId("o1"), step=StepId("s"), role="control")


@pytest.fixture(params=[4, 6])
def address(request: pytest.FixtureRequest) -> str:
    return LOOPBACK[request.param]


@pytest.fixture
def listener(address: str) -> Iterator[int]:
    family = socket.AF_INET if address == LOOPBACK[4] else socket.AF_INET6
    with socket.socket(family) as server:
        server.bind((address, 0))
        server.listen()
        yield server.getsockname()[1]


def closed_port(address: str, kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    family = socket.AF_INET if address == LOOPBACK[4] else socket.AF_INET6
    with socket.socket(family, kind) as sock:
        sock.bind((address, 0))
        return int(sock.getsockname()[1])


def probe(address: str, port: int, protocol: str, ttl: int = 1, source_port: int = 0) -> HopProbe:
    return HopProbe(
        stamp=STAMP,
        address=address,
        port=port,
        protocol=protocol,  # type: ignore[arg-type]
        ttl=ttl,
        flow=1,
        source_port=source_port,
    )


def test_an_open_port_gives_a_stream_and_a_record(address: str, listener: int) -> None:
    record, stream = tcp.connect(Clock(10), STAMP, tcp.Wish(address, listener, 2000, 0))
    assert record.failure is None
    assert stream is not None
    with stream:
        assert stream.socket.getpeername()[:2] == (address, listener)
        assert (record.source_address, record.source_port) == stream.socket.getsockname()[:2]
    assert stream.socket.fileno() == -1
    assert record.syns_sent == 1
    assert record.tcp is not None


def test_a_closed_port_is_refused_without_icmp(address: str) -> None:
    record, stream = tcp.connect(Clock(10), STAMP, tcp.Wish(address, closed_port(address), 2000, 0))
    assert stream is None
    assert record.failure is not None
    assert record.failure.code is FailureCode.REFUSED
    assert record.failure.native == Native(kind="errno", number=111)


def test_no_route_is_unreachable_and_no_syn_left() -> None:
    # The tests' own network namespace has loopback and nothing else.
    record, stream = tcp.connect(Clock(10), STAMP, tcp.Wish("203.0.113.7", 443, 2000, 0))
    assert stream is None
    assert record.failure is not None
    assert (record.failure.code, record.syns_sent, record.source_port) == (FailureCode.UNREACHABLE, 0, None)


@pytest.mark.parametrize(
    ("number", "icmp", "code"),
    [
        (110, None, FailureCode.TIMED_OUT),
        (111, None, FailureCode.REFUSED),
        (111, (3, 3), FailureCode.REFUSED),
        (104, None, FailureCode.RESET),
        (113, None, FailureCode.UNREACHABLE),
        (113, (3, 13), FailureCode.UNREACHABLE),
        (101, (3, 0), FailureCode.UNREACHABLE),
        (92, (3, 2), FailureCode.UNREACHABLE),
        (13, None, FailureCode.DENIED_LOCALLY),
        (13, (1, 1), FailureCode.UNREACHABLE),  # IPv6: a remote "administratively prohibited"
        (1, None, FailureCode.DENIED_LOCALLY),
        (22, None, FailureCode.DENIED_LOCALLY),
        (24, None, FailureCode.UNCLASSIFIED),
    ],
)
def test_failures_are_classified_by_icmp_first_and_errno_second(
    number: int, icmp: tuple[int, int] | None, code: FailureCode
) -> None:
    queued = None
    if icmp is not None:
        queued = QueuedError(number, Icmp(type=icmp[0], code=icmp[1], sender="198.51.100.1"), b"", None, None)
    failure = tcp.failure_of(number, queued)
    assert failure.code is code
    assert failure.errno == number
    assert failure.native == (Native(kind="errno", number=number) if queued is None else queued.icmp)


def test_a_syn_is_answered_and_its_source_port_is_free_at_once(address: str, listener: int) -> None:
    (first,) = hops(Clock(10), [Due(0, probe(address, listener, "tcp"))], limit_ms=1000)
    assert isinstance(first, HopReply)
    assert (first.answer, first.replier) == ("syn_ack", address)
    assert first.source_port
    again = probe(address, listener, "tcp", source_port=first.source_port)
    (second,) = hops(Clock(10), [Due(0, again)], limit_ms=1000)
    assert isinstance(second, HopReply)
    assert (second.answer, second.source_port) == ("syn_ack", first.source_port)


@pytest.mark.parametrize("is_full", [True, False])
def test_the_repetition_of_a_silent_syn_stays_mute_while_it_closes(
    address: str, monkeypatch: pytest.MonkeyPatch, is_full: bool
) -> None:
    """A listener whose queue is full drops SYNs. One that is answered is unmuted, so that its reset gets there."""
    family = socket.AF_INET if address == LOOPBACK[4] else socket.AF_INET6
    unmuted: list[socket.socket] = []
    monkeypatch.setattr(syn_probe, "unmute", lambda sock, _: unmuted.append(sock))
    with socket.socket(family) as server, socket.socket(family) as first:
        server.bind((address, 0))
        server.listen(0)
        if is_full:
            first.connect(server.getsockname())
        (reply,) = hops(Clock(10), [Due(0, probe(address, server.getsockname()[1], "tcp"))], limit_ms=300)
    assert isinstance(reply, HopReply)
    assert reply.answer == ("none" if is_full else "syn_ack")
    assert len(unmuted) == (0 if is_full else 1)


def test_a_reset_is_an_answer(address: str) -> None:
    (reply,) = hops(Clock(10), [Due(0, probe(address, closed_port(address), "tcp"))], limit_ms=1000)
    assert isinstance(reply, HopReply)
    assert (reply.answer, reply.replier) == ("rst", address)


def test_datagrams_of_one_flow_share_a_port_and_are_told_apart(address: str) -> None:
    port = closed_port(address, socket.SOCK_DGRAM)
    dues = [Due(0, probe(address, port, "udp", ttl=ttl)) for ttl in (1, 2, 3)]
    replies = [one for one in hops(Clock(10), dues, limit_ms=1000) if isinstance(one, HopReply)]
    assert sorted(one.ttl for one in replies) == [1, 2, 3]
    assert len({one.source_port for one in replies}) == 1
    unreachable = (3, 3) if address == LOOPBACK[4] else (1, 4)
    assert {(one.icmp.type, one.icmp.code) for one in replies if one.icmp} == {unreachable}
    assert all(one.rtt_us is not None and one.replier_ttl for one in replies)


def test_more_is_asked_after_each_result(address: str) -> None:
    port = closed_port(address)
    asked = iter([probe(address, port, "tcp", ttl=ttl) for ttl in (2, 3)])

    def more(_: object) -> list[Due]:
        following = next(asked, None)
        return [] if following is None else [Due(0, following)]

    replies = list(hops(Clock(10), [Due(0, probe(address, port, "tcp"))], limit_ms=1000, more=more))
    assert [one.ttl for one in replies if isinstance(one, HopReply)] == [1, 2, 3]


def test_a_packet_without_a_way_is_not_sent() -> None:
    dues = [Due(0, probe("203.0.113.7", 443, protocol)) for protocol in ("tcp", "udp")]
    replies = [one for one in hops(Clock(10), dues, limit_ms=1000) if isinstance(one, HopReply)]
    assert [one.answer for one in replies] == ["not_sent", "not_sent"]
    assert all(one.failure and one.failure.code is FailureCode.UNREACHABLE for one in replies)


def test_without_the_error_queue_a_walk_is_unsupported_and_says_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "has_error_queue", lambda: False)
    dues = [Due(0, probe("127.0.0.1", 443, "tcp", ttl=ttl)) for ttl in (1, 2, 3)]
    (only,) = hops(Clock(10), dues, limit_ms=1000)
    assert isinstance(only, NotRun)
    assert only.why == "unsupported"


def test_a_stopped_run_ends_a_waiting_walk_at_once() -> None:
    # Bound and never read: a datagram there meets silence.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        clock = Clock(3600)
        waiting = hops(clock, [Due(0, probe("127.0.0.1", silent.getsockname()[1], "udp"))], limit_ms=3_000_000)
        threading.Timer(0.05, clock.stop).start()
        with pytest.raises(OutOfTimeError):
            list(waiting)


def test_an_echo_is_answered(address: str) -> None:
    result = echo.echo(Clock(10), STAMP, address, sequence=7, limit_ms=1000)
    if isinstance(result, NotRun):
        assert result.why == "no_privilege"
        return
    assert (result.sequence, result.failure) == (7, None)
    assert result.rtt_us is not None
    assert result.reply_ttl is not None


PING = b"64 bytes from 203.0.113.7: icmp_seq=1 ttl=57 time=12.3 ms\n\n1 packets transmitted, 1 received\n"


@pytest.mark.parametrize(
    ("returncode", "output", "expected"),
    [
        (0, PING, (12_300, 57)),
        (0, b"64 bytes from ::1: seq=0 ttl=64 time<1 ms", (1000, 64)),
        (1, b"1 packets transmitted, 0 received, 100% packet loss", (None, None)),
        (0, b"something else", None),
        (2, b"ping: socktype: SOCK_RAW", None),
    ],
)
def test_the_systems_ping_is_believed_by_exit_code_and_figures(
    monkeypatch: pytest.MonkeyPatch, returncode: int, output: bytes, expected: tuple[int | None, int | None] | None
) -> None:
    monkeypatch.setattr(features, "icmp_socket", lambda *_, **__: None)
    monkeypatch.setattr("netdiag.probes.kernel.echo.shutil.which", lambda _: "/bin/ping")
    done = subprocess.CompletedProcess([], returncode, output, b"")
    monkeypatch.setattr("netdiag.probes.kernel.echo.subprocess.run", lambda *_, **__: done)
    result = echo.echo(Clock(10), STAMP, "203.0.113.7", sequence=1, limit_ms=1000)
    if expected is None:
        assert isinstance(result, NotRun)
        assert result.why == "no_privilege"
    else:
        assert isinstance(result, Echo)
        assert (result.mode, result.rtt_us, result.reply_ttl) == ("ping_command", *expected)


def test_echo_requests_of_one_flow_have_one_checksum() -> None:
    packets = [echo_request(V4, 0x1234, sequence) for sequence in (1, 2, 500, 65_535)]
    assert len({packet[2:4] for packet in packets}) == 1
    for packet in packets:
        total = sum(struct.unpack(f"!{len(packet) // 2}H", packet))
        assert (total & 0xFFFF) + (total >> 16) == 0xFFFF  # RFC 1071: a good packet sums up to all ones
    assert echo_request(V6, 1, 2)[0] == 128


@pytest.mark.parametrize(
    ("options", "raw", "data", "sequence"),
    [
        (V4, False, bytes([0, 0, 0, 0, 0, 9, 0, 5]), 5),
        (V4, True, bytes([0x45] + [0] * 19) + bytes([0, 0, 0, 0, 0, 9, 0, 5]), 5),
        (V4, True, bytes([0x45]), None),
        (V4, False, bytes([8, 0, 0, 0, 0, 9, 0, 5]), None),  # our own request, seen by a raw socket on loopback
        (V4, False, bytes([0, 0, 0, 0, 0, 8, 0, 5]), None),  # another process's reply
        (V6, True, bytes([129, 0, 0, 0, 0, 9, 0, 5]), 5),
        (V6, True, b"", None),
    ],
)
def test_only_replies_to_us_are_taken(options: object, raw: bool, data: bytes, sequence: int | None) -> None:
    assert sequence_of_reply(options, data, 9, raw=raw) == sequence  # type: ignore[arg-type]


def test_a_local_send_says_only_whether_the_kernel_took_it() -> None:
    clock = Clock(10)
    assert local_send.local_send(clock, STAMP, "127.0.0.1", 9, ttl=1).failure is None
    refused = local_send.local_send(clock, STAMP, "203.0.113.7", 9, ttl=1).failure
    assert refused is not None
    assert (refused.op, refused.code) == ("send", FailureCode.UNREACHABLE)


def test_what_the_kernel_can_do_is_found_by_trying() -> None:
    assert features.has_error_queue() in {True, False}
    assert features.has_min_ttl() in {True, False}
    sock = features.icmp_socket(V4, raw=False)
    assert (sock is not None) or not features.may_send_icmp(raw=False)
    if sock is not None:
        sock.close()


def test_a_zone_goes_to_the_kernel_as_a_number() -> None:
    assert endpoint("192.0.2.1", 53) == ("192.0.2.1", 53)
    assert endpoint("2001:db8::1", 53) == ("2001:db8::1", 53)
    assert endpoint("fe80::1%lo", 53) == ("fe80::1", 53, 0, socket.if_nametoindex("lo"))
    assert endpoint("fe80::1%7", 53)[3:] == (7,)
    with pytest.raises(OSError, match=r"No such device|no interface"):
        endpoint("fe80::1%nowhere0", 53)


def test_without_the_library_there_are_no_raw_packets_and_that_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "has_scapy", lambda: False)
    raw = [msgspec.structs.replace(probe("127.0.0.1", 9, "udp", ttl), raw=True) for ttl in (1, 2)]
    (only,) = hops(Clock(10), [Due(0, one) for one in raw], limit_ms=100)
    assert isinstance(only, NotRun)
    assert (only.why, only.what) == ("unsupported", "raw packets")
