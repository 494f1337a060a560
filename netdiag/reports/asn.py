"""Whose a public address is: the autonomous system that announces it, looked up offline in a packed file.

The file is the agent's own (``analyze --as-data``; ``python -m netdiag.reports.asn_pack`` makes it), and has a date. It
is shown in reports and never judged: the same bundle gives the same verdict for ever, whatever file lies beside it.

The form: a first line ``netdiag-as/1``, a line of JSON (:class:`Head`), then for IPv4 and for IPv6 where ranges begin,
in order, each with the number of its owner (0: nobody's), then the owners' texts behind a table of where each ends.
IPv6 ranges begin at a /64. All numbers are big-endian, so that the bytes mean the same everywhere.
"""

import ipaddress
import mmap
from pathlib import Path

import msgspec

from netdiag.evidence.addresses import classify, parse

MAGIC = b"netdiag-as/1\n"
START4, START6, OWNER, END = 4, 8, 3, 4
"""Bytes of a beginning (IPv4; the upper half of IPv6), of an owner's number, and of where a text ends."""

_LONGEST_HEAD = 4096


class Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``as_of`` is the day of the data, ``source`` whom to thank for them. The others count entries."""

    as_of: str
    source: str
    ranges4: int
    ranges6: int
    owners: int


class AsDataError(Exception):
    """The file is no packed AS data. ``str(error)`` is for a person."""


class AsData:
    """A packed file, mapped and not read: a report looks up a dozen addresses. Raises AsDataError, ``OSError``."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            try:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError:
                raise AsDataError("it is empty") from None
        line_end = self._data.find(b"\n", len(MAGIC), _LONGEST_HEAD)
        if self._data[: len(MAGIC)] != MAGIC or line_end < 0:
            raise AsDataError("it is not a file that python -m netdiag.reports.asn_pack wrote")
        try:
            self.head = msgspec.json.decode(self._data[len(MAGIC) : line_end], type=Head)
        except msgspec.MsgspecError as error:
            raise AsDataError(f"its head cannot be read: {error}") from None
        self._four = line_end + 1
        self._six = self._four + self.head.ranges4 * (START4 + OWNER)
        self._ends = self._six + self.head.ranges6 * (START6 + OWNER)
        self._texts = self._ends + self.head.owners * END
        if min(self.head.ranges4, self.head.ranges6, self.head.owners) < 0 or self._texts > len(self._data):
            raise AsDataError("it is cut off")

    def owner_of(self, address: str) -> str | None:
        """``AS3320 Deutsche Telekom AG``; None for what nobody announces, and for all that is not public."""
        try:
            if classify(address) != "public":
                return None
        except ValueError:
            return None
        parsed = parse(address)
        if isinstance(parsed, ipaddress.IPv4Address):
            number = self._number(int(parsed), self._four, START4, self.head.ranges4)
        else:
            number = self._number(int(parsed) >> 64, self._six, START6, self.head.ranges6)
        return self._text(number) if 0 < number <= self.head.owners else None

    def _number(self, value: int, begin: int, width: int, count: int) -> int:
        """The owner of the last range that begins at or before ``value``."""
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            at = begin + middle * (width + OWNER)
            if int.from_bytes(self._data[at : at + width]) <= value:
                low = middle + 1
            else:
                high = middle
        at = begin + low * (width + OWNER)  # behind the range found
        return int.from_bytes(self._data[at - OWNER : at]) if low else 0

    def _text(self, number: int) -> str:
        at = self._ends + (number - 2) * END
        begin = int.from_bytes(self._data[at : at + END]) if number > 1 else 0
        end = int.from_bytes(self._data[at + END : at + 2 * END])
        return self._data[self._texts + begin : self._texts + end].decode(errors="replace")
