"""Writes pcapng (IETF draft-ietf-opsawg-pcapng), which Wireshark and tshark read: one section, IP packets without link
headers, times in nanoseconds."""

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6  # block types, sections 4.1 to 4.3
_COMMENT, _END = 1, 0  # options of every block, section 3.5
_APPLICATION = 4  # shb_userappl, section 4.1
_NAME, _RESOLUTION = 2, 9  # if_name, if_tsresol, section 4.2
_FLAGS, _INBOUND, _OUTBOUND = 2, 1, 2  # epb_flags, section 4.3.1
_RAW_IP = 101  # LINKTYPE_RAW
_MAGIC = 0x1A2B3C4D
_UNKNOWN_LENGTH = 2**64 - 1
_NANOSECONDS = b"\x09"


class Packet(NamedTuple):
    """``data`` is what is kept of the ``length`` bytes that were on the wire; ``interface`` an index into the names."""

    wall_ns: int
    interface: int
    outgoing: bool
    length: int
    data: bytes
    comment: str


def section(application: str, comment: str, interfaces: Sequence[str]) -> bytes:
    """The beginning of a file: who wrote it, and the interfaces that packets name by their index."""
    head = struct.pack("<IHHQ", _MAGIC, 1, 0, _UNKNOWN_LENGTH)
    found = _block(_SECTION, head, [(_COMMENT, comment.encode()), (_APPLICATION, application.encode())])
    for name in interfaces:
        options = [(_NAME, name.encode()), (_RESOLUTION, _NANOSECONDS)]
        found += _block(_INTERFACE, struct.pack("<HHI", _RAW_IP, 0, 0), options)
    return found


def packets(found: Iterable[Packet]) -> Iterable[bytes]:
    """One block for each packet."""
    for one in found:
        high, low = divmod(one.wall_ns, 2**32)
        sizes = struct.pack("<IIIII", one.interface, high, low, len(one.data), max(one.length, len(one.data)))
        flags = struct.pack("<I", _OUTBOUND if one.outgoing else _INBOUND)
        yield _block(_PACKET, sizes + _padded(one.data), [(_COMMENT, one.comment.encode()), (_FLAGS, flags)])


def _block(kind: int, body: bytes, options: Sequence[tuple[int, bytes]]) -> bytes:
    for code, value in options:
        body += struct.pack("<HH", code, len(value)) + _padded(value)
    body += struct.pack("<HH", _END, 0)
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _padded(data: bytes) -> bytes:
    """Blocks and options end on 32 bits."""
    return data + bytes(-len(data) % 4)
