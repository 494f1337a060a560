"""Packs lists of address ranges and their autonomous systems into the file that :mod:`netdiag.reports.asn` reads.

    python -m netdiag.reports.asn_pack --as-of 2026-06-17 --source "RouteViews, NRO and DB-IP.com, CC BY 4.0" \\
        asn-ipv4.csv asn-ipv6.csv asdata.bin

Each line of a list is ``first address,last address,AS number,name``, sorted or not; ranges must not overlap.
"""

import argparse
import csv
import ipaddress
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from netdiag.reports.asn import END, MAGIC, OWNER, START4, START6, Head


class Range(NamedTuple):
    """Addresses of one family from ``first`` to ``last``, both included; IPv6 in units of /64."""

    version: int
    first: int
    last: int
    owner: str


def read(lines: Iterable[str]) -> Iterable[Range]:
    """The ranges of a list. Raises ``ValueError`` for a line that is none."""
    for number, row in enumerate(csv.reader(lines), start=1):
        try:
            first, last, system, name = row
            begin, end = ipaddress.ip_address(first), ipaddress.ip_address(last)
            shift = 0 if begin.version == 4 else 64
            yield Range(begin.version, int(begin) >> shift, int(end) >> shift, f"AS{int(system)} {name}".strip())
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None


def pack(ranges: Iterable[Range], *, as_of: str, source: str) -> bytes:
    """The file of ``ranges``."""
    numbers: dict[str, int] = {}
    tables: list[bytes] = []
    counts: list[int] = []
    found = sorted(ranges)
    for version, width in ((4, START4), (6, START6)):
        entries = _entries([one for one in found if one.version == version], numbers, beyond=1 << 8 * width)
        tables.append(b"".join(begin.to_bytes(width) + owner.to_bytes(OWNER) for begin, owner in entries))
        counts.append(len(entries))
    texts = [owner.encode() for owner in numbers]
    ends, end = [], 0
    for text in texts:
        end += len(text)
        ends.append(end.to_bytes(END))
    head = Head(as_of=as_of, source=source, ranges4=counts[0], ranges6=counts[1], owners=len(texts))
    return MAGIC + msgspec.json.encode(head) + b"\n" + b"".join([*tables, *ends, *texts])


def _entries(ranges: Sequence[Range], numbers: dict[str, int], *, beyond: int) -> list[tuple[int, int]]:
    """Where an owner's addresses begin. Neighbours of one owner are one entry; a gap is nobody's (0). No address is as
    large as ``beyond``."""
    entries: list[tuple[int, int]] = []
    following = 0
    for one in ranges:
        if one.first > following or not entries:
            _add(entries, following, 0)
        _add(entries, one.first, numbers.setdefault(one.owner, len(numbers) + 1))
        following = one.last + 1
    if following < beyond:
        _add(entries, following, 0)
    return entries


def _add(entries: list[tuple[int, int]], begin: int, owner: int) -> None:
    if entries and entries[-1][0] == begin:  # nothing lies before, or two ranges share a /64: the later one counts
        entries.pop()
    if not entries or entries[-1][1] != owner:
        entries.append((begin, owner))


def main() -> None:
    """The command line above."""
    parser = argparse.ArgumentParser(prog="python -m netdiag.reports.asn_pack", description=__doc__)
    parser.add_argument("lists", nargs="+", type=Path, metavar="LIST")
    parser.add_argument("output", type=Path, metavar="OUTPUT")
    parser.add_argument("--as-of", required=True, help="the day of the data, such as 2026-06-17")
    parser.add_argument("--source", required=True, help="whom to thank: it stands under every table")
    given = parser.parse_args()
    ranges: list[Range] = []
    for path in given.lists:
        with path.open(encoding="utf-8", newline="") as lines:
            ranges += read(lines)
    given.output.write_bytes(pack(ranges, as_of=given.as_of, source=given.source))


if __name__ == "__main__":
    main()
