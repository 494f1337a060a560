"""Making bundles that are wrong in one chosen way: signed properly over whatever they hold, or packed oddly."""

import struct
import zlib
from collections.abc import Callable, Mapping
from hashlib import sha256

from netdiag.evidence.container import EVIDENCE, README, SIGNATURE, SUMMARY, SUMS
from netdiag.evidence.seal import NAMESPACE, seal
from tests.fakes.bundles import NOW, sample_bundle, sample_key
from tests.fakes.bundles import SUMMARY as SUMMARY_TEXT


def sealed() -> bytes:
    """A small bundle with one record, as netdiag writes it."""
    bundle = sample_bundle(observations=sample_bundle().observations[:1])
    return seal(bundle, {SUMMARY: SUMMARY_TEXT}, sample_key(), now=NOW)


def signed_members(evidence: bytes, **others: bytes) -> dict[str, bytes]:
    """Members with ``evidence``, listed and signed as they should be."""
    members = {README: b"read me\n", SUMMARY: b"summary\n", EVIDENCE: evidence, **others}
    sums = "".join(f"{sha256(members[name]).hexdigest()}  {name}\n" for name in sorted(members)).encode()
    return {**members, SUMS: sums, SIGNATURE: sample_key().sign(sums, NAMESPACE)}


class Zip:
    """A ZIP written field by field, by default as netdiag writes one; ``alter`` may change each entry's headers.

    ``alter(name, local, central)`` gets the header fields by name and changes what it likes.
    """

    LOCAL = "needed flags method time date crc packed size name_length extra_length"
    CENTRAL = f"made_by {LOCAL} comment_length disk internal external offset"

    def __init__(self, alter: Callable[[str, dict[str, int], dict[str, int]], None] | None = None) -> None:
        self.alter = alter
        self.body = b""
        self.directory = b""
        self.count = 0

    def add(self, name: bytes, data: bytes, *, local_extra: bytes = b"", central_extra: bytes = b"") -> None:
        shown = name.decode("latin-1")
        common = {
            "needed": 10,
            "flags": 0,
            "method": 0,
            "time": 0,
            "date": 33,
            "crc": zlib.crc32(data),
            "packed": len(data),
            "size": len(data),
            "name_length": len(name),
        }
        local = {**common, "extra_length": len(local_extra)}
        central = {
            "made_by": 0x0314,
            **common,
            "extra_length": len(central_extra),
            "comment_length": 0,
            "disk": 0,
            "internal": 0,
            "external": 0o100644 << 16,
            "offset": len(self.body),
        }
        if self.alter is not None:
            self.alter(shown, local, central)
        self.directory += struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", *(central[k] for k in self.CENTRAL.split()))
        self.directory += name + central_extra
        self.body += struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", *(local[k] for k in self.LOCAL.split()))
        self.body += name + local_extra + data
        self.count += 1

    def add_all(self, members: Mapping[str, bytes]) -> "Zip":
        for name, data in members.items():
            self.add(name.encode(), data)
        return self

    def end(self, *, comment: bytes = b"", disk: int = 0, here: int | None = None, shift: int = 0) -> bytes:
        here = self.count if here is None else here
        fields = (disk, disk, here, self.count, len(self.directory), len(self.body) + shift, len(comment))
        return self.body + self.directory + struct.pack("<4sHHHHIIH", b"PK\x05\x06", *fields) + comment
