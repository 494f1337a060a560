"""Data with a limited TTL inside an established connection: where it stops, and where a reset comes from."""

from collections.abc import Callable, Iterator, Sequence

from netdiag.evidence.transport import ArrivingTtl, InFlow
from netdiag.probes.base import Payload, Stage, Stamp, Stream
from netdiag.probes.clock import Clock


def in_flow(
    clock: Clock, stamps: Callable[[], Stamp], stream: Stream, payload: Payload, stages: Sequence[Stage]
) -> Iterator[InFlow]:
    """``World.in_flow``."""
    raise NotImplementedError


def arriving_ttl(clock: Clock, stamp: Stamp, stream: Stream, payload: Payload, *, limit_ms: int) -> ArrivingTtl:
    """``World.arriving_ttl``."""
    raise NotImplementedError
