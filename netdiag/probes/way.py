"""One request by a second way out: connect, TLS and HTTP on one connection, so that it costs the vendor one SYN.

It is asked once. Where the manners have no place for its SYN yet it waits, since the limiter that is looked for may
count all ways of a customer together (an office's ways often share one public address).
"""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.probes.asking import ask
from netdiag.probes.base import Probe, Request, World

_LIMIT_MS = 6000


def _run(step: Step, world: World) -> Iterator[Observation]:
    if (why := step.params.get("left_out")) is not None:
        yield world.stamp(step).not_run("prerequisite_failed", "the second way", world.now_ns(), detail=why)
        return
    url = step.params["url"]
    proxy = None if step.proxy is None else f"http://{step.proxy}"
    request = Request(
        url=url,
        address=step.address if proxy is None else None,
        proxy=proxy,
        keep_page=step.role == "control",
        limit_ms=_LIMIT_MS,
    )
    # The proxy is asked for the very address; the name goes into TLS and the request alone.
    tunnel_to = None if step.address is None else Request(url=_at(step), proxy=proxy, limit_ms=_LIMIT_MS)
    yield from ask(step, world, request, what="the request by the second way", tunnel_to=tunnel_to, waits=True)


def _at(step: Step) -> str:
    host = f"[{step.address}]" if ":" in (step.address or "") else step.address
    return f"https://{host}:{step.port}/"


PROBE = Probe(name="way", version=1, run=_run)
