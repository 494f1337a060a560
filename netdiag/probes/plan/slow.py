"""Where the first exchange was slow, or it was asked for: a bounded download, and round trips under load."""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.probes.plan.seen import Inputs, Seen


def look_at_speed(_: Inputs, __: Seen) -> Iterator[Step]:
    """Nothing yet."""
    yield from ()
