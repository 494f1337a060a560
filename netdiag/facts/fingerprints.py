"""Who made an HTTP answer, and what kind it is: the matcher of the table in ``pages``.

A header that a product puts on every reply (``cf-ray``, ``x-amz-cf-id``, ``server: cloudflare``) says who answered, not
who decided, so it never makes a match alone (fault-signatures 8, trap 19). A page is never known by its status alone
(trap 20).
"""

import html
import re
from collections.abc import Mapping
from typing import NamedTuple

from netdiag.evidence.refusal_words import plain_words, refuses_the_address
from netdiag.facts.pages import PAGES, PageKind, Refused, Row, cloudflare


class Page(NamedTuple):
    """What the fingerprint says of one answer. ``code`` is the product's own number, such as Cloudflare's 1020;
    ``refuses`` whom it says that it refuses; ``says`` the meaning that its maker gives it."""

    product: str
    kind: PageKind
    code: str | None = None
    refuses: Refused | None = None
    says: str | None = None


_ONLY_ERRORS = frozenset({"bare", "origin", "limit"})
"""Kinds whose words are no refusal on a page with a status of success. Blocks, challenges and filters come with 200."""

_FIRST_ERROR = 400

# Words of an application's own page; those about an address are in evidence/refusal_words.py.
_PLACE = r"(?:country|region|location|jurisdiction)"
_REGION_WORDS = re.compile(
    rf"\b(?:access|available) (?:from|in) your {_PLACE}\b"
    rf"|\byour {_PLACE} (?:is|has been) (?:not (?:allowed|permitted|supported)|block|bann|restrict)"
)
_NETWORK_WORDS = re.compile(r"\baccess from your network\b")

_BARE_WORDS = frozenset({"403", "406", "access", "acceptable", "denied", "error", "forbidden", "http", "not", "rbac"})
"""Words of pages that hold nothing but their status (Google Cloud Armor, Envoy, error pages of frameworks)."""
_TAGS = re.compile(r"<[^>]*>")
_WORDS = re.compile(r"[^\W_]+")
_INTERFACES = ("{", "[")
"""How JSON begins: an application wrote it, and asks for a login in the same words."""


def fingerprint(status: int, headers: Mapping[str, str], body: str | None, *, reason: str | None = None) -> Page | None:
    """Who made this answer and what it means. ``headers``: lower-case names. ``reason``: the phrase of the status."""
    text = _plain(body)
    if status >= _FIRST_ERROR and (number := cloudflare.number_of(headers, text)) is not None:
        meaning = cloudflare.NUMBERS.get(number, cloudflare.Meaning("bare"))
        return Page("Cloudflare", meaning.kind, number, meaning.refuses, meaning.says)
    for row in PAGES:
        if matches(row, status, headers, text, (reason or "").lower()):
            return Page(row.product, row.kind, None, row.refuses, row.says)
    return None


def matches(row: Row, status: int, headers: Mapping[str, str], text: str, reason: str = "") -> bool:
    """Whether all that the row names is there. ``text`` and ``reason`` in lower case."""
    return (
        (status >= _FIRST_ERROR or row.kind not in _ONLY_ERRORS)
        and (not row.statuses or status in row.statuses)
        and all(part in text for part in row.body)
        and all(name in headers and part in headers[name].lower() for name, part in row.headers)
        and (not row.reason or row.reason in reason)
    )


def says_refused(body: str | None) -> Refused | None:
    """Whom a page says in words that it refuses: the address, its network or its region."""
    text = plain_words(body)
    if _REGION_WORDS.search(text):
        return "region"
    if _NETWORK_WORDS.search(text):
        return "network"
    return "address" if refuses_the_address(body) else None


def is_bare(page: Page | None, body: str | None) -> bool:
    """A default page, or none: nothing that an application wrote. Unknown bodies count as the application's."""
    if page is not None:
        return page.kind == "bare"
    if body is None or body.lstrip().startswith(_INTERFACES):
        return False
    return _BARE_WORDS.issuperset(_WORDS.findall(_TAGS.sub(" ", body).lower()))


def _plain(body: str | None) -> str:
    """Lower case, entities resolved (Akamai writes ``Reference&#32;&#35;18``), white space single."""
    return " ".join(html.unescape(body or "").lower().split())
