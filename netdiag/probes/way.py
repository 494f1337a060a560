"""One request by a second way out: connect, TLS and HTTP on one connection, so that it costs the vendor one SYN.

It is asked once. Where the manners have no place for its SYN yet it waits, since the limiter that is looked for may
count all ways of a customer together (an office's ways often share one public address).
"""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import NotRun
from netdiag.probes.base import DeclinedError, Probe, Request, Stamp, World
from netdiag.probes.patience import patiently

_LIMIT_MS = 6000


def _run(step: Step, world: World) -> Iterator[Observation]:
    url = step.params["url"]
    proxy = None if step.proxy is None else f"http://{step.proxy}"
    request = Request(
        url=url,
        address=step.address if proxy is None else None,
        proxy=proxy,
        keep_page=step.role == "control",
        limit_ms=_LIMIT_MS,
    )
    stamp = world.stamp(step)
    began_ns = world.now_ns()
    try:
        if proxy is None or not url.startswith("https:"):
            yield patiently(world, lambda: world.exchange(stamp, request))
            return
        # The proxy is asked for the very address; the name goes into TLS and the request alone.
        asked = request if step.address is None else Request(url=_at(step), proxy=proxy, limit_ms=_LIMIT_MS)
        opened, tunnel = world.tunnel(stamp, asked)
        yield opened
        if tunnel is not None:
            with tunnel:
                stamp = world.stamp(step, caused_by=opened.id)
                yield world.exchange(stamp, request, tunnel=tunnel)
    except DeclinedError as declined:
        yield _declined(stamp, began_ns, world.now_ns(), str(declined))


def _at(step: Step) -> str:
    host = f"[{step.address}]" if ":" in (step.address or "") else step.address
    return f"https://{host}:{step.port}/"


def _declined(stamp: Stamp, began_ns: int, ended_ns: int, detail: str) -> NotRun:
    return NotRun(
        id=stamp.id,
        step=stamp.step,
        attempt=stamp.attempt,
        caused_by=stamp.caused_by,
        began_ns=began_ns,
        ended_ns=ended_ns,
        why="declined",
        what="the request by the second way",
        detail=detail,
    )


PROBE = Probe(name="way", version=1, run=_run)
