"""Where a connection is accepted and then fails: data inside it with a limited TTL, and a neutral name beside."""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.probes.plan.seen import Inputs, Seen


def look_inside_the_flow(_: Inputs, __: Seen) -> Iterator[Step]:
    """Nothing yet."""
    yield from ()
