"""A vendor service that accepts and then fails in one of the ways that real ones do."""

from __future__ import annotations

import contextlib
import signal
import socket
import ssl
import struct
import tempfile
import threading
import time
from typing import Final

from tests.netns.scenario import ServerKind

_HOLD_SECONDS: Final = 120.0  # longer than any client of the lab waits
_SLOW_SECONDS: Final = 4.0
_SLOW: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\nConnection: close\r\n\r\n"
    b'{"status":"ok"}\n'
)
_CUT: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\nConnection: close\r\n\r\n"
    b'{"status":"ok","service":"api","regions":[{"name":"'
)
_PLAIN: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 12\r\nConnection: close\r\n\r\n"
    b"Bad Request\n"
)


def _context(chain: bytes, key: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(dir="/run/lab", suffix=".pem") as file:
        file.write(chain + key)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _reset(session: socket.socket) -> None:
    """Close with RST instead of FIN (SO_LINGER with 0 seconds, socket(7))."""
    session.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    session.close()


def _session(kind: ServerKind, session: socket.socket, context: ssl.SSLContext) -> None:
    with contextlib.suppress(OSError), contextlib.closing(session):
        session.settimeout(_HOLD_SECONDS)
        if kind == "accept_silent":
            while session.recv(4096):
                pass
            time.sleep(_HOLD_SECONDS)
        elif kind == "accept_close":
            session.recv(4096)
        elif kind == "accept_reset":
            session.recv(4096)
            _reset(session)
        elif kind == "plain_http":
            session.recv(4096)
            session.sendall(_PLAIN)
        else:
            with context.wrap_socket(session, server_side=True) as secure:
                secure.recv(4096)
                if kind == "tls_silent":
                    time.sleep(_HOLD_SECONDS)
                elif kind == "tls_cut_body":
                    secure.sendall(_CUT)
                    secure.unwrap()
                elif kind == "tls_slow":
                    time.sleep(_SLOW_SECONDS)
                    secure.sendall(_SLOW)


def serve(kind: ServerKind, chain: bytes, key: bytes, port: int = 443) -> None:
    """Serve for ever on every address of this namespace. ``accept_never`` leaves connections in a queue that holds one
    (listen(2) with backlog 0): the kernel completes the first and drops the SYNs of all others."""
    if kind == "accept_never":
        with socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=0):
            signal.pause()
    context = _context(chain, key)
    with socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=128) as listener:
        while True:
            session, _ = listener.accept()
            threading.Thread(target=_session, args=(kind, session, context), daemon=True).start()
