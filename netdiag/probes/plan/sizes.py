"""Where large packets may be lost: size-limited walks, and small segments beside."""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.probes.plan.seen import Inputs, Seen


def look_for_size_limits(_: Inputs, __: Seen) -> Iterator[Step]:
    """Nothing yet."""
    yield from ()
