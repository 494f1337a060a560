"""DER certificates as records: names, dates, hashes. Nothing is judged here."""

import hashlib
from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID

from netdiag.evidence.tls import Certificate

# A stranger's certificate must not swell the bundle: CDN certificates carry about 100 names.
_MOST_NAMES = 200
_LONGEST_TEXT = 300


def records_of(chain: Iterable[bytes]) -> tuple[Certificate, ...]:
    """The certificates of a presented chain, leaf first. One that cannot be read is left out."""
    return tuple(record for der in chain if (record := _record(der)) is not None)


def _record(der: bytes) -> Certificate | None:
    try:
        read = x509.load_der_x509_certificate(der)
        key = read.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return Certificate(
            subject=read.subject.rfc4514_string()[:_LONGEST_TEXT],
            issuer=read.issuer.rfc4514_string()[:_LONGEST_TEXT],
            not_before=int(read.not_valid_before_utc.timestamp()),
            not_after=int(read.not_valid_after_utc.timestamp()),
            names=_names(read),
            is_ca=_is_ca(read),
            self_signed=_is_self_signed(read),
            issuer_url=_issuer_url(read),
            sha256=hashlib.sha256(der).hexdigest(),
            key_sha256=hashlib.sha256(key).hexdigest(),
        )
    except (ValueError, TypeError, OverflowError, UnsupportedAlgorithm, x509.DuplicateExtension):
        return None


def _names(read: x509.Certificate) -> tuple[str, ...]:
    try:
        found = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    names = [*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress))]
    return tuple(name[:_LONGEST_TEXT] for name in names[:_MOST_NAMES])


def _is_ca(read: x509.Certificate) -> bool:
    try:
        return read.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _is_self_signed(read: x509.Certificate) -> bool:
    """Signed by its own key, not only by its own name."""
    if read.issuer != read.subject:
        return False
    try:
        read.verify_directly_issued_by(read)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _issuer_url(read: x509.Certificate) -> str | None:
    """Where the issuer's certificate can be fetched (RFC 5280 section 4.2.2.1, caIssuers); never fetched here."""
    try:
        entries = read.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return None
    for entry in entries:
        is_issuer = entry.access_method == AuthorityInformationAccessOID.CA_ISSUERS
        if is_issuer and isinstance(entry.access_location, x509.UniformResourceIdentifier):
            return entry.access_location.value[:_LONGEST_TEXT]
    return None
