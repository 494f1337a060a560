"""The names of the routers that answered, by the resolver already measured."""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.probes.plan.seen import Inputs, Seen


def ask_whose_hops(_: Inputs, __: Seen) -> Iterator[Step]:
    """Nothing yet."""
    yield from ()
