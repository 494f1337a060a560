"""A cable with length: carries Ethernet frames between two interfaces after a delay, in order, losing none.

The kernel of a small machine may have no netem; a relay in user space is exact enough for tens of milliseconds.
"""

from __future__ import annotations

import collections
import contextlib
import random
import select
import socket
import time

_ETH_P_ALL = 3
_PACKET_OUTGOING = 4  # packet(7): our own frames come back to the socket, marked so


def _open(interface: str) -> socket.socket:
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    end.bind((interface, _ETH_P_ALL))
    # Frames are for the far end's hardware address, so they have to be taken although they are for somebody else.
    membership = socket.if_nametoindex(interface).to_bytes(4, "little") + b"\x01\x00" + bytes(10)
    end.setsockopt(263, 1, membership)  # SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC
    end.setblocking(False)
    return end


def serve(first: str, second: str, delay_ms: float, jitter_ms: float) -> None:
    """Relay between two interfaces of this namespace for ever; one way takes ``delay_ms`` and up to ``jitter_ms``."""
    ends = (_open(first), _open(second))
    queues: tuple[collections.deque[tuple[float, bytes]], ...] = (collections.deque(), collections.deque())
    poll = select.epoll()
    for end in ends:
        poll.register(end, select.EPOLLIN)
    while True:
        due = min((queue[0][0] for queue in queues if queue), default=None)
        poll.poll(None if due is None else max(0.0, due - time.monotonic()))
        now = time.monotonic()
        for here, queue in zip(ends, queues, strict=True):
            with contextlib.suppress(BlockingIOError):
                while True:
                    frame, source = here.recvfrom(65536)
                    if source[2] == _PACKET_OUTGOING:
                        continue
                    at = now + (delay_ms + random.random() * jitter_ms) / 1000
                    queue.append((max(at, queue[-1][0]) if queue else at, frame))
        now = time.monotonic()
        for there, queue in zip(reversed(ends), queues, strict=True):
            while queue and queue[0][0] <= now:
                with contextlib.suppress(OSError):
                    there.send(queue.popleft()[1])
