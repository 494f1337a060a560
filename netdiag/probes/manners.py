"""How gently the vendor and the routers are asked, so that the probe never causes what it looks for.

The limits are those of design.md (Manners). A call takes its place before it sends and is told how long to wait; when
that wait does not fit, it is refused and takes no place. The governor never sleeps and never reads a clock of its own:
times come in, so that tables and properties can test it.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Literal, NamedTuple

SYNS, SYN_WINDOW_NS = 4, 30_000_000_000
"""SYNs in any 30 s to one vendor address:port. Planned retransmissions count, since a lost SYN is a SYN too.

``ufw limit`` refuses the sixth in 30 s, so that one is left for the customer's own next connection."""

SYNS_IF_NONE_ACCEPTED = 5
"""As many while none was accepted: a customer who is not let in has no next connection to lose."""

_LATE_NS = 3_000_000_000
"""How much later than its place a SYN may leave: two retransmissions (1 s + 2 s, RFC 6298) or a router's turn."""

OPEN_CONNECTIONS = 2
"""Open at once to one vendor address:port."""

REQUESTS, REQUEST_GAP_NS = 20, 1_000_000_000
"""HTTP requests to the vendor in all, and the least time between two."""

ROUTER_BURST, ROUTER_GAP_NS, ROUTER_PROBES, ROUTER_FOLLOW_UPS, ROUTER_SAMPLES = 3, 1_000_000_000, 12, 24, 12
"""To one router: probes at once, then one each second, and in all; and so many more, at the same pace, where something
ails and is looked at closer, and where it is counted what is lost. The own gateway (TTL 1) is exempt.

What counts losses has its own: a lossy path looks like a dead member of several at first, and once other flows have
spent what is there to look closer, too few packets are left to place the loss.

Which router will answer is unknown before, and walks to different addresses share the first ones. So the place on the
path (family, TTL) stands for the router: never more than the limit reaches any one router at that place.
"""

Purpose = Literal["walk", "follow_up", "sample"]
_IN_ALL: Mapping[Purpose, int] = {"walk": ROUTER_PROBES, "follow_up": ROUTER_FOLLOW_UPS, "sample": ROUTER_SAMPLES}

WALK_SYNS = 2
"""SYNs of one walk that may reach the host."""

DEEP_SCALE = 3
"""How many times the usual manners ``--deep`` allows (design.md, Manners: more, and says how much)."""

Family = Literal[4, 6]
Endpoint = tuple[str, int]


class Place(NamedTuple):
    """A place taken: send no sooner than ``at_ns`` of the run's clock."""

    at_ns: int


class Governor:
    """Keeps every limit over all probe threads. ``scale`` above 1 is for ``--deep``: that many times as much."""

    def __init__(self, scale: int = 1) -> None:
        self._scale = scale
        self._lock = threading.Lock()
        # The time of each SYN, oldest first.
        self._syns: dict[Endpoint, list[int]] = defaultdict(list)
        self._walk_syns: dict[str, int] = defaultdict(int)
        self._accepting: set[Endpoint] = set()
        self._open: dict[Endpoint, int] = defaultdict(int)
        self._requests: list[int] = []
        self._request_left_ns: int | None = None
        self._routers: dict[tuple[Family, int], _Bucket] = defaultdict(_Bucket)

    def syns(
        self, endpoint: Endpoint, count: int, now_ns: int, wait_ns: int, *, walk: str | None = None
    ) -> Place | None:
        """Places for ``count`` SYNs sent together, or None when more than ``wait_ns`` of waiting would be needed.

        ``walk`` names the walk that they belong to: it gets no more than ``WALK_SYNS`` in all.
        """
        with self._lock:
            limit = (SYNS if endpoint in self._accepting else SYNS_IF_NONE_ACCEPTED) * self._scale
            if count > limit or (walk is not None and self._walk_syns[walk] + count > WALK_SYNS * self._scale):
                return None
            taken = self._syns[endpoint]
            at = max(now_ns, taken[-1]) if taken else now_ns  # places are given in order of time
            excess = len(taken) + count - limit
            if excess > 0:  # that many of the oldest must have left the window
                at = max(at, taken[excess - 1] + SYN_WINDOW_NS + _LATE_NS)
            if at - now_ns > wait_ns:
                return None
            taken.extend([at] * count)
            if walk is not None:
                self._walk_syns[walk] += count
            return Place(at)

    def unsent(self, endpoint: Endpoint, count: int, place: Place, *, walk: str | None = None) -> None:
        """Give back ``count`` SYNs of ``place``: not sent after all, or proven not to have reached the host."""
        with self._lock:
            for _ in range(count):
                self._syns[endpoint].remove(place.at_ns)
                if walk is not None:
                    self._walk_syns[walk] -= 1

    def accepted(self, endpoint: Endpoint) -> None:
        """A SYN to ``endpoint`` was answered with a SYN-ACK."""
        with self._lock:
            self._accepting.add(endpoint)

    def open(self, endpoint: Endpoint) -> bool:
        """Take one of the connections that may be open; False when none is free now. ``closed`` gives it back."""
        with self._lock:
            if self._open[endpoint] >= OPEN_CONNECTIONS * self._scale:
                return False
            self._open[endpoint] += 1
            return True

    def closed(self, endpoint: Endpoint) -> None:
        """One connection to ``endpoint`` is closed."""
        with self._lock:
            assert self._open[endpoint] > 0
            self._open[endpoint] -= 1

    def request(self, now_ns: int, wait_ns: int) -> Place | None:
        """A place for one request to the vendor, or None when there is none within ``wait_ns``."""
        with self._lock:
            if len(self._requests) >= REQUESTS * self._scale:
                return None
            at = max(now_ns, self._requests[-1] + REQUEST_GAP_NS // self._scale) if self._requests else now_ns
            if at - now_ns > wait_ns:
                return None
            self._requests.append(at)
            return Place(at)

    def request_leaves(self, now_ns: int) -> int:
        """To be asked once the place has come: 0, and the request leaves now; or how many nanoseconds to wait first,
        since the one before it left later than its place (a busy machine), and the pause counts from there."""
        gap = REQUEST_GAP_NS // self._scale
        with self._lock:
            left = 0 if self._request_left_ns is None else max(0, self._request_left_ns + gap - now_ns)
            if left == 0:
                self._request_left_ns = now_ns
            return left

    def router(self, family: Family, ttl: int, now_ns: int, wait_ns: int, *, purpose: Purpose = "walk") -> Place | None:
        """A place for one probe that router ``ttl`` may have to answer; None when there is none within ``wait_ns``."""
        if ttl == 1:
            return Place(now_ns)
        gap = ROUTER_GAP_NS // self._scale
        with self._lock:
            bucket = self._routers[family, ttl]
            if bucket.taken[purpose] >= _IN_ALL[purpose] * self._scale:
                return None
            # GCRA (ITU-T I.371): ``empty_ns`` is when all that was taken has been paid for at one each gap; a burst
            # may run ahead of that by its own size.
            at = max(now_ns, bucket.empty_ns - (ROUTER_BURST - 1) * gap)
            if at - now_ns > wait_ns:
                return None
            bucket.empty_ns = max(bucket.empty_ns, at) + gap
            bucket.taken[purpose] += 1
            return Place(at)


class _Bucket:
    """What one router was asked so far, and for what."""

    def __init__(self) -> None:
        self.taken = Counter[Purpose]()
        self.empty_ns = 0
