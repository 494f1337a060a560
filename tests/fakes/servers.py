"""Local TCP servers whose behaviour is one function of the accepted connection."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator

Handle = Callable[[socket.socket], None]


@contextlib.contextmanager
def serving(handle: Handle, address: str = "127.0.0.1") -> Iterator[int]:
    """Accept on a free port of ``address`` and hand each connection to ``handle`` in a thread; yields the port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.create_server((address, 0), family=family)
    open_ones: list[socket.socket] = []

    def serve(accepted: socket.socket) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            handle(accepted)
        accepted.close()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                accepted, _ = listener.accept()
                open_ones.append(accepted)
                threading.Thread(target=serve, args=(accepted,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for one in open_ones:
            one.close()


def reset(connection: socket.socket) -> None:
    """Close ``connection`` with an RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def wait_for_close(connection: socket.socket) -> None:
    """Say nothing until the peer is gone."""
    with contextlib.suppress(OSError):
        while connection.recv(65536):
            pass


def read_head(connection: socket.socket) -> bytes:
    """One HTTP head, or what came before the end."""
    head = b""
    while b"\r\n\r\n" not in head and (piece := connection.recv(65536)):
        head += piece
    return head


def answering(*pieces: bytes) -> Handle:
    """Read a request's head, send ``pieces``, close."""

    def handle(connection: socket.socket) -> None:
        read_head(connection)
        for piece in pieces:
            connection.sendall(piece)

    return handle


def over_tls(context: ssl.SSLContext, handle: Handle) -> Handle:
    """``handle`` inside TLS."""

    def secured(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            handle(secure)

    return secured
