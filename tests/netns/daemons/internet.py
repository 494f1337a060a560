"""The sites of the rest of the internet, captive-portal check pages among them."""

from __future__ import annotations

from tests.netns.daemons.web import Reply, Request

_HTML = ("Content-Type", "text/html; charset=utf-8")
_TEXT = ("Content-Type", "text/plain")

# Checked against what browsers and systems expect to the byte (their documented connectivity checks).
_APPLE = b"<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"
CHECKS: dict[tuple[str, str], Reply] = {
    ("connectivitycheck.gstatic.com", "/generate_204"): Reply("204 No Content"),
    ("www.gstatic.com", "/generate_204"): Reply("204 No Content"),
    ("cp.cloudflare.com", "/generate_204"): Reply("204 No Content"),
    ("cp.cloudflare.com", "/"): Reply("204 No Content"),
    ("detectportal.firefox.com", "/success.txt"): Reply("200 OK", b"success\n", (_TEXT,)),
    ("captive.apple.com", "/hotspot-detect.html"): Reply("200 OK", _APPLE, (_HTML,)),
    ("captive.apple.com", "/"): Reply("200 OK", _APPLE, (_HTML,)),
    ("www.msftconnecttest.com", "/connecttest.txt"): Reply("200 OK", b"Microsoft Connect Test", (_TEXT,)),
    ("nmcheck.gnome.org", "/check_network_status.txt"): Reply("200 OK", b"NetworkManager is online\n", (_TEXT,)),
    ("network-test.debian.org", "/nm"): Reply("200 OK", b"NetworkManager is online\n", (_TEXT,)),
}

# The pages of the public resolvers are of this order; the others are as short as a lab needs them.
_LARGE_PAGES = frozenset({"one.one.one.one", "dns.google", "dns.quad9.net"})
_LARGE_BYTES = 60_000


def handle(request: Request) -> Reply:
    """Any host, any path: the check pages as they are, a plain page for the rest."""
    host = request.host.partition(":")[0]
    check = CHECKS.get((host, request.path.partition("?")[0]))
    if check is not None:
        return check
    body = f"<!doctype html><title>{host}</title><h1>{host}</h1>\n".encode("latin-1", "replace")
    if host in _LARGE_PAGES:
        body = body.ljust(_LARGE_BYTES, b" ")
    return Reply("200 OK", body, (("Server", "lab"), _HTML))
