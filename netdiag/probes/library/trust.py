"""The two trust stores, and what each says of a presented chain.

``system`` is what this machine's programs trust, ``mozilla`` is certifi's copy. That they differ is itself a sign:
an inspection root is installed in the first only.
"""

import os
import ssl
import struct
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import certifi

from netdiag.evidence.tls import Verification

Store = Literal["system", "mozilla"]

# Where distributions keep their roots when OpenSSL's own default does not exist (the list of truststore 0.10).
_CA_FILES = (
    "/etc/ssl/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/ca-bundle.pem",
)
_lock = threading.Lock()
_contexts: dict[tuple[str | None, ...], ssl.SSLContext] = {}


def context(store: Store, alpn: Sequence[str] = ()) -> ssl.SSLContext:
    """A client context that demands a certificate good for the name, by ``store``; made once and shared by threads.

    The common name is never a name (RFC 9110 section 4.3.4): ``hostname_checks_common_name`` is off. TLS 1.2 is the
    least, as in browsers (RFC 8996), whatever the distribution's Python was built with. The verify flags are those of
    ``PROTOCOL_TLS_CLIENT`` on every Python, so that one chain has one verify code.
    """
    key = (store, *alpn, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    with _lock:
        if key not in _contexts:
            made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            made.hostname_checks_common_name = False
            made.minimum_version = ssl.TLSVersion.TLSv1_2
            if alpn:
                made.set_alpn_protocols(list(alpn))
            _load(made, store)
            _contexts[key] = made
        return _contexts[key]


def _load(made: ssl.SSLContext, store: Store) -> None:
    if store == "mozilla":
        made.load_verify_locations(cafile=certifi.where())
        return
    # Honours SSL_CERT_FILE and SSL_CERT_DIR; a hashed directory is read lazily (2 ms instead of 70). On Windows it
    # reads the system's stores.
    made.load_default_certs()
    defaults = ssl.get_default_verify_paths()
    nothing_there = not defaults.cafile and not _has_certificates(defaults.capath)
    if os.name == "posix" and nothing_there:
        found = next((path for path in _CA_FILES if Path(path).is_file()), None)
        if found is not None:
            made.load_verify_locations(cafile=found)


def _has_certificates(directory: str | None) -> bool:
    return bool(directory) and any(Path(directory or "").glob("*.[0-9]"))


def second_opinion(store: Store, chain: Sequence[bytes], name: str) -> Verification | None:
    """What ``store`` says of ``chain`` (DER, leaf first) for ``name`` (host name or address), without a connection.

    A TLS 1.2 client verifies the chain when it reads the server's Certificate message, before any proof of the key
    (RFC 5246 section 7.4.2). So OpenSSL is shown a ServerHello and that message from memory, and its own code comes
    back. None when this OpenSSL does not get that far (TLS 1.2 disabled, a kind of key that TLS 1.2 has not).
    """
    for suite in _SUITES:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = context(store).wrap_bio(incoming, outgoing, server_hostname=name)
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            incoming.write(_server_flight(chain, suite))
        except ssl.SSLError:
            return None
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            return Verification(store=store, code=0)
        except ssl.SSLCertVerificationError as refused:
            return Verification(store=store, code=refused.verify_code, message=refused.verify_message)
        except ssl.SSLError:
            continue
    return None


# TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 and TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 (RFC 5289). The suite must suit the
# leaf's key; OpenSSL looks at that only after it has verified the chain.
_SUITES = (b"\xc0\x2f", b"\xc0\x2b")


def _server_flight(chain: Sequence[bytes], suite: bytes) -> bytes:
    """A TLS 1.2 ServerHello (with an empty renegotiation_info, RFC 5746) and a Certificate message, in records."""
    hello = b"\x03\x03" + os.urandom(32) + b"\x00" + suite + b"\x00" + b"\x00\x05" + b"\xff\x01\x00\x01\x00"
    entries = b"".join(_with_length(der) for der in chain)
    messages = b"\x02" + _with_length(hello) + b"\x0b" + _with_length(_with_length(entries))
    pieces = [messages[start : start + 2**14] for start in range(0, len(messages), 2**14)]
    return b"".join(b"\x16\x03\x03" + struct.pack(">H", len(piece)) + piece for piece in pieces)


def _with_length(data: bytes) -> bytes:
    return len(data).to_bytes(3, "big") + data
