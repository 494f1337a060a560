"""A small web server in threads: HTTP on 80, HTTPS on 443 with a certificate minted for whatever name is asked for."""

from __future__ import annotations

import contextlib
import dataclasses
import email.utils
import functools
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable

# (certificate chain, key), both PEM, for these names
Mint = Callable[[tuple[str, ...]], tuple[bytes, bytes]]


@dataclasses.dataclass(frozen=True)
class Request:
    """The head of a request; bodies are not read."""

    method: str
    path: str
    host: str
    tls: bool
    head: bytes


@dataclasses.dataclass(frozen=True)
class Reply:
    """What to answer; ``Date``, ``Content-Length`` and ``Connection`` are added."""

    status: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    def encode(self, *, head_only: bool) -> bytes:
        """The bytes on the wire (HTTP/1.1)."""
        lines = [
            f"HTTP/1.1 {self.status}",
            f"Date: {email.utils.formatdate(usegmt=True)}",
            *(f"{name}: {value}" for name, value in self.headers),
        ]
        if not self.status.startswith("204"):
            lines.append(f"Content-Length: {len(self.body)}")
        lines.append("Connection: close")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if head_only else self.body)


Handler = Callable[[Request], Reply]


def context_for(mint: Mint, names: tuple[str, ...]) -> ssl.SSLContext:
    """A server context with a certificate for these names."""
    chain, key = mint(names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    with tempfile.NamedTemporaryFile(dir="/run/lab", suffix=".pem") as file:
        file.write(chain + key)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def minting_context(mint: Mint) -> Callable[[str], ssl.SSLContext]:
    """A maker of server contexts for a local address; the certificate follows the name that the client asks for."""

    @functools.lru_cache(maxsize=256)
    def named(names: tuple[str, ...]) -> ssl.SSLContext:
        return context_for(mint, names)

    def for_address(address: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

        def choose(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
            connection.context = named((name, address) if name else (address,))

        context.sni_callback = choose
        context.set_alpn_protocols(["http/1.1"])
        # Without SNI OpenSSL asks nobody, so the context itself answers as the bare address.
        chain, key = mint((address,))
        with tempfile.NamedTemporaryFile(dir="/run/lab", suffix=".pem") as file:
            file.write(chain + key)
            file.flush()
            context.load_cert_chain(file.name)
        return context

    return functools.lru_cache(maxsize=256)(for_address)


def read_head(connection: socket.socket) -> bytes:
    """Bytes up to the blank line, 16 kB at most; empty when the peer closes first. Raises OSError."""
    data = b""
    while b"\r\n\r\n" not in data and len(data) < 16384:
        more = connection.recv(4096)
        if not more:
            return b""
        data += more
    return data


def parse(head: bytes, *, tls: bool) -> Request | None:
    """The request line and Host, or None for what is no HTTP."""
    lines = head.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/"):
        return None
    host = next((line.partition(":")[2].strip() for line in lines[1:] if line.lower().startswith("host:")), "")
    return Request(parts[0], parts[1], host.lower(), tls, head)


def _session(connection: socket.socket, handler: Handler, contexts: Callable[[str], ssl.SSLContext] | None) -> None:
    with contextlib.suppress(OSError, ValueError), contextlib.ExitStack() as stack:
        connection.settimeout(15)
        stack.enter_context(connection)
        active = connection
        if contexts is not None:
            address = connection.getsockname()[0].removeprefix("::ffff:")
            active = stack.enter_context(contexts(address).wrap_socket(connection, server_side=True))
        request = parse(read_head(active), tls=contexts is not None)
        if request is None:
            return
        active.sendall(handler(request).encode(head_only=request.method == "HEAD"))
        if isinstance(active, ssl.SSLSocket):
            with contextlib.suppress(OSError):
                active = active.unwrap()
        active.shutdown(socket.SHUT_WR)
        active.recv(1)  # wait for the client's end: closing with unread bytes would reset the connection


def listen(port: int, handler: Handler, mint: Mint | None = None) -> threading.Thread:
    """Serve on a port of every address of this namespace, in a daemon thread; listening already on return."""
    contexts = minting_context(mint) if mint is not None else None
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=128)

    def loop() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_session, args=(connection, handler, contexts), daemon=True).start()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    return thread
