"""The file of packets: blocks that another program reads, and headers that are found where they are."""

import ipaddress
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.probes.library.dissect import Ends, dissect
from netdiag.probes.library.pcapng import Packet, packets, section
from tests.required import needs

SYN = struct.pack("!HHIIBBHHH", 50_000, 443, 1, 0, 0x60, 2, 64_240, 0, 0) + b"\x02\x04\x05\xb4"


def ip4(source: str, destination: str, protocol: int, body: bytes, *, ttl: int = 64) -> bytes:
    ends = ipaddress.IPv4Address(source).packed + ipaddress.IPv4Address(destination).packed
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, ttl, protocol, 0) + ends + body


def ip6(source: str, destination: str, protocol: int, body: bytes, *, ttl: int = 64) -> bytes:
    ends = ipaddress.IPv6Address(source).packed + ipaddress.IPv6Address(destination).packed
    return struct.pack("!IHBB", 6 << 28, len(body), protocol, ttl) + ends + body


US, THEM, ROUTER = "192.0.2.10", "198.51.100.7", "203.0.113.1"
OURS = Ends("tcp", US, 50_000, THEM, 443)


def test_a_tcp_packet_keeps_its_options_and_no_payload() -> None:
    found = dissect(ip4(US, THEM, 6, SYN + b"GET / HTTP/1.1", ttl=3))
    assert found is not None
    assert (found.ends, found.sender, found.ttl, found.error) == (OURS, US, 3, False)
    assert found.payload == (20 + len(SYN), 20 + len(SYN) + 14)


def test_an_icmp_error_is_about_what_it_quotes_and_keeps_its_labels() -> None:
    quoted = ip4(US, THEM, 6, SYN + b"secret")
    labels = b"\x20\x00\x00\x00\x00\x08\x01\x01\x05\xdc\x11\x01"  # RFC 4950
    body = quoted.ljust(128, b"\0") + labels
    data = ip4(ROUTER, US, 1, struct.pack("!BBHBBH", 11, 0, 0, 0, 32, 0) + body)
    found = dissect(data)
    assert found is not None
    assert (found.ends, found.sender, found.error) == (OURS, ROUTER, True)
    begin, end = found.payload
    assert data[begin : begin + 6] == b"secret"
    assert data[end:] == labels


def test_an_icmp_error_that_quotes_eight_bytes_is_known_too() -> None:
    found = dissect(ip4(ROUTER, US, 1, bytes([11, 0]) + bytes(6) + ip4(US, THEM, 6, SYN)[:28]))
    assert found is not None
    assert (found.ends, found.error) == (OURS, True)


def test_ipv6_with_a_header_before_the_transport_and_its_errors() -> None:
    us, them = "2001:db8::1", "2001:db8:1::7"
    inner = ip6(us, them, 60, bytes([17, 0, 1, 4, 0, 0, 0, 0]) + struct.pack("!HHHH", 40_000, 33_434, 8, 0))
    plain = dissect(inner)
    assert plain is not None
    assert plain.ends == Ends("udp", us, 40_000, them, 33_434)
    error = dissect(ip6("2001:db8::fe", us, 58, bytes([3, 0]) + bytes(6) + inner))
    assert error is not None
    assert (error.ends, error.sender, error.error) == (plain.ends, "2001:db8::fe", True)


def test_echoes_have_the_identifier_at_the_end_that_asks() -> None:
    request = dissect(ip4(US, THEM, 1, struct.pack("!BBHHH", 8, 0, 0, 77, 1) + b"payload"))
    reply = dissect(ip4(THEM, US, 1, struct.pack("!BBHHH", 0, 0, 0, 77, 1) + b"payload"))
    assert request is not None and reply is not None  # noqa: PT018
    assert request.ends == Ends("icmp", US, 77, THEM, 0)
    assert reply.ends == Ends("icmp", THEM, 0, US, 77)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x45",
        ip4(US, THEM, 6, b"\x00"),
        ip4(US, THEM, 1, bytes([9, 0]) + bytes(6)),
        ip4(US, THEM, 47, bytes(20)),
        ip4(US, THEM, 6, SYN)[:6] + b"\x00\x08" + ip4(US, THEM, 6, SYN)[8:],
        ip6("fe80::1", "ff02::1", 58, bytes([135, 0]) + bytes(22)),
        b"\xff" * 60,
    ],
    ids=["empty", "one byte", "cut off", "router advertisement", "gre", "later fragment", "neighbour", "no ip"],
)
def test_what_no_run_sends_is_none(data: bytes) -> None:
    assert dissect(data) is None


def test_every_beginning_of_a_packet_is_read_without_a_crash() -> None:
    data = ip4(ROUTER, US, 1, bytes([11, 0, 0, 0, 0, 40, 0, 0]) + ip4(US, THEM, 6, SYN).ljust(160, b"\1"))
    for length in range(len(data)):
        found = dissect(data[:length])
        assert found is None or found.ends == OURS


def begun_with(head: int, rest: bytes) -> bytes:
    return bytes([head]) + rest


def icmp4(kind: int, body: bytes) -> bytes:
    return ip4(ROUTER, US, 1, bytes([kind]) + body)


def icmp6(kind: int, body: bytes) -> bytes:
    return ip6("2001:db8::1", "2001:db8::2", 58, bytes([kind]) + body)


ANYTHING = st.binary(max_size=200)


@given(
    st.one_of(
        ANYTHING,
        st.builds(begun_with, st.sampled_from([0x45, 0x46, 0x4F, 0x60]), ANYTHING),
        st.builds(icmp4, st.integers(0, 12), ANYTHING),
        st.builds(icmp6, st.integers(0, 4), ANYTHING),
    )
)
def test_whatever_arrives_is_read_without_a_crash_and_has_a_payload_in_order(data: bytes) -> None:
    found = dissect(data)
    if found is not None:
        begin, end = found.payload
        assert begin > 0
        assert begin <= end or end == len(data)


@needs("tshark")
def test_another_program_reads_the_file(tmp_path: Path) -> None:
    data = ip4(US, THEM, 6, SYN)
    when = 1_773_480_413_123_456_789
    written = section("netdiag test", "what this is", ["eth0", "wlan0"]) + b"".join(
        packets(
            [
                Packet(when, 1, outgoing=True, length=len(data) + 100, data=data, comment="o12, o13"),
                Packet(when + 1, 0, outgoing=False, length=len(data), data=data, comment="o14"),
            ]
        )
    )
    file = tmp_path / "capture.pcapng"
    file.write_bytes(written)
    fields = ("frame.time_epoch", "frame.interface_name", "frame.len", "frame.cap_len", "tcp.srcport", "frame.comment")
    command = ["tshark", "-r", str(file), "-T", "fields", *(word for one in fields for word in ("-e", one))]
    read = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    assert read == [
        f"1773480413.123456789\twlan0\t{len(data) + 100}\t{len(data)}\t50000\to12, o13",
        f"1773480413.123456790\teth0\t{len(data)}\t{len(data)}\t50000\to14",
    ]
