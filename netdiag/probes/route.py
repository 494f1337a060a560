"""What the kernel would do with a packet to one address. No packet is sent."""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.probes.base import Probe, World


def _run(step: Step, world: World) -> Iterator[Observation]:
    assert step.address is not None
    yield world.machine.route(world.stamp(step), step.address)


PROBE = Probe(name="route", version=1, run=_run)
