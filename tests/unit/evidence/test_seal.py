"""Sealing and unsealing: what comes back, what is refused, and that no byte can change unseen."""

import contextlib
import hashlib
import json
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdiag.evidence import container
from netdiag.evidence.bundle import Bundle, by_line, encode
from netdiag.evidence.container import CAPTURE, EVIDENCE, README, SIGNATURE, SUMMARY, SUMS
from netdiag.evidence.errors import BundleError, BundleMalformed, SignatureRejected
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import NotRun, ObsId
from netdiag.evidence.seal import MAX_RECORDS, decode_evidence, seal, unseal
from netdiag.evidence.trust import TrustPolicy
from tests.fakes import bundles
from tests.fakes.bundles import BEGAN_AT, NOW, one_of_each, repeated, sample_bundle, sample_key
from tests.unit.evidence.forge import sealed, signed_members

ANY = TrustPolicy()
TEXTS = {SUMMARY: bundles.SUMMARY}


def refuses(evidence: bytes, message: str) -> None:
    """A well signed bundle with ``evidence`` is refused with one line that says ``message``."""
    with pytest.raises(BundleMalformed, match=message) as refused:
        unseal(container.pack(signed_members(evidence)), ANY, now=NOW)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) <= 300


def changed(**fields: object) -> bytes:
    """The sample's evidence.json with other values of its top-level keys, in the canonical form."""
    loose = {**json.loads(encode(sample_bundle())), **fields}
    return by_line({key: loose[key] for key in sorted(loose, key=lambda key: (key != "format", key))})


def test_every_kind_of_record_comes_back_as_it_was() -> None:
    assert {type(record) for record in one_of_each()} == set(Observation.__args__)
    bundle = sample_bundle(ticket="T-1")
    attachments = {SUMMARY: bundles.SUMMARY, CAPTURE: bundles.CAPTURE}
    back, texts, _ = unseal(seal(bundle, attachments, sample_key(), now=NOW), ANY, now=NOW)
    assert back == bundle
    assert texts == attachments


@given(st.text(), st.text(), st.binary(max_size=100), st.lists(st.text(), max_size=5))
def test_any_text_comes_back_as_it_was(ticket: str, detail: str, summary: bytes, removed: list[str]) -> None:
    record = NotRun(
        id=ObsId("o1"), step=bundles.STEPS[0].id, began_ns=0, ended_ns=0, why="crashed", what="", detail=detail
    )
    bundle = msgspec.structs.replace(
        sample_bundle(observations=(record,)), ticket=ticket, removed=tuple(removed), tool=detail
    )
    back, texts, provenance = unseal(seal(bundle, {SUMMARY: summary}, sample_key(), now=NOW), ANY, now=NOW)
    assert (back, texts[SUMMARY], provenance.ticket) == (bundle, summary, ticket)


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert sealed() == sealed()
    digest = hashlib.sha256(sealed()).hexdigest()
    assert unseal(sealed(), ANY, now=NOW)[2].sha256 == digest


def test_sealing_refuses_what_it_does_not_know() -> None:
    for attachments in ({}, {CAPTURE: b""}, {**TEXTS, "notes.txt": b""}, {**TEXTS, README: b""}):
        with pytest.raises(ValueError, match=r"attachments are summary\.txt and capture\.pcapng"):
            seal(sample_bundle(), attachments, sample_key(), now=NOW)


def test_sealing_never_writes_what_would_be_refused() -> None:
    with pytest.raises(BundleMalformed, match="two observations with the same id"):
        seal(sample_bundle(observations=one_of_each()[:1] * 2), TEXTS, sample_key(), now=NOW)
    with pytest.raises(BundleMalformed, match="larger than"):
        seal(sample_bundle(), {**TEXTS, CAPTURE: bytes(10_000_001)}, sample_key(), now=NOW)
    with pytest.raises(BundleMalformed, match=r"duration_ns"):
        seal(msgspec.structs.replace(sample_bundle(), duration_ns=-1), TEXTS, sample_key(), now=NOW)


def test_no_byte_of_the_file_can_change_unseen() -> None:
    raw = sealed()
    for at in range(len(raw)):
        for flip in (0x01, 0x20, 0x80, 0xFF):
            flipped = raw[:at] + bytes([raw[at] ^ flip]) + raw[at + 1 :]
            with pytest.raises(BundleError):
                unseal(flipped, ANY, now=NOW)


def test_no_byte_can_be_left_out_or_added_unseen() -> None:
    raw = sealed()
    for at in range(len(raw) + 1):
        with pytest.raises(BundleError):
            unseal(raw[:at] + b"\n" + raw[at:], ANY, now=NOW)
        if at < len(raw):
            with pytest.raises(BundleError):
                unseal(raw[:at] + raw[at + 1 :], ANY, now=NOW)


@pytest.mark.parametrize("name", [README, SUMMARY, EVIDENCE])
def test_a_changed_member_is_named(name: str) -> None:
    members = container.unpack(sealed())
    members[name] = members[name].replace(b"e", b"3", 1)
    with pytest.raises(SignatureRejected, match=f"^{name} is not what was signed: its SHA-256 is not in SHA256SUMS"):
        unseal(container.pack(members), ANY, now=NOW)


def test_a_changed_byte_inside_the_file_is_a_broken_hash_and_not_a_damaged_file() -> None:
    raw = sealed()
    with pytest.raises(SignatureRejected, match=r"^evidence\.json is not what was signed"):
        unseal(raw.replace(b'"EPERM"', b'"eperm"'), ANY, now=NOW)


def test_a_changed_list_of_hashes() -> None:
    members = container.unpack(sealed())
    members[SUMMARY] = b"another summary\n"
    members[SUMS] = signed_members(members[EVIDENCE])[SUMS]
    with pytest.raises(SignatureRejected, match="its signature does not hold"):
        unseal(container.pack(members), ANY, now=NOW)


def test_a_member_added_or_removed_after_signing() -> None:
    members = container.unpack(sealed())
    with pytest.raises(SignatureRejected, match=r"^capture\.pcapng is not what was signed"):
        unseal(container.pack({**members, CAPTURE: b""}), ANY, now=NOW)
    captured = signed_members(encode(sample_bundle()), **{CAPTURE: b"packets"})
    del captured[CAPTURE]
    with pytest.raises(SignatureRejected, match="lists more than the bundle holds: a member was removed"):
        unseal(container.pack(captured), ANY, now=NOW)


@pytest.mark.parametrize("spoil", [bytes.upper, lambda sums: sums + b"\n", lambda sums: sums.replace(b"  ", b" *")])
def test_a_list_of_hashes_in_another_form(spoil: object) -> None:
    members = signed_members(encode(sample_bundle()))
    assert callable(spoil)
    members[SUMS] = spoil(members[SUMS])
    members[SIGNATURE] = sample_key().sign(members[SUMS], "netdiag-bundle")
    with pytest.raises(SignatureRejected, match=r"is not what was signed|lists more"):
        unseal(container.pack(members), ANY, now=NOW)


def test_a_signature_for_another_purpose() -> None:
    members = signed_members(encode(sample_bundle()))
    members[SIGNATURE] = sample_key().sign(members[SUMS], "git")
    with pytest.raises(SignatureRejected, match="was made for another purpose: 'git'"):
        unseal(container.pack(members), ANY, now=NOW)


# evidence.json: everything below is well signed, by someone who means ill or has another program


def test_a_newer_format_is_called_newer() -> None:
    refuses(changed(format="netdiag/bundle/2"), r"netdiag/bundle/2, which is newer than this analyzer")
    refuses(b'{"format": "netdiag/bundle/2", "shape": ["nothing", {"like": "it"}]}', "newer than this analyzer")


def test_another_format_is_not_called_newer() -> None:
    refuses(changed(format="har"), "is not netdiag evidence: its format is 'har'")
    refuses(b"{}", "is not netdiag evidence: its format is ''")


def test_not_json() -> None:
    for evidence in (b"", b"\0", b"<html>", b"{", b"nul"):
        refuses(evidence, r"evidence\.json cannot be read: ")


def test_json_that_is_no_bundle() -> None:
    for evidence in (b"[]", b"null", b'"x"', b"1"):
        refuses(evidence, r"evidence\.json cannot be read: Expected `object`")


def test_bytes_that_are_no_utf_8() -> None:
    refuses(changed(tool="netdiag XX").replace(b"XX", b"\xff\xfe"), r"evidence\.json cannot be read")
    refuses(changed(tool="netdiag XX").replace(b"XX", b"\xed\xa0\x80"), r"evidence\.json cannot be read")


def test_a_lone_surrogate() -> None:
    refuses(changed(tool="netdiag XX").replace(b"XX", rb"\ud800"), r"evidence\.json cannot be read")


def test_a_byte_order_mark() -> None:
    refuses(b"\xef\xbb\xbf" + changed(), r"evidence\.json cannot be read")


def test_bytes_after_the_json() -> None:
    refuses(changed() + b"{}", r"evidence\.json cannot be read")
    refuses(changed() + b"\n", "not written as netdiag writes it")


def test_a_key_twice() -> None:
    twice = changed().replace(b'\n"tool"', b'\n"tool":"netdiag 0",\n"tool"', 1)
    assert json.loads(twice) == json.loads(changed())
    refuses(twice, "a key occurs twice")
    deep = changed().replace(b'"status":403', b'"status":200,"status":403', 1)
    assert json.loads(deep) == json.loads(changed())
    refuses(deep, "a key occurs twice")


def test_two_formats() -> None:
    refuses(changed().replace(b'\n"format"', b'\n"format":"netdiag/bundle/2",\n"format"', 1), "Invalid enum value")
    refuses(
        changed().replace(b'"netdiag/bundle/1"', b'"netdiag/bundle/1",\n"format":"netdiag/bundle/2"', 1), "is newer"
    )


def test_another_spelling_of_the_same_values() -> None:
    for old, new in (
        (b'"status":403', b'"status":4.03e2'),
        (b'"Forbidden"', b'"\\u0046orbidden"'),
        (b":", b": "),
        (b"\n", b"\r\n"),
    ):
        assert old in changed()
        refuses(changed().replace(old, new, 1), r"not written as netdiag writes it|Expected `int")
    refuses(changed().replace(b"26:53Z", b"26:53+00:00"), "not written as netdiag writes it")
    refuses(changed(removed=[]), "not written as netdiag writes it")


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-1", b"1e999", b"9" * 5000, b"9223372036854775808", b"1.5"])
def test_numbers_out_of_range(number: bytes) -> None:
    refuses(changed().replace(b"4200000000", number, 1), r"evidence\.json cannot be read")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("duration_ns", "1"),
        ("duration_ns", None),
        ("duration_ns", True),
        ("observations", {}),
        ("observations", [1]),
        ("plan", "x"),
        ("began_at", "2026-03-14T09:26:53"),
        ("began_at", 1),
        ("target", []),
        ("surprise", 1),
        ("interrupted", "bored"),
    ],
)
def test_wrong_types_and_unknown_fields(field: str, value: object) -> None:
    refuses(changed(**{field: value}), rf"evidence\.json cannot be read: .*{field}")


@pytest.mark.parametrize("moment", ["1970-01-01T00:00:00Z", "9000-12-31T23:59:59.999999Z"])
def test_the_ends_of_time_can_be_read(moment: str) -> None:
    raw = container.pack(signed_members(changed(began_at=moment)))
    assert unseal(raw, ANY, now=NOW)[2].from_future == moment.startswith("9")


@pytest.mark.parametrize(
    "moment",
    [
        "0001-01-01T00:00:00+23:59",
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-23:59",
        "2026-03-14T09:26:53+01:00",
    ],
)
def test_moments_that_no_utc_clock_shows(moment: str) -> None:
    refuses(changed(began_at=moment), "which no clock shows in UTC")


def test_an_unknown_kind_or_code_of_a_record() -> None:
    refuses(changed().replace(b'"kind":"connect"', b'"kind":"hearsay"'), "'hearsay'")
    refuses(changed().replace(b'"timed_out"', b'"sulking"'), "'sulking'")


def test_depth() -> None:
    for depth in (40, 5_000, 1_000_000):
        nest = b"[" * depth + b"]" * depth
        refuses(b'{\n "format": "netdiag/bundle/1",\n "plan": ' + nest + b"}\n", r"evidence\.json")
        refuses(b'{"a": ' + nest + b"}", "nested deeper than 32 levels|is not netdiag evidence")
    refuses(b'{"format":"netdiag/bundle/1","plan":' + b"[" * 40 + b"]" * 40 + b"}", "nested deeper than 32 levels")


def test_too_many_records() -> None:
    steps = len(bundles.STEPS)
    assert decode_evidence(encode(small_records(MAX_RECORDS - steps))).plan == bundles.STEPS
    with pytest.raises(BundleMalformed, match="holds more than 50,000 records"):
        decode_evidence(encode(small_records(MAX_RECORDS - steps + 1)))


def small_records(count: int) -> Bundle:
    first = one_of_each()[0]
    return sample_bundle(
        observations=tuple(msgspec.structs.replace(first, id=ObsId(f"o{number}")) for number in range(count))
    )


def test_ids_that_are_not_unique() -> None:
    refuses(encode(sample_bundle(observations=one_of_each()[:2] * 2)), "two observations with the same id")
    doubled = msgspec.structs.replace(sample_bundle(), plan=bundles.STEPS * 2)
    refuses(encode(doubled), "two steps with the same id")


def test_a_stranger_cannot_write_to_the_terminal_through_an_error() -> None:
    refuses(changed(**{"\x1b]0;owned\x07": 1}), r"\\x1b\]0;owned")
    refuses(changed(**{"x" * 5000: 1}), "…$")


@given(st.binary(max_size=200))
def test_no_evidence_raises_anything_but_a_refusal(evidence: bytes) -> None:
    with pytest.raises(BundleMalformed):
        decode_evidence(evidence)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.sampled_from(sorted(Bundle.__struct_fields__)),
)
def test_no_value_in_any_field_raises_anything_but_a_refusal(value: object, field: str) -> None:
    loose = {**json.loads(encode(sample_bundle())), field: value}
    data = by_line({key: loose[key] for key in sorted(loose, key=lambda key: (key != "format", key))})
    with contextlib.suppress(BundleMalformed):
        assert encode(decode_evidence(data)) == data


# provenance


def test_provenance_without_a_list_of_trusted_keys() -> None:
    provenance = unseal(sealed(), ANY, now=NOW)[2]
    assert (provenance.signature, provenance.key_trust, provenance.principals) == ("valid", "unknown", None)
    assert provenance.key == sample_key().fingerprint
    assert (provenance.made_at, provenance.age_s, provenance.from_future) == (BEGAN_AT, 300, False)
    assert any("Whose key it is" in sentence for sentence in provenance.does_not_prove)


@pytest.mark.parametrize(("ahead_s", "said"), [(0, False), (120, False), (121, True), (86_400, True)])
def test_a_bundle_from_the_future_is_said_to_be(ahead_s: int, said: bool) -> None:
    provenance = unseal(sealed(), ANY, now=BEGAN_AT - timedelta(seconds=ahead_s))[2]
    assert (provenance.age_s, provenance.from_future) == (-ahead_s, said)


@pytest.mark.parametrize(
    ("inside", "asked", "matches"),
    [(None, None, None), ("T-1", None, None), ("T-1", "T-1", True), ("T-1", "T-2", False), (None, "T-1", False)],
)
def test_tickets(inside: str | None, asked: str | None, matches: bool | None) -> None:
    raw = seal(sample_bundle(ticket=inside), TEXTS, sample_key(), now=NOW)
    provenance = unseal(raw, TrustPolicy(ticket=asked), now=NOW)[2]
    assert (provenance.ticket, provenance.ticket_matches) == (inside, matches)


def test_a_bundle_of_a_usual_run_stays_small() -> None:
    """The issue's bar: 300 kB without a capture. A dead path with four walks gives some 500 records."""
    assert len(seal(sample_bundle(observations=repeated(500)), TEXTS, sample_key(), now=NOW)) < 300_000
