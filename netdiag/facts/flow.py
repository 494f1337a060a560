"""Facts from inside connections: where data stop, where a reset comes from, and who answers where nobody is."""

from netdiag.facts.base import Value


class FlowFacts(Value, frozen=True, kw_only=True):
    """Nothing yet."""
