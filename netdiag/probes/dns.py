"""One name at one resolver, A and AAAA side by side: raw, since ``getaddrinfo`` hides all but the addresses."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from netdiag.evidence.bundle import Step
from netdiag.evidence.names import Lookup
from netdiag.evidence.observation import Observation
from netdiag.probes.base import Probe, Question, World
from netdiag.probes.library.asking import ask
from netdiag.probes.library.together import together

_SERVFAIL = 2


def _run(step: Step, world: World) -> Iterator[Observation]:
    server_class: Literal["configured", "public"] = "public" if step.params["class"] == "public" else "configured"
    yield from together(
        _one_type(
            step,
            world,
            Question(
                name=step.params["name"],
                rrtype=rrtype,
                server=step.subject,
                server_class=server_class,
                port=step.port or 53,
            ),
        )
        for rrtype in ("A", "AAAA")
    )


def _one_type(step: Step, world: World, question: Question) -> Iterator[Lookup]:
    last: Lookup | None = None
    for last in ask(step, world, question):
        yield last
    if last is not None and last.rcode == _SERVFAIL:
        # With checking disabled the same answer shows that it was DNSSEC that failed (RFC 4035 section 3.2.2).
        unchecked = msgspec.structs.replace(question, checking_disabled=True)
        yield world.query(world.stamp(step, caused_by=last.id), unchecked)


PROBE = Probe(name="dns", version=1, run=_run)
