"""Facts of speed: how fast the URL came, and what it waited for."""

from netdiag.facts.base import Value


class SpeedFacts(Value, frozen=True, kw_only=True):
    """Nothing yet."""
