"""How a server is asked until it is clear whether it answers: UDP, and after silence UDP again beside TCP."""

from collections.abc import Iterator

import msgspec

from netdiag.evidence.bundle import Step
from netdiag.evidence.names import Lookup
from netdiag.evidence.record import FailureCode
from netdiag.probes.base import Question, World
from netdiag.probes.library.together import together

_FIRST_MS = 1000
"""The first question is repeated after this, the least that is called silence: a resolver that is still looking has the
answer for the second one."""


def ask(step: Step, world: World, question: Question) -> Iterator[Lookup]:
    """``question`` over UDP; when that was silent, once more and over TCP side by side; over TCP when truncated or
    unreadable. TCP tells a server that is gone from a path that loses or alters UDP 53. The check at the end (round 2)
    asks once."""
    if step.round > 1:
        yield world.query(world.stamp(step), question)
        return
    first_limit_ms = min(_FIRST_MS, question.limit_ms)
    first = world.query(world.stamp(step), msgspec.structs.replace(question, limit_ms=first_limit_ms))
    yield first
    over_tcp = msgspec.structs.replace(question, transport="tcp")
    code = first.failure.code if first.failure is not None else None
    if code is FailureCode.TIMED_OUT:
        yield from together([_once(step, world, question, 2), _once(step, world, over_tcp, 1)])
    elif code is FailureCode.PROTOCOL or "TC" in first.flags:
        yield from _once(step, world, over_tcp, 1)


def _once(step: Step, world: World, question: Question, attempt: int) -> Iterator[Lookup]:
    yield world.query(world.stamp(step, attempt=attempt), question)
