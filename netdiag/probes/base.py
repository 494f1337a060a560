"""What a probe is, and the seam through which every probe touches the machine and the network.

A probe is a plain generator ``(Step, World) -> Iterator[Observation]``. Network failures are yielded as records,
never raised; what a probe does raise is a bug of ours, and the runner records it as ``NotRun(why="crashed")``.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, Protocol

import msgspec

from netdiag.evidence.bundle import Role, Step
from netdiag.evidence.limits import LimitAttempt, Phase
from netdiag.evidence.machine import (
    Clock,
    DefaultRoute,
    HostsEntry,
    Interface,
    KernelCounters,
    LocalSend,
    Neighbour,
    Platform,
    ProxySetting,
    ResolverConfig,
    RouteLookup,
    SystemLookup,
)
from netdiag.evidence.names import Lookup
from netdiag.evidence.observation import Observation
from netdiag.evidence.record import NotRun, ObsId, StepId, Why
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import ArrivingTtl, Connect, Echo, HopReply, InFlow, Transfer
from netdiag.evidence.web import Exchange


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """Identity of a record that is about to be made; ``role`` decides which manners bind it.

    ``source``: the local address that its packets leave from, ``device``: the interface; None: the kernel chooses.
    ``proxy_authorization``: what its proxy is told beside the request, and nobody else; never recorded.
    """

    id: ObsId
    step: StepId
    role: Role
    attempt: int = 1
    caused_by: ObsId | None = None
    source: str | None = None
    device: str | None = None
    proxy_authorization: str | None = None

    def not_run(self, why: Why, what: str, now_ns: int, *, began_ns: int | None = None, detail: str = "") -> NotRun:
        """The record that it was not made after all; ``began_ns`` when it was begun (None: not)."""
        return NotRun(
            id=self.id,
            step=self.step,
            attempt=self.attempt,
            caused_by=self.caused_by,
            began_ns=now_ns if began_ns is None else began_ns,
            ended_ns=now_ns,
            why=why,
            what=what,
            detail=detail,
        )


class OutOfTimeError(Exception):
    """The run's deadline came. Raised by World calls that wait; the runner records it, probes let it pass."""


class DeclinedError(Exception):
    """The manners refuse: the budget is spent, or the wait for it does not fit. Nothing was sent. Its text is for
    ``NotRun(why="declined")``."""


class Stream(Protocol):
    """An established TCP connection. Close it; ``with`` does."""

    def __enter__(self) -> "Stream": ...
    def __exit__(self, *exc: object) -> None: ...
    def close(self) -> None:
        """Close with a reset (linger 0), so that no TIME_WAIT holds the source port."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One DNS question to one server. ``limit_ms`` bounds the wait for the reply."""

    name: str
    rrtype: str
    server: str
    server_class: Literal["configured", "public", "authority", "parent", "canary"]
    server_name: str | None = None
    transport: Literal["udp", "tcp"] = "udp"
    recursion_desired: bool = True
    checking_disabled: bool = False
    zone: str | None = None
    port: int = 53
    limit_ms: int = 2000


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request, pinned to ``address`` (SNI and Host stay those of ``url``) or sent through ``proxy``.

    ``address`` None is allowed only with ``proxy`` (``http://host:port``; the proxy resolves). ``keep_page`` keeps the
    first 2 kB of the body whatever the status is: for connectivity-check pages, whose other content is a portal's.
    ``mss_clamp``: the largest segment of its own connection, in both directions (None: the kernel's).
    """

    url: str
    address: str | None = None
    proxy: str | None = None
    method: Literal["GET", "HEAD"] = "GET"
    user_agent: Literal["netdiag", "customer", "browser"] = "netdiag"
    identify: bool = True
    keep_page: bool = False
    mss_clamp: int | None = None
    limit_ms: int = 10_000


class HopProbe(msgspec.Struct, frozen=True, kw_only=True):
    """One TTL-limited packet of a walk. The same ``flow`` in one step keeps one 5-tuple; ``source_port`` pins it
    (0: the kernel chooses, and the reply says which).

    ``size``: bytes of the whole IP packet, sent with "don't fragment" whatever path MTU the kernel remembers (UDP and
    ICMP only; 0: as small as it goes). ``raw``: made and read by netdiag itself, which needs privilege. ``follow_up``:
    it looks closer at something that ails, and ``sample``: it does so as one of many that count what is lost, so that
    its router is asked from the budget for that (manners.py).
    ``after_ms``: it is held back so long from when it was asked for, and only then takes its place.
    """

    stamp: Stamp
    address: str
    port: int
    protocol: Literal["tcp", "udp", "icmp"]
    ttl: int
    flow: int
    source_port: int = 0
    size: int = 0
    raw: bool = False
    follow_up: bool = False
    sample: bool = False
    after_ms: int = 0


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """What an established connection is given to carry: a ClientHello for ``name``, or ``GET path`` with Host ``name``.

    ``neutral``: the name is not the vendor's.
    """

    kind: Literal["client_hello", "request"]
    name: str
    path: str = "/"
    neutral: bool = False


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """Wait up to ``limit_ms`` for an answer while data leave with ``ttl`` (None: the kernel's own) and packets that
    arrive with less than ``min_ttl`` are not seen (None: all are)."""

    ttl: int | None = None
    min_ttl: int | None = None
    limit_ms: int = 1500


class LimitWish(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt of a rate section. It begins at ``at_ns`` of the run's clock, or as soon after as it may. ``series``
    numbers the attempts between two refusals. A request goes out on connection ``connection``, which is made where it
    is not open; a connection alone is closed at once unless ``hold``. ``release``: all connections are closed before,
    and none is under way.
    """

    phase: Phase
    connection: int
    at_ns: int
    request: bool = True
    method: Literal["HEAD", "GET"] = "HEAD"
    series: int = 1
    hold: bool = False
    release: bool = False


class LimitLine(Protocol):
    """Connections to the vendor that a rate section keeps; leaving it closes them. What may be sent when is counted by
    who plans it (probes/limits/), not by the manners."""

    def __enter__(self) -> "LimitLine": ...
    def __exit__(self, *exc: object) -> None: ...

    def release(self) -> None:
        """Close all connections."""
        ...

    def is_open(self, connection: int) -> bool:
        """Is it there to be asked on?"""
        ...

    def attempt(self, stamp: Stamp, wanted: LimitWish, *, in_flight: int) -> LimitAttempt:
        """Make the connection, or send the request, now; ``in_flight`` are under way, this one included."""
        ...


class Machine(Protocol):
    """Reads of the customer's own machine. None sends a packet, but for ``system_lookup``.

    A part that this platform cannot tell is returned as ``NotRun(why="unsupported")``.
    """

    def platform(self, stamp: Stamp) -> Platform: ...
    def interfaces(self, stamps: Callable[[], Stamp]) -> Sequence[Interface | NotRun]: ...
    def default_routes(self, stamps: Callable[[], Stamp]) -> Sequence[DefaultRoute | NotRun]: ...
    def route(self, stamp: Stamp, destination: str) -> RouteLookup | NotRun: ...
    def neighbour(self, stamp: Stamp, address: str) -> Neighbour | NotRun: ...
    def resolvers(self, stamp: Stamp) -> ResolverConfig | NotRun: ...
    def hosts_entry(self, stamp: Stamp, name: str) -> HostsEntry | NotRun: ...
    def proxies(self, stamps: Callable[[], Stamp], host: str) -> Sequence[ProxySetting]: ...
    def clock(self, stamp: Stamp) -> Clock: ...
    def counters(self, stamp: Stamp) -> KernelCounters | NotRun: ...
    def system_lookup(self, stamp: Stamp, name: str, *, limit_ms: int) -> SystemLookup: ...


class Walker(Protocol):
    """What a walk needs of the World."""

    def stamp(self, step: Step, *, attempt: int = 1, caused_by: ObsId | None = None) -> Stamp:
        """A new record identity inside ``step``. ``caused_by`` defaults to the step's own cause."""
        ...

    def now_ns(self) -> int:
        """Monotonic nanoseconds since the start of the run."""
        ...

    def time_left_ms(self) -> int: ...

    def sleep(self, seconds: float) -> None: ...

    def hops(
        self,
        probes: Sequence[HopProbe],
        *,
        limit_ms: int,
        more: Callable[[HopReply | NotRun], Sequence[HopProbe]] | None = None,
        enough: Callable[[], bool] = ...,
    ) -> Iterator[HopReply | NotRun]:
        """Send all ``probes`` at once and yield what each one met, as it comes; silence after ``limit_ms``.

        ``more`` is told each result before it is yielded and says what to send next, so that a silent router holds up
        nothing. A way that is missing is said once a protocol. Once there is ``enough``, what is still out is told as a
        silence that nobody waited for."""
        ...


class World(Walker, Protocol):
    """Every way in which a probe may touch the network. Each call makes exactly the record of what it did.

    Calls wait for their turn as the manners demand (``manners.py``) and raise ``OutOfTimeError`` at the run's deadline.
    ``connect`` and ``exchange`` raise ``DeclinedError`` where the manners refuse; ``hops`` yields ``NotRun``.

    Each ``limit_ms`` is the least wait: where any call of the run has met a long round trip, silence is claimed after
    four times that (``Clock.patient_ms``), which is also what facts ask of it.
    """

    machine: Machine

    def connect(
        self,
        stamp: Stamp,
        address: str,
        port: int,
        *,
        limit_ms: int,
        syn_retries: int = 1,
        ttl: int | None = None,
        min_ttl: int | None = None,
        mss_clamp: int | None = None,
    ) -> tuple[Connect, Stream | None]:
        """One TCP connect with the error queue on; ``syn_retries`` SYNs may follow the first (TCP_SYNCNT)."""
        ...

    def handshake(
        self, stamp: Stamp, stream: Stream, server_name: str | None, *, limit_ms: int, offer_h2: bool = True
    ) -> Handshake: ...

    def tunnel(self, stamp: Stamp, request: Request) -> tuple[Exchange, Stream | None]:
        """CONNECT to the host of an https ``request`` through its ``proxy``; the record is that of the CONNECT alone.

        The stream is None when the proxy was not reached or refused.
        """
        ...

    def exchange(self, stamp: Stamp, request: Request, *, tunnel: Stream | None = None) -> Exchange:
        """One request and its answer. An https request through a proxy needs the ``tunnel`` that was opened for it."""
        ...

    def in_flow(
        self,
        stamps: Callable[[], Stamp],
        stream: Stream,
        payload: Payload,
        stages: Iterable[Stage],
    ) -> Iterator[InFlow]:
        """Send ``payload`` on a fresh ``stream``, and go through ``stages`` until something ends the connection or
        data come: one record a stage. A stage ends early at its answer; ``none`` only at its limit, which counts from
        the first packet that left with the stage's TTL. The next stage is asked for when the record of the last was
        taken. Raises ``DeclinedError`` as ``exchange`` does."""
        ...

    def arriving_ttl(self, stamp: Stamp, stream: Stream, payload: Payload, *, limit_ms: int) -> ArrivingTtl:
        """With which TTL the peer's acknowledgements arrive on ``stream``, after ``payload`` was answered there: by
        handing the peer a TLS record, or a further request, byte by byte, and never the whole of it."""
        ...

    def transfer(self, stamp: Stamp, request: Request, *, limit_bytes: int) -> Transfer:
        """Download ``request`` (which has an address), at most ``limit_bytes`` of it and for ``request.limit_ms``.

        Counts as one request and one connection to the vendor."""
        ...

    def limit_line(self, address: str, port: int, url: str) -> LimitLine:
        """Connections for a rate section. Sends nothing yet."""
        ...

    def query(self, stamp: Stamp, question: Question) -> Lookup: ...

    def echo(self, stamp: Stamp, address: str, *, sequence: int, limit_ms: int) -> Echo | NotRun: ...

    def local_send(self, stamp: Stamp, address: str, port: int, *, ttl: int) -> LocalSend: ...


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """A named probe. Raise ``version`` when the same network would give other records."""

    name: str
    version: int
    run: Callable[[Step, World], Iterator[Observation]]
