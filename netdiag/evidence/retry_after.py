"""Times in the headers of an answer: when it was made, and for how long it asks to be left alone."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_DAY_S = 86_400


def retry_after_s(value: str, date: str | None, age: str | None = None) -> int | None:
    """``Retry-After`` in seconds from the answer on, at least 0: seconds, or a date (RFC 9110 section 10.2.3) measured
    from the answer's own time. Whose clock is right does not matter, since both are the server's. None for what is
    neither."""
    value = value.strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    until, now = made_at(value), made_at(date, age)
    return None if until is None or now is None else max(0, round((until - now).total_seconds()))


def wait_words(seconds: int) -> str:
    """``60 s``; beyond a day in days, since no limit's window is meant: ``405 days``."""
    return f"{seconds} s" if seconds <= _DAY_S else f"{round(seconds / _DAY_S)} days"


def made_at(date: str | None, age: str | None = None) -> datetime | None:
    """When the answer was made, in UTC: its ``Date``, and for one from a cache its ``Age`` on top (RFC 9111 section
    5.1). None when there is none, or it is no date."""
    try:
        found = parsedate_to_datetime(date or "")
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found
        seconds = (age or "").strip()
        return found.astimezone(UTC) + timedelta(seconds=int(seconds) if seconds.isascii() and seconds.isdigit() else 0)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
