"""Which of the kernel's ways are open to this process: found by trying each, never by asking who we are."""

import contextlib
import functools
import importlib.util
import select
import socket

from icmplib.exceptions import ICMPLibError
from icmplib.sockets import ICMPSocket, ICMPv4Socket, ICMPv6Socket

from netdiag.probes.kernel import errqueue
from netdiag.probes.kernel.numbers import IS_LINUX, V4, V6, Options

_LOOPBACK = {V4: "127.0.0.1", V6: "::1"}
_SELF_TEST_WAIT_S = 0.2  # loopback answers within microseconds; a sandbox without the queue never does


@functools.cache
def has_error_queue() -> bool:
    """Does an ICMP error really come out of the queue? Tried on loopback: a datagram to a port that was just closed.

    Sandboxes accept the option and never queue (gVisor), so that setting it proves nothing.
    """
    if not IS_LINUX:
        return False
    return any(_queue_works(options) for options in (V4, V6))


def _queue_works(options: Options) -> bool:
    with contextlib.suppress(OSError), socket.socket(options.family, socket.SOCK_DGRAM) as sock:
        with socket.socket(options.family, socket.SOCK_DGRAM) as closed:
            closed.bind((_LOOPBACK[options], 0))
            sock.connect(closed.getsockname())
        errqueue.enable(sock, options)
        sock.send(b"netdiag self-test")
        poll = select.poll()
        poll.register(sock, 0)  # POLLERR is always reported
        poll.poll(_SELF_TEST_WAIT_S * 1000)
        return bool(errqueue.drain(sock, options))
    return False


@functools.cache
def has_min_ttl() -> bool:
    """Can a floor for the arriving TTL be set (IP_MINTTL)?"""
    if not IS_LINUX:
        return False
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.setsockopt(V4.level, V4.min_ttl, 1)
        return True
    return False


def icmp_socket(options: Options, *, raw: bool) -> ICMPSocket | None:
    """An ICMP socket of that kind, or None when this process may not have one. The caller closes it."""
    make = ICMPv4Socket if options is V4 else ICMPv6Socket
    with contextlib.suppress(ICMPLibError):
        return make(privileged=raw)
    return None


@functools.cache
def may_send_icmp(*, raw: bool) -> bool:
    """May this process send ICMP echoes, by raw or by ping sockets (``net.ipv4.ping_group_range``)?"""
    for options in (V4, V6):
        sock = icmp_socket(options, raw=raw)
        if sock is not None:
            sock.close()
            return True
    return False


@functools.cache
def has_scapy() -> bool:
    """Is the library there that makes raw packets? It is left out of frozen binaries for its licence."""
    return importlib.util.find_spec("scapy") is not None


def found() -> dict[str, bool | None]:
    """All of them, as the Platform record names them."""
    return {
        "error_queue": has_error_queue(),
        "raw_sockets": may_send_icmp(raw=True),
        "ping_sockets": may_send_icmp(raw=False),
        "min_ttl": has_min_ttl(),
    }
