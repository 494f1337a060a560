"""Facts of packet sizes: what gets through, up to where, and for whom."""

from netdiag.facts.derivation.placing import Scene
from netdiag.facts.sizes import SizeFacts


def derive_sizes(_: Scene) -> SizeFacts:
    """Nothing yet."""
    return SizeFacts()
