"""Facts of loss: how much, from where on, for whom; and of routers that only limit their ICMP."""

from netdiag.facts.derivation.placing import Scene
from netdiag.facts.losses import LossFacts


def derive_losses(_: Scene) -> LossFacts:
    """Nothing yet."""
    return LossFacts()
