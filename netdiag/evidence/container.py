"""The container: a ZIP file with exactly one possible form for given members, and the strict reader of it.

Every member is *stored*, in a fixed order, with fixed header values. So the same members give the same bytes on every
machine, the SHA-256 of a bundle can be told from its unpacked folder too, and no byte of the file is free: what is
read is packed again and must be the same file. Deflate has no such form: its encoders differ from machine to machine,
and a stream has bits that nothing reads (the padding after its end, for one), which could be changed unseen.

Section numbers in the comments are those of PKWARE's APPNOTE.TXT 6.3.10.
"""

import struct
import zlib
from collections.abc import Mapping
from typing import NamedTuple

from netdiag.evidence.errors import BundleMalformed

README = "README.txt"
SUMMARY = "summary.txt"
EVIDENCE = "evidence.json"
CAPTURE = "capture.pcapng"
SUMS = "SHA256SUMS"
SIGNATURE = "SHA256SUMS.sig"

MEMBERS = (README, SUMMARY, EVIDENCE, CAPTURE, SUMS, SIGNATURE)
"""Every name that a bundle can have, in the order in which the container holds them."""

REQUIRED = frozenset(MEMBERS) - {CAPTURE}

MAX_CONTAINER = 20_000_000
"""Bytes of the whole file: what mail and ticket systems still carry, and the members' caps with room for headers."""

MAX_MEMBER = {
    README: 256_000,
    SUMMARY: 256_000,
    EVIDENCE: 8_000_000,
    CAPTURE: 10_000_000,
    SUMS: 256_000,
    SIGNATURE: 256_000,
}
"""Bytes of each member (design.md, The bundle)."""

_LOCAL = struct.Struct("<4sHHHHHIIIHH")  # 4.3.7
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")  # 4.3.12
_END = struct.Struct("<4sHHHHIIH")  # 4.3.16
_LOCAL_MAGIC, _CENTRAL_MAGIC, _END_MAGIC = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"

_NEEDED = 10  # 4.4.3: version 1.0, all that stored members need
_MADE_BY = 3 << 8 | 20  # 4.4.2: Unix attributes, version 2.0
_TIME, _DATE = 0, 1 << 5 | 1  # 4.4.6: midnight of 1980-01-01, the first day that MS-DOS can write
_MODE = 0o100644  # 4.4.15: a regular file, its st_mode in the upper half of the external attributes
_STORED = 0  # 4.4.5
_FLAG_ENCRYPTED, _FLAG_DESCRIPTOR, _FLAG_STRONG = 1 << 0, 1 << 3, 1 << 6  # 4.4.4
_ZIP64_SIZE = 0xFFFFFFFF  # 4.4.8: "the real size is in the zip64 field"


class _Entry(NamedTuple):
    """One entry of the central directory, its fields in the order of 4.3.12 without the signature."""

    made_by: int
    needed: int
    flags: int
    method: int
    time: int
    date: int
    crc: int
    packed_size: int
    size: int
    name_length: int
    extra_length: int
    comment_length: int
    disk: int
    internal: int
    external: int
    offset: int
    name: str


def check_members(members: Mapping[str, int]) -> None:
    """Check names and sizes in bytes. Raises BundleMalformed for a missing, unexpected or oversized member."""
    for name, size in members.items():
        if name not in MAX_MEMBER:
            raise BundleMalformed(
                f"it holds {name!r}, which no bundle of this format has: it was changed, or is newer than this analyzer"
            )
        if size > MAX_MEMBER[name]:
            raise BundleMalformed(f"{name} is larger than the {MAX_MEMBER[name]:,} bytes that a bundle may hold")
    if SIGNATURE not in members:
        raise BundleMalformed(f"it is not signed: {SIGNATURE} is missing")
    for name in MEMBERS:
        if name in REQUIRED and name not in members:
            raise BundleMalformed(f"it is not complete: {name} is missing")


def pack(members: Mapping[str, bytes]) -> bytes:
    """The one container that holds ``members``. Raises BundleMalformed if they are not those of a bundle."""
    check_members({name: len(data) for name, data in members.items()})
    body = bytearray()
    directory = bytearray()
    names = [name for name in MEMBERS if name in members]
    for name in names:
        data, encoded = members[name], name.encode("ascii")
        common = (_NEEDED, 0, _STORED, _TIME, _DATE, zlib.crc32(data), len(data), len(data), len(encoded), 0)
        directory += _CENTRAL.pack(_CENTRAL_MAGIC, _MADE_BY, *common, 0, 0, 0, _MODE << 16, len(body)) + encoded
        body += _LOCAL.pack(_LOCAL_MAGIC, *common) + encoded + data
    end = _END.pack(_END_MAGIC, 0, 0, len(names), len(names), len(directory), len(body), 0)
    if len(body) + len(directory) + len(end) > MAX_CONTAINER:
        raise BundleMalformed(f"it is larger than the {MAX_CONTAINER:,} bytes that a bundle may have")
    return bytes(body + directory + end)


def unpack(raw: bytes) -> dict[str, bytes]:
    """The members of the container ``raw``, of which only the CRC-32 fields remain to be checked.

    Those come last (:func:`check_exact`), so that a changed member is reported as what it is, a broken hash, and not
    as a damaged file. What must hold, each with its own message of BundleMalformed:

    (1) the file is not too large, begins as a ZIP does, and ends with its end record: nothing before, nothing after,
        no comment;
    (2) one disk, no zip64, and a central directory that lies right before the end record and fills its place;
    (3) each entry: an expected name (so neither absolute nor with ``..``), once; neither encrypted, compressed nor a
        link; no descriptor, extra field or comment; not larger than its cap;
    (4) entries lie one after another from the first byte to the central directory, without gap or overlap, and each
        local header says what the central one says.
    """
    directory, count = _find_directory(raw)
    entries = _read_directory(raw, directory, count)
    check_members({entry.name: entry.size for entry in entries})
    members: dict[str, bytes] = {}
    at = 0
    for entry in entries:
        if entry.offset != at:
            raise BundleMalformed(f"it has a gap or an overlap before {entry.name}")
        begin = at + _LOCAL.size + entry.name_length
        at = begin + entry.size
        if at > directory:
            raise BundleMalformed(f"{entry.name} reaches beyond its place: the file is truncated or was changed")
        if raw[entry.offset : begin] != _LOCAL.pack(_LOCAL_MAGIC, *entry[1:11]) + entry.name.encode("ascii"):
            raise BundleMalformed(f"{entry.name}: its local header is not what the central directory says")
        members[entry.name] = raw[begin:at]
    if at != directory:
        raise BundleMalformed("it has bytes between its last member and the central directory")
    return members


def check_exact(raw: bytes, members: Mapping[str, bytes]) -> None:
    """Check that ``raw`` is the one container of ``members``, byte for byte. Raises BundleMalformed.

    This covers whatever :func:`unpack` did not look at: CRC-32 fields, times, attributes, versions, order.
    """
    if pack(members) != raw:
        raise BundleMalformed(
            "a checksum, time or attribute in its ZIP headers is not what netdiag writes: the file is damaged,"
            " or was packed again by another program (its unpacked folder can be given instead)"
        )


def _find_directory(raw: bytes) -> tuple[int, int]:
    """Offset of the central directory and number of its entries, from the end record (4.3.16)."""
    if len(raw) > MAX_CONTAINER:
        raise BundleMalformed(f"it is larger than the {MAX_CONTAINER:,} bytes that a bundle may have")
    if not raw.startswith(_LOCAL_MAGIC):
        raise BundleMalformed(
            "it is not a bundle: it does not begin as a ZIP file does" if raw else "it is empty: the file has no bytes"
        )
    begin = len(raw) - _END.size
    if begin < 0 or raw[begin : begin + 4] != _END_MAGIC:
        found = raw.rfind(_END_MAGIC)
        raise BundleMalformed(
            "it is truncated: the end of the ZIP file is missing"
            if found < 0 or found > begin
            else "it has a ZIP comment or bytes after its end, which a bundle never has"
        )
    _, disk, directory_disk, here, count, size, offset, comment_length = _END.unpack_from(raw, begin)
    if comment_length:
        raise BundleMalformed("it has a ZIP comment, which a bundle never has")
    if disk or directory_disk or here != count:
        raise BundleMalformed("it is a ZIP file in several parts, which a bundle never is")
    if count == 0xFFFF or _ZIP64_SIZE in (size, offset):
        raise BundleMalformed("it is a zip64 file, which a bundle never is")
    if offset + size != begin:
        raise BundleMalformed("its central directory does not lie right before its end: bytes were added or removed")
    return offset, count


def _read_directory(raw: bytes, offset: int, count: int) -> list[_Entry]:
    """The entries of the central directory, which begins at ``offset`` and must fill all up to the end record."""
    end = len(raw) - _END.size
    entries: list[_Entry] = []
    for _ in range(count):
        if offset + _CENTRAL.size > end or raw[offset : offset + 4] != _CENTRAL_MAGIC:
            raise BundleMalformed("its central directory is damaged")
        fields = _CENTRAL.unpack_from(raw, offset)[1:]
        offset += _CENTRAL.size
        name = raw[offset : offset + fields[9]].decode("ascii", "backslashreplace")
        entry = _Entry._make((*fields, name))
        _check_entry(entry)
        if any(entry.name == earlier.name for earlier in entries):
            raise BundleMalformed(f"it holds {entry.name} twice")
        entries.append(entry)
        offset += entry.name_length
    if offset != end:
        raise BundleMalformed("its central directory has bytes that belong to no entry")
    return entries


def _check_entry(entry: _Entry) -> None:
    """Check one entry as (3) of :func:`unpack` says, but for name and size, which :func:`check_members` checks."""
    if entry.extra_length or entry.comment_length:
        raise BundleMalformed(f"{entry.name} has an extra field or a comment, which a bundle never has")
    if entry.flags & (_FLAG_ENCRYPTED | _FLAG_STRONG):
        raise BundleMalformed(f"{entry.name} is encrypted, which a bundle never is")
    if entry.flags & _FLAG_DESCRIPTOR:
        raise BundleMalformed(f"{entry.name} has a data descriptor, which a bundle never has")
    if entry.method != _STORED:
        raise BundleMalformed(
            f"{entry.name} is compressed, which netdiag never does: the file was packed by another program"
            " (its unpacked folder can be given instead)"
        )
    if entry.external >> 16 != _MODE:
        raise BundleMalformed(f"{entry.name} is not marked as a regular file (it may be a link or a directory)")
    if entry.packed_size != entry.size:
        raise BundleMalformed(f"{entry.name} has two different sizes")
    if _ZIP64_SIZE in (entry.size, entry.offset):
        raise BundleMalformed(f"{entry.name} needs zip64, which a bundle never does")
