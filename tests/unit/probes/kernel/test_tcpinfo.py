"""TCP_INFO of every length that a kernel may give."""

import struct

import pytest

from netdiag.probes.kernel import tcpinfo

FULL = 280


def info(length: int = FULL) -> bytes:
    """A structure in which every u32 from offset 8 on holds its own offset, and the u64 ones too."""
    raw = bytearray(FULL)
    raw[0:8] = bytes([1, 0, 2, 0, 3, 7, 0, 0])
    for offset in range(8, FULL, 4):
        struct.pack_into("=I", raw, offset, offset)
    for offset in (120, 128, 208):
        struct.pack_into("=Q", raw, offset, offset)
    return bytes(raw[:length])


def test_a_whole_structure() -> None:
    found = tcpinfo.decode(info())
    assert found is not None
    assert (found.state, found.retransmits, found.backoff, found.options) == (1, 2, 3, 7)
    assert (found.snd_mss, found.rcv_mss, found.unacked, found.lost) == (16, 20, 24, 32)
    assert (found.last_data_recv_ms, found.pmtu, found.rtt_us, found.rttvar_us) == (52, 60, 68, 72)
    assert (found.total_retrans, found.bytes_acked, found.bytes_received) == (100, 120, 128)
    assert (found.segs_out, found.segs_in, found.min_rtt_us) == (136, 140, 148)
    assert (found.data_segs_in, found.data_segs_out, found.bytes_retrans) == (152, 156, 208)


@pytest.mark.parametrize(
    ("length", "missing"),
    [
        (104, {"bytes_acked", "bytes_received", "segs_out", "segs_in", "min_rtt_us", "bytes_retrans"}),
        (144, {"min_rtt_us", "data_segs_in", "data_segs_out", "bytes_retrans"}),
        (212, {"bytes_retrans"}),  # half of the field is none of it
        (400, set()),
    ],
)
def test_shorter_structures_leave_fields_unknown(length: int, missing: set[str]) -> None:
    found = tcpinfo.decode(info(length) + bytes(max(0, length - FULL)))
    assert found is not None
    assert all(getattr(found, name) is None for name in missing)
    present = {"bytes_acked", "segs_out", "min_rtt_us", "bytes_retrans"} - missing
    assert all(getattr(found, name) is not None for name in present)


def test_an_unmeasured_minimum_is_unknown() -> None:
    raw = bytearray(info())
    struct.pack_into("=I", raw, 148, 0xFFFFFFFF)
    found = tcpinfo.decode(bytes(raw))
    assert found is not None
    assert found.min_rtt_us is None


def test_what_is_too_short_for_any_linux_is_none() -> None:
    assert tcpinfo.decode(info(103)) is None
