"""The bytes of raw packets: written over from one that scapy made, they are what scapy would have made."""

import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.probes.kernel.numbers import V4, V6, Options
from netdiag.probes.kernel.packet import checksum
from netdiag.probes.kernel.raw_craft import build, craft, load
from netdiag.probes.kernel.raw_packets import Flow

ENDS = {V4: ("192.0.2.9", "203.0.113.7"), V6: ("2001:db8::9", "2001:db8:ffff::7")}
PROTOCOLS = ("tcp", "udp", "icmp")


@pytest.fixture(scope="module", autouse=True)
def _scapy() -> None:
    load()  # hypothesis gives no example as long as that takes


def flow(options: Options = V4, protocol: str = "tcp", clock: int = 900) -> Flow:
    source, target = ENDS[options]
    port = 443 if protocol == "tcp" else 33_434
    return Flow(options, protocol, source, 40_000, target, port, sequence=7_000_000, clock=clock)  # type: ignore[arg-type]


@given(
    options=st.sampled_from([V4, V6]),
    protocol=st.sampled_from(PROTOCOLS),
    clock=st.sampled_from([0, 900, 0xFFFE, 0xFFFFFFFF]),
    ttl=st.integers(0, 255),
    token=st.integers(0, 0xFFFF),
    size=st.sampled_from([0, 100, 1501]),
)
def test_a_packet_is_byte_for_byte_what_scapy_makes(
    *, options: Options, protocol: str, clock: int, ttl: int, token: int, size: int
) -> None:
    mine = flow(options, protocol, clock)
    assert craft(mine, ttl, token, size) == build(mine, ttl, token, size)


@pytest.mark.parametrize("options", [V4, V6])
def test_a_udp_checksum_of_zero_is_never_sent(options: Options) -> None:
    mine = flow(options, "udp")
    token = next(one for one in range(0x10000) if craft(mine, 5, one)[-23:-21] == b"\xff\xff")
    assert craft(mine, 5, token) == build(mine, 5, token)


@pytest.mark.parametrize("options", [V4, V6])
@pytest.mark.parametrize("protocol", ["udp", "icmp"])
@pytest.mark.parametrize("size", [100, 1280, 1500])
def test_the_packet_has_the_size_that_was_asked_for(options: Options, protocol: str, size: int) -> None:
    assert len(craft(flow(options, protocol), 5, 3, size)) == size


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_checksums_are_right(protocol: str) -> None:
    packet = craft(flow(V4, protocol), 5, 3)
    number = 6 if protocol == "tcp" else 17
    pseudo = packet[12:20] + struct.pack("!BBH", 0, number, len(packet) - 20)
    assert checksum(pseudo + packet[20:]) == 0


def test_scapy_is_loaded_quietly_and_leaves_no_trace(tmp_path: Path) -> None:
    program = (
        "import os, sys; from netdiag.probes.kernel import raw_craft, raw_packets;"
        "from netdiag.probes.kernel.numbers import V4;"
        "assert 'scapy' not in sys.modules; before = dict(os.environ);"
        "raw_craft.craft(raw_packets.Flow(V4, 'udp', '192.0.2.9', 1, '203.0.113.7', 2, 3, 4), 5, 6);"
        "assert 'scapy' in sys.modules; assert dict(os.environ) == before"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env={"HOME": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
