"""The container: one form for given members, and a reader that takes no other."""

import io
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.evidence import container
from netdiag.evidence.errors import BundleError, BundleMalformed
from tests.unit.evidence.forge import Zip

MEMBERS = {
    "README.txt": b"read me",
    "summary.txt": b"",
    "evidence.json": b"{}\n",
    "SHA256SUMS": b"sums",
    "SHA256SUMS.sig": b"signature",
}


def refuses(raw: bytes, message: str) -> None:
    with pytest.raises(BundleMalformed, match=message):
        container.check_exact(raw, container.unpack(raw))


def altered(**fields: int) -> bytes:
    """A container whose entry README.txt has other ``fields`` in both headers."""

    def alter(name: str, local: dict[str, int], central: dict[str, int]) -> None:
        if name == "README.txt":
            local.update({key: value for key, value in fields.items() if key in local})
            central.update(fields)

    return Zip(alter).add_all(MEMBERS).end()


def test_the_forge_writes_what_pack_writes() -> None:
    """So that each refusal below is of the one thing that its test changes."""
    assert Zip().add_all(MEMBERS).end() == container.pack(MEMBERS)


@given(st.fixed_dictionaries(dict.fromkeys(MEMBERS, st.binary()), optional={"capture.pcapng": st.binary()}))
def test_what_is_packed_is_read_again_by_us_and_by_others(members: dict[str, bytes]) -> None:
    raw = container.pack(members)
    assert container.unpack(raw) == members
    container.check_exact(raw, members)
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == members


def test_the_order_of_the_members_given_does_not_matter() -> None:
    assert container.pack(dict(reversed(MEMBERS.items()))) == container.pack(MEMBERS)


def test_packing_refuses_what_reading_would() -> None:
    with pytest.raises(BundleMalformed, match=r"^summary.txt is larger than the 256,000 bytes"):
        container.pack({**MEMBERS, "summary.txt": bytes(256_001)})
    with pytest.raises(BundleMalformed, match=r"'notes\.txt', which no bundle of this format has"):
        container.pack({**MEMBERS, "notes.txt": b""})


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_a_refusal(raw: bytes) -> None:
    for prefix in (b"", b"PK\x03\x04"):
        with pytest.raises(BundleMalformed):
            container.unpack(prefix + raw)


@given(st.integers(0, 10_000), st.binary(max_size=40), st.integers(0, 40))
def test_no_overwritten_stretch_raises_anything_but_a_refusal(at: int, patch: bytes, length: int) -> None:
    raw = container.pack(MEMBERS)
    at %= len(raw)
    changed = raw[:at] + patch + raw[at + length :]
    try:
        members = container.unpack(changed)
        container.check_exact(changed, members)
    except BundleError:
        assert changed != raw
    else:
        assert container.pack(members) == changed


def test_not_a_zip() -> None:
    refuses(b"%PDF-1.7", "it is not a bundle: it does not begin as a ZIP")
    refuses(b"", "it is empty")


def test_bytes_before_the_zip() -> None:
    refuses(b"#!" + container.pack(MEMBERS), "does not begin as a ZIP")


def test_truncated() -> None:
    raw = container.pack(MEMBERS)
    for length in range(4, len(raw)):
        refuses(raw[:length], "it is truncated")


def test_bytes_after_the_end() -> None:
    refuses(container.pack(MEMBERS) + b"\0", "comment or bytes after its end")


def test_comment() -> None:
    refuses(Zip().add_all(MEMBERS).end(comment=b"hello"), "comment or bytes after its end")
    end = container.pack(MEMBERS)[-22:]
    refuses(Zip().add_all(MEMBERS).end(comment=end), "central directory does not lie right before")
    refuses(container.pack(MEMBERS)[:-2] + b"\x05\x00", "it has a ZIP comment")


def test_several_parts() -> None:
    refuses(Zip().add_all(MEMBERS).end(disk=1), "in several parts")
    refuses(Zip().add_all(MEMBERS).end(here=3), "in several parts")
    refuses(altered(disk=1), "not what netdiag writes")


def test_zip64() -> None:
    raw = container.pack(MEMBERS)
    refuses(raw[:-14] + b"\xff\xff\xff\xff" + raw[-10:], "in several parts|zip64")
    refuses(raw[:-6] + b"\xff\xff\xff\xff" + raw[-2:], "zip64")
    refuses(altered(offset=0xFFFFFFFF), "zip64")


def test_the_directory_does_not_end_where_it_should() -> None:
    refuses(Zip().add_all(MEMBERS).end(shift=4), "central directory does not lie right before")
    archive = Zip().add_all(MEMBERS)
    archive.directory += b"\0"
    refuses(archive.end(), "bytes that belong to no entry")
    archive = Zip().add_all(MEMBERS)
    archive.count += 1
    refuses(archive.end(), "central directory is damaged")


def test_a_gap_between_entries() -> None:
    archive = Zip()
    archive.add(b"README.txt", b"")
    archive.body += b"hidden"
    refuses(archive.add_all({k: v for k, v in MEMBERS.items() if k != "README.txt"}).end(), "gap or an overlap")


def test_a_gap_after_the_entries() -> None:
    archive = Zip().add_all(MEMBERS)
    archive.body += b"hidden"
    refuses(archive.end(), "bytes between its last member and the central directory")


def test_overlapping_entries() -> None:
    def alter(name: str, local: dict[str, int], central: dict[str, int]) -> None:
        if name == "summary.txt":
            central["offset"] = 0

    refuses(Zip(alter).add_all(MEMBERS).end(), "gap or an overlap before summary.txt")


def test_a_member_that_reaches_into_the_directory() -> None:
    def alter(name: str, local: dict[str, int], central: dict[str, int]) -> None:
        if name == "SHA256SUMS.sig":
            local["size"] = central["size"] = local["packed"] = central["packed"] = 1000

    refuses(Zip(alter).add_all(MEMBERS).end(), "SHA256SUMS.sig reaches beyond its place")


@pytest.mark.parametrize("field", Zip.LOCAL.split())
def test_a_local_header_that_says_otherwise(field: str) -> None:
    def alter(name: str, local: dict[str, int], central: dict[str, int]) -> None:
        if name == "summary.txt":
            local[field] ^= 1

    refuses(Zip(alter).add_all(MEMBERS).end(), "summary.txt: its local header is not what the central directory says")


def test_a_local_name_that_says_otherwise() -> None:
    raw = container.pack(MEMBERS)
    refuses(raw.replace(b"summary.txt", b"../mary.txt", 1), "summary.txt: its local header")


def test_extra_fields_and_entry_comments() -> None:
    for extra in ({"local_extra": b"UT\x01\0\0"}, {"central_extra": b"UT\x01\0\0"}):
        archive = Zip()
        archive.add(b"README.txt", b"", **extra)
        rest = {k: v for k, v in MEMBERS.items() if k != "README.txt"}
        refuses(archive.add_all(rest).end(), "README.txt has an extra field|README.txt: its local header")
    refuses(altered(comment_length=1), "README.txt has an extra field or a comment")


def test_encryption() -> None:
    refuses(altered(flags=1), "README.txt is encrypted")
    refuses(altered(flags=1 << 6), "README.txt is encrypted")


def test_data_descriptor() -> None:
    refuses(altered(flags=8), "README.txt has a data descriptor")


@pytest.mark.parametrize("method", [8, 9, 12, 14, 93, 99])
def test_compression(method: int) -> None:
    refuses(altered(method=method), "README.txt is compressed, which netdiag never does")


def test_a_zip_bomb_is_refused_unopened() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(100_000_000)) + packer.flush()

    def alter(name: str, local: dict[str, int], central: dict[str, int]) -> None:
        if name == "evidence.json":
            local.update(method=8, size=100_000_000)
            central.update(method=8, size=100_000_000)

    refuses(Zip(alter).add_all({**MEMBERS, "evidence.json": bomb}).end(), "evidence.json is compressed")


def test_two_sizes() -> None:
    refuses(altered(size=3), "README.txt has two different sizes")


@pytest.mark.parametrize("mode", [0o120777, 0o040755, 0o100755, 0o100600, 0o020644, 0])
def test_links_directories_and_other_modes(mode: int) -> None:
    refuses(altered(external=mode << 16), "README.txt is not marked as a regular file")


def test_attributes_times_and_versions_are_fixed() -> None:
    for field in ({"external": 0o100644 << 16 | 1}, {"internal": 1}, {"time": 1}, {"date": 34}, {"made_by": 20}):
        refuses(altered(**field), "not what netdiag writes")
    refuses(altered(needed=20), "not what netdiag writes")
    refuses(altered(crc=0), "a checksum")


def test_another_order_of_the_members() -> None:
    refuses(Zip().add_all(dict(reversed(MEMBERS.items()))).end(), "not what netdiag writes")


@pytest.mark.parametrize(
    "name",
    [b"/etc/passwd", b"../x", b"a/../README.txt", b"C:\\x", b"readme.txt", b"bundle/README.txt", b"\x1b]0;x\x07"],
)
def test_foreign_absolute_and_climbing_names(name: bytes) -> None:
    archive = Zip().add_all(MEMBERS)
    archive.add(name, b"")
    with pytest.raises(BundleMalformed, match=r"it holds .* which no bundle of this format has") as refused:
        container.unpack(archive.end())
    assert str(refused.value).isprintable()


def test_a_member_twice() -> None:
    archive = Zip().add_all(MEMBERS)
    archive.add(b"evidence.json", b'{"other": 1}')
    refuses(archive.end(), "it holds evidence.json twice")


@pytest.mark.parametrize("name", sorted(container.REQUIRED - {"SHA256SUMS.sig"}))
def test_a_member_missing(name: str) -> None:
    refuses(Zip().add_all({k: v for k, v in MEMBERS.items() if k != name}).end(), f"not complete: {name} is missing")


def test_unsigned() -> None:
    unsigned = {k: v for k, v in MEMBERS.items() if k != "SHA256SUMS.sig"}
    refuses(Zip().add_all(unsigned).end(), r"it is not signed: SHA256SUMS.sig is missing")


def test_an_archive_without_entries() -> None:
    refuses(b"PK\x05\x06" + bytes(18), "does not begin as a ZIP")


@pytest.mark.parametrize("name", container.MEMBERS)
def test_a_member_too_large(name: str) -> None:
    raw = Zip().add_all({**MEMBERS, name: bytes(container.MAX_MEMBER[name] + 1)}).end()
    refuses(raw, f"{name} is larger than the {container.MAX_MEMBER[name]:,} bytes")


def test_a_file_too_large() -> None:
    refuses(b"PK\x03\x04" + bytes(container.MAX_CONTAINER), "it is larger than the 20,000,000 bytes")


def test_the_largest_members_fit_together() -> None:
    assert sum(container.MAX_MEMBER.values()) + 4_096 < container.MAX_CONTAINER
