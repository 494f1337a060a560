"""ICMP echo: raw or ping sockets, and where neither is allowed the system's ``ping``, which may be privileged."""

import contextlib
import math
import os
import re
import shutil
import subprocess

from netdiag.evidence.record import Failure, FailureCode, NotRun
from netdiag.evidence.transport import Echo, HopReply
from netdiag.probes.base import HopProbe, Stamp
from netdiag.probes.clock import Clock
from netdiag.probes.kernel.hops import Due, hops
from netdiag.probes.kernel.numbers import IS_LINUX

_TTL = 64  # RFC 1700's recommended default

# iputils' and busybox' line for a reply; LC_ALL=C keeps the point in the number. The exit code decides, not the text.
_REPLY = re.compile(rb"\bttl=(?P<ttl>\d{1,3})\b.*?\btime[=<](?P<ms>\d+(?:\.\d+)?) ?ms")
_ANSWERED, _UNANSWERED = 0, 1  # ping(8), exit status
_COMMAND_GRACE_S = 1.0


def echo(clock: Clock, stamp: Stamp, address: str, *, sequence: int, limit_ms: int) -> Echo | NotRun:
    """One echo request to ``address``. Raises ``OutOfTimeError``."""
    probe = HopProbe(stamp=stamp, address=address, port=0, protocol="icmp", ttl=_TTL, flow=1)
    limit = clock.limit_ms(limit_ms)
    (result,) = hops(clock, [Due(0, probe)], limit_ms=limit)
    if isinstance(result, HopReply):
        return _of_reply(result, sequence)
    return _by_command(clock, stamp, address, sequence, limit) or stamp.not_run(
        result.why,
        "ICMP echo",
        clock.now_ns(),
        began_ns=result.began_ns,
        detail="neither raw nor ping sockets, nor the system's ping",
    )


def _of_reply(reply: HopReply, sequence: int) -> Echo:
    answered = reply.answer == "echo_reply"
    failure = reply.failure
    if reply.icmp is not None:
        failure = Failure(op="receive", code=FailureCode.UNREACHABLE, native=reply.icmp)
    return Echo(
        id=reply.id,
        step=reply.step,
        attempt=reply.attempt,
        caused_by=reply.caused_by,
        began_ns=reply.began_ns,
        ended_ns=reply.ended_ns,
        failure=failure,
        address=reply.address,
        sequence=sequence,
        mode="raw" if reply.mode == "raw" else "ping_socket",
        identifier=reply.source_port,
        rtt_us=reply.rtt_us if answered else None,
        reply_ttl=reply.replier_ttl if answered else None,
    )


def _by_command(clock: Clock, stamp: Stamp, address: str, sequence: int, limit_ms: int) -> Echo | None:
    """Through ping(8); None where there is none, or it may not send either. An ICMP error looks like silence there."""
    ping = shutil.which("ping") if IS_LINUX else None
    if ping is None:
        return None
    seconds = math.ceil(limit_ms / 1000)
    began = clock.now_ns()
    command = [ping, "-n", "-c", "1", "-W", str(seconds), address]
    environment = {**os.environ, "LC_ALL": "C"}
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            command, capture_output=True, env=environment, timeout=seconds + _COMMAND_GRACE_S, check=False
        )
        found = _REPLY.search(done.stdout)
        if done.returncode == _UNANSWERED or (done.returncode == _ANSWERED and found):
            return Echo(
                id=stamp.id,
                step=stamp.step,
                attempt=stamp.attempt,
                caused_by=stamp.caused_by,
                began_ns=began,
                ended_ns=clock.now_ns(),
                address=address,
                sequence=sequence,
                mode="ping_command",
                rtt_us=round(float(found["ms"]) * 1000) if found else None,
                reply_ttl=int(found["ttl"]) if found else None,
            )
    return None
