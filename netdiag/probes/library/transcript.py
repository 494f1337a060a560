"""What OpenSSL saw and sent in one handshake, message by message. The private APIs of ``ssl`` are wrapped here.

``SSLContext._msg_callback`` (CPython 3.8 and later) shows every alert and handshake message in both directions,
decrypted; ``get_unverified_chain`` (public from 3.13, on the private object before) yields the presented chain also
after verification failed. Where either is missing, less is recorded, and nothing breaks.
"""

import ssl
from typing import Any, Literal

from netdiag.evidence.record import Failure, FailureCode, Native
from netdiag.evidence.tls import Alert

# ContentType (RFC 8446 section 5.1).
_ALERT = 21
_HANDSHAKE = 22
_ENCODING_DER = 2  # _ssl.ENCODING_DER, X509_FILETYPE_ASN1 in OpenSSL

JUDGEMENT_MS = 1000
"""How long to wait for a word from a peer that asked for a certificate. It judges ours after our last flight, so that
its alert comes a round trip after the handshake (RFC 8446 section 4.4.2.4); silence is claimed only after 1 s."""


class Transcript:
    """The messages of one connection, as far as they bear on a diagnosis."""

    def __init__(self) -> None:
        self.works = False
        self.alerts: list[Alert] = []
        self.server_hello = False
        self.protocol: str | None = None
        self.certificate_asked = False
        self.ticket = False
        self.certificate_message = b""

    def note(self, direction: str, content_type: int, data: bytes) -> None:
        """One message; ``direction`` is ``read`` or ``write``."""
        self.works = True
        if content_type == _ALERT and len(data) == 2:
            self.alerts.append(Alert(direction="received" if direction == "read" else "sent", number=data[1]))
        if content_type != _HANDSHAKE or direction != "read" or not data:
            return
        match data[0]:  # HandshakeType (RFC 8446 section 4)
            case 2:  # ServerHello, or a HelloRetryRequest, which is an answer all the same
                self.server_hello = True
                self.protocol = protocol_of(data)
            case 4:  # NewSessionTicket
                self.ticket = True
            case 11:  # Certificate
                self.certificate_message = data
            case 13:  # CertificateRequest
                self.certificate_asked = True


class WatchedObject(ssl.SSLObject):
    """An ``SSLObject`` that keeps a transcript of its messages."""

    transcript: Transcript

    def chain(self) -> tuple[bytes, ...]:
        """The presented chain as DER, leaf first; empty when none came."""
        public = getattr(self, "get_unverified_chain", None)
        if public is not None:
            return tuple(public() or ())
        private = getattr(getattr(self, "_sslobj", None), "get_unverified_chain", None)
        if private is not None:
            return tuple(certificate.public_bytes(_ENCODING_DER) for certificate in private() or ())
        return chain_of(self.transcript.certificate_message, has_context=self.version() == "TLSv1.3")


def watch(context: ssl.SSLContext) -> None:
    """Make ``context`` yield ``WatchedObject``s. Doing so again changes nothing."""
    context.sslobject_class = WatchedObject
    if getattr(context, "_msg_callback", _note) is not _note:
        context._msg_callback = _note  # type: ignore[attr-defined]


def _note(connection: Any, direction: str, _version: int, content_type: int, _kind: int, data: bytes) -> None:
    transcript = getattr(connection, "transcript", None)
    if isinstance(transcript, Transcript):
        transcript.note(direction, int(content_type), data)


def refusal(op: Literal["handshake", "receive"], error: ssl.SSLError, transcript: Transcript) -> Failure:
    """Why OpenSSL gave up. An alert that the peer sent is kept by number; a verify code is no number of the wire."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Failure(op=op, code=FailureCode.CERT_REJECTED, text=error.verify_message)
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Failure(op=op, code=FailureCode.CLOSED, text=str(error))
    received = [alert.number for alert in transcript.alerts if alert.direction == "received"]
    native = Native(kind="tls-alert", number=received[-1]) if received else None
    return Failure(op=op, code=FailureCode.PROTOCOL, native=native, text=str(error))


def protocol_of(hello: bytes) -> str | None:
    """The version that a ServerHello chose: supported_versions (43) where it is there, else the legacy field
    (RFC 8446 sections 4.1.3 and 4.2.1). None for a version without a name here, or a message cut short."""
    chosen = hello[4:6]
    at = 38 + 1 + (hello[38] if len(hello) > 38 else 0) + 2 + 1 + 2
    while at + 4 <= len(hello):
        kind, length = int.from_bytes(hello[at : at + 2], "big"), int.from_bytes(hello[at + 2 : at + 4], "big")
        if kind == 43:
            chosen = hello[at + 4 : at + 6]
        at += 4 + length
    return _VERSIONS.get(chosen)


_VERSIONS = {b"\x03\x01": "TLSv1", b"\x03\x02": "TLSv1.1", b"\x03\x03": "TLSv1.2", b"\x03\x04": "TLSv1.3"}


def chain_of(message: bytes, *, has_context: bool) -> tuple[bytes, ...]:
    """The DER certificates in a Certificate message: TLS 1.2 (RFC 5246 section 7.4.2) or, with ``has_context``, TLS 1.3
    (RFC 8446 section 4.4.2). What is cut short ends the chain."""
    at = 4
    if has_context:
        at += 1 + message[at] if len(message) > at else 1
    at += 3
    chain: list[bytes] = []
    while at + 3 <= len(message):
        length = int.from_bytes(message[at : at + 3], "big")
        der = message[at + 3 : at + 3 + length]
        if len(der) < length:
            break
        chain.append(der)
        at += 3 + length
        if has_context:
            at += 2 + int.from_bytes(message[at : at + 2], "big")
    return tuple(chain)
