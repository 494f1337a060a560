"""One HTTP request, direct or through a proxy's tunnel, and what is recorded of it."""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.probes.base import DeclinedError, Request, World
from netdiag.probes.patience import patiently


def ask(
    step: Step, world: World, request: Request, *, what: str, tunnel_to: Request | None = None, waits: bool = False
) -> Iterator[Observation]:
    """The exchange; for https by a proxy its CONNECT first, to the host of ``tunnel_to`` (None: of ``request``).

    ``waits``: as long as it takes for a place that the manners do not have yet. Where they refuse, ``what`` was not
    run.
    """
    stamp = world.stamp(step)
    began_ns = world.now_ns()
    try:
        if request.proxy is None or not request.url.startswith("https:"):
            yield patiently(world, lambda: world.exchange(stamp, request)) if waits else world.exchange(stamp, request)
            return
        opened, tunnel = world.tunnel(stamp, tunnel_to or request)
        yield opened
        if tunnel is not None:
            with tunnel:
                stamp = world.stamp(step, caused_by=opened.id)
                yield world.exchange(stamp, request, tunnel=tunnel)
    except DeclinedError as declined:
        yield stamp.not_run("declined", what, world.now_ns(), began_ns=began_ns, detail=str(declined))
