"""Several flows where one walk failed or differs: equal-cost paths, and a dead member among them."""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.probes.plan.seen import Inputs, Seen


def look_at_other_flows(_: Inputs, __: Seen) -> Iterator[Step]:
    """Nothing yet."""
    yield from ()
