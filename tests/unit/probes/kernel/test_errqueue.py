"""The error queue's bytes, as tables: nothing that a router or kernel sends may break the reader."""

import ipaddress
import socket
import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.evidence.record import Icmp
from netdiag.evidence.transport import Label, Quote
from netdiag.probes.kernel import errqueue
from netdiag.probes.kernel.numbers import SO_TIMESTAMPNS, V4, V6, Options
from netdiag.probes.kernel.packet import HEADER, checksum

ICMP, ICMP6, LOCAL = 2, 3, 1
SYN_4 = bytes.fromhex("c35001bb00000001000000008002faf0000000000204")  # ports 50000 and 443, six words, MSS cut short


def error(
    options: Options,
    origin: int,
    icmp: tuple[int, int],
    sender: str | None,
    *,
    errno: int = 113,
    info: int = 0,
    extensions_at: int = 0,
    flags: int = 0,
) -> bytes:
    head = struct.pack("=IBBBBIHBB", errno, origin, *icmp, 0, info, extensions_at, flags, 0)
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


def test_the_mtu_that_a_router_told_is_kept() -> None:
    told = error(V4, ICMP, (3, 4), "198.51.100.3", errno=90, info=1400)
    found = errqueue.parse(b"", [message(V4, told)], V4)
    assert found is not None
    assert found.info == 1400


LABEL = bytes.fromhex("2000" + "0000" + "0008" + "0101" + "03e8ab05")  # 16010, class 5, bottom, TTL 5; no checksum
LABELS = (Label(label=16_010, traffic_class=5, ttl=5),)


@pytest.mark.parametrize(("flags", "labels"), [(0, LABELS), (1, ())])
def test_labels_follow_where_the_kernel_says(flags: int, labels: tuple[Label, ...]) -> None:
    quoted = b"ours".ljust(100, b"\0")
    data = error(V4, ICMP, (11, 0), "198.51.100.3", extensions_at=len(quoted), flags=flags)
    found = errqueue.parse(quoted + LABEL, [message(V4, data)], V4)
    assert found is not None
    assert errqueue.extended(found, V4, cut_off=8) == (quoted + LABEL if flags else quoted, labels)


@pytest.mark.parametrize(("options", "cut_off"), [(V4, 8), (V4, 0), (V6, 8), (V6, 0)])
def test_labels_of_old_routers_follow_after_128_bytes_when_their_checksum_is_good(
    options: Options, cut_off: int
) -> None:
    summed = LABEL[:2] + checksum(LABEL).to_bytes(2) + LABEL[4:]
    quoted = bytes(128 - HEADER[options] - cut_off)
    for structure, labels in ((summed, LABELS), (LABEL, ())):
        found = errqueue.QueuedError(113, None, quoted + structure, None, None)
        assert errqueue.extended(found, options, cut_off=cut_off)[1] == labels


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
    expected = None if quote is None else msgspec.structs.replace(quote, length=len(quoted))
    assert errqueue.quote_of_tcp(quoted) == expected


def test_what_a_router_fills_up_after_a_syn_is_no_part_of_it() -> None:
    assert errqueue.quote_of_tcp(syn(MSS) + bytes(84)) == Quote(source_port=40_000, mss=1460, length=24)


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
