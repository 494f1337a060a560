"""Runs steps of any probe inside a node of the lab, with its machine, and prints their records as JSON."""

import json
import sys

import msgspec

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import StepId
from netdiag.probes.clock import Clock
from netdiag.probes.collect import PROBES
from netdiag.probes.library.machine import machine_for_this_platform
from netdiag.probes.library.web import Identity
from netdiag.probes.world import LiveWorld


def main(argv: list[str]) -> int:
    """Run the steps one after the other; print their observations."""
    clock = Clock(60)
    world = LiveWorld(clock, machine_for_this_platform(clock), Identity(run_id="lab"))
    found: list[Observation] = []
    for number, plain in enumerate(json.loads(argv[0]), start=1):
        step = msgspec.convert({"id": StepId(f"s{number}"), **plain}, Step)
        found.extend(PROBES[step.probe].run(step, world))
    sys.stdout.buffer.write(msgspec.json.encode(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
