"""More samples where packets are lost, paced, at each hop and at the end."""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.probes.plan.seen import Inputs, Seen


def sample_losses(_: Inputs, __: Seen) -> Iterator[Step]:
    """Nothing yet."""
    yield from ()
