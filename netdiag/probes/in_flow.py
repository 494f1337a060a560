"""Data with a limited TTL inside connections to the target; the arriving TTL of its answers."""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.probes.base import Probe, World


def _run(_: Step, __: World) -> Iterator[Observation]:
    yield from ()


PROBE = Probe(name="in_flow", version=1, run=_run)
