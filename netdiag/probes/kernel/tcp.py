"""One TCP connect on one socket, with its ICMP error where there was one, and with no SYN more than allowed."""

import contextlib
import errno
import os
import select
import socket
import struct
from collections.abc import Callable
from typing import NamedTuple

from netdiag.evidence.record import Failure, FailureCode, Icmp, Native
from netdiag.evidence.transport import Connect, TcpInfo
from netdiag.probes.base import OutOfTimeError, Stamp
from netdiag.probes.clock import Clock
from netdiag.probes.kernel import errqueue, tcpinfo
from netdiag.probes.kernel.errqueue import QueuedError
from netdiag.probes.kernel.numbers import IPV6_RTHDR, IS_LINUX, TCP_SYNCNT, V4, Options, endpoint, options_for
from netdiag.probes.library.sockets import SocketStream

_NO_LINGER = struct.pack("ii", 1, 0)  # socket(7), SO_LINGER: close sends a reset

# A segment routing header, RFC 8754 section 2: next header, length in 8 bytes after the first 8, type 4, segments left,
# last entry, flags, tag; then the one segment, ::1.
_TO_LOOPBACK = struct.pack("!BBBBBBH", 0, 2, 4, 0, 0, 0, 0) + bytes(15) + b"\x01"

_REFUSED = {errno.ECONNREFUSED}
_UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.ENOPROTOOPT}
# No packet left: a prohibit route (EACCES), a blackhole route (EINVAL), a sandbox or a local rule (EPERM).
# fault-signatures 2.3; connect(2).
_DENIED = {errno.EACCES, errno.EPERM, errno.EINVAL}

# The kernel's first time-out is 1 s (TCP_TIMEOUT_INIT; RFC 6298 2.1); half of it is left, since a busy machine wakes
# this process late. An answer that comes later still connects: its ACK is held back, and goes out with the first data.
_BEFORE_REPETITION_NS = 500_000_000
_SPARE_RETRIES = 2  # so many: given up after 7 s and not after 3 (RFC 6298 5.5)
CONNECTED = frozenset({1, 8})
"""TCP_ESTABLISHED and TCP_CLOSE_WAIT (net/tcp_states.h): a peer may accept and close before we look."""

_UNSPECIFIED = {"0.0.0.0", "::"}  # noqa: S104 - what getsockname says of a socket that no route was found for

# Wait in slices, so that a stopped run (Ctrl-C) does not wait for a silent peer.
_SLICE_S = 0.1


class Wish(NamedTuple):
    """What one connect should be like. ``ttl``, ``min_ttl`` and ``mss_clamp`` None: the kernel's own."""

    address: str
    port: int
    limit_ms: int
    syn_retries: int
    ttl: int | None = None
    min_ttl: int | None = None
    mss_clamp: int | None = None


def connect(clock: Clock, stamp: Stamp, wish: Wish) -> tuple[Connect, SocketStream | None]:
    """Connect as ``wish`` says. The stream is there when and only when ``failure`` is None; the caller closes it.

    Raises ``OutOfTimeError`` when the run ended before or meanwhile.
    """
    options = options_for(wish.address)
    began = clock.now_ns()
    limit_ms = clock.limit_ms(wish.limit_ms)
    try:
        sock = _prepared(options, wish, stamp)
    except OSError as error:
        return _record(clock, stamp, wish, began, failure=failure_of(error.errno or 0, None)), None
    keep = False
    try:
        failure, syns = _attempt(clock, sock, options, wish, limit_ms)
        record = _record(clock, stamp, wish, began, failure=failure, sock=sock, syns_sent=syns)
        keep = failure is None
        return record, SocketStream(sock) if keep else None
    finally:
        if not keep:
            sock.close()


def _prepared(options: Options, wish: Wish, stamp: Stamp) -> socket.socket:
    sock = socket.socket(options.family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if IS_LINUX:
            # Without the queue the errno is all that will be known.
            with contextlib.suppress(OSError):
                errqueue.enable(sock, options)
            # More than wished, so that the kernel does not give up before the limit; ``mute`` holds them back.
            sock.setsockopt(socket.IPPROTO_TCP, TCP_SYNCNT, wish.syn_retries + _SPARE_RETRIES)
        if stamp.device is not None:
            # Needs no privilege on a socket that is bound to no device yet (Linux 5.7, commit c427bfec18f2).
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, stamp.device.encode())
        if stamp.source is not None:
            sock.bind((stamp.source, 0))
        if wish.ttl is not None:
            sock.setsockopt(options.level, options.ttl, wish.ttl)
        if wish.min_ttl is not None:
            sock.setsockopt(options.level, options.min_ttl, wish.min_ttl)
        if wish.mss_clamp is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, wish.mss_clamp)
    except OSError:
        sock.close()
        raise
    return sock


def _attempt(
    clock: Clock, sock: socket.socket, options: Options, wish: Wish, limit_ms: int
) -> tuple[Failure | None, int | None]:
    """How the attempt ended (None: connected), and how many SYNs went to the peer (None: unknown)."""
    try:
        target = endpoint(wish.address, wish.port)
    except OSError as error:
        return failure_of(error.errno or 0, None), 0
    began_ns = clock.now_ns()

    def ends_ns() -> int:  # later, once another probe has met a longer round trip
        return began_ns + clock.patient_ms(limit_ms) * 1_000_000

    number = sock.connect_ex(target)
    if number not in {0, errno.EINPROGRESS}:
        return failure_of(number, None), 0
    # Kernels since 6.5 repeat the SYN each second and four times more than TCP_SYNCNT says (tcp_syn_linear_timeouts;
    # ip-sysctl), older ones after 1, 3, 7 s. Before this time no repetition too many is due in either.
    mute_ns = began_ns + wish.syn_retries * 1_000_000_000 + _BEFORE_REPETITION_NS
    if _wait(clock, sock, lambda: min(mute_ns, ends_ns())):
        return _outcome(sock, options), _syns(sock)
    syns = _syns(sock)
    if clock.now_ns() >= ends_ns():
        return Failure(op="connect", code=FailureCode.TIMED_OUT), syns
    mute(sock, options)
    if not _wait(clock, sock, ends_ns):
        return Failure(op="connect", code=FailureCode.TIMED_OUT), syns
    failure = _outcome(sock, options)
    if failure is None:
        unmute(sock, options, ttl=wish.ttl)
    elif _is_of_muting(failure):
        failure = Failure(op="connect", code=FailureCode.TIMED_OUT)
    return failure, syns


def _is_of_muting(failure: Failure) -> bool:
    """Did a muted repetition end the socket: by time exceeded at the gateway, or by the route that we took away?"""
    if isinstance(failure.native, Icmp):
        return errqueue.is_time_exceeded(failure.native)
    return failure.errno in _UNREACHABLE


def _wait(clock: Clock, sock: socket.socket, until_ns: Callable[[], int]) -> bool:
    """Has the connect ended before ``until_ns``?"""
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    while (left_s := (until_ns() - clock.now_ns()) / 1e9) > 0:
        if clock.time_left_ms() == 0:
            raise OutOfTimeError
        if poll.poll(min(left_s, _SLICE_S) * 1000):
            return True
    return False


def _outcome(sock: socket.socket, options: Options) -> Failure | None:
    queued = errqueue.first_decisive(errqueue.drain(sock, options)) if IS_LINUX else None
    number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    info = tcpinfo.read(sock)
    established = number == 0 and queued is None if info is None else info.state in CONNECTED
    if established:  # an ICMP error about the ACK is a soft one: the connection stands
        return None
    return failure_of(number or (queued.errno if queued else 0), queued)


def failure_of(number: int, queued: QueuedError | None) -> Failure:
    """``number`` (an errno) and the ICMP error behind it, classified.

    errno alone is ambiguous, so ICMP comes first: an EACCES of IPv6 with an ICMP error is a remote "prohibited", not a
    local denial, and ECONNREFUSED with one is a firewall, not a closed port (fault-signatures 2.1, 2.2).
    """
    if queued is not None and queued.icmp is not None:
        refused = queued.errno in _REFUSED
        code = FailureCode.REFUSED if refused else FailureCode.UNREACHABLE
        return Failure(op="connect", code=code, native=queued.icmp, errno=number, text=os.strerror(number))
    if number == errno.ETIMEDOUT:
        code = FailureCode.TIMED_OUT
    elif number in _REFUSED:
        code = FailureCode.REFUSED
    elif number == errno.ECONNRESET:
        code = FailureCode.RESET
    elif number in _UNREACHABLE:
        code = FailureCode.UNREACHABLE
    elif number in _DENIED:
        code = FailureCode.DENIED_LOCALLY
    else:
        code = FailureCode.UNCLASSIFIED
    native = Native(kind="errno", number=number)
    return Failure(op="connect", code=code, native=native, errno=number, text=os.strerror(number))


def mute(sock: socket.socket, options: Options) -> bool:
    """From now on the kernel's own SYN repetitions do not reach the peer, while an answer to the first still counts.

    IPv4: SO_DONTROUTE takes the socket's route away, so that a repetition fails quietly inside the kernel; only a peer
    on the own link gets it all the same. IPv6 knows no such thing: there a routing header (RFC 8754) with the own
    loopback as its only stop sends it there, where it is dropped. False where neither is to be had: the repetition then
    dies at the gateway (hop limit 1), whose ICMP error ends the socket.
    """
    if not IS_LINUX:
        return False
    with contextlib.suppress(OSError):
        if options is V4:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_DONTROUTE, 1)
        else:
            sock.setsockopt(options.level, IPV6_RTHDR, _TO_LOOPBACK)
        return True
    with contextlib.suppress(OSError):
        sock.setsockopt(options.level, options.ttl, 1)
    return False


def unmute(sock: socket.socket, options: Options, *, ttl: int | None = None) -> None:
    """Undo ``mute``, so that an established connection can talk. ``ttl`` None: the kernel's own."""
    if not IS_LINUX:
        return
    with contextlib.suppress(OSError):
        if options is V4:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_DONTROUTE, 0)
        else:
            sock.setsockopt(options.level, IPV6_RTHDR, b"")
            sock.setsockopt(options.level, options.ttl, -1 if ttl is None else ttl)


def reset(sock: socket.socket) -> None:
    """Close with a reset, so that neither end keeps state and the source port is free at once."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    sock.close()


def _syns(sock: socket.socket) -> int | None:
    info = tcpinfo.read(sock)
    return None if info is None else info.total_retrans + 1


def _record(
    clock: Clock,
    stamp: Stamp,
    wish: Wish,
    began_ns: int,
    *,
    failure: Failure | None,
    sock: socket.socket | None = None,
    syns_sent: int | None = None,
) -> Connect:
    source: tuple[str, int] | None = None
    info: TcpInfo | None = None
    if sock is not None:
        with contextlib.suppress(OSError):
            source = sock.getsockname()[:2]
        # Of a connection that never was there is nothing to tell but its SYNs.
        info = tcpinfo.read(sock) if failure is None else None
    if source is not None and (source[1] == 0 or source[0] in _UNSPECIFIED):
        source = None
    return Connect(
        id=stamp.id,
        step=stamp.step,
        attempt=stamp.attempt,
        caused_by=stamp.caused_by,
        began_ns=began_ns,
        ended_ns=clock.now_ns(),
        failure=failure,
        address=wish.address,
        port=wish.port,
        source_address=None if source is None else source[0],
        source_port=None if source is None else source[1],
        device=stamp.device,
        limit_ms=wish.limit_ms,
        syns_sent=0 if sock is None else syns_sent,
        min_ttl=wish.min_ttl,
        mss_clamp=wish.mss_clamp,
        tcp=info,
    )
