"""The bytes of walk datagrams: their size, their token, their checksum."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.probes.kernel.numbers import V4, V6, Options
from netdiag.probes.kernel.packet import HEADER, UDP_HEADER, checksum, echo_request, udp_payload

FAMILIES = st.sampled_from([V4, V6])
TOKENS = st.integers(1, 0xFFFF)
SIZES = st.integers(60, 65_000)


@given(FAMILIES, TOKENS, SIZES)
def test_the_whole_ip_packet_has_the_size_that_was_asked_for(options: Options, token: int, size: int) -> None:
    assert len(udp_payload(options, token, size)) == size - HEADER[options] - UDP_HEADER
    assert len(echo_request(options, 7, token, size)) == size - HEADER[options]


@given(FAMILIES, TOKENS, SIZES)
def test_the_token_stands_where_the_shortest_quote_still_has_it(options: Options, token: int, size: int) -> None:
    assert udp_payload(options, token, size)[:2] == udp_payload(options, token)[:2] == token.to_bytes(2)
    assert echo_request(options, 7, token, size)[6:8] == token.to_bytes(2)


@given(TOKENS, TOKENS, SIZES)
def test_echoes_of_one_size_have_one_valid_checksum(one: int, other: int, size: int) -> None:
    first, second = echo_request(V4, 7, one, size), echo_request(V4, 7, other, size)
    assert first[2:4] == second[2:4]
    assert checksum(first) == 0


def test_the_checksum_is_that_of_rfc_1071() -> None:
    # The example of RFC 1071 section 3; the odd byte is filled up with zero.
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF - 0xDDF2
    assert checksum(b"\x01") == 0xFFFF - 0x0100


@pytest.mark.parametrize("options", [V4, V6])
def test_without_a_size_they_are_small(options: Options) -> None:
    assert len(udp_payload(options, 1)) < 50
    assert len(echo_request(options, 1, 1)) == 10
