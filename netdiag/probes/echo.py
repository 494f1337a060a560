"""ICMP echoes to one address: loss and round trips, where ICMP is allowed. Silence alone proves nothing."""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import NotRun
from netdiag.evidence.transport import Echo
from netdiag.probes.base import Probe, World
from netdiag.probes.library.together import together

_LIMIT_MS = 1000  # the least after which silence is claimed (design.md, Records)
_PACE_MS = 1000  # some hosts limit ICMP for each peer to one a second once a burst is used up


def _run(step: Step, world: World) -> Iterator[Observation]:
    count = int(step.params.get("count", "1"))
    pace_s = int(step.params.get("pace_ms", _PACE_MS)) / 1000
    for sequence in range(1, count + 1):
        began = world.now_ns()
        (result,) = _echo(step, world, sequence)
        yield result
        if isinstance(result, NotRun):
            return
        if step.role == "gateway":
            # It belongs to the customer and is asked without a pause; once silent, for the rest at once.
            if result.rtt_us is None:
                yield from together(_echo(step, world, later) for later in range(sequence + 1, count + 1))
                return
        elif sequence < count:
            world.sleep(max(0.0, pace_s - (world.now_ns() - began) / 1e9))


def _echo(step: Step, world: World, sequence: int) -> Iterator[Echo | NotRun]:
    assert step.address is not None
    yield world.echo(world.stamp(step), step.address, sequence=sequence, limit_ms=_LIMIT_MS)


PROBE = Probe(name="echo", version=1, run=_run)
