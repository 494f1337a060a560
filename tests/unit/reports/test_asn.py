"""Whose an address is: each end of each range, the gaps between them, and files that are none."""

import ipaddress
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.reports.asn import MAGIC, AsData, AsDataError
from netdiag.reports.asn_pack import Range, pack, read

LIST = """\
8.8.4.0,8.8.4.255,64500,"Searching, Inc."
8.8.8.0,8.8.8.255,64500,"Searching, Inc."
1.0.0.0,1.0.0.255,64501,Näme
1.0.1.0,1.0.1.127,64502,Other
2001:4860::,2001:4860:ffff:ffff:ffff:ffff:ffff:ffff,64500,"Searching, Inc."
2606:4700::,2606:4700:0:0:ffff:ffff:ffff:ffff,64501,Näme
"""


def opened(folder: Path, raw: bytes) -> AsData:
    file = folder / "as.bin"
    file.write_bytes(raw)
    return AsData(file)


@pytest.mark.parametrize(
    ("address", "owner"),
    [
        ("8.8.8.0", "AS64500 Searching, Inc."),
        ("8.8.8.255", "AS64500 Searching, Inc."),
        ("8.8.9.0", None),
        ("8.8.7.255", None),
        ("8.8.4.4", "AS64500 Searching, Inc."),
        ("1.0.0.255", "AS64501 Näme"),
        ("1.0.1.0", "AS64502 Other"),
        ("1.0.1.128", None),
        ("2.0.0.0", None),
        ("223.255.255.254", None),
        ("2001:4860:4860::8888", "AS64500 Searching, Inc."),
        ("2001:485f::1", None),
        ("2606:4700::1", "AS64501 Näme"),
        ("2606:4700:0:1::1", None),
        ("::ffff:8.8.8.8", "AS64500 Searching, Inc."),
        ("10.0.0.1", None),
        ("not an address", None),
    ],
)
def test_owners(tmp_path: Path, address: str, owner: str | None) -> None:
    found = opened(tmp_path, pack(read(LIST.splitlines()), as_of="2026-06-17", source="the test"))
    assert found.owner_of(address) == owner
    assert (found.head.as_of, found.head.source, found.head.owners) == ("2026-06-17", "the test", 3)


def test_addresses_that_are_not_public_have_no_owner_even_where_a_list_says_so(tmp_path: Path) -> None:
    found = opened(tmp_path, pack(read(["0.0.0.0,255.255.255.255,1,All"]), as_of="", source=""))
    assert found.owner_of("8.8.8.8") == "AS1 All"
    assert [found.owner_of(one) for one in ("10.1.1.1", "100.64.0.1", "192.168.0.1", "127.0.0.1")] == [None] * 4


@given(st.sets(st.integers(0x01000000, 0x08FFFFFF), min_size=2, max_size=40), st.integers(0x00FFFFFF, 0x09000000))
def test_every_address_has_the_owner_of_its_range(
    tmp_path_factory: pytest.TempPathFactory, cuts: set[int], address: int
) -> None:
    bounds = sorted(cuts)
    ranges = [
        Range(4, first, last - 1, f"AS{number % 3} o")
        for number, (first, last) in enumerate(itertools.pairwise(bounds))
        if number % 4 != 3
    ]
    found = opened(tmp_path_factory.mktemp("as"), pack(ranges, as_of="", source=""))
    expected = next((one.owner for one in ranges if one.first <= address <= one.last), None)
    assert found.owner_of(str(ipaddress.IPv4Address(address))) == expected


@pytest.mark.parametrize(
    "raw",
    [b"", b"PK", MAGIC, MAGIC + b"{}\n", MAGIC + b"{" * 5000, b"GIF89a" * 900],
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(AsDataError):
        opened(tmp_path, raw)


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    whole = pack(read(LIST.splitlines()), as_of="", source="")
    with pytest.raises(AsDataError, match="cut off"):
        opened(tmp_path, whole[: len(whole) // 2])


def test_a_line_that_is_no_range_is_named() -> None:
    with pytest.raises(ValueError, match="line 2"):
        list(read(["1.0.0.0,1.0.0.255,1,A", "1.0.1.0,elephant,1,A"]))
