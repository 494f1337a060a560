"""What answers where nobody is: a transparent proxy, an intercepted DNS."""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.probes.plan.seen import Inputs, Seen


def ask_where_nobody_is(_: Inputs, __: Seen) -> Iterator[Step]:
    """Nothing yet."""
    yield from ()
