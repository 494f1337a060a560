"""One HTTP request through requests, pinned to an address or through a proxy; nothing followed, nothing kept open.

requests would resolve, follow, retry, read the environment and load its own trust store. Its adapter is given a
connected and verified socket instead (``line.py``), while the URL stays what it was: Host and SNI with it.
"""

import urllib.parse
from collections.abc import Callable
from typing import Any, Literal

import msgspec
import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, HTTPConnectionPool
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError

from netdiag import __version__
from netdiag.evidence.record import Failure, FailureCode
from netdiag.evidence.transport import TcpInfo
from netdiag.evidence.urls import clean_url
from netdiag.evidence.web import Exchange
from netdiag.probes.base import Request, Stamp, Stream
from netdiag.probes.clock import Clock
from netdiag.probes.library import trust
from netdiag.probes.library.answer import Answer, failure_behind, page_start, read_body
from netdiag.probes.library.hostnames import is_literal, without_zone
from netdiag.probes.library.line import Line
from netdiag.probes.library.lookup import addresses_of
from netdiag.probes.library.sockets import socket_of

# Firefox ESR on Linux, in the shape that MDN documents ("User-Agent header").
_BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
_PORTS = {"http": 80, "https": 443}


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What this run calls itself before vendors: its id, and the customer's own ``--user-agent``, if he gave one."""

    run_id: str
    customer_agent: str | None = None

    def headers(self, request: Request) -> dict[str, str]:
        """Who asks; ``X-Netdiag-Run`` when the request is to be found in the vendor's logs."""
        agents = {
            "netdiag": f"netdiag/{__version__} (+run {self.run_id})",
            "customer": self.customer_agent or _BROWSER,
            "browser": _BROWSER,
        }
        run = {"X-Netdiag-Run": self.run_id} if request.identify else {}
        return {"User-Agent": agents[request.user_agent], **run}


class Goal:
    """Where a request goes: its URL's host and port, or the proxy in between. ``ValueError`` for no such URL."""

    def __init__(self, request: Request) -> None:
        parts = urllib.parse.urlsplit(request.url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("neither http nor https")
        self.is_tls = parts.scheme == "https"
        self.host = without_zone(parts.hostname)
        self.port = parts.port or _PORTS[parts.scheme]
        self.address = request.address
        self.mss_clamp = request.mss_clamp
        self.proxy = proxy_of(request.proxy) if request.proxy else None
        if self.address is None and self.proxy is None:
            raise ValueError("neither an address nor a proxy")

    @property
    def authority(self) -> str:
        """``host:port`` as a URL writes it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def proxy_name(self) -> str | None:
        """``host:port`` of the proxy."""
        if self.proxy is None:
            return None
        host, port = self.proxy
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    @property
    def server_name(self) -> str | None:
        """The SNI that is sent: none for plain HTTP, none for an address literal."""
        return self.host if self.is_tls and not is_literal(self.host) else None


def proxy_of(url: str) -> tuple[str, int]:
    """Host and port of ``http://host:port`` or ``host:port``. ``ValueError`` for a proxy that is not plain HTTP."""
    parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"a {parts.scheme} proxy is not supported")
    return parts.hostname, parts.port or 8080


def exchange(
    clock: Clock,
    stamp: Stamp,
    request: Request,
    identity: Identity,
    *,
    tunnel: Stream | None = None,
    after_burst: bool = False,
    syn_retries: int = 1,
    turn: Callable[[], None] = lambda: None,
) -> Exchange:
    """Send ``request`` and record its answer: one request on one connection of its own (or on ``tunnel``).

    An https request through a proxy needs the tunnel; an http one goes to the proxy in absolute form (RFC 9112
    section 3.2.2). A certificate that does not verify ends it (CERT_REJECTED): it is never asked again unverified.
    ``turn`` is called last before it begins, and may wait, or raise. Raises ``OutOfTimeError`` when the run ends,
    ``ValueError`` for a request that nobody can route.
    """
    goal = Goal(request)
    if goal.proxy is not None and goal.is_tls and tunnel is None:
        raise ValueError("https through a proxy needs a tunnel")
    answer: Answer | None = None
    failure: Failure | None = None
    # Loading the trust store is no part of the exchange.
    context = trust.context("system", ("http/1.1",)) if goal.is_tls else None
    turn()
    with Line(clock, request.limit_ms, syn_retries=syn_retries) as line:
        try:
            _reach(line, stamp, clock, goal, tunnel)
            if context is not None:
                line.secure(context, goal.host)
            line.prepare_to_send()
            with ask(line, goal, request, identity) as response:
                answer = read_body(response, line)
                failure = answer.failure
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            failure = line.failure or failure_behind(error, line)
        info = line.tcp_info()
        finished_us = line.now_us()
    record = Exchange(
        id=stamp.id,
        step=stamp.step,
        attempt=stamp.attempt,
        caused_by=stamp.caused_by,
        began_ns=line.began_ns,
        ended_ns=clock.now_ns(),
        failure=failure,
        method=request.method,
        url=clean_url(request.url),
        address=goal.address if goal.proxy is None else None,
        port=goal.port,
        source_port=line.source_port,
        via_proxy=goal.proxy_name,
        server_name=goal.server_name,
        user_agent=_agent_used(request, identity),
        connected_us=line.connected_us,
        secured_us=line.secured_us,
        first_byte_us=line.first_byte_us,
        finished_us=finished_us,
        request_acked=is_acked(line, info, failure),
        tcp=info,
        after_burst=after_burst,
    )
    return record if answer is None else with_answer(record, answer, keep_page=request.keep_page)


def _reach(line: Line, stamp: Stamp, clock: Clock, goal: Goal, tunnel: Stream | None) -> None:
    """Connect ``line``. Raises ``OSError``, kept as the line's failure."""
    if tunnel is not None:
        line.adopt(socket_of(tunnel))
    elif goal.proxy is not None:
        dial_proxy(line, stamp, clock, goal.proxy)
    else:
        assert goal.address is not None
        line.dial(stamp, goal.address, goal.port, mss_clamp=goal.mss_clamp)


def dial_proxy(line: Line, stamp: Stamp, clock: Clock, proxy: tuple[str, int]) -> None:
    """Connect to the proxy, at the first of its addresses that accepts. Raises ``OSError``, kept as the failure."""
    host, port = proxy
    addresses, failure = addresses_of(clock, host, limit_ms=max(1, int(line.deadline.left_s() * 1000)))
    line.failure = failure
    for address in addresses:
        try:
            line.dial(stamp, address, port)
        except OSError:
            continue
        line.failure = None
        return
    raise OSError("the proxy was not reached")


def ask(line: Line, goal: Goal, request: Request, identity: Identity) -> BaseHTTPResponse:
    """Send ``request`` on ``line``, which is connected; its answer, of which the head has come. Raises what requests,
    urllib3 and the socket raise."""
    default_port = goal.port == _PORTS["https" if goal.is_tls else "http"]
    host = goal.authority.rpartition(":")[0] if default_port else goal.authority
    headers = {"Host": host, **identity.headers(request), "Accept": "*/*", "Accept-Encoding": "identity"}
    prepared = requests.Request(request.method, request.url, headers={**headers, "Connection": "close"}).prepare()
    adapter = _PinnedAdapter(line, goal)
    response = adapter.send(prepared, stream=True, timeout=max(0.001, line.deadline.left_s()))
    raw = response.raw
    assert isinstance(raw, BaseHTTPResponse)
    return raw


class _PinnedAdapter(HTTPAdapter):
    """requests' adapter on one line: no pool manager, no trust store, no proxies, no retries of its own."""

    def __init__(self, line: Line, goal: Goal) -> None:
        super().__init__(max_retries=0)
        self._pool = _Pool(goal.host, goal.port)
        self._pool.line = line
        self._is_forwarded = goal.proxy is not None and not goal.is_tls

    def get_connection_with_tls_context(self, *_args: Any, **_settings: Any) -> HTTPConnectionPool:
        return self._pool

    def cert_verify(self, *_args: Any, **_settings: Any) -> None:
        """Nothing: requests would load certifi here, while the line has verified by the system's store."""

    def request_url(self, request: requests.PreparedRequest, *_proxies: Any) -> str:
        if self._is_forwarded:
            return urllib.parse.urldefrag(request.url or "").url
        return request.path_url


class _Connection(HTTPConnection):
    """urllib3's connection on a socket that is there already."""

    line: Line

    def connect(self) -> None:
        assert self.line.socket is not None
        self.sock = self.line.socket


class _Pool(HTTPConnectionPool):
    line: Line

    def _new_conn(self) -> _Connection:
        made = _Connection(self.host, self.port, timeout=self.timeout.connect_timeout)
        made.line = self.line
        return made


def _agent_used(request: Request, identity: Identity) -> Literal["netdiag", "customer", "browser"]:
    if request.user_agent == "customer" and identity.customer_agent is None:
        return "browser"
    return request.user_agent


def with_answer(record: Exchange, answer: Answer, *, keep_page: bool) -> Exchange:
    """``record`` with what came back."""
    return msgspec.structs.replace(
        record,
        status=answer.status,
        reason=answer.reason,
        http_version=answer.http_version,
        headers=answer.headers,
        location=answer.location,
        body_start=page_start(answer, keep_page=keep_page),
        body_sha256=answer.sha256,
        body_bytes=answer.length,
        body_complete=answer.complete,
    )


def is_acked(line: Line, info: TcpInfo | None, failure: Failure | None) -> bool | None:
    """Did the peer's TCP acknowledge the request? An answer says so, and so does an empty retransmission queue; but
    a reset empties the queue too, so after one without an answer it is unknown. None when nothing was sent."""
    if line.first_byte_us is not None:
        return True
    never_sent = failure is not None and failure.op in {"connect", "handshake", "resolve"}
    was_reset = failure is not None and failure.code is FailureCode.RESET
    return None if info is None or never_sent or was_reset else info.unacked == 0
