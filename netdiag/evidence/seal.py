"""Sealing and unsealing: what makes the records of one run a bundle that a stranger can check.

Who signs what: SHA256SUMS lists the SHA-256 of every other member, and SHA256SUMS.sig is an OpenSSH signature over the
bytes of SHA256SUMS. Nothing is re-encoded to be verified: the bytes that were hashed are the bytes that are decoded.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime

import msgspec

from netdiag.evidence import container, sshsig
from netdiag.evidence.bundle import FORMAT, Bundle, encode
from netdiag.evidence.container import EVIDENCE, README, SIGNATURE, SUMS
from netdiag.evidence.errors import BundleMalformed, SignatureRejected
from netdiag.evidence.keys import SigningKey
from netdiag.evidence.provenance import Provenance, describe
from netdiag.evidence.readme import readme
from netdiag.evidence.trust import TrustPolicy

NAMESPACE = "netdiag-bundle"
"""The purpose that the signature is bound to (PROTOCOL.sshsig section 3): one made for git or mail is not good here."""

MAX_DEPTH = 32
"""Levels of nesting in evidence.json; the records have six."""

MAX_RECORDS = 50_000
"""Steps and observations together: what any analysis must be able to hold."""

FIRST_YEAR, LAST_YEAR = 1970, 9000
"""What Unix clocks can show, with room to add the longest duration (2**63 ns, 292 years) to it without overflow."""

ATTACHMENTS = (container.SUMMARY, container.CAPTURE)
"""What is sealed beside the records. The summary is required."""

_FORMAT_FAMILY = "netdiag/bundle/"


def seal(bundle: Bundle, attachments: Mapping[str, bytes], key: SigningKey, *, now: datetime) -> bytes:
    """The container with ``bundle`` and ``attachments`` (``summary.txt``, and ``capture.pcapng`` if there is one).

    The same arguments give the same bytes on every machine. ``now`` is written into README.txt alone. Raises
    BundleMalformed if no analyzer could read the result: too large, too many records, a field out of its range.
    """
    if not {container.SUMMARY} <= attachments.keys() <= set(ATTACHMENTS):
        raise ValueError(f"attachments are summary.txt and capture.pcapng, not {sorted(attachments)}")
    members = {README: readme(bundle, key.fingerprint, now=now), EVIDENCE: encode(bundle), **attachments}
    sums = _sums(members)
    raw = container.pack({**members, SUMS: sums, SIGNATURE: key.sign(sums, NAMESPACE)})
    unseal(raw, TrustPolicy(), now=now)  # never hand out what would be refused
    return raw


def unseal(raw: bytes, policy: TrustPolicy, *, now: datetime) -> tuple[Bundle, Mapping[str, bytes], Provenance]:
    """The records, attachments and provenance of the container ``raw``, or an exception: nothing unverified returns.

    (1) The container is a ZIP of the one form that netdiag writes, with the members of a bundle, each within its cap
        (:func:`netdiag.evidence.container.unpack`): BundleMalformed. An unsigned one is among these.
    (2) SHA256SUMS.sig is an Ed25519 signature over the exact bytes of SHA256SUMS, in the namespace ``netdiag-bundle``
        (:func:`netdiag.evidence.sshsig.verify`): SignatureRejected.
    (3) If the policy names allowed signers, the key is one of them, for this namespace, at ``now``: SignatureRejected.
    (4) SHA256SUMS is exactly the sorted list of the other members' hashes, so that no member is changed, missing or
        unlisted: SignatureRejected.
    (5) No byte of the container is free: packed again, the members give ``raw``: BundleMalformed.
    (6) evidence.json is of a format that this analyzer knows; it is read before all else in there, so that a newer
        one is called newer: BundleMalformed.
    (7) It decodes, strictly typed, unknown fields refused; and encoded again it gives the very same bytes, so that no
        duplicate key, other spelling of a number or string, byte-order mark or trailing data can make two readers see
        two things: BundleMalformed.
    (8) It is within MAX_DEPTH and MAX_RECORDS, ids are unique, and ``began_at`` is a moment that can be reckoned with
        (UTC, FIRST_YEAR to LAST_YEAR), however wrong that machine's clock is: BundleMalformed.

    What is not checked, and must be kept in mind: texts in it are a stranger's (``display.sanitize_text``), addresses
    and names in it may be no such thing, and ids that records refer to may not exist.
    """
    members = container.unpack(raw)  # (1)
    sums = members[SUMS]
    public = sshsig.verify(sums, members[SIGNATURE], NAMESPACE)  # (2)
    principals = None
    if policy.allowed_signers is not None:
        principals = policy.allowed_signers.principals_of(public, NAMESPACE, now)  # (3)
    _check_sums(sums, members)  # (4)
    container.check_exact(raw, members)  # (5)
    bundle = decode_evidence(members[EVIDENCE])  # (6) (7) (8)
    attachments = {name: members[name] for name in ATTACHMENTS if name in members}
    provenance = describe(
        bundle,
        fingerprint=sshsig.fingerprint(public),
        principals=principals,
        sha256=hashlib.sha256(raw).hexdigest(),
        ticket_asked=policy.ticket,
        now=now,
    )
    return bundle, attachments, provenance


class _Head(msgspec.Struct):
    """What is read first of any format, known or not."""

    format: str = ""


_HEAD = msgspec.json.Decoder(_Head)
_BUNDLE = msgspec.json.Decoder(Bundle)


def decode_evidence(data: bytes) -> Bundle:
    """The records in ``data``, the bytes of an evidence.json: steps (6) to (8) of :func:`unseal`, alone.

    Raises BundleMalformed. The types of the records bound the depth of what decodes; what does not is counted, so that
    the reason can be told.
    """
    try:
        written = _HEAD.decode(data).format
        if written != FORMAT:
            raise BundleMalformed(_unknown_format(written))
        bundle = _BUNDLE.decode(data)
        again = encode(bundle)
    except RecursionError:
        raise BundleMalformed(f"{EVIDENCE} is nested deeper than {MAX_DEPTH} levels") from None
    except (msgspec.MsgspecError, UnicodeError) as error:
        if _is_too_deep(data):
            raise BundleMalformed(f"{EVIDENCE} is nested deeper than {MAX_DEPTH} levels") from None
        raise BundleMalformed(f"{EVIDENCE} cannot be read: {error}") from None
    if again != data:
        raise BundleMalformed(
            f"{EVIDENCE} is not written as netdiag writes it: a key occurs twice, or another program wrote it"
        )
    if len(bundle.plan) + len(bundle.observations) > MAX_RECORDS:
        raise BundleMalformed(f"{EVIDENCE} holds more than {MAX_RECORDS:,} records")
    began_at = bundle.began_at
    if began_at.utcoffset() or not FIRST_YEAR <= began_at.year <= LAST_YEAR:
        raise BundleMalformed(
            f"{EVIDENCE} says that it was begun at {began_at.isoformat()}, which no clock shows in UTC"
        )
    _check_unique("observation", [record.id for record in bundle.observations])
    _check_unique("step", [step.id for step in bundle.plan])
    return bundle


_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def _is_too_deep(data: bytes) -> bool:
    depth = 0
    for bracket in _STRING.sub(b"", data).translate(None, delete=_NOT_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _unknown_format(written: str) -> str:
    if written.startswith(_FORMAT_FAMILY):
        return f"it is of the format {written}, which is newer than this analyzer ({FORMAT}): update netdiag"
    return f"{EVIDENCE} is not netdiag evidence: its format is {written!r}"


def _check_unique(what: str, ids: list[str]) -> None:
    if len(set(ids)) != len(ids):
        raise BundleMalformed(f"{EVIDENCE} has two {what}s with the same id")


def _sums(members: Mapping[str, bytes]) -> bytes:
    """The bytes of SHA256SUMS for ``members``, in the form of sha256sum(1), sorted by name."""
    covered = sorted(members.keys() - {SUMS, SIGNATURE})
    return "".join(f"{hashlib.sha256(members[name]).hexdigest()}  {name}\n" for name in covered).encode()


def _check_sums(sums: bytes, members: Mapping[str, bytes]) -> None:
    """Step (4) of :func:`unseal`."""
    due = _sums(members)
    if sums == due:
        return
    signed = set(sums.splitlines())
    for line in due.splitlines():
        if line not in signed:
            raise SignatureRejected(
                f"{line[66:].decode()} is not what was signed: its SHA-256 is not in {SUMS}, so it was changed or added"
            )
    raise SignatureRejected(f"{SUMS} lists more than the bundle holds: a member was removed")
