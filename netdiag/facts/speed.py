"""Facts of speed: how fast the URL came, what it waited for, and where it was held up."""

from typing import Literal

from netdiag.facts.base import Fact, Value, Witness
from netdiag.facts.path import HopPlace

Phase = Literal["name", "connect", "tls", "request", "server", "body"]
"""What a download waits for, in order: the name's address; TCP; TLS; the acknowledgement of the request (its packets
are lost or late); the answer's first byte, when the request is acknowledged; the rest of the body."""

Shape = Literal["steady", "bucket", "stalling", "unknown"]
"""How a body came: at one rate; fast first and at a lower constant rate from a sharp knee on; with long pauses; or
neither, or too little of it to tell."""

Limit = Literal["sender", "lan", "access", "path", "end", "drops"]
"""What held a body up. ``sender``: nothing was lost, no router's round trips grew, and what came came in bursts, so
that the sender did not send meanwhile.
``lan``: round trips to the own gateway grew. ``access``: those beyond it did, and those to it did not; the line's use
and the provider are not told apart. ``path``: they grew between two routers of which the nearer one is public. ``end``:
they began to grow at a router of the vendor's. ``drops``: packets were lost, and round trips stayed short."""


class Download(Value, frozen=True, kw_only=True):
    """One bounded download. ``slow_phases`` are those that took too long, the longest first.

    ``rtt_ms`` is the shortest round trip that the kernel saw to the address. ``server_ms``: from the acknowledgement of
    the request to the first byte. ``rate`` is bytes per second of the body; ``rate_low``/``rate_high`` hold eight of
    ten equal slices of its time. ``out_of_order``: packets that came so.
    ``bursts``: the body came in pieces, each far faster than the whole, with pauses in between: the way carries much
    more than was sent. None: too few pieces to tell.
    """

    host: str
    address: str
    status: int | None
    received: int
    complete: bool | None
    rtt_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    request_ms: float | None = None
    server_ms: float | None = None
    body_ms: float | None = None
    rate: float | None = None
    rate_low: float | None = None
    rate_high: float | None = None
    out_of_order: int | None = None
    bursts: bool | None = None
    slow_phases: tuple[Phase, ...] = ()
    witnesses: tuple[Witness, ...] = ()


class Bucket(Value, frozen=True, kw_only=True):
    """A download in the shape of a token bucket: ``knee`` bytes at ``before`` bytes per second, then ``after``.

    ``policed``: packets were dropped from the knee on while round trips stayed short. False: none were. None: not told.
    """

    knee: int
    before: float
    after: float
    policed: bool | None


class PlaceDelay(Value, frozen=True, kw_only=True):
    """Round trips to one router. ``idle_ms``: the shortest of the whole run. ``loaded_ms``: the lower quartile while
    the body came, and of how many: what even the quicker ones waited is a queue that stands (Nichols and Jacobson,
    Controlling Queue Delay, ACM Queue 10(5), 2012), and no scatter.

    ``grew`` None: too few to say.
    """

    ttl: int
    router: str | None
    place: HopPlace | None
    idle_ms: float | None
    loaded_ms: float | None
    loaded_count: int
    grew: bool | None


class SpeedFacts(Value, frozen=True, kw_only=True):
    """Known where a download was made: with ``--slow``, or because the first exchange was slow."""

    target: Fact[Download] = Fact()
    controls: Fact[tuple[Download, ...]] = Fact()
    slow: Fact[bool] = Fact()
    """The URL works, and it took long each time: the first exchange and the download, for the same reason. What only a
    download shows (its body) counts once. Unknown when they differ."""
    waiting_for: Fact[Phase] = Fact()
    """What took longest; known when it is slow."""
    shape: Fact[Shape] = Fact()
    bucket: Fact[Bucket] = Fact()
    round_trips: Fact[tuple[PlaceDelay, ...]] = Fact()
    limited_by: Fact[Limit] = Fact()
    """What held the body up; known when it is slow and the samples tell."""
    held_between: Fact[tuple[str, str]] = Fact()
    """The last router to which round trips stayed short, and the first to which they grew."""
    controls_fast: Fact[bool] = Fact()
    """Some other host came fast by what the target is slow at: its first byte, or its body. False: none of those that
    say anything did."""
