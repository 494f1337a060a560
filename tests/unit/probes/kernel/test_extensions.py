"""MPLS labels in ICMP extensions: what routers send, and what nobody may break the reader with."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.evidence.transport import Label
from netdiag.probes.kernel.extensions import labels
from netdiag.probes.kernel.packet import checksum


def entry(label: Label, *, bottom: bool = False) -> bytes:
    return struct.pack("!I", label.label << 12 | label.traffic_class << 9 | bottom << 8 | label.ttl)


def an_object(payload: bytes, class_: int = 1, c_type: int = 1) -> bytes:
    return struct.pack("!HBB", 4 + len(payload), class_, c_type) + payload


def structure(*objects: bytes, version: int = 2, summed: bool = True) -> bytes:
    plain = struct.pack("!BBH", version << 4, 0, 0) + b"".join(objects)
    return plain[:2] + checksum(plain).to_bytes(2) + plain[4:] if summed else plain


OUTER, INNER = Label(label=24_001, traffic_class=3, ttl=1), Label(label=(1 << 20) - 1, traffic_class=7, ttl=255)
STACK = an_object(entry(OUTER) + entry(INNER, bottom=True))
INTERFACE = an_object(bytes(8), class_=2, c_type=0x0A)  # RFC 5837


def test_a_stack_is_read_outermost_first() -> None:
    assert labels(structure(STACK), is_sure=False) == (OUTER, INNER)


def test_other_objects_are_passed_over() -> None:
    assert labels(structure(INTERFACE, STACK, an_object(entry(INNER), c_type=2)), is_sure=True) == (OUTER, INNER)


def test_without_a_checksum_it_counts_only_where_it_was_announced() -> None:
    assert labels(structure(STACK, summed=False), is_sure=True) == (OUTER, INNER)
    assert labels(structure(STACK, summed=False), is_sure=False) is None


@pytest.mark.parametrize("is_sure", [True, False])
def test_a_wrong_checksum_or_version_is_no_structure(is_sure: bool) -> None:
    broken = structure(STACK)
    assert labels(broken[:-1] + bytes([broken[-1] ^ 1]), is_sure=is_sure) is None
    assert labels(structure(STACK, version=1), is_sure=is_sure) is None
    assert labels(b"", is_sure=is_sure) is None
    assert labels(bytes(40), is_sure=is_sure) is None


@pytest.mark.parametrize("length", [0, 3, 13, 65_535])
def test_an_object_of_an_impossible_length_ends_it(length: int) -> None:
    bad = struct.pack("!HBB", length, 1, 1) + entry(INNER)
    assert labels(structure(STACK, bad), is_sure=True) == (OUTER, INNER)


def test_half_an_entry_is_none() -> None:
    assert labels(structure(an_object(entry(OUTER) + b"\x01\x02\x03")), is_sure=True) == (OUTER,)


@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_break_it(data: bytes, is_sure: bool) -> None:
    labels(data, is_sure=is_sure)
    labels(structure(data), is_sure=is_sure)


@given(
    st.lists(
        st.builds(Label, label=st.integers(0, (1 << 20) - 1), traffic_class=st.integers(0, 7), ttl=st.integers(0, 255))
    )
)
def test_every_stack_is_read_as_it_was_written(stack: list[Label]) -> None:
    assert labels(structure(an_object(b"".join(map(entry, stack)))), is_sure=True) == tuple(stack)
