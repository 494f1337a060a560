"""How a server is asked until it is clear whether it answers: UDP, and after silence UDP again beside TCP."""

from collections.abc import Iterator

import msgspec

from netdiag.evidence.bundle import Step
from netdiag.evidence.names import Lookup
from netdiag.evidence.record import FailureCode
from netdiag.probes.base import Question, World
from netdiag.probes.library.together import together


def ask(step: Step, world: World, question: Question) -> Iterator[Lookup]:
    """``question`` over UDP; when that was silent, once more and over TCP side by side; over TCP when truncated or
    unreadable. TCP tells a server that is gone from a path that loses or alters UDP 53."""
    first = world.query(world.stamp(step), question)
    yield first
    over_tcp = msgspec.structs.replace(question, transport="tcp")
    code = first.failure.code if first.failure is not None else None
    if code is FailureCode.TIMED_OUT:
        yield from together([_once(step, world, question, 2), _once(step, world, over_tcp, 1)])
    elif code is FailureCode.PROTOCOL or "TC" in first.flags:
        yield from _once(step, world, over_tcp, 1)


def _once(step: Step, world: World, question: Question, attempt: int) -> Iterator[Lookup]:
    yield world.query(world.stamp(step, attempt=attempt), question)
