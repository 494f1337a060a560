"""How a server is asked until it is clear whether it answers: UDP, UDP again, TCP."""

from collections.abc import Iterator

import msgspec

from netdiag.evidence.bundle import Step
from netdiag.evidence.names import Lookup
from netdiag.evidence.record import FailureCode
from netdiag.probes.base import Question, World

# Silent over UDP, or nonsense: TCP tells a server that is gone from a path that loses or alters UDP 53.
_TRY_TCP = {FailureCode.TIMED_OUT, FailureCode.PROTOCOL}


def ask(step: Step, world: World, question: Question, *, asked_before: int = 0) -> Iterator[Lookup]:
    """``question`` over UDP, once more when that was silent, then over TCP; over TCP at once when truncated.

    ``asked_before`` counts the silent UDP attempts that were made elsewhere.
    """
    lookup: Lookup | None = None
    for attempt in range(asked_before + 1, 3):
        lookup = world.query(world.stamp(step, attempt=attempt), question)
        yield lookup
        if lookup.failure is None or lookup.failure.code is not FailureCode.TIMED_OUT:
            break
    if lookup is None or "TC" in lookup.flags or (lookup.failure is not None and lookup.failure.code in _TRY_TCP):
        over_tcp = msgspec.structs.replace(question, transport="tcp")
        yield world.query(world.stamp(step, attempt=1), over_tcp)
