"""Certificates of the lab: the vendor's chain, several authorities for the rest of the internet, an interceptor's.

Made anew for every lab, in memory; the roots that a customer trusts are written to one bundle for ``SSL_CERT_FILE``.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import hashlib
import ipaddress
import os
from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.netns.scenario import CertificateKind

_DAY: Final = dt.timedelta(days=1)
# Organisations that exist nowhere; control sites differ in issuer, so that one issuer everywhere means interception.
CONTROL_AUTHORITIES: Final = ("Northlight Trust Services", "Cobalt Certification", "Sequoia Public CA", "Tern CA Group")
VENDOR_AUTHORITY: Final = "Meridian Trust Network"
# A certificate shared by that many sites, as hosters have them: it alone fills more than one packet of 1500 bytes.
_TENANTS: Final = 80
# What else the certificates of public sites hold (SCTs, policies, addresses of revocation lists), here as so many bytes
# of one extension that nobody knows (RFC 5280 4.2): with them the first flight of TLS fills a packet of 1500 bytes.
_REST_OF_A_PUBLIC_CERTIFICATE: Final = 700
_UNKNOWN_EXTENSION: Final = x509.ObjectIdentifier("1.3.6.1.4.1.32473.1")  # the enterprise of examples, RFC 5612


@dataclasses.dataclass(frozen=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """The certificate alone."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The private key, unencrypted (PKCS 8)."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


@dataclasses.dataclass(frozen=True)
class Authority:
    """A root and its issuing certificate."""

    root: Issued
    issuing: Issued


def _name(common: str, organisation: str | None = None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common[:64])]
    if organisation is not None:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(parts)


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _sign(
    subject: x509.Name,
    issuer: Issued | None,
    *,
    ca: bool,
    names: Sequence[str] = (),
    begins: dt.datetime,
    ends: dt.datetime,
    filler: int = 0,
) -> Issued:
    key = ec.generate_private_key(ec.SECP256R1())
    signer = issuer.key if issuer is not None else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer is not None else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(_usage(ca=ca), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not ca:
        usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        builder = builder.add_extension(usages, critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(n) for n in names]), critical=False)
    if filler:
        builder = builder.add_extension(
            x509.UnrecognizedExtension(_UNKNOWN_EXTENSION, os.urandom(filler)), critical=False
        )
    return Issued(builder.sign(signer, hashes.SHA256()), key)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def authority(organisation: str) -> Authority:
    """A root (20 years) and an issuing certificate (5 years)."""
    now = dt.datetime.now(dt.UTC)
    root = _sign(
        _name(f"{organisation} Root R1", organisation),
        None,
        ca=True,
        begins=now - 3000 * _DAY,
        ends=now + 4000 * _DAY,
    )
    issuing = _sign(
        _name(f"{organisation} TLS Issuing E2", organisation),
        root,
        ca=True,
        begins=now - 1500 * _DAY,
        ends=now + 1500 * _DAY,
    )
    return Authority(root, issuing)


def leaf(
    issuer: Issued, names: Sequence[str], begins_days: float = -20, ends_days: float = 70, *, filler: int = 0
) -> Issued:
    """A server certificate for host names or addresses; its life in days from now. ``filler``: bytes added to it."""
    now = dt.datetime.now(dt.UTC)
    return _sign(
        _name(names[0]),
        issuer,
        ca=False,
        names=names,
        begins=now + begins_days * _DAY,
        ends=now + ends_days * _DAY,
        filler=filler,
    )


def self_signed(names: Sequence[str]) -> Issued:
    """What an appliance makes for itself on first boot."""
    now = dt.datetime.now(dt.UTC)
    return _sign(_name(names[0]), None, ca=False, names=names, begins=now - 20 * _DAY, ends=now + 345 * _DAY)


@dataclasses.dataclass(frozen=True)
class Pki:
    """Every authority of one lab."""

    vendor: Authority
    controls: tuple[Authority, ...]
    interception: Authority

    @classmethod
    def make(cls) -> Pki:
        """New keys for everything, some 30 ms."""
        return cls(
            vendor=authority(VENDOR_AUTHORITY),
            controls=tuple(authority(name) for name in CONTROL_AUTHORITIES),
            interception=authority("Gatewatch Secure Web"),
        )

    @property
    def trusted_pem(self) -> bytes:
        """The roots of a normal machine."""
        return b"".join(issuer.root.pem for issuer in (self.vendor, *self.controls))

    def control_chain(self, names: tuple[str, ...]) -> tuple[bytes, bytes]:
        """(chain, key) of a site of the rest of the internet; the same name always has the same issuer."""
        pick = hashlib.sha256(".".join(names[0].split(".")[-2:]).encode()).digest()[0] % len(self.controls)
        return self._chain(self.controls[pick], names)

    def intercepted_chain(self, names: tuple[str, ...]) -> tuple[bytes, bytes]:
        """(chain, key) as an intercepting proxy mints them: valid since yesterday, for a few days."""
        made = leaf(self.interception.issuing, names, begins_days=-1, ends_days=6)
        return made.pem + self.interception.issuing.pem, made.key_pem

    def vendor_chain(self, name: str, kind: CertificateKind, others: Sequence[str] = ()) -> tuple[bytes, bytes]:
        """(chain, key) that the vendor's server presents, healthy or not."""
        issuing, names = self.vendor.issuing, [name, *others]
        if kind == "self_signed":
            made = self_signed(names)
            return made.pem, made.key_pem
        if kind == "private_ca":
            private = authority("Internal Operations")
            made = leaf(private.issuing, names)
            return made.pem + private.issuing.pem, made.key_pem
        if kind == "wrong_name":
            made = leaf(issuing, [f"origin-7.{name.partition('.')[2]}"])
        elif kind == "many_names":
            made = leaf(issuing, [*names, *(f"www.tenant-{number}.example.org" for number in range(_TENANTS))])
        elif kind == "expired":
            made = leaf(issuing, names, begins_days=-93, ends_days=-3)
        elif kind == "not_yet_valid":
            made = leaf(issuing, names, begins_days=2, ends_days=92)
        else:
            made = leaf(issuing, names)
        chain = made.pem if kind == "missing_intermediate" else made.pem + issuing.pem
        return chain, made.key_pem

    @functools.cached_property
    def interception_pem(self) -> bytes:
        """The interceptor's root, for customers who were made to trust it."""
        return self.interception.root.pem

    @staticmethod
    def _chain(issuer: Authority, names: tuple[str, ...]) -> tuple[bytes, bytes]:
        made = leaf(issuer.issuing, names, filler=_REST_OF_A_PUBLIC_CERTIFICATE)
        return made.pem + issuer.issuing.pem, made.key_pem
