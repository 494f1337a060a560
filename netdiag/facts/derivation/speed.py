"""Facts of speed: how fast the URL came, and what it waited for."""

from netdiag.facts.derivation.placing import Scene
from netdiag.facts.speed import SpeedFacts


def derive_speed(_: Scene) -> SpeedFacts:
    """Nothing yet."""
    return SpeedFacts()
