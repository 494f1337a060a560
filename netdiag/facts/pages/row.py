"""What one row of the table of pages says."""

from typing import Literal, NamedTuple

PageKind = Literal["block", "limit", "challenge", "origin", "filter", "bare"]
"""``block``: refused by rule or address. ``limit``: too many requests. ``challenge``: prove that you are no robot.
``origin``: a tier in front says that the one behind it fails, or is not set up. ``filter``: made near the customer
(office or ISP). ``bare``: a server's default page, which any rule or setting may have caused."""

Refused = Literal["address", "network", "region", "client"]
"""Whom a page says that it refuses: the address the request came from, that address' network (autonomous system),
the country or region it is counted to, or this kind of client program."""


class Row(NamedTuple):
    """A page, known by all that is given: each body text (lower case, entities resolved, white space single), headers
    by substring of their value (lower case), one of the statuses, the reason phrase.

    A row needs two signals, or one that no other page has: ``alone`` says that the single one is so (the product's own
    words or header). What a product puts on every reply is no signal (``FRONTS`` in ``fronts.py``).
    ``says``: the meaning that the maker gives it. ``source``: who shows or documents the page; ``seen``: when the page
    was recorded, or the source's copy read. ``note``: what looks like it and is not, or what it leaves open.
    """

    product: str
    kind: PageKind
    source: str
    seen: str
    body: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    statuses: tuple[int, ...] = ()
    reason: str = ""
    refuses: Refused | None = None
    says: str | None = None
    alone: bool = False
    note: str = ""
