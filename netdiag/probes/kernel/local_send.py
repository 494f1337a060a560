"""A UDP datagram handed to the kernel, to see whether a local rule lets it go. It dies at the gateway."""

import socket

from netdiag.evidence.machine import LocalSend
from netdiag.evidence.record import Failure
from netdiag.probes.base import Stamp
from netdiag.probes.clock import Clock
from netdiag.probes.kernel.datagram_probe import sending_failed
from netdiag.probes.kernel.numbers import endpoint, options_for

_TEXT = b"netdiag local rule test"


def local_send(clock: Clock, stamp: Stamp, address: str, port: int, *, ttl: int) -> LocalSend:
    """Send once. EPERM in ``failure``: a rule of this machine dropped it; an unconnected socket meets no old error."""
    options = options_for(address)
    began = clock.now_ns()
    failure: Failure | None = None
    source_port: int | None = None
    try:
        with socket.socket(options.family, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(options.level, options.ttl, ttl)
            sock.setblocking(False)
            sock.sendto(_TEXT, endpoint(address, port))
            source_port = sock.getsockname()[1]
    except OSError as error:
        failure = sending_failed(error.errno or 0)
    return LocalSend(
        id=stamp.id,
        step=stamp.step,
        attempt=stamp.attempt,
        caused_by=stamp.caused_by,
        began_ns=began,
        ended_ns=clock.now_ns(),
        failure=failure,
        address=address,
        port=port,
        source_port=source_port,
        ttl=ttl,
    )
