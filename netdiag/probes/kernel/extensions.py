"""MPLS labels that a router added to its ICMP error: RFC 4884 (extension objects), RFC 4950 (the label stack)."""

import struct

from netdiag.evidence.transport import Label
from netdiag.probes.kernel.packet import checksum

QUOTE_LEAST = 128
"""Before extensions the quoted datagram is filled up to this many bytes (RFC 4884 3); where an old router does not say
where they begin, they begin there (RFC 4884 5.5)."""

_HEADER = struct.Struct("!BBH")  # version in the upper four bits, reserved, checksum
_OBJECT = struct.Struct("!HBB")  # length with this header, class, C-type
_VERSION = 2
_LABEL_STACK = (1, 1)  # RFC 4950 3: MPLS label stack class, incoming label stack
_ENTRY = struct.Struct("!I")


def labels(structure: bytes, *, is_sure: bool) -> tuple[Label, ...] | None:
    """The label stacks in an extension structure, outermost first; None when ``structure`` is none.

    ``is_sure``: the error said that one begins there. Else only a good checksum tells it from zeros and payload.
    """
    if len(structure) < _HEADER.size:
        return None
    version, _, sum_ = _HEADER.unpack_from(structure)
    if version >> 4 != _VERSION or (checksum(structure) != 0 if sum_ else not is_sure):
        return None
    found: list[Label] = []
    at = _HEADER.size
    while at + _OBJECT.size <= len(structure):
        length, class_, c_type = _OBJECT.unpack_from(structure, at)
        if length < _OBJECT.size or at + length > len(structure):
            return tuple(found)
        if (class_, c_type) == _LABEL_STACK:
            found += _stack(structure[at + _OBJECT.size : at + length])
        at += length
    return tuple(found)


def _stack(entries: bytes) -> list[Label]:
    found = []
    for at in range(0, len(entries) - _ENTRY.size + 1, _ENTRY.size):
        (word,) = _ENTRY.unpack_from(entries, at)
        # RFC 3032 2.1: label 20 bits, traffic class 3 (RFC 5462), bottom of stack 1, TTL 8.
        found.append(Label(label=word >> 12, traffic_class=word >> 9 & 7, ttl=word & 0xFF))
    return found
