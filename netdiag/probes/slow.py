"""How fast the URL comes, and how long round trips take meanwhile."""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.probes.base import Probe, World


def _run(_: Step, __: World) -> Iterator[Observation]:
    yield from ()


PROBE = Probe(name="slow", version=1, run=_run)
