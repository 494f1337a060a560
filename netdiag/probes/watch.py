"""After the run: has what failed recovered? Few attempts, each after a longer quiet, up to the first that works.

A connection that was not let in is asked about by one SYN; a request that was refused, by one request.
"""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.evidence.transport import Connect
from netdiag.evidence.web import Exchange
from netdiag.probes.base import DeclinedError, Probe, Request, Stamp, World
from netdiag.probes.plan.recovery import is_let_in, next_quiet, wait_of

_CONNECT_MS, _REQUEST_MS = 3300, 6000
_ALL_OF_IT = "the watch for recovery"


def _run(step: Step, world: World) -> Iterator[Observation]:
    began_ns = world.now_ns()
    for_s = float(step.params["for_s"])
    quiet: float | None = None
    asked = float(step.params["asked_s"]) if "asked_s" in step.params else None
    made = 0
    while True:
        left_s = for_s - (world.now_ns() - began_ns) / 1e9
        quiet = next_quiet(quiet, left_s, made, asked)
        if quiet is None:
            break
        world.sleep(quiet)
        made += 1
        stamp = world.stamp(step, attempt=made)
        try:
            record = _ask(step, world, stamp)
        except DeclinedError as declined:
            yield stamp.not_run("declined", _ALL_OF_IT, world.now_ns(), detail=str(declined))
            return
        yield record
        if isinstance(record, Connect) and record.failure is None:
            return
        if isinstance(record, Exchange) and is_let_in(record):
            return
        asked = None if isinstance(record, Connect) else wait_of(record)
    if asked is not None:
        left = world.stamp(step, attempt=made + 1)
        yield left.not_run(
            "declined", _ALL_OF_IT, world.now_ns(), detail=f"the vendor asked to wait {asked:.0f} s more"
        )


def _ask(step: Step, world: World, stamp: Stamp) -> Connect | Exchange:
    assert step.address is not None
    assert step.port is not None
    if step.params["level"] == "connect":
        record, stream = world.connect(stamp, step.address, step.port, limit_ms=_CONNECT_MS, syn_retries=0)
        if stream is not None:
            stream.close()
        return record
    return world.exchange(stamp, Request(url=step.params["url"], address=step.address, limit_ms=_REQUEST_MS))


PROBE = Probe(name="watch", version=1, run=_run)
