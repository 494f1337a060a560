"""Handshake records of one address and port -> TlsState."""

from collections.abc import Sequence
from typing import Literal

from netdiag.evidence.record import FailureCode
from netdiag.evidence.tls import Certificate, Handshake
from netdiag.facts.derivation.book import Book
from netdiag.facts.target import TlsState

How = Literal["ok", "untrusted", "alert", "reset", "closed", "silent", "not_tls", "failed"]

UNTRUSTED_ISSUER = frozenset({18, 19, 20, 21})
"""X509_V_ERR_*: self-signed leaf, self-signed certificate in the chain, issuer not found, leaf not verifiable."""
TIME_CODES = frozenset({9, 10})
"""X509_V_ERR_*: not yet valid, expired."""

_CLOSE_NOTIFY = 0  # RFC 8446 section 6.1: an end, not an error

_ORDER: tuple[How, ...] = ("ok", "untrusted", "alert", "not_tls", "reset", "closed", "silent", "failed")


def how_of(record: Handshake, book: Book) -> How | None:
    """How one handshake went; None when the wait was too short to call it silence."""
    failure = record.failure
    if failure is None:
        return "ok"
    if failure.code is FailureCode.CERT_REJECTED:
        return "untrusted"
    if alert_of(record) is not None:
        return "alert"
    if record.first_bytes and not record.server_hello:
        return "not_tls"
    if failure.code is FailureCode.TIMED_OUT:
        return "silent" if book.waited(record) else None
    if failure.code is FailureCode.RESET:
        return "reset"
    if failure.code is FailureCode.CLOSED:
        return "closed"
    return "failed"


def alert_of(record: Handshake) -> int | None:
    """The error alert that the peer sent."""
    return next((a.number for a in record.alerts if a.direction == "received" and a.number != _CLOSE_NOTIFY), None)


def tls_state(records: Sequence[Handshake], book: Book) -> TlsState | None:
    """All handshakes with one address, the most telling one described."""
    told = [(how, record) for record in records if (how := how_of(record, book)) is not None]
    if not told:
        return None
    how, record = min(told, key=lambda pair: _ORDER.index(pair[0]))
    codes = {verification.store: verification.code for verification in record.verifications}
    return TlsState(
        how=how,
        verify_code=codes.get("system"),
        mozilla_code=codes.get("mozilla"),
        alert=alert_of(record),
        acked=_all_acked(record),
        server_hello=record.server_hello,
        leaf=record.chain[0] if record.chain else None,
        issuer=record.chain[0].issuer if record.chain else None,
        chain_length=len(record.chain),
        client_certificate_asked=record.client_certificate_asked,
    )


def _all_acked(record: Handshake) -> bool | None:
    """The greeting was acknowledged, and so was what followed the peer's answer to it, as far as TCP had to repeat it:
    who answers a greeting and never gets the rest is silent for no reason of his own."""
    info = record.tcp
    if record.acked is True and record.server_hello and info is not None and info.unacked > 0 and info.retransmits > 0:
        return False
    return record.acked


def is_vouched_for(state: TlsState | None) -> bool:
    """The presented certificate is good for the name, in the system's store and, where it was asked, in Mozilla's too:
    an interceptor's authority is in the first only (fault-signatures L19)."""
    return state is not None and state.how == "ok" and state.mozilla_code in (None, 0)


def is_public(state: TlsState | None) -> bool:
    """The presented certificate is good for the name by Mozilla's list: who presents it has the key for a name that a
    public authority checked."""
    return state is not None and state.how == "ok" and state.mozilla_code == 0


def names_a_public_issuer(state: TlsState) -> bool:
    """It comes from an authority of Mozilla's list, whatever else is wrong with it (OpenSSL reports an unknown issuer
    before a date or a name)."""
    return state.mozilla_code is not None and state.mozilla_code not in UNTRUSTED_ISSUER


def covers(leaf: Certificate, host: str) -> bool:
    """Whether the certificate names ``host`` (RFC 6125: a wildcard stands for one whole leftmost label)."""
    host = host.lower().rstrip(".")
    parent = host.partition(".")[2]
    return any(name.lower() in (host, f"*.{parent}" if parent else host) for name in leaf.names)
