"""The name of one router: what its address resolves to, and whether that name resolves to the address again.

Anybody can give his own addresses any name; that the name's owner gives it to the address in return (a
forward-confirmed reverse name, RFC 1912 section 2.1) is what makes it a sign.
"""

import ipaddress
from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.probes.base import Probe, Question, World

_LIMIT_MS = 1500  # it answered in this run: a zone that it cannot reach is no fault to look for


def _run(step: Step, world: World) -> Iterator[Observation]:
    assert step.address is not None
    address = ipaddress.ip_address(step.address)
    named = world.query(world.stamp(step), _question(step, address.reverse_pointer, "PTR"))
    yield named
    name = next((record.data for record in named.answers if record.rrtype == "PTR"), None)
    if name is not None:
        yield world.query(
            world.stamp(step, caused_by=named.id), _question(step, name, "A" if address.version == 4 else "AAAA")
        )


def _question(step: Step, name: str, rrtype: str) -> Question:
    return Question(
        name=name,
        rrtype=rrtype,
        server=step.subject,
        server_class="configured",
        port=step.port or 53,
        limit_ms=_LIMIT_MS,
    )


PROBE = Probe(name="reverse", version=1, run=_run)
