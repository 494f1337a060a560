"""Facts from inside connections: where data stop, where a reset comes from, and who answers where nobody is."""

from netdiag.facts.derivation.placing import Scene
from netdiag.facts.flow import FlowFacts


def derive_flow(_: Scene) -> FlowFacts:
    """Nothing yet."""
    return FlowFacts()
