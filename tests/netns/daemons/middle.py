"""What may sit at the customer's first hop (a captive portal, a TLS interceptor, an explicit proxy), and boxes there or
further on that answer in others' place."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from tests.netns import namespaces as ns
from tests.netns.daemons import web
from tests.netns.pki import self_signed
from tests.netns.scenario import Box, Gateway

if TYPE_CHECKING:
    from tests.netns.assembly import Assembly

PORTAL_HTTP: Final = 8880
PORTAL_HTTPS: Final = 8843
INTERCEPTOR: Final = 8943
PROXY: Final = 3128
BOX: Final = 9000  # and the port that is taken
BOX_NAME: Final = "notice.filter-operations.example"
_ALERT: Final = b"\x15\x03\x03\x00\x02\x02\x28"  # fatal handshake_failure (40), RFC 8446 section 6
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
        lab.fork("gateway", "interceptor", lambda: _intercept(INTERCEPTOR, lab.pki.intercepted_chain))
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


def start_box(lab: Assembly, box: Box) -> None:
    """Take the port over at every role that the scenario names. Raises LabError."""
    taken = {"ip daddr {vendor_net4} ", "ip6 daddr {vendor_net6} "} if box.takes == "vendor" else {""}
    rules = [
        f"add rule inet box{box.port} prerouting {whom}tcp dport {box.port} redirect to :{BOX + box.port}"
        for whom in taken
    ]
    chain = "type nat hook prerouting priority -110; "
    for role in (box.at,) if isinstance(box.at, str) else box.at:
        lab.fork(role, f"{role}-box", lambda: _serve_box(lab, box))
        lab.wait_for(role, "127.0.0.1", BOX + box.port)
        table = f"table inet box{box.port} {{ chain prerouting {{ {chain}}}; }}"
        ns.nft(lab.network.node(role).name, "\n".join([table, *map(lab.fill, rules)]) + "\n")


def _serve_box(lab: Assembly, box: Box) -> None:
    """Answer for ever as the scenario says."""
    port = BOX + box.port
    headers = tuple((name, lab.fill(value)) for name, value in box.headers.items())
    reply = web.Reply(box.status, lab.fill(box.body).encode(), (_HTML, *headers))
    if box.answer != "page":
        _accept(port, lambda session: _break(session, box.answer, reply))
    elif box.certificate == "company":
        _intercept(port, lab.pki.intercepted_chain, {lab.network.vendor.name: reply})
    else:
        web.listen(port, lambda _: reply, _certificate(lab, box)).join()


def _certificate(lab: Assembly, box: Box) -> web.Mint | None:
    """The one certificate that a box shows whatever name is asked for."""
    if box.certificate == "none":
        return None
    if box.certificate == "own_name":
        chain, key = lab.pki.control_chain((BOX_NAME,))
    else:
        own = self_signed([BOX_NAME])
        chain, key = own.pem, own.key_pem
    return lambda _: (chain, key)


def _break(session: socket.socket, how: str, reply: web.Reply) -> None:
    """Hear what is said first, and answer it with an alert, a page in plain text, or never."""
    session.recv(4096)
    if how != "silent":
        session.sendall(_ALERT if how == "alert" else reply.encode(head_only=False))
        session.shutdown(socket.SHUT_WR)
    while session.recv(4096):
        pass


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


def _intercept(port: int, mint: web.Mint, own: Mapping[str, web.Reply] = {}) -> None:
    """Terminate TLS with a certificate of its own for the name asked for, and go on to the real server; what asks for
    a name of ``own`` is answered by the interceptor itself."""

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
            if asked and asked[0] in own:
                _answer(near, own[asked[0]])
                return
            with near, inner.wrap_socket(far, server_hostname=asked[0] if asked else None) as server:
                _pump(near, server)

    _accept(port, work)


def _answer(session: ssl.SSLSocket, reply: web.Reply) -> None:
    """One request over TLS, answered here."""
    with session:
        request = web.parse(web.read_head(session), tls=True)
        if request is not None:
            session.sendall(reply.encode(head_only=request.method == "HEAD"))
            session.unwrap()


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
