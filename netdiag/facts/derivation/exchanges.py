"""Exchange records of one address -> HttpState, and what its status means for "works"."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

from netdiag.evidence.pages import refuses_with_success
from netdiag.evidence.record import FailureCode, Icmp
from netdiag.evidence.retry_after import made_at, retry_after_s
from netdiag.evidence.web import Exchange
from netdiag.facts.derivation.book import Book
from netdiag.facts.fingerprints import Page, fingerprint, is_bare, says_refused
from netdiag.facts.pages import PageKind, Refused
from netdiag.facts.pages.fronts import fronts
from netdiag.facts.search_keys import point_of_presence, search_keys
from netdiag.facts.target import HttpState

How = Literal["answered", "silent", "reset", "closed", "failed", "cut"]

# Names that tell of limits: RFC 9110 section 10.2.3, draft-ietf-httpapi-ratelimit-headers, fault-signatures 7.3.
_LIMIT_MARKS = ("ratelimit", "rate-limit")
_LIMIT_NAMES = frozenset({"retry-after", "x-retry-in", "x-envoy-ratelimited"})

_FIRST_ERROR = 400

_SLOWEST_LINE = 1131
"""Bytes a second of GPRS in its slowest coding, CS-1: 9.05 kbit/s (3GPP TS 43.064)."""

_REFUSED_STATUSES = frozenset({407, 408, 420, 421, 429, 451, 511})
"""Below 500, and yet not the application's answer: proxy authentication and the server's own time-out (RFC 9110), 420
(old limiters), misdirected request (RFC 9110), too many requests (RFC 6585), legal reasons (RFC 7725), a network's
log-in page (RFC 6585)."""

_ASK_FOR_KEYS = frozenset({"AWS API Gateway", "Google Cloud"})
"""Products that refuse a missing key or login in the words in which they refuse an address (pages/defaults.py)."""

_NONE_LEFT = re.compile(r"remaining[a-z-]*: ?0$|^ratelimit: .*;\s?r=0\b")
"""``X-RateLimit-Remaining: 0`` and such; ``RateLimit: "default";r=0`` (draft-ietf-httpapi-ratelimit-headers)."""
_LIMITING_STATUSES = frozenset({403, 429})
"""With these, a quota that is used up is why (GitHub REST docs). With another status it may merely be the last one."""

_FAILING_KINDS = frozenset({"block", "limit", "challenge", "origin", "filter"})


def headers_of(record: Exchange) -> dict[str, str]:
    """Header values by lower-case name; the first of each."""
    found: dict[str, str] = {}
    for header in record.headers:
        found.setdefault(header.name.lower(), header.value)
    return found


def how_of(record: Exchange, book: Book) -> How | None:
    """How one request went. A connection that did not come about at all is ``failed``: it speaks of lower layers.
    None when the wait was too short to call it silence."""
    failure = record.failure
    if record.status is not None:
        return "cut" if record.status < _FIRST_ERROR and is_cut(record) else "answered"
    if failure is None:
        return None
    if failure.op not in ("send", "receive"):
        return "failed"
    if failure.code is FailureCode.TIMED_OUT:
        return "silent" if book.waited(record) else None
    if failure.code is FailureCode.RESET:
        return "reset"
    if failure.code is FailureCode.CLOSED:
        return "closed"
    return "failed"


_ORDER: tuple[How, ...] = ("answered", "cut", "closed", "reset", "silent", "failed")


def is_cut(record: Exchange) -> bool:
    """The body that was announced did not come whole (RFC 9112 section 8): the connection ended before, or what came
    until the probe gave up came more slowly than over any line. A body of no announced length may be a stream, which
    has no end."""
    failure = record.failure
    if failure is None or failure.op != "receive" or record.body_complete is not False:
        return False
    if failure.code in (FailureCode.CLOSED, FailureCode.RESET):
        return True
    announced = headers_of(record).get("content-length", "")
    if failure.code is not FailureCode.TIMED_OUT or not (announced.isascii() and announced.isdigit()):
        return False
    came, seconds = record.body_bytes or 0, (record.ended_ns - record.began_ns) / 1e9
    return came < min(int(announced), _SLOWEST_LINE * seconds)


def http_state(records: Sequence[Exchange], book: Book) -> HttpState | None:
    """All requests to one address. The first answer to netdiag's own client is described, since what follows may be the
    consequence of asking; ``statuses`` holds all of them, other clients' left out."""
    own = [record for record in records if record.user_agent == "netdiag"]
    told = [(how, record) for record in own or records if (how := how_of(record, book)) is not None]
    if not told:
        return None
    how, record = min(told, key=lambda pair: _ORDER.index(pair[0]))
    other = next((one for one in records if own and one.user_agent != "netdiag" and one.status is not None), None)
    other_page = None if other is None else page_of(other)
    headers = headers_of(record)
    status = record.status
    page = page_of(record)
    limits = tuple(f"{name}: {value}" for name, value in sorted(headers.items()) if _tells_limits(name))
    kind = _kind(status, page, limits)
    native = None if record.failure is None else record.failure.native
    return HttpState(
        how=how,
        status=status,
        acked=record.request_acked,
        retry_after_s=retry_after_s(headers.get("retry-after", ""), headers.get("date"), headers.get("age")),
        limit_headers=limits,
        challenge=kind == "challenge",
        other_agent_status=None if other is None else other.status,
        other_agent_page=None if other_page is None else other_page.kind,
        product=None if page is None else page.product,
        page=kind,
        page_code=None if page is None else page.code,
        page_says=None if page is None else page.says,
        refuses=_refuses(status, page, record.body_start),
        fronts=fronts(headers),
        bare=status is not None and status >= 400 and kind in (None, "bare") and is_bare(page, record.body_start),
        refused_by=native if isinstance(native, Icmp) else None,
        pop=point_of_presence(headers),
        first_byte_ms=None if record.first_byte_us is None else record.first_byte_us // 1000,
        location_host=host_of(record.location),
        statuses=tuple(record.status for _, record in told if record.status is not None),
        search_keys=search_keys(headers, record.body_start),
    )


def page_of(record: Exchange) -> Page | None:
    """Who made the page that answered, when one did and its maker is known."""
    if record.status is None:
        return None
    return fingerprint(record.status, headers_of(record), record.body_start, reason=record.reason)


def _kind(status: int | None, page: Page | None, limits: Sequence[str]) -> PageKind | None:
    """What kind of page it is; one that nobody is known to have made is a limit's when its headers say that none of the
    quota is left."""
    kind = None if page is None else page.kind
    if kind in (None, "bare") and status in _LIMITING_STATUSES and any(_NONE_LEFT.search(limit) for limit in limits):
        return "limit"
    return kind


def _refuses(status: int | None, page: Page | None, body: str | None) -> Refused | None:
    """Whom the page says that it refuses: by its maker's meaning, else in words. With a status of success a short page
    alone counts: an article about blocks is none."""
    if page is not None and page.refuses is not None:
        return page.refuses
    if status is None or (status < _FIRST_ERROR and not refuses_with_success(body or "")):
        return None
    return says_refused(body)


def host_of(url: str | None) -> str | None:
    """The host that a URL names, if it names one."""
    try:
        return None if url is None else urlsplit(url).hostname
    except ValueError:
        return None


def date_of(headers: dict[str, str]) -> datetime | None:
    """When the answer was made (``Date`` and ``Age``)."""
    return made_at(headers.get("date"), headers.get("age"))


def _tells_limits(name: str) -> bool:
    return name in _LIMIT_NAMES or any(mark in name for mark in _LIMIT_MARKS)


def works(state: HttpState) -> bool | None:
    """Whether this answer says that the network let the customer through to the application.

    (1) No answer, or none that came whole: no.
    (2) A page known to be a block, limit, challenge, failing tier or local filter: no, whatever its status (F5 blocks
        with 200, mod_qos limits with 500). But when the customer's or a browser's own client was answered below 400,
        and with no such page, a block or challenge was only for netdiag's: yes.
    (3) 5xx, and the statuses of ``_REFUSED_STATUSES``: no.
    (4) A page of another status from 400 on that says in words that the address, its network or its region is refused:
        no, unless another client was let through.
    (5) 403 and 406 with a server's default page can come of a rule on the address or of the site's own setting: no if
        another client got the same, yes if that was let through, unknown if none was asked, or from a product that
        says the same to whoever sends no key. An application's page (JSON, its own words) is an answer: yes.
    (6) Anything else, 401, 404, 405 and redirects too, is the application's answer: yes.
    """
    status = state.status
    if state.how != "answered" or status is None:
        return False
    let_through = (
        state.other_agent_status is not None
        and state.other_agent_status < 400
        and state.other_agent_page not in _FAILING_KINDS
    )
    if state.page in _FAILING_KINDS:
        return let_through and state.page in ("block", "challenge")
    if status >= 500 or status in _REFUSED_STATUSES:
        return False
    if let_through:
        return True
    if state.refuses is not None:
        return False
    if status in (403, 406) and state.bare:
        return (
            None
            if state.product in _ASK_FOR_KEYS or state.other_agent_status is None
            else state.other_agent_status != status
        )
    return True
