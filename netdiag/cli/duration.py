"""Durations as people type them: 90s, 10m, 2h."""

import re

from netdiag.cli.problem import usage

_TYPED = re.compile(r"(\d{1,5})(s|m|h)?")
_SECONDS = {None: 1, "s": 1, "m": 60, "h": 3600}


def seconds(flag: str, typed: str | None, *, least: int, most: int) -> int:
    """``typed`` in seconds, a bare number too; 0 where nothing was typed. Raises usage outside the bounds."""
    if typed is None:
        return 0
    found = _TYPED.fullmatch(typed.strip())
    if found is None:
        raise usage(f"{flag} is a duration such as 90s, 10m or 2h")
    value = int(found[1]) * _SECONDS[found[2]]
    if not least <= value <= most:
        raise usage(f"{flag} is between {least} seconds and {most // 3600} hours")
    return value
