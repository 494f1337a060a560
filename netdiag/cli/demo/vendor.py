"""The demonstration's vendor: a small real HTTPS server on loopback that blocks an address which connects too often."""

import socket
import socketserver
import ssl
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MAX_CONNECTIONS, WINDOW_S = 20, 10.0
"""More than this many connections in that many seconds from one address, and the address is blocked for good."""

LIFETIME_S = 30.0
"""How long a connection on which nothing is said is kept: longer than a collect waits for it."""

Answer = Callable[["Handler"], None]


class Guard:
    """Counts the connections of each client address and remembers which it blocked."""

    def __init__(self) -> None:
        self._times: defaultdict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()
        self.blocked: set[str] = set()

    def saw(self, client: str) -> None:
        """One more connection of ``client``, now."""
        now = time.monotonic()
        with self._lock:
            times = self._times[client]
            times.append(now)
            while times[0] < now - WINDOW_S:
                times.popleft()
            if len(times) > MAX_CONNECTIONS:
                self.blocked.add(client)


class Handler(BaseHTTPRequestHandler):
    """One connection. What is answered is the server's ``answer``."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:  # the name that http.server asks for
        self.server.answer(self)

    def reply(self, status: int, body: str, **headers: str) -> None:
        """A whole answer; header names with ``_`` for ``-``."""
        raw = body.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "text/plain", "Content-Length": str(len(raw)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(raw)

    def version_string(self) -> str:
        return "demo-vendor"

    def log_message(self, *_: Any) -> None:
        """The vendor's log is not part of the show."""


class Server(ThreadingHTTPServer):
    """HTTPS on ``address``, a free port."""

    daemon_threads = True

    def __init__(self, address: str, certificate: Path, answer: Answer) -> None:
        self.answer = answer
        self.guard = Guard()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        super().__init__((address, 0), Handler)

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"https://{host!s}:{port}/"

    def server_bind(self) -> None:
        """Without HTTPServer's look-up of the address's name: that would send a question off the machine."""
        socketserver.TCPServer.server_bind(self)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Handshakes happen in the connection's own thread, so that a silent client holds up nobody else."""
        self.guard.saw(client_address[0])
        request.settimeout(LIFETIME_S)
        try:
            with self._context.wrap_socket(request, server_side=True) as secured:
                super().process_request_thread(secured, client_address)
        except OSError:
            pass  # clients of this server hang up, time out and reject certificates: that is the show
        finally:
            request.close()

    def handle_error(self, *_: Any) -> None:
        """As above."""

    def __enter__(self) -> "Server":
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


def welcome(handler: Handler) -> None:
    """The service as it is when all is well."""
    handler.reply(200, "Welcome to the vendor's API.\n")


def welcome_unless_blocked(handler: Handler) -> None:
    """The service behind its guard."""
    client = handler.client_address[0]
    if client in handler.server.guard.blocked:
        handler.reply(403, f"Your IP address {client} has been blocked: too many connections.\n")
    else:
        welcome(handler)


def slow_down(handler: Handler) -> None:
    """A rate limit that says so (RFC 6585 section 4)."""
    handler.reply(429, "Too many requests.\n", Retry_After="120")


def never_answer(handler: Handler) -> None:
    """An application that hangs: the request was read, and no byte ever comes back."""
    while handler.connection.recv(4096):
        pass


def knock(url: str, from_address: str, times: int) -> None:
    """A busy client application: ``times`` connections to ``url``, one after the other, without a word."""
    host, port = url.removeprefix("https://").rstrip("/").split(":")
    for _ in range(times):
        with socket.create_connection((host, int(port)), timeout=5, source_address=(from_address, 0)):
            pass
