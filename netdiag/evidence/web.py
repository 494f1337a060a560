"""Records of HTTP exchanges, direct or through a proxy."""

from typing import Literal

from netdiag.evidence.record import Observed, Port, Struct, UInt
from netdiag.evidence.transport import TcpInfo


class Header(Struct, frozen=True, kw_only=True):
    """One response header of the allow-list, name in lower case. Never a cookie, never Authorization."""

    name: str
    value: str


class Exchange(Observed, frozen=True, kw_only=True, tag="exchange"):
    """One request and what was answered. Any status is a working exchange; ``failure`` is set when none came, or
    when the body broke off (then ``status`` stays and ``body_complete`` is False).

    ``url`` has neither user info, query values nor fragment. ``address`` is the pinned peer, None when a proxy
    resolves. ``via_proxy`` is ``host:port``; for ``method`` CONNECT ``status`` is the proxy's own.
    ``body_start`` is at most 2 kB of an error page (status >= 400, a portal's page, or a refusal that comes with
    success: ``pages.py``), else None; ``body_bytes`` what was read of it. Redirects are recorded in ``location`` and
    not followed. ``request_acked`` says that the peer's TCP acknowledged the request. Times are relative to
    ``began_ns``.
    """

    method: str
    url: str
    address: str | None = None
    port: Port | None = None
    source_port: Port | None = None
    via_proxy: str | None = None
    server_name: str | None = None
    user_agent: Literal["netdiag", "customer", "browser"] = "netdiag"
    status: UInt | None = None
    reason: str | None = None
    http_version: str | None = None
    headers: tuple[Header, ...] = ()
    location: str | None = None
    body_start: str | None = None
    body_sha256: str | None = None
    body_bytes: UInt | None = None
    body_complete: bool | None = None
    connected_us: UInt | None = None
    secured_us: UInt | None = None
    first_byte_us: UInt | None = None
    finished_us: UInt | None = None
    request_acked: bool | None = None
    tcp: TcpInfo | None = None
    after_burst: bool = False
