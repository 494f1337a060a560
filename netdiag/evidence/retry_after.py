"""Retry-After: seconds, or a date (RFC 9110 section 10.2.3), measured from the answer's own date."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def retry_after_s(value: str, date: str | None) -> int | None:
    """``value`` in seconds from the answer on, at least 0. ``date`` is the answer's Date header: whose clock is right
    does not matter, since both are the server's. None for what is neither."""
    value = value.strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    until, now = _moment(value), _moment(date or "")
    return None if until is None or now is None else max(0, round((until - now).total_seconds()))


def _moment(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
