"""Connections made with a small MSS on purpose."""

from netdiag.evidence.bundle import Step

SMALL_SEGMENTS = "small_segments"
"""The plan's word for them (docs/probes-contract.md)."""


def is_small(step: Step) -> bool:
    """Made with small segments: an experiment, not the customer's case."""
    return step.params.get("use") == SMALL_SEGMENTS
