"""Addresses where nobody is, which must not answer: whoever accepts a connection there accepts it for everybody."""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.probes.base import Probe, Question, World

_CONNECT_MS = 1000
_QUERY_MS = 1000


def _run(step: Step, world: World) -> Iterator[Observation]:
    assert step.address is not None
    assert step.port is not None
    if step.params["ask"] == "name":
        question = Question(
            name=step.params["name"],
            rrtype="A",
            server=step.address,
            server_class="canary",
            port=step.port,
            limit_ms=_QUERY_MS,
        )
        yield world.query(world.stamp(step), question)
        return
    connect, stream = world.connect(world.stamp(step), step.address, step.port, limit_ms=_CONNECT_MS, syn_retries=0)
    if stream is not None:
        stream.close()
    yield connect


PROBE = Probe(name="canary", version=1, run=_run)
