"""What a client says first on a connection, as bytes: the ClientHello of the real handshake, or a plain request."""

import contextlib
import ssl

from netdiag.probes.base import Payload, Request
from netdiag.probes.library import trust
from netdiag.probes.library.web import Identity

UNFINISHED_RECORD = b"\x17\x03\x03\x40\x00" + bytes(64)
"""The beginning of a TLS record that never ends (RFC 8446 section 5.1: application data, 16 kB): a peer reads on and
waits, whatever it said before, and has nothing to answer but its TCP's acknowledgement."""

UNFINISHED_REQUEST = b"GET /" + bytes(b"n" * 64)
"""The beginning of a further HTTP request, for the same use."""


def opening(payload: Payload, identity: Identity) -> bytes:
    """The bytes of ``payload``. Raises ``ValueError`` for what is no server name."""
    if payload.kind == "client_hello":
        return client_hello(payload.name)
    sent = identity.headers(Request(url=f"http://{payload.name}{payload.path}"))
    fields = {"Host": payload.name, **sent, "Accept": "*/*"}
    lines = [f"GET {payload.path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode("ascii", "replace")


def client_hello(name: str) -> bytes:
    """A ClientHello for ``name`` in one TLS record, made by OpenSSL with the settings of the real handshake, so that a
    filter sees the same. A name that is an address sends no server name. Raises ``ValueError`` for no name at all."""
    written = ssl.MemoryBIO()
    context = trust.context("system", ("h2", "http/1.1"))
    connection = context.wrap_bio(ssl.MemoryBIO(), written, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        connection.do_handshake()
    return written.read()


def begins_server_hello(data: bytes) -> bool:
    """A TLS handshake record (type 22) whose first message is a ServerHello (type 2): RFC 8446 sections 5.1 and 4."""
    return len(data) > 5 and data[0] == 22 and data[5] == 2
