"""How every report for programs is written: ASCII JSON whose strings are safe to show."""

import json
from datetime import UTC, datetime

from netdiag.evidence.display import sanitize_text


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC: ``2026-03-14T09:26:53Z``."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def dump(value: object) -> str:
    """Indented ASCII JSON whose strings are made safe, with a newline at the end."""
    return json.dumps(_safe(value), indent=2, allow_nan=False) + "\n"


def _safe(value: object) -> object:
    if isinstance(value, str):
        return sanitize_text(value, keep_newlines=True)
    if isinstance(value, dict):
        return {_safe(name): _safe(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_safe(one) for one in value]
    return value
