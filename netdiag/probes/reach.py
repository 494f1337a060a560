"""Can this address and port be connected to, and does TLS come up there?

One SYN for each attempt, not a SYN and its repetition: the second attempt asks as well as a repetition would, comes
from another source port (another flow), and leaves the budget of SYNs (manners.py) room for the walk's two and for the
check at the end.
"""

from collections.abc import Generator, Iterator

from netdiag.evidence.bundle import Step
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import FailureCode, Icmp
from netdiag.evidence.transport import Connect
from netdiag.probes.base import DeclinedError, Probe, Stamp, Stream, World
from netdiag.probes.patience import patiently

# The first listens past the 3.06 s after which a router, or the own kernel, says that the last hop does not answer ARP
# or NDP (fault-signatures 4). It says so to the packets that waited longest, so a later SYN would not be told.
_LIMITS_MS = (3300, 1000)
# The check at the end asks once: it is the further attempt. So do the look at another port, and the one with small
# segments, which follows a connection that was accepted.
_CHECK_LIMITS_MS = (1000,)
_ASKED_ONCE = {"other_port", "small_segments"}
_PAUSE_S = 0.5  # after an answer; after silence enough time has passed
_HANDSHAKE_MS, _ONCE_HANDSHAKE_MS = 5000, 2000

# Answered, one way or the other, but perhaps not for good: one more attempt shows whether it persists.
_WORTH_ANOTHER = {FailureCode.TIMED_OUT, FailureCode.REFUSED, FailureCode.RESET, FailureCode.UNREACHABLE}


def _run(step: Step, world: World) -> Iterator[Observation]:
    limits = _CHECK_LIMITS_MS if _asks_once(step) else _LIMITS_MS
    for attempt, limit_ms in enumerate(limits, start=1):
        connect = yield from _attempt(step, world, attempt, limit_ms)
        failure = None if connect is None else connect.failure
        if failure is None or failure.code not in _WORTH_ANOTHER or isinstance(failure.native, Icmp):
            return  # of ICMP errors there is one a second (icmp(7), icmp_ratelimit): the check at the end asks for it
        if attempt < len(limits) and failure.code is not FailureCode.TIMED_OUT:
            world.sleep(_PAUSE_S)


def _asks_once(step: Step) -> bool:
    return step.round > 1 or step.params.get("use") in _ASKED_ONCE


def _attempt(step: Step, world: World, attempt: int, limit_ms: int) -> Generator[Observation, None, Connect | None]:
    assert step.address is not None
    assert step.port is not None
    stamp = world.stamp(step, attempt=attempt)
    began = world.now_ns()
    try:
        connect, stream = _connect(step, world, stamp, limit_ms)
    except DeclinedError as declined:
        yield stamp.not_run("declined", "connect", world.now_ns(), began_ns=began, detail=str(declined))
        return None
    yield connect
    if stream is not None:
        with stream:
            if step.params.get("tls") == "yes":
                tls_stamp = world.stamp(step, attempt=attempt, caused_by=connect.id)
                handshake_ms = _ONCE_HANDSHAKE_MS if _asks_once(step) else _HANDSHAKE_MS
                yield world.handshake(tls_stamp, stream, step.subject or None, limit_ms=handshake_ms)
    return connect


def _connect(step: Step, world: World, stamp: Stamp, limit_ms: int) -> tuple[Connect, Stream | None]:
    """One connect, which waits for its turn where a second way was taken before it (``patient``): that it still fails
    here after it worked there is what the two are compared for."""
    address, port = step.address, step.port
    assert address is not None
    assert port is not None

    def act() -> tuple[Connect, Stream | None]:
        return world.connect(stamp, address, port, limit_ms=limit_ms, syn_retries=0, mss_clamp=mss_of(step))

    return patiently(world, act) if step.params.get("patient") == "yes" else act()


def mss_of(step: Step) -> int | None:
    """The largest segment, in bytes, that the step wants on its connection in both directions; None: the kernel's."""
    return int(step.params["mss"]) if "mss" in step.params else None


PROBE = Probe(name="reach", version=1, run=_run)
