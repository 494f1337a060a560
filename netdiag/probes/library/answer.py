"""What came back for a request: status, headers, and so much of the body as may be kept."""

import hashlib
import http.client
import ssl
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from netdiag.evidence.headers import clean_header
from netdiag.evidence.pages import refuses_with_success
from netdiag.evidence.record import Failure, FailureCode
from netdiag.evidence.urls import clean_url
from netdiag.evidence.web import Header
from netdiag.probes.library.line import Line
from netdiag.probes.library.sockets import failure_of
from netdiag.probes.library.text import printable
from netdiag.probes.library.transcript import refusal

# Read at most: enough for any error page's hash, never a download.
_MOST_READ = 64 * 1024
# Kept at most: design.md, Never recorded.
_MOST_KEPT = 2048
_MOST_HEADERS = 60
_LONGEST_VALUE = 512


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A status line, headers and body. ``failure``: how the body broke off, though a status had come."""

    status: int
    reason: str
    http_version: str
    headers: tuple[Header, ...]
    location: str | None
    start: bytes
    is_encoded: bool
    sha256: str
    length: int
    complete: bool
    failure: Failure | None


class _Head(NamedTuple):
    status: int
    reason: str
    version: int
    headers: Sequence[tuple[str, str]]


def read_body(response: BaseHTTPResponse, line: Line) -> Answer:
    """The answer with its body, as far as it comes before the line's deadline: at most 64 kB."""
    head = _Head(response.status, response.reason or "", response.version, list(response.headers.iteritems()))
    # read1 and not read: a peer that drips must not hold one call beyond the deadline.
    return _read(head, lambda size: response.read1(size, decode_content=False), line)


def read_refusal(response: http.client.HTTPResponse, line: Line) -> Answer:
    """The answer of a proxy to CONNECT. A 2xx has no body (RFC 9110 section 9.3.6): what follows is the tunnel."""
    head = _Head(response.status, response.reason or "", response.version, response.getheaders())
    return _read(head, (lambda _: b"") if 200 <= head.status < 300 else response.read1, line)


def _read(head: _Head, read: Callable[[int], bytes], line: Line) -> Answer:
    digest = hashlib.sha256()
    start = b""
    length = 0
    complete = False
    failure: Failure | None = None
    try:
        while length < _MOST_READ and not complete:
            piece = read(min(4096, _MOST_READ - length))
            complete = not piece
            digest.update(piece)
            start += piece[: _MOST_KEPT - len(start)]
            length += len(piece)
    except (HTTPError, OSError, http.client.HTTPException) as error:
        failure = failure_behind(error, line)
    by_name = {name.lower(): value for name, value in head.headers}
    location = by_name.get("location")
    return Answer(
        status=head.status,
        reason=printable(head.reason.encode(errors="replace"), 100),
        http_version={9: "0.9", 10: "1.0", 11: "1.1"}.get(head.version, str(head.version)),
        headers=_kept_headers(head.headers),
        location=clean_url(printable(location.encode(errors="replace"), 1000)) if location is not None else None,
        start=start,
        is_encoded=by_name.get("content-encoding", "identity") != "identity",
        sha256=digest.hexdigest(),
        length=length,
        complete=complete,
        failure=failure,
    )


def _kept_headers(pairs: Iterable[tuple[str, str]]) -> tuple[Header, ...]:
    """The headers of the allow-list (``evidence/headers.py``): what it drops is not even held until sealing."""
    cleaned = (
        clean_header(Header(name=name, value=printable(value.encode(errors="replace"), _LONGEST_VALUE)))
        for name, value in pairs
    )
    return tuple(header for header in cleaned if header is not None)[:_MOST_HEADERS]


def page_start(answer: Answer, *, keep_page: bool) -> str | None:
    """The first 2 kB of an error page, of a refusal that comes with success (``evidence/pages.py``), or of any page
    with ``keep_page``; never of another (it is the vendor's)."""
    if answer.is_encoded:
        return None
    page = printable(answer.start, _MOST_KEPT)
    return page if answer.status >= 400 or keep_page or refuses_with_success(page) else None


def failure_behind(error: BaseException, line: Line) -> Failure:
    """What was the matter below the wrappers of requests and urllib3."""
    cause = _innermost(error)
    if isinstance(cause, ssl.SSLError):
        return refusal("receive", cause, line.transcript)
    if isinstance(cause, http.client.RemoteDisconnected | http.client.IncompleteRead):
        return Failure(op="receive", code=FailureCode.CLOSED, text=str(cause))
    if isinstance(cause, http.client.HTTPException):
        return Failure(op="receive", code=FailureCode.PROTOCOL, text=printable(str(cause).encode(), 200))
    if isinstance(cause, OSError) and (cause.errno is not None or isinstance(cause, TimeoutError)):
        return failure_of("receive", cause)
    if isinstance(cause, HTTPError):
        return Failure(op="receive", code=FailureCode.PROTOCOL, text=printable(str(cause).encode(), 200))
    return Failure(op="send", code=FailureCode.UNCLASSIFIED, text=printable(str(cause).encode(), 200))


def _innermost(error: BaseException) -> BaseException:
    """The first cause. urllib3 puts it in ``args`` or ``reason`` as often as it chains it."""
    seen = {id(error)}
    while True:
        candidates = [getattr(error, "reason", None), *reversed(error.args), error.__cause__, error.__context__]
        below = next((one for one in candidates if isinstance(one, BaseException) and id(one) not in seen), None)
        if below is None:
            return error
        seen.add(id(below))
        error = below
