"""What the same question was answered elsewhere: by a second way, to an agent's line, at another address of the run.

No request of netdiag has a login, so a login is not why two of them are answered in different ways.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Literal, NamedTuple

import msgspec

from netdiag.evidence.bundle import Bundle
from netdiag.evidence.web import Exchange
from netdiag.facts.derivation.book import Book
from netdiag.facts.derivation.exchanges import headers_of, host_of, is_cut
from netdiag.facts.places import classify, is_special, owner_of, plain
from netdiag.facts.target import Elsewhere, HttpState

_APART = timedelta(minutes=30)
"""design.md, Judging: a run further away tells of another time."""
_FIRST_REDIRECT, _FIRST_ERROR = 300, 400
_UNAUTHORIZED = 401
"""The server asks for a login (RFC 9110 section 15.5.2), which it may spare its own network."""


class Page(NamedTuple):
    """A body that each answer of a line had: its hash, its length in bytes, its kind (``text/html``), and how often it
    came."""

    sha256: str
    length: int | None
    kind: str
    times: int


class Answer(NamedTuple):
    """One answer below 400 that came whole. ``page``: None where the line did not always get the same one."""

    status: int
    location_host: str | None
    page: Page | None


Where = Literal["way", "line", "address"]
Answers = Mapping[str, Answer]
"""By address."""
NO_ANSWERS: Answers = MappingProxyType({})


class Beside(NamedTuple):
    """The answers that those at an address are held against."""

    ways: Answers
    lines: Answers
    here: Answers


def answers_to(records: Mapping[str, Sequence[Exchange]]) -> Answers:
    """The answers of one line. An address that answers a browser alone is served only by that name, so it has none."""
    good = {address: next(filter(_is_good, some), None) for address, some in records.items()}
    page = _page([record for some in records.values() for record in some if _is_good(record)])
    return {
        address: Answer(one.status, host_of(one.location), page)
        for address, one in good.items()
        if one is not None and one.status is not None
    }


def is_comparable(customer: Bundle, agent: Bundle) -> bool:
    """The very same URL, as far as it is recorded, at about the same time."""
    mine, theirs = customer.target, agent.target
    if (mine.scheme, mine.host.lower().rstrip("."), mine.port, mine.path) != (
        theirs.scheme, theirs.host.lower().rstrip("."), theirs.port, theirs.path,
    ):  # fmt: skip
        return False
    first, last = sorted((customer, agent), key=lambda one: one.began_at)
    try:
        return last.began_at - first.began_at <= _APART + timedelta(microseconds=first.duration_ns // 1000)
    except OverflowError:
        return False


def answers_by_ways(book: Book) -> Answers:
    """What second ways got. A proxy's answer is the target's only inside TLS."""
    found: dict[str, list[Exchange]] = {}
    for record, step in book.apart(Exchange):
        inside = record.via_proxy is None or (record.method != "CONNECT" and record.url.startswith("https:"))
        if step.via is not None and step.role == "target" and step.address and inside:
            found.setdefault(plain(step.address), []).append(record)
    return answers_to(found)


def with_elsewhere(answer: HttpState | None, address: str, beside: Beside) -> HttpState | None:
    """The state, and how the same question was answered otherwise, if it was."""
    if answer is None or answer.how != "answered":
        return answer
    mine = beside.here.get(address)
    others: list[tuple[Elsewhere, Page | None]] = [
        *_told("way", beside.ways.get(address)),
        *_told("line", beside.lines.get(address)),
        *(pair for other, one in beside.here.items() if other != address for pair in _told("address", one)),
    ]
    page = None if mine is None else mine.page
    for other, theirs in others:
        if (answer.status, answer.location_host) != (other.status, other.location_host):
            return msgspec.structs.replace(answer, elsewhere=other)
        if other.where != "address" and page is not None and theirs is not None and page.sha256 != theirs.sha256:
            told = msgspec.structs.replace(other, replaced=_is_replaced(page, theirs))
            return msgspec.structs.replace(answer, elsewhere=told)
    return answer


def _page(records: Sequence[Exchange]) -> Page | None:
    first = records[0] if records else None
    if first is None or first.body_sha256 is None or any(one.body_sha256 != first.body_sha256 for one in records):
        return None
    kind = headers_of(first).get("content-type", "").partition(";")[0].strip().lower()
    return Page(first.body_sha256, first.body_bytes, kind, len(records))


def _is_replaced(mine: Page, theirs: Page) -> bool:
    """Pages that are made anew for each visit differ, too; but not always in the same way, nor in their kind."""
    if mine.kind and theirs.kind and mine.kind != theirs.kind:
        return True
    return min(mine.times, theirs.times) > 1 and mine.length != theirs.length


def is_refused_alone(answer: HttpState | None) -> bool:
    """The question is answered with an error here, to every client that was tried, and well elsewhere."""
    if answer is None or answer.elsewhere is None or answer.status is None or answer.status < _FIRST_ERROR:
        return False
    every = answer.other_agent_status is None or answer.other_agent_status >= _FIRST_ERROR
    return every and answer.status != _UNAUTHORIZED


def is_doubtful(answer: HttpState | None) -> bool:
    """One of the two pages was put in the place of the other; which of them was wanted, a person can tell."""
    return answer is not None and answer.elsewhere is not None and answer.elsewhere.replaced


def is_led_away(answer: HttpState | None, scheme: str, address: str) -> bool:
    """Over plain HTTP, where anybody on the way can answer: a redirect from a public address to a private one; or
    another kind of answer than another line gets, or a redirect to somebody else's host that it does not get."""
    if answer is None or scheme != "http" or answer.status is None or answer.status >= _FIRST_ERROR:
        return False
    if leads_inside(answer) and not is_special(address):
        return True
    other = answer.elsewhere
    if other is None or other.where == "address":
        return False
    if (answer.status < _FIRST_REDIRECT) != (other.status < _FIRST_REDIRECT):
        return True
    leads = owner_of(answer.location_host or "")
    return leads is not None and leads != owner_of(other.location_host or "")


def leads_inside(answer: HttpState) -> bool:
    """A redirect to an address of a private network."""
    return answer.location_host is not None and classify(answer.location_host) == "private"


def _is_good(record: Exchange) -> bool:
    good = record.status is not None and record.status < _FIRST_ERROR and not is_cut(record)
    return good and record.user_agent == "netdiag"


def _told(where: Where, answer: Answer | None) -> Iterable[tuple[Elsewhere, Page | None]]:
    if answer is not None:
        yield Elsewhere(where=where, status=answer.status, location_host=answer.location_host), answer.page
