"""The TTL with which the answers to a SYN arrive, by connections that see none with less (fault-signatures P4).

One SYN for each question, on a socket of its own, since the floor hides ICMP errors, too. A filtered answer looks like
a lost packet: so at the end the answer is asked for once more just above the TTL that was found, where it must stay
away, and then with that TTL, where it must come.
"""

from collections.abc import Iterator
from typing import Literal

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import FailureCode, Icmp
from netdiag.evidence.transport import ArrivingTtl, Connect
from netdiag.probes.base import Probe, Stream, World
from netdiag.probes.patience import patiently
from netdiag.probes.ttl_search import TtlSearch

_LIMIT_MS = 1000
"""design.md, Records: silence is claimed after max(1 s, 4 x RTT)."""

_LARGEST = 255


def _run(step: Step, world: World) -> Iterator[Observation]:
    yield from by_connects(step, world)


def by_connects(step: Step, world: World) -> Iterator[Observation]:
    """A ``Connect`` for each question, then the ``ArrivingTtl`` of the SYN-ACKs or resets, whichever came first.
    Raises ``DeclinedError`` when there is no place for a SYN any more."""
    stamp, began_ns = world.stamp(step), world.now_ns()
    search, count, is_whole = TtlSearch(), 0, True
    of: Literal["syn_ack", "rst"] | None = None
    while is_whole and (floor := search.guess()) is not None:
        connect, count = _ask(step, world, floor, count), count + 1
        yield connect
        came = _answer(connect)
        of = of or came
        is_whole = _is_silence(connect) or (came is not None and came == of)
        if is_whole:
            search.told(came=came is not None)
    low, high = search.found()
    for floor, must_come in _proof(low, high) if is_whole else ():
        connect, count = _ask(step, world, floor, count), count + 1
        yield connect
        is_whole = is_whole and (_answer(connect) == of if must_come else _is_silence(connect))
    if of is None:
        return
    assert step.address is not None
    assert step.port is not None
    yield ArrivingTtl(
        id=stamp.id,
        step=stamp.step,
        caused_by=stamp.caused_by,
        began_ns=began_ns,
        ended_ns=world.now_ns(),
        address=step.address,
        port=step.port,
        of=of,
        how="min_ttl",
        low=low if is_whole else None,
        high=high if is_whole else None,
        connections=count,
    )


def _ask(step: Step, world: World, floor: int, count: int) -> Connect:
    assert step.address is not None
    assert step.port is not None
    address, port = step.address, step.port

    def act() -> tuple[Connect, Stream | None]:
        stamp = world.stamp(step, attempt=count + 1)
        return world.connect(stamp, address, port, limit_ms=_LIMIT_MS, syn_retries=0, min_ttl=floor)

    connect, stream = patiently(world, act)
    if stream is not None:
        stream.close()
    return connect


def _proof(low: int | None, high: int | None) -> list[tuple[int, bool]]:
    """Least TTLs to ask for once more, and whether an answer must come then."""
    if low is None or low != high:
        return []
    above = [(low + 1, False)] if low < _LARGEST else []
    return [*above, (low, True)]


def _answer(connect: Connect) -> Literal["syn_ack", "rst"] | None:
    if connect.failure is None:
        return "syn_ack"
    is_reset = connect.failure.code is FailureCode.REFUSED and not isinstance(connect.failure.native, Icmp)
    return "rst" if is_reset else None


def _is_silence(connect: Connect) -> bool:
    return connect.failure is not None and connect.failure.code is FailureCode.TIMED_OUT


PROBE = Probe(name="arriving", version=1, run=_run)
