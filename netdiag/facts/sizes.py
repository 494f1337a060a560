"""Facts of packet sizes: what gets through, up to where, and for whom."""

from netdiag.facts.base import Value


class SizeFacts(Value, frozen=True, kw_only=True):
    """Nothing yet."""
