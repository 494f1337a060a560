"""What is understood of the bytes that come back to a raw flow."""

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.evidence.transport import Label
from netdiag.probes.kernel.numbers import V4, V6, Options
from netdiag.probes.kernel.packet import HEADER
from netdiag.probes.kernel.raw_craft import MSS, craft, load
from netdiag.probes.kernel.raw_packets import Arrival, Flow, Quoted, quote_of, read

ROUTER = {V4: "198.51.100.3", V6: "2001:db8:3::3"}
ENDS = {V4: ("192.0.2.9", "203.0.113.7"), V6: ("2001:db8::9", "2001:db8:ffff::7")}
PROTOCOLS = ("tcp", "udp", "icmp")


@pytest.fixture(scope="module", autouse=True)
def _scapy() -> None:
    load()  # hypothesis gives no example as long as that takes


def flow(options: Options = V4, protocol: str = "tcp") -> Flow:
    source, target = ENDS[options]
    port = 443 if protocol == "tcp" else 33_434
    return Flow(options, protocol, source, 40_000, target, port, sequence=7_000_000, clock=900)  # type: ignore[arg-type]


def address(_: Options, text: str) -> bytes:
    return ipaddress.ip_address(text).packed


def from_router(options: Options, body: bytes, ttl: int = 61) -> bytes:
    """``body`` in an IP packet from the router to the flow's source."""
    ends = address(options, ROUTER[options]) + address(options, ENDS[options][0])
    if options is V4:
        return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, ttl, 1, 0) + ends + body
    return struct.pack("!IHBB", 6 << 28, len(body), 58, ttl) + ends + body


def time_exceeded(options: Options, packet: bytes, extension: bytes = b"") -> bytes:
    quote = packet if not extension else packet[:128].ljust(128, b"\0") + extension
    words = 0 if not extension else 128 // (4 if options is V4 else 8)
    head = (
        struct.pack("!BBHBBH", 11, 0, 0, 0, words, 0) if options is V4 else struct.pack("!BBHBBH", 3, 0, 0, words, 0, 0)
    )
    return from_router(options, head + quote)


@pytest.mark.parametrize("options", [V4, V6])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_a_router_quotes_whole_is_understood_whole(options: Options, protocol: str) -> None:
    mine = flow(options, protocol)
    packet = craft(mine, 5, 3)
    told = read(mine, time_exceeded(options, packet))
    assert told is not None
    assert (told.answer, told.replier, told.ttl, told.token) == ("icmp", ROUTER[options], 61, 3)
    assert told.quoted is not None
    quote = quote_of(mine, told.quoted, packet)
    assert (quote.ttl, quote.tos) == (5, 0)
    assert (quote.source_address, quote.destination_address) == ENDS[options]
    ports = (None, None) if protocol == "icmp" else (40_000, mine.target_port)
    assert (quote.source_port, quote.destination_port) == ports
    assert quote.mss == (MSS[options] if protocol == "tcp" else None)
    assert quote.checksum_kept is True
    assert quote.length == len(packet) - HEADER[options]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_eight_bytes_are_enough_to_know_the_packet_by(protocol: str) -> None:
    mine = flow(V4, protocol)
    packet = craft(mine, 5, 3)
    told = read(mine, time_exceeded(V4, packet[: 20 + 8]))
    assert told is not None
    assert told.token == 3
    assert told.quoted is not None
    assert quote_of(mine, told.quoted, packet).length == 8


@pytest.mark.parametrize("options", [V4, V6])
def test_labels_and_the_filling_before_them_are_no_part_of_the_quote(options: Options) -> None:
    mine = flow(options)
    packet = craft(mine, 5, 3)
    told = read(mine, time_exceeded(options, packet, bytes.fromhex("20000000" + "00080101" + "03e8ab05")))
    assert told is not None
    assert told.labels == (Label(label=16_010, traffic_class=5, ttl=5),)
    assert told.quoted is not None
    assert quote_of(mine, told.quoted, packet).length == len(packet) - HEADER[options]


def changed(packet: bytes, at: int, value: bytes) -> bytes:
    return packet[:at] + value + packet[at + len(value) :]


def test_ip_options_are_passed_over_in_the_quote_and_around_it() -> None:
    def with_options(packet: bytes) -> bytes:
        return b"\x46" + packet[1:20] + b"\x01\x01\x01\x00" + packet[20:]  # no operation, end: RFC 791 3.1

    mine = flow()
    packet = craft(mine, 5, 3)
    told = read(mine, with_options(time_exceeded(V4, with_options(packet))))
    assert told is not None
    assert (told.answer, told.token) == ("icmp", 3)
    assert told.quoted is not None
    assert told.quoted.transport == packet[20:]


@pytest.mark.parametrize(
    ("options", "at", "rewritten"), [(V4, 1, b"\xb8"), (V6, 0, struct.pack("!I", 6 << 28 | 0xB8 << 20 | 0x12345))]
)
def test_a_rewritten_dscp_is_quoted(options: Options, at: int, rewritten: bytes) -> None:
    mine = flow(options)
    told = read(mine, time_exceeded(options, changed(craft(mine, 5, 3), at, rewritten)))
    assert told is not None
    assert told.quoted is not None
    assert told.quoted.tos == 0xB8


def test_one_rewritten_part_is_shown_and_two_are_another_flow() -> None:
    mine = flow()
    packet = craft(mine, 5, 3)
    natted = changed(packet, 12, address(V4, "203.0.113.99"))
    moved = changed(natted, 20, (1024).to_bytes(2))
    told = read(mine, time_exceeded(V4, moved))
    assert told is not None
    assert told.quoted is not None
    quote = quote_of(mine, told.quoted, packet)
    assert (quote.source_address, quote.source_port) == ("203.0.113.99", 1024)
    assert read(mine, time_exceeded(V4, changed(moved, 22, (80).to_bytes(2)))) is None


def test_the_host_says_by_the_timestamp_which_syn_it_answers() -> None:
    mine = flow()
    options = struct.pack("!BBIIBB", 8, 10, 5, 900 + 3, 1, 1)
    ends = address(V4, ENDS[V4][1]) + address(V4, ENDS[V4][0])

    def answer(flags: int, extra: bytes) -> Arrival | None:
        words = 5 + len(extra) // 4
        segment = struct.pack("!HHIIBBHHH", 443, 40_000, 1, 7_000_001, words << 4, flags, 1000, 0, 0) + extra
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 1, 0, 58, 6, 0)
        return read(mine, head + ends + segment)

    assert answer(0x12, options) == Arrival("syn_ack", ENDS[V4][1], 58, 3)
    assert answer(0x12, b"") == Arrival("syn_ack", ENDS[V4][1], 58, None)
    assert answer(0x14, b"") == Arrival("rst", ENDS[V4][1], 58, None)
    assert answer(0x10, options) is None


def test_a_too_big_says_which_size_would_do() -> None:
    mine = flow(V4, "udp")
    error = struct.pack("!BBHHH", 3, 4, 0, 0, 1400) + craft(mine, 5, 3, 1500)[:576]
    told = read(mine, from_router(V4, error))
    assert told is not None
    assert told.next_mtu == 1400


@given(st.binary(max_size=200), st.sampled_from([V4, V6]), st.sampled_from(PROTOCOLS))
def test_no_bytes_break_the_reader(data: bytes, options: Options, protocol: str) -> None:
    mine = flow(options, protocol)
    read(mine, data)
    read(mine, from_router(options, data))
    read(mine, time_exceeded(options, data))
    read(mine, time_exceeded(options, craft(mine, 5, 3)[: len(data)] + data, data))


@given(st.data())
def test_a_quote_of_any_length_breaks_nothing(data: st.DataObject) -> None:
    mine = flow(data.draw(st.sampled_from([V4, V6])), data.draw(st.sampled_from(PROTOCOLS)))
    packet = craft(mine, 5, 3)
    transport = data.draw(st.binary(max_size=60))
    quoted = Quoted(1, 0, mine.source, mine.target, 3, transport)
    if len(transport) >= 4:
        assert (quote_of(mine, quoted, packet).length or 0) <= len(transport)


@pytest.mark.parametrize("options", [V4, V6])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_packets_of_a_flow_beside_it_are_not_its_own(options: Options, protocol: str) -> None:
    mine = flow(options, protocol)
    other = mine._replace(port=40_001, sequence=mine.sequence + 1)
    assert read(mine, time_exceeded(options, craft(other, 5, 3))) is None
    assert read(other, time_exceeded(options, craft(other, 5, 3))) is not None
