"""TCP connects to the own gateway: loss in the LAN, for users who may not send ICMP, and where ICMP may be limited.

A port that is closed answers as well as an open one: a router sends every SYN its answer (RFC 9293 section 3.5.2),
while it may send only so many ICMP messages a second. Nothing is said on the connections that come about.
"""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import FailureCode, Icmp
from netdiag.evidence.transport import Connect
from netdiag.probes.base import Probe, World
from netdiag.probes.library.together import together

_LIMIT_MS = 1000  # the least after which silence is claimed (design.md, Records)
_PORTS = (53, 80, 443)
"""Where home routers and firewalls listen, or at least refuse; one that drops all three stays unknown."""

_AT_ONCE = 5


def _run(step: Step, world: World) -> Iterator[Observation]:
    answering: int | None = None
    for connect in together(_knock(step, world, port) for port in _PORTS):
        yield connect
        if answering is None and _is_answered(connect):
            answering = connect.port
    left = int(step.params.get("count", "1")) - 1
    while answering is not None and left > 0:
        yield from together(_knock(step, world, answering) for _ in range(min(left, _AT_ONCE)))
        left -= _AT_ONCE


def _knock(step: Step, world: World, port: int) -> Iterator[Connect]:
    assert step.address is not None
    # A repetition cannot be held back from a neighbour (SO_DONTROUTE): allowed, it is at least counted.
    connect, stream = world.connect(world.stamp(step), step.address, port, limit_ms=_LIMIT_MS, syn_retries=1)
    if stream is not None:
        stream.close()
    yield connect


def _is_answered(connect: Connect) -> bool:
    """By the gateway's TCP: an ICMP error may be limited."""
    failure = connect.failure
    if failure is None:
        return True
    return failure.code is FailureCode.REFUSED and not isinstance(failure.native, Icmp)


PROBE = Probe(name="knock", version=1, run=_run)
