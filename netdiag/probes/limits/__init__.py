"""How much the service allows, on consent: requests and connections under a declared budget, until one is refused.

The budget and the reason to leave it stand in the step: whoever reads the bundle sees what was allowed. Everything is
paced and counted here, since the usual manners would keep every limit out of sight.
"""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.evidence.limits import LimitBudget
from netdiag.evidence.observation import Observation
from netdiag.probes.base import Probe, World
from netdiag.probes.limits.driving import drive
from netdiag.probes.limits.planning import next_attempts


def _run(step: Step, world: World) -> Iterator[Observation]:
    if (why := step.params.get("left_out")) is not None:
        yield world.stamp(step).not_run("prerequisite_failed", "the rate section", world.now_ns(), detail=why)
        return
    assert step.address is not None
    assert step.port is not None
    budget = LimitBudget.of(step.params)
    with world.limit_line(step.address, step.port, step.params["url"]) as line:
        yield from drive(step, world, line, budget, next_attempts)


PROBE = Probe(name="limits", version=1, run=_run)
