"""URLs as they may be recorded: without user info, query values and fragment (design.md, Never recorded)."""

import re
from urllib.parse import urlsplit, urlunsplit

_LONGEST = 1000
# ``/a;jsessionid=…``: a path parameter (RFC 3986 section 3.3), which servers use for sessions.
_PATH_VALUE = re.compile(r"(;[^=/;]*)=[^/;]*")


def public_url(url: str) -> str:
    """``url`` without user info and fragment; of the query the names alone stay (``?a=&b=``), since values are secrets.

    A piece of a query without ``=`` is a value, and goes. What cannot be parsed is not recorded at all: ``""``.
    """
    try:
        parts = urlsplit(url)
        names = [piece.partition("=")[0] for piece in parts.query.split("&") if "=" in piece]
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return ""
    query = "&".join(f"{name}=" for name in names)
    clean = urlunsplit((parts.scheme, host, _PATH_VALUE.sub(r"\1=", parts.path), query, ""))
    return "".join(char if char.isprintable() else "." for char in clean)[:_LONGEST]
