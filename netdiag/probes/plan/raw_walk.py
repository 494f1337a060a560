"""One walk with packets of our own making, where we may: what was rewritten on the way shows in what routers quote."""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.evidence.machine import Platform
from netdiag.evidence.record import ObsId
from netdiag.evidence.transport import HopReply
from netdiag.probes.plan.seen import Inputs, Seen, make_step


def walk_with_raw_packets(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """To the first address to which the walk over TCP did not arrive; with ``--deep`` to the first address anyway."""
    if not any(platform.raw_sockets for _, platform in seen.of(Platform)) or seen.steps("walk", "target", mode="raw"):
        return
    walks = [step for step in seen.steps("walk", "target", protocol="tcp") if step.id in seen.finished]
    ailing = [step for step in walks if not _arrived(step, seen)]
    for step in (ailing or (walks if inputs.options.deep else []))[:1]:
        yield make_step(
            "walk",
            "target",
            subject=step.subject,
            address=step.address,
            port=step.port,
            caused_by=_last_of(step, seen),
            params={"protocol": "tcp", "mode": "raw"},
        )


def _arrived(walk: Step, seen: Seen) -> bool:
    return any(one.answer in {"syn_ack", "rst"} for by, one in seen.of(HopReply) if by.id == walk.id)


def _last_of(walk: Step, seen: Seen) -> ObsId | None:
    return next((one.id for by, one in reversed(list(seen.of(HopReply))) if by.id == walk.id), None)
