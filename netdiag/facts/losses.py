"""Facts of loss: how much, from where on, for whom; and of routers that only limit their ICMP."""

from netdiag.facts.base import Value


class LossFacts(Value, frozen=True, kw_only=True):
    """Nothing yet."""
