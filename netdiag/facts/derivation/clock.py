"""The customer's clock against the Date headers of several hosts."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from statistics import median

from netdiag.evidence.web import Exchange
from netdiag.facts.base import Fact, seen
from netdiag.facts.derivation.book import Book
from netdiag.facts.derivation.exchanges import date_of, headers_of, host_of

_AGREE_S = 10
"""Seconds within which hosts count as agreeing: Date has whole seconds, and servers keep time far better than that."""
_SEVERAL = 2
_HALF_SECOND = 0.5
"""Date is cut to whole seconds (RFC 9110 section 5.6.7), so on average it lags by half of one."""


def clock_offset(book: Book) -> Fact[int]:
    """Local clock minus true time, in seconds: positive when the customer's clock is ahead.

    The Date is taken to be of the middle between the request and the first byte of its answer. The answer of a page
    that a portal replaced counts for nothing; hosts behind one proxy count by their names, as the Date is the origin's.
    """
    offsets: dict[str, list[tuple[float, Exchange]]] = {}
    for record, step in book.of(Exchange):
        wanted = step.params.get("expect_status")
        if step.params.get("use") == "portal" and wanted and str(record.status) != wanted:
            continue
        shown, host = date_of(headers_of(record)), host_of(record.url)
        local = _local_middle(record, book.bundle.began_at)
        if shown is not None and host is not None and local is not None and record.method != "CONNECT":
            offset = (local - shown).total_seconds() - _HALF_SECOND
            offsets.setdefault(host, []).append((offset, record))
    by_host = {host: median(offset for offset, _ in some) for host, some in offsets.items()}
    agreeing = _largest_group(by_host.values())
    if agreeing is None:
        return Fact()
    hosts = [host for host, offset in by_host.items() if offset in agreeing]
    witnesses = book.witnesses(record for host in hosts for _, record in offsets[host])
    return seen(round(median(agreeing)), witnesses, agree=len(hosts), looked_at=len(by_host))


def _local_middle(record: Exchange, began_at: datetime) -> datetime | None:
    sent_us = record.secured_us if record.secured_us is not None else record.connected_us or 0
    first_us = record.first_byte_us
    if first_us is None:
        first_us = max(record.ended_ns - record.began_ns, 0) // 1000
    try:
        return began_at + timedelta(microseconds=record.began_ns // 1000 + (sent_us + first_us) / 2)
    except OverflowError:
        return None


def _largest_group(offsets: Iterable[float]) -> list[float] | None:
    """The most offsets that lie within the agreed span, when they are several and no other group is as large."""
    ordered = sorted(offsets)
    groups = [[other for other in ordered if low <= other <= low + _AGREE_S] for low in ordered]
    best = max(groups, key=len, default=[])
    rivals = [group for group in groups if len(group) == len(best) and group[0] > best[-1]]
    return best if len(best) >= _SEVERAL and not rivals else None
