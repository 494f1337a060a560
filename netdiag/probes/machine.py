"""The customer's own machine: links, addresses, routes, neighbours, resolvers, overrides, proxies, clock, counters.

No packet leaves but for the system's own lookup, which comes last, so that all else is known before it hangs. The
second round reads again what moves: counters, neighbours, links, the clock.
"""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.evidence.machine import DefaultRoute
from netdiag.evidence.observation import Observation
from netdiag.probes.base import Probe, Stamp, World
from netdiag.probes.library.hostnames import is_literal

# glibc waits 5 s for a silent server before it asks the next one (RES_TIMEOUT, resolv.h): a second server that works
# is still seen.
_LOOKUP_MS = 6000


def _run(step: Step, world: World) -> Iterator[Observation]:
    machine = world.machine

    def stamp() -> Stamp:
        return world.stamp(step)

    is_first = step.round == 1
    if is_first:
        yield machine.platform(stamp())
    yield from machine.interfaces(stamp)
    routes = machine.default_routes(stamp)
    yield from routes
    gateways = [route.gateway for route in routes if isinstance(route, DefaultRoute) and route.gateway is not None]
    for gateway in dict.fromkeys(gateways):
        yield machine.neighbour(stamp(), gateway)
    yield machine.clock(stamp())
    yield machine.counters(stamp())
    if not is_first:
        return
    yield machine.resolvers(stamp())
    yield from machine.proxies(stamp, step.subject)
    if not is_literal(step.subject):
        yield machine.hosts_entry(stamp(), step.subject)
        yield machine.system_lookup(stamp(), step.subject, limit_ms=_LOOKUP_MS)


PROBE = Probe(name="machine", version=1, run=_run)
