"""What may sit at the customer's first hop: a captive portal, a TLS interceptor, an explicit proxy."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tests.netns import namespaces as ns
from tests.netns.daemons import web
from tests.netns.scenario import Gateway

if TYPE_CHECKING:
    from tests.netns.assembly import Assembly

PORTAL_HTTP: Final = 8880
PORTAL_HTTPS: Final = 8843
INTERCEPTOR: Final = 8943
PROXY: Final = 3128
_ORIGINAL_DST: Final = 80  # SO_ORIGINAL_DST (linux/netfilter_ipv4.h), the same number as IP6T_SO_ORIGINAL_DST
_HTML: Final = ("Content-Type", "text/html; charset=utf-8")


def start(lab: Assembly, options: Gateway) -> None:
    """Start what the scenario asks for on the gateway. Raises LabError."""
    rules = []
    if options.portal:
        # Before login a portal sends all web traffic of the LAN to itself; DNS passes.
        rules += [
            f"iifname br-lan tcp dport 80 redirect to :{PORTAL_HTTP}",
            f"iifname br-lan tcp dport 443 redirect to :{PORTAL_HTTPS}",
        ]
        lab.fork("gateway", "portal", lambda: _portal(lab))
        lab.wait_for("gateway", lab.known["gateway4"], PORTAL_HTTPS)
    if options.interception:
        rules.append(f"iifname br-lan tcp dport 443 redirect to :{INTERCEPTOR}")
        lab.fork("gateway", "interceptor", lambda: _intercept(lab.pki.intercepted_chain))
        lab.wait_for("gateway", lab.known["gateway4"], INTERCEPTOR)
    if options.proxy != "none":
        start_proxy(lab, "gateway", options.proxy)
    if rules:
        chain = "type nat hook prerouting priority -100; "
        ns.nft(
            lab.network.node("gateway").name,
            f"table inet middle {{ chain prerouting {{ {chain}}}; }}\n"
            + "".join(f"add rule inet middle prerouting {rule}\n" for rule in rules),
        )


def start_proxy(lab: Assembly, role: str, kind: str) -> None:
    """Start an explicit proxy of this kind on the machine of ``role``. Raises LabError."""
    lab.fork(role, f"{role}-proxy", lambda: _accept(PROXY, lambda session: _proxy(session, kind)))
    lab.wait_for(role, lab.known[f"{role}4"], PROXY)


def _accept(port: int, work: Callable[[socket.socket], None]) -> None:
    """Serve a port for ever, one thread a connection."""
    with socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=128) as listener:

        def one(session: socket.socket) -> None:
            with contextlib.suppress(OSError, ValueError), session:
                session.settimeout(20)
                work(session)

        while True:
            session, _ = listener.accept()
            threading.Thread(target=one, args=(session,), daemon=True).start()


def _portal(lab: Assembly) -> None:
    """HTTP: to the login page; HTTPS: a certificate of the portal's own name, which no client trusts."""
    login = f"http://{lab.known['gateway4']}:{PORTAL_HTTP}/login"

    def handle(request: web.Request) -> web.Reply:
        if request.path.startswith("/login"):
            page = b"<!doctype html><title>Guest network</title><h1>Please log in to use this network</h1>\n"
            return web.Reply("200 OK", page, (_HTML, ("Cache-Control", "no-store")))
        return web.Reply("302 Found", b"", (("Location", login), ("Cache-Control", "no-store")))

    from tests.netns.pki import self_signed  # noqa: PLC0415 - only portals need it

    own = self_signed(["login.guest-network.lan"])
    web.listen(PORTAL_HTTP, handle)
    web.listen(PORTAL_HTTPS, handle, lambda _: (own.pem, own.key_pem)).join()


def _original(session: socket.socket) -> tuple[str, int]:
    """Where a redirected connection was going. Raises OSError."""
    if session.getpeername()[0].startswith("::ffff:"):
        raw = session.getsockopt(socket.IPPROTO_IP, _ORIGINAL_DST, 16)
        return socket.inet_ntoa(raw[4:8]), struct.unpack("!H", raw[2:4])[0]
    raw = session.getsockopt(socket.IPPROTO_IPV6, _ORIGINAL_DST, 28)
    return socket.inet_ntop(socket.AF_INET6, raw[8:24]), struct.unpack("!H", raw[2:4])[0]


def _intercept(mint: web.Mint) -> None:
    """Terminate TLS with a certificate of its own for the name asked for, and go on to the real server."""

    def work(session: socket.socket) -> None:
        address, port = _original(session)
        asked: list[str] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

        def choose(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
            asked.append(name or address)
            connection.context = web.context_for(mint, (asked[0],))

        context.sni_callback = choose
        inner = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        inner.check_hostname = False
        inner.verify_mode = ssl.CERT_NONE
        # The far side first, like real products: an unreachable server is not hidden behind a completed handshake.
        with socket.create_connection((address, port), timeout=10) as far:
            near = context.wrap_socket(session, server_side=True)
            with near, inner.wrap_socket(far, server_hostname=asked[0] if asked else None) as server:
                _pump(near, server)

    _accept(INTERCEPTOR, work)


def _pump(one: socket.socket, other: socket.socket) -> None:
    """Copy bytes both ways until either side ends."""

    def copy(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            while data := source.recv(16384):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    if isinstance(one, ssl.SSLSocket) or isinstance(other, ssl.SSLSocket):
        back = threading.Thread(target=copy, args=(other, one), daemon=True)
        back.start()
        copy(one, other)
        back.join(20)
        return
    sinks = {one: other, other: one}
    while sinks:
        ready, _, _ = select.select(list(sinks), [], [], 30)
        if not ready:
            return
        for source in ready:
            data = source.recv(16384)
            if data:
                sinks[source].sendall(data)
            else:
                sink = sinks.pop(source)
                with contextlib.suppress(OSError):
                    sink.shutdown(socket.SHUT_WR)


_REFUSALS: Final = {
    "auth_required": web.Reply(
        "407 Proxy Authentication Required",
        b"<html><body><h1>Cache Access Denied</h1></body></html>\n",
        (("Server", "squid/5.7"), ("Proxy-Authenticate", 'Basic realm="Web proxy"'), _HTML),
    ),
    "forbidding": web.Reply(
        "403 Forbidden",
        b"<html><body><h1>Access Denied</h1><p>Access control configuration prevents your request.</p></body></html>\n",
        (("Server", "squid/5.7"), ("X-Squid-Error", "ERR_ACCESS_DENIED 0"), _HTML),
    ),
}


def _proxy(session: socket.socket, kind: str) -> None:
    """One connection to an explicit proxy: CONNECT, or a request with an absolute http URL."""
    head = web.read_head(session)
    request = web.parse(head, tls=False)
    if request is None:
        return
    if kind in _REFUSALS:
        session.sendall(_REFUSALS[kind].encode(head_only=False))
        session.shutdown(socket.SHUT_WR)
        session.recv(1)
        return
    connect = request.method == "CONNECT"
    authority = request.path if connect else request.path.partition("://")[2].partition("/")[0]
    host, port = _host_port(authority, 443 if connect else 80)
    try:
        far = socket.create_connection((host, port), timeout=10)
    except OSError as error:
        status = "504 Gateway Timeout" if isinstance(error, TimeoutError) else "503 Service Unavailable"
        headers = (("Server", "squid/5.7"), ("X-Squid-Error", "ERR_CONNECT_FAIL 110"), _HTML)
        session.sendall(web.Reply(status, b"", headers).encode(head_only=False))
        return
    with far:
        if connect:
            session.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            path = "/" + request.path.partition("://")[2].partition("/")[2]
            far.sendall(head.replace(request.path.encode(), path.encode(), 1))
        _pump(session, far)


def _host_port(text: str, default: int) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        return text.strip("[]"), default
    return host.strip("[]"), int(port)
