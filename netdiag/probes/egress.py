"""Does the own machine let packets to the vendor out? Packets that end at the gateway tell, and the vendor sees none.

A SYN with TTL 1 to the vendor's port, to another port of that address, and to a control: where a rule of this machine
drops one, the gateway stays silent for it and answers for the others (fault-signatures, P12). A UDP datagram meets the
same rule with EPERM, where TCP would only wait.
"""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.probes.base import HopProbe, Probe, World

_SILENCE_MS = 1000
_GATEWAY = 1  # TTL


def _run(step: Step, world: World) -> Iterator[Observation]:
    assert step.address is not None
    assert step.port is not None
    ends = [(step.address, step.port), (step.address, _other_port(step.port))]
    if "control_address" in step.params:
        ends.append((step.params["control_address"], int(step.params.get("control_port", step.port))))
    probes = [
        HopProbe(stamp=world.stamp(step), address=address, port=port, protocol="tcp", ttl=_GATEWAY, flow=flow)
        for flow, (address, port) in enumerate(ends, start=1)
    ]
    yield from world.hops(probes, limit_ms=_SILENCE_MS)
    yield world.local_send(world.stamp(step), step.address, step.port, ttl=_GATEWAY)


def _other_port(port: int) -> int:
    """Another port that a line which lets only the web out lets out too."""
    return 80 if port != 80 else 443


PROBE = Probe(name="egress", version=1, run=_run)
