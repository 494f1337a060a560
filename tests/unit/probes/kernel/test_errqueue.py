"""The error queue's bytes, as tables: nothing that a router or kernel sends may break the reader."""

import ipaddress
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.evidence.record import Icmp
from netdiag.evidence.transport import Quote
from netdiag.probes.kernel import errqueue
from netdiag.probes.kernel.numbers import SO_TIMESTAMPNS, V4, V6, Options

ICMP, ICMP6, LOCAL = 2, 3, 1
SYN_4 = bytes.fromhex("c35001bb00000001000000008002faf0000000000204")  # ports 50000 and 443, six words, MSS cut short


def error(options: Options, origin: int, icmp: tuple[int, int], sender: str | None, *, errno: int = 113) -> bytes:
    head = struct.pack("=IBBBBII", errno, origin, *icmp, 0, 0, 0)
    if sender is None:
        return head
    raw = ipaddress.ip_address(sender).packed
    if options is V4:
        return head + struct.pack("=HH", socket.AF_INET, 0) + raw + bytes(8)
    return head + struct.pack("=HHI", socket.AF_INET6, 0, 0) + raw + bytes(4)


def message(options: Options, data: bytes) -> tuple[int, int, bytes]:
    return (options.level, options.receive_errors, data)


def test_an_icmp_error_keeps_type_code_sender_ttl_and_time() -> None:
    ancillary = [
        (socket.SOL_SOCKET, SO_TIMESTAMPNS, struct.pack("ll", 1_700_000_000, 5)),
        (0, V4.ttl_message, struct.pack("i", 61)),
        message(V4, error(V4, ICMP, (11, 0), "198.51.100.3")),
    ]
    found = errqueue.parse(b"quoted", ancillary, V4)
    assert found is not None
    assert found.icmp == Icmp(type=11, code=0, sender="198.51.100.3")
    assert (found.errno, found.quoted, found.replier_ttl) == (113, b"quoted", 61)
    assert found.received_ns == 1_700_000_000_000_000_005


def test_icmpv6_and_its_sender() -> None:
    found = errqueue.parse(b"", [message(V6, error(V6, ICMP6, (1, 1), "2001:db8::9"))], V6)
    assert found is not None
    assert found.icmp == Icmp(type=1, code=1, sender="2001:db8::9", version=6)
    assert (found.replier_ttl, found.received_ns) == (None, None)


@pytest.mark.parametrize("sender", [None, "198.51.100.3"])
def test_a_local_error_has_no_icmp(sender: str | None) -> None:
    found = errqueue.parse(b"", [message(V4, error(V4, LOCAL, (0, 0), sender, errno=90))], V4)
    assert found is not None
    assert (found.icmp, found.errno) == (None, 90)


@pytest.mark.parametrize("ancillary", [[], [(0, 99, b"x")], [message(V4, b"short")], [message(V6, b"")]])
def test_what_is_no_error_is_none(ancillary: list[tuple[int, int, bytes]]) -> None:
    assert errqueue.parse(b"", ancillary, V4) is None


def syn(*options: bytes) -> bytes:
    rest = b"".join(options)
    rest += bytes(-len(rest) % 4)
    words = 5 + len(rest) // 4
    return struct.pack("!HHIIBBHHH", 40_000, 443, 1, 0, words << 4, 2, 64_000, 0, 0) + rest


MSS = b"\x02\x04\x05\xb4"  # 1460


@pytest.mark.parametrize(
    ("quoted", "quote"),
    [
        (b"", None),
        (b"\x9c", None),
        (syn()[:8], Quote(source_port=40_000)),  # what RFC 792 demands and no more
        (syn(), Quote(source_port=40_000)),
        (syn(MSS), Quote(source_port=40_000, mss=1460)),
        (syn(b"\x01\x01", MSS), Quote(source_port=40_000, mss=1460)),
        (syn(b"\x04\x02", MSS), Quote(source_port=40_000, mss=1460)),
        (syn(b"\x00\x00\x00\x00", MSS), Quote(source_port=40_000)),  # after the end of options
        (syn(MSS)[:22], Quote(source_port=40_000)),
        (syn(b"\x04\x00\x00\x00", MSS), Quote(source_port=40_000)),  # an option of length 0
        (SYN_4, Quote(source_port=50_000)),
    ],
)
def test_quoted_tcp_headers_of_any_length(quoted: bytes, quote: Quote | None) -> None:
    assert errqueue.quote_of_tcp(quoted) == quote


@given(st.binary(max_size=80))
def test_no_quote_breaks_the_reader(quoted: bytes) -> None:
    errqueue.quote_of_tcp(quoted)


@given(st.binary(max_size=60), st.sampled_from([V4, V6]))
def test_no_control_message_breaks_the_reader(data: bytes, options: Options) -> None:
    errqueue.parse(b"", [message(options, data), (options.level, options.ttl_message, data)], options)


@pytest.mark.parametrize(
    ("icmp", "expired", "too_big"),
    [
        (Icmp(type=11, code=0, sender="s"), True, False),
        (Icmp(type=11, code=1, sender="s"), False, False),
        (Icmp(type=3, code=4, sender="s"), False, True),
        (Icmp(type=3, code=0, sender="s"), False, False),
        (Icmp(type=3, code=0, sender="s", version=6), True, False),
        (Icmp(type=2, code=0, sender="s", version=6), False, True),
        (Icmp(type=1, code=4, sender="s", version=6), False, False),
    ],
)
def test_types_mean_other_things_in_each_version(icmp: Icmp, expired: bool, too_big: bool) -> None:
    assert errqueue.is_time_exceeded(icmp) is expired
    assert errqueue.is_too_big(icmp) is too_big


def test_path_mtu_messages_end_no_attempt() -> None:
    big = errqueue.QueuedError(90, Icmp(type=3, code=4, sender="198.51.100.1"), b"", None, None)
    no = errqueue.QueuedError(113, Icmp(type=3, code=13, sender="198.51.100.2"), b"", None, None)
    assert errqueue.first_decisive([big]) is None
    assert errqueue.first_decisive([big, no]) is no
