"""What of a URL may be kept, and what in it is secret."""

import base64
import html
import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote, unquote, unquote_plus


class _Parts(NamedTuple):
    scheme: str
    user_info: str
    host: str
    path: str
    query: str
    fragment: str


_PATH_PARAMETER = re.compile(r";[^/\\]*")
"""``;jsessionid=…`` and the like (RFC 3986 section 3.3): parameters inside a path, which carry sessions."""


def clean_url(url: str) -> str:
    """``url`` without user info, path parameters, query and fragment.

    The whole query goes, not only its values: ``?3f9c0a`` is a value without a name. Works on relative references
    (Location headers) and on what no parser takes, since what is cleaned was often typed or sent in error.
    """
    parts = _split(url)
    return parts.scheme + parts.host + _PATH_PARAMETER.sub("", parts.path)


def secrets_in(url: str) -> frozenset[str]:
    """The strings in ``url`` that must be found nowhere else, in each spelling that headers and messages use.

    User name, password, their Basic credentials (RFC 7617), query values, whole query, fragment; raw, decoded,
    percent-encoded, and as a page would echo them. Without those that the cleaned URL has, too: they are no secret,
    and hunting them would tear names and addresses apart.
    """
    parts = _split(url)
    kept = clean_url(url).lower()
    found: set[str] = set()
    for secret in _raw_secrets(parts):
        found |= {secret, unquote(secret), unquote_plus(secret), quote(unquote(secret), safe="")}
    found |= {html.escape(secret) for secret in found}
    return frozenset(secret for secret in found if secret and secret.lower() not in kept)


def _raw_secrets(parts: _Parts) -> Iterator[str]:
    if parts.user_info:
        user, _, password = parts.user_info.partition(":")
        yield from (user, password, parts.user_info)
        yield base64.b64encode(unquote(parts.user_info).encode(errors="replace")).decode()
    for parameter in _PATH_PARAMETER.findall(parts.path):
        yield parameter[1:].partition("=")[2]
    yield parts.query
    for pair in re.split("[&;]", parts.query):
        name, equals, value = pair.partition("=")
        yield value if equals else name
    yield parts.fragment


def _split(url: str) -> _Parts:
    """Split without judging. A backslash ends the authority as a slash does: browsers read it so (WHATWG URL 4.4)."""
    rest, _, fragment = url.partition("#")
    rest, _, query = rest.partition("?")
    begin = re.match(r"(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?[/\\]{2}", rest)
    scheme = begin[0] if begin else ""
    rest = rest[len(scheme) :]
    end = re.search(r"[/\\]", rest)
    authority, path = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    if not scheme and ":" not in authority:  # a relative reference: "@" means nothing in it
        return _Parts("", "", "", rest, query, fragment)
    user_info, _, host = authority.rpartition("@")
    return _Parts(scheme, user_info, host, path, query, fragment)
