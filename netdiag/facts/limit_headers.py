"""What an answer says of its limits, whatever its status: the standards, and what came before them.

- ``RateLimit`` and ``RateLimit-Policy``: draft-ietf-httpapi-ratelimit-headers-10, structured fields (RFC 9651).
- ``RateLimit-Limit``, ``-Remaining``, ``-Reset``: the same draft up to version 06, where ``w`` is the window.
- ``X-RateLimit-*`` (GitHub, Kong, many others): no standard; a reset above 1e9 is a Unix time, in milliseconds above
  1e11 (as seconds the year 5138), else seconds.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from netdiag.facts.base import Value

_EPOCH, _EPOCH_MS = 10**9, 10**11
_LONGEST = 500
_MOST = 10

_MEMBER = re.compile(
    r'\s*(?:"((?:[^"\\]|\\["\\])*)"|([A-Za-z*][\w.*/:-]*))((?:\s*;\s*[a-z*][a-z0-9_.*-]*(?:=(?:"[^"]*"|[^;,"\s]*))?)*)\s*'
)
"""A list member of RFC 9651 as these headers have it: a string or token, and its parameters."""

_NUMBER = re.compile(r"\s*(\d{1,15})\s*(?:[,;].*)?", re.ASCII)
_WINDOW = re.compile(r";\s*w=(\d{1,9})", re.ASCII)
_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


class Said(Value, frozen=True, kw_only=True):
    """One policy as an answer told it: ``quota`` in ``window_s`` seconds; ``remaining`` of it, until ``reset_s`` after
    the answer. None: not told."""

    name: str = ""
    quota: int | None = None
    remaining: int | None = None
    window_s: int | None = None
    reset_s: int | None = None


def limits_said(headers: Mapping[str, str], unix_s: float | None) -> tuple[Said, ...]:
    """The policies that ``headers`` (by lower-case name) tell, at most ten; what is malformed is left out.

    ``unix_s``: when the answer was made, for resets that are Unix times; None: those are not known.
    """
    found: dict[str, Said] = {}
    for said in (*_structured(headers), *_older("ratelimit-", headers, unix_s), *_x_headers(headers, unix_s)):
        before = found.get(said.name)
        found[said.name] = said if before is None else _joined(before, said)
    return tuple(found.values())[:_MOST]


def _structured(headers: Mapping[str, str]) -> Iterator[Said]:
    for header in ("ratelimit-policy", "ratelimit"):
        for name, params in members(headers.get(header, "")):
            yield Said(
                name=name,
                quota=params.get("q"),
                window_s=params.get("w"),
                remaining=params.get("r"),
                reset_s=params.get("t"),
            )


def members(value: str) -> Sequence[tuple[str, Mapping[str, int]]]:
    """The members of a structured list with their whole-numbered parameters. One that is malformed spoils the whole
    list (RFC 9651 section 4.2): then there are none."""
    found: list[tuple[str, Mapping[str, int]]] = []
    at = 0
    if not value.strip() or len(value) > _LONGEST:
        return found
    while True:
        member = _MEMBER.match(value, at)
        if member is None:
            return []
        params = (part.partition("=") for part in member[3].split(";")[1:])
        numbers = {name.strip(): int(text) for name, _, text in params if re.fullmatch(r"\d{1,15}", text, re.ASCII)}
        found.append((member[1] if member[1] is not None else member[2], numbers))
        at = member.end()
        if at == len(value):
            return found
        if value[at] != ",":
            return []
        at += 1


def _older(prefix: str, headers: Mapping[str, str], unix_s: float | None, unit: str = "") -> Iterator[Said]:
    suffix = f"-{unit}" if unit else ""
    limit = headers.get(f"{prefix}limit{suffix}", "")
    quota, remaining = _number(limit), _number(headers.get(f"{prefix}remaining{suffix}", ""))
    window = _WINDOW.search(limit)
    window_s = int(window[1]) if window else _UNITS.get(unit)
    reset_s = _reset(headers.get(f"{prefix}reset{suffix}", ""), unix_s)
    if quota is not None or remaining is not None:
        yield Said(name=unit, quota=quota, remaining=remaining, window_s=window_s, reset_s=reset_s)


def _x_headers(headers: Mapping[str, str], unix_s: float | None) -> Iterator[Said]:
    for prefix in ("x-ratelimit-", "x-rate-limit-"):
        yield from _older(prefix, headers, unix_s)
        for unit in _UNITS:
            yield from _older(prefix, headers, unix_s, unit)


def _number(text: str) -> int | None:
    found = _NUMBER.fullmatch(text[:_LONGEST])
    return int(found[1]) if found else None


def _reset(text: str, unix_s: float | None) -> int | None:
    number = _number(text)
    if number is None or number <= _EPOCH:
        return number
    at_s = number / 1000 if number > _EPOCH_MS else number
    return None if unix_s is None else max(0, round(at_s - unix_s))


def _joined(one: Said, other: Said) -> Said:
    """Two headers about one policy: what the first does not tell, the second may."""
    return Said(
        name=one.name,
        quota=other.quota if one.quota is None else one.quota,
        remaining=other.remaining if one.remaining is None else one.remaining,
        window_s=other.window_s if one.window_s is None else one.window_s,
        reset_s=other.reset_s if one.reset_s is None else one.reset_s,
    )
