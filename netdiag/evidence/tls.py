"""Records of TLS handshakes and the certificates that were presented in them."""

from typing import Annotated, Literal

import msgspec

from netdiag.evidence.record import Byte, Observed, Struct, UInt
from netdiag.evidence.transport import TcpInfo

UnixSeconds = Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]


class Certificate(Struct, frozen=True, kw_only=True):
    """One presented certificate. Dates are seconds since the epoch; ``sha256`` is of the DER, ``key_sha256`` of the
    SubjectPublicKeyInfo, both hex. ``names`` are the subjectAltName dNSName and iPAddress entries."""

    subject: str
    issuer: str
    not_before: UnixSeconds
    not_after: UnixSeconds
    names: tuple[str, ...] = ()
    is_ca: bool = False
    self_signed: bool = False
    issuer_url: str | None = None
    sha256: str
    key_sha256: str


class Verification(Struct, frozen=True, kw_only=True):
    """What one trust store says of the presented chain, by OpenSSL's verify code (X509_V_ERR_*; 0 is good).

    ``store``: ``system`` (the platform's, SSL_CERT_FILE honoured) or ``mozilla`` (certifi's).
    """

    store: Literal["system", "mozilla"]
    code: UInt
    message: str = ""


class Alert(Struct, frozen=True, kw_only=True):
    """A TLS alert seen on the wire, by its number (RFC 8446 section 6)."""

    direction: Literal["received", "sent"]
    number: Byte


class Handshake(Observed, frozen=True, kw_only=True, tag="handshake"):
    """One TLS handshake on the connection ``caused_by``. The presented chain is kept also when verification fails.

    ``failure`` None: handshake and verification against the ``system`` store worked. ``server_hello`` says that a
    ServerHello arrived, ``acked`` that the ClientHello was acknowledged by the peer's TCP (tcpi_unacked 0).
    ``client_certificate_asked``: a CertificateRequest was seen.
    """

    server_name: str | None = None
    protocol: str | None = None
    cipher: str | None = None
    alpn: str | None = None
    server_hello: bool | None = None
    client_certificate_asked: bool | None = None
    acked: bool | None = None
    chain: tuple[Certificate, ...] = ()
    verifications: tuple[Verification, ...] = ()
    alerts: tuple[Alert, ...] = ()
    first_bytes: str | None = None
    tcp: TcpInfo | None = None
