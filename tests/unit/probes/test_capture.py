"""Which packets are the run's own: by port, other end and time, and nothing of anybody else."""

import struct
from collections.abc import Sequence
from typing import Any

from netdiag.evidence.names import Lookup
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import Icmp, ObsId, StepId
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import Connect, Echo, HopReply
from netdiag.evidence.web import Exchange
from netdiag.probes.capture import MOST_PACKETS, capture_file
from netdiag.probes.kernel.capture import Caught, Haul
from tests.unit.probes.library.test_pcapng import ROUTER, SYN, THEM, US, ip4, ip6

MS = 1_000_000


def between(began_ms: int, ended_ms: int, number: int) -> dict[str, Any]:
    return {"id": ObsId(f"o{number}"), "step": StepId("s"), "began_ns": began_ms * MS, "ended_ns": ended_ms * MS}


def caught(at_ms: int, data: bytes, *, outgoing: bool = True, device: str = "eth0") -> Caught:
    return Caught(at_ms * MS, 1_773_480_413 * 10**9 + at_ms * MS, device, outgoing, data)


def tcp(source_port: int, port: int, payload: bytes = b"") -> bytes:
    return struct.pack("!HHIIBBHHH", source_port, port, 1, 0, 0x50, 16, 64_240, 0, 0) + payload


def written(packets: Sequence[Caught], records: Sequence[Observation], **options: Any) -> list[tuple[str, bytes]]:
    """The packets of the file with their comments."""
    settings: dict[str, Any] = {"application": "test", "clean": str, "most_bytes": 10_000_000, **options}
    raw = capture_file(Haul(list(packets), 0), records, **settings)
    found = []
    at = 0
    while at < len(raw):
        kind, length = struct.unpack_from("<II", raw, at)
        if kind == 6:
            size = struct.unpack_from("<I", raw, at + 20)[0]
            options_at = at + 28 + size + (-size % 4)
            code, long = struct.unpack_from("<HH", raw, options_at)
            assert code == 1
            found.append((raw[options_at + 4 : options_at + 4 + long].decode(), raw[at + 28 : at + 28 + size]))
        at += length
    return found


CONNECT = Connect(address=THEM, port=443, source_port=50_000, limit_ms=3000, **between(100, 200, 1))
HANDSHAKE = Handshake(caused_by=ObsId("o1"), **between(201, 300, 2))


def test_a_packet_names_the_records_of_its_flow_and_time() -> None:
    there, back = ip4(US, THEM, 6, tcp(50_000, 443, b"hello")), ip4(THEM, US, 6, tcp(443, 50_000))
    packets = [caught(101, there), caught(150, back, outgoing=False), caught(250, there), caught(301, there)]
    found = written(packets, [CONNECT, HANDSHAKE])
    assert [comment for comment, _ in found] == ["o1", "o1", "o2", "o2"]
    assert all(b"hello" not in data for _, data in found)
    assert found[0][1] == there[:40]


def test_packets_of_others_are_left_out() -> None:
    ours = caught(150, ip4(US, THEM, 6, tcp(50_000, 443)))
    others = [
        caught(150, ip4(US, THEM, 6, tcp(50_001, 443))),
        caught(150, ip4(US, THEM, 6, tcp(50_000, 80))),
        caught(150, ip4(US, "198.51.100.8", 6, tcp(50_000, 443))),
        caught(150, ip4(US, THEM, 17, struct.pack("!HHHH", 50_000, 443, 8, 0))),
        caught(20, ip4(US, THEM, 6, tcp(50_000, 443))),
        caught(4000, ip4(US, THEM, 6, tcp(50_000, 443))),
        caught(150, ip4(ROUTER, US, 1, bytes([11, 0]) + bytes(6) + ip4(US, THEM, 6, tcp(50_001, 443)))),
        caught(150, ip4(US, THEM, 1, struct.pack("!BBHHH", 8, 0, 0, 50_000, 1))),
    ]
    assert len(written([ours, *others], [CONNECT])) == 1


def test_of_a_walk_each_packet_names_its_own_ttl_and_each_error_its_router() -> None:
    def hop(number: int, ttl: int, replier: str | None) -> HopReply:
        return HopReply(
            address=THEM, port=33_434, protocol="udp", flow=1, source_port=40_000, ttl=ttl,
            answer="icmp" if replier else "none", replier=replier,
            icmp=None if replier is None else Icmp(type=11, code=0, sender=replier), **between(0, 1000, number),
        )  # fmt: skip

    datagram = struct.pack("!HHHH", 40_000, 33_434, 8, 0)
    error = ip4(ROUTER, US, 1, bytes([11, 0]) + bytes(6) + ip4(US, THEM, 17, datagram, ttl=1))
    packets = [
        caught(1, ip4(US, THEM, 17, datagram, ttl=1)),
        caught(2, ip4(US, THEM, 17, datagram, ttl=2)),
        caught(9, error, outgoing=False),
    ]
    found = written(packets, [hop(1, 1, None), hop(2, 2, ROUTER)])
    assert [comment for comment, _ in found] == ["o1", "o2", "o2"]


def test_names_echoes_and_a_proxy_whose_address_is_not_recorded() -> None:
    records: list[Observation] = [
        Lookup(
            name="a.test", rrtype="A", server="2001:DB8::53", server_class="configured", source_port=41_000,
            **between(0, 10, 1),
        ),
        Echo(address=THEM, sequence=1, mode="raw", identifier=77, **between(0, 10, 2)),
        Exchange(method="CONNECT", url="https://a.test", port=443, via_proxy="proxy.test:3128", source_port=42_000,
                 **between(0, 10, 3)),
    ]  # fmt: skip
    packets = [
        caught(1, ip6("2001:db8::1", "2001:db8::53", 17, struct.pack("!HHHH", 41_000, 53, 20, 0) + b"\x01a\x04test")),
        caught(2, ip4(THEM, US, 1, struct.pack("!BBHHH", 0, 0, 0, 77, 1)), outgoing=False),
        caught(3, ip4(US, "192.0.2.99", 6, tcp(42_000, 3128))),
    ]
    found = written(packets, records)
    assert [comment for comment, _ in found] == ["o1", "o2", "o3"]
    assert all(b"test" not in data for _, data in found)


def test_what_an_error_quotes_of_our_data_is_zeros() -> None:
    quoted = ip4(US, THEM, 6, tcp(50_000, 443, b"client hello for api.vendor.test")).ljust(128, b"\0")
    error = ip4(ROUTER, US, 1, struct.pack("!BBHBBH", 11, 0, 0, 0, 32, 0) + quoted + b"\x20\x00labels")
    ((comment, data),) = written([caught(150, error, outgoing=False)], [CONNECT])
    assert comment == "o1"
    assert b"hello" not in data
    assert data.endswith(b"\x20\x00labels")
    assert len(data) == len(error)


def test_an_address_that_is_told_by_a_pseudonym_is_so_everywhere() -> None:
    us, told, them = "fd00::211:22ff:fe33:4455", "fd00::abcd:1234", "fd00:1::7"
    sent = ip6(us, them, 6, tcp(50_000, 443))
    error = ip6("fd00::1", us, 58, bytes([3, 0]) + bytes(6) + sent)
    connect = Connect(address=them, port=443, source_port=50_000, limit_ms=3000, **between(100, 200, 1))
    packets = [caught(101, sent), caught(102, error, outgoing=False)]
    found = written(packets, [connect], clean=lambda text: told if text == us else text)
    assert len(found) == 2
    assert all(b"\xff\xfe" not in data for _, data in found)


def test_the_file_is_bounded() -> None:
    one = caught(150, ip4(US, THEM, 6, SYN))
    assert len(written([one] * (MOST_PACKETS + 5), [CONNECT])) == MOST_PACKETS
    few = written([one] * 100, [CONNECT], most_bytes=2000)
    assert 0 < len(few) < 100
