"""Runs probe steps inside a node of the lab and prints their records: ``python -m tests.netns.probes.runner STEPS``.

``STEPS`` is a JSON list of steps without ids. They run side by side in one World, as in a real run.
"""

import json
import sys
import threading
from typing import cast

import msgspec

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import StepId
from netdiag.probes import arriving, canary, echo, egress, in_flow, reach, route, walk
from netdiag.probes.base import Machine, Probe
from netdiag.probes.clock import Clock
from netdiag.probes.library.web import Identity
from netdiag.probes.world import LiveWorld

_MODULES = (arriving, canary, echo, egress, in_flow, reach, route, walk)
PROBES: dict[str, Probe] = {module.PROBE.name: module.PROBE for module in _MODULES}

_BUDGET_S = 60.0


class Outcome(msgspec.Struct, frozen=True):
    """What all steps yielded, and when the last one ended, in milliseconds of the run's clock."""

    observations: list[Observation]
    took_ms: float


def _no_machine() -> Machine:
    # These probes never read the machine; ``route`` is tested where the machine's reads are.
    return cast("Machine", None)


def main(argv: list[str]) -> int:
    """Run, print ``Outcome`` as JSON."""
    steps = [
        msgspec.convert({"id": StepId(f"{plain['probe']}:{number}"), **plain}, Step)
        for number, plain in enumerate(json.loads(argv[0]), start=1)
    ]
    clock = Clock(_BUDGET_S)
    world = LiveWorld(clock, _no_machine(), Identity(run_id="lab"))
    found: list[Observation] = []
    threads = [
        threading.Thread(target=lambda step=step: found.extend(PROBES[step.probe].run(step, world))) for step in steps
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.stdout.buffer.write(msgspec.json.encode(Outcome(found, clock.now_ns() / 1e6)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
