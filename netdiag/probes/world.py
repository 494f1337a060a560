"""The one real World: the kernel, the libraries, one clock, and the manners between them and the network."""

import socket
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Sequence

from netdiag.evidence.machine import LocalSend
from netdiag.evidence.names import Lookup
from netdiag.evidence.record import NotRun
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import ArrivingTtl, Connect, Echo, InFlow, TcpInfo, Transfer
from netdiag.evidence.web import Exchange
from netdiag.probes.base import DeclinedError, LimitLine, Machine, Payload, Question, Request, Stage, Stamp, Stream
from netdiag.probes.clock import Clock
from netdiag.probes.kernel import echo as icmp
from netdiag.probes.kernel import in_flow as kernel_in_flow
from netdiag.probes.kernel import local_send as udp
from netdiag.probes.kernel import tcp
from netdiag.probes.library import greeting, names, tls, tunnel, web
from netdiag.probes.library import transfer as download
from netdiag.probes.library.limit_line import LiveLimitLine
from netdiag.probes.library.sockets import SocketStream
from netdiag.probes.library.web import Identity
from netdiag.probes.manners import Endpoint, Governor, Place
from netdiag.probes.path_world import MAX_WAIT_NS, PathWorld
from netdiag.probes.ways import Way

_TURN_S = 0.02  # how often a caller looks whether a connection has become free

# A lost SYN is repeated once, where the budget has a second place.
_EXCHANGE_SYNS = 2
_PORTS = {"http": 80, "https": 443}


class LiveWorld(PathWorld):
    """``base.World`` on this machine and its network. Safe to use from all probe threads.

    ``source``: the local address that connections and walks leave from (names are asked from where the kernel likes).
    """

    machine: Machine

    def __init__(
        self,
        clock: Clock,
        machine: Machine,
        identity: Identity,
        governor: Governor | None = None,
        *,
        source: str | None = None,
        ways: Sequence[Way] = (),
    ) -> None:
        super().__init__(clock, governor, source=source, ways=ways)
        self.machine = machine
        self._identity = identity

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
        wish = tcp.Wish(address, port, limit_ms, syn_retries, ttl=ttl, min_ttl=min_ttl, mss_clamp=mss_clamp)
        if stamp.role != "target":
            made = tcp.connect(self._clock, stamp, wish)
            self._heard(made[0].tcp)
            return made
        line = _VendorLine(self._clock, self._governor, (address, port), syns=1 + syn_retries)
        record: Connect | None = None
        stream: SocketStream | None = None
        try:
            record, stream = tcp.connect(self._clock, stamp, wish)
            self._heard(record.tcp)
            if stream is not None:
                self._governor.accepted((address, port))
            return record, None if stream is None else _CountedStream(stream.socket, line.closed)
        finally:
            line.sent(1 + syn_retries if record is None or record.syns_sent is None else record.syns_sent)
            if stream is None:
                line.closed()

    def handshake(
        self, stamp: Stamp, stream: Stream, server_name: str | None, *, limit_ms: int, offer_h2: bool = True
    ) -> Handshake:
        made = tls.handshake(self._clock, stamp, stream, server_name, limit_ms=limit_ms, offer_h2=offer_h2)
        self._heard(made.tcp)
        return made

    def tunnel(self, stamp: Stamp, request: Request) -> tuple[Exchange, Stream | None]:
        made = tunnel.tunnel(self._clock, stamp, request, self._identity)
        self._heard(made[0].tcp)
        return made

    def exchange(self, stamp: Stamp, request: Request, *, tunnel: Stream | None = None) -> Exchange:
        if stamp.role != "target":
            return self._exchange(stamp, request, tunnel, syns=_EXCHANGE_SYNS)
        if request.address is None:  # the proxy connects, not this machine
            return self._exchange(stamp, request, tunnel, syns=_EXCHANGE_SYNS, turn=self._turn_to_request)
        endpoint = (request.address, _port_of(request.url))
        line = _VendorLine(self._clock, self._governor, endpoint, syns=_EXCHANGE_SYNS, least=1)
        try:
            exchange = self._exchange(stamp, request, tunnel, syns=line.syns, turn=self._turn_to_request)
            if exchange.tcp is not None and exchange.tcp.total_retrans == 0:
                line.sent(1)
            return exchange
        finally:
            line.closed()

    def _turn_to_request(self) -> None:
        """Wait for it when all else is ready: what a request does before it leaves would shorten the pause."""
        _wait_for(self._clock, self._governor.request(self._clock.now_ns(), MAX_WAIT_NS), "requests to the vendor")
        while (left_ns := self._governor.request_leaves(self._clock.now_ns())) > 0:
            self._clock.sleep(left_ns / 1e9)

    def _exchange(
        self,
        stamp: Stamp,
        request: Request,
        opened: Stream | None,
        *,
        syns: int,
        turn: Callable[[], None] = lambda: None,
    ) -> Exchange:
        made = web.exchange(self._clock, stamp, request, self._identity, tunnel=opened, syn_retries=syns - 1, turn=turn)
        self._heard(made.tcp)
        return made

    def _heard(self, info: TcpInfo | None) -> None:
        """The kernel's round trip time counts for how long silence must last."""
        if info is not None:
            self._clock.heard_by_tcp(info.rtt_us)

    def in_flow(
        self, stamps: Callable[[], Stamp], stream: Stream, payload: Payload, stages: Iterable[Stage]
    ) -> Iterator[InFlow]:
        if payload.kind == "request":
            self._turn_to_request()
        data = greeting.opening(payload, self._identity)
        for record in kernel_in_flow.in_flow(self._clock, stamps, stream, payload, stages, data=data):
            self._heard(record.tcp)
            yield record

    def arriving_ttl(self, stamp: Stamp, stream: Stream, payload: Payload, *, limit_ms: int) -> ArrivingTtl:
        return kernel_in_flow.arriving_ttl(self._clock, stamp, stream, payload, limit_ms=limit_ms)

    def transfer(self, stamp: Stamp, request: Request, *, limit_bytes: int) -> Transfer:
        assert request.address is not None
        if stamp.role != "target":
            return download.transfer(self._clock, stamp, request, self._identity, limit_bytes=limit_bytes)
        endpoint = (request.address, _port_of(request.url))
        line = _VendorLine(self._clock, self._governor, endpoint, syns=_EXCHANGE_SYNS, least=1)
        try:
            self._turn_to_request()
            made = download.transfer(
                self._clock, stamp, request, self._identity, limit_bytes=limit_bytes, syn_retries=line.syns - 1
            )
            if made.tcp is not None and made.tcp.total_retrans == 0:
                line.sent(1)
            return made
        finally:
            line.closed()

    def limit_line(self, address: str, port: int, url: str) -> LimitLine:
        return LiveLimitLine(self._clock, self._identity, address, port, url, source=self._source)

    def query(self, stamp: Stamp, question: Question) -> Lookup:
        return names.query(self._clock, stamp, question)

    def echo(self, stamp: Stamp, address: str, *, sequence: int, limit_ms: int) -> Echo | NotRun:
        made = icmp.echo(self._clock, stamp, address, sequence=sequence, limit_ms=limit_ms)
        if isinstance(made, Echo) and made.rtt_us is not None:
            self._clock.heard(made.rtt_us)
        return made

    def local_send(self, stamp: Stamp, address: str, port: int, *, ttl: int) -> LocalSend:
        return udp.local_send(self._clock, stamp, address, port, ttl=ttl)


class _VendorLine:
    """The places of one connection to the vendor: waits for them, gives them back. ``syns`` is how many it got: as many
    as it asked for, or ``least`` where there are not so many now."""

    def __init__(
        self, clock: Clock, governor: Governor, endpoint: Endpoint, *, syns: int, least: int | None = None
    ) -> None:
        self._governor = governor
        self._endpoint = endpoint
        self.syns = syns
        self._is_open = True
        until = clock.now_ns() + MAX_WAIT_NS
        while not governor.open(endpoint):
            if clock.now_ns() >= until:
                raise DeclinedError("two connections to the vendor are open")
            clock.sleep(_TURN_S)
        try:
            place = governor.syns(endpoint, syns, clock.now_ns(), MAX_WAIT_NS)
            if place is None and least is not None:
                self.syns = least
                place = governor.syns(endpoint, least, clock.now_ns(), MAX_WAIT_NS)
            self._place = _wait_for(clock, place, "SYNs to the vendor")
        except BaseException:
            self.closed()
            raise

    def sent(self, syns: int) -> None:
        """So many SYNs left, retransmissions included: give the others back."""
        unused = max(0, self.syns - syns)
        self.syns -= unused
        self._governor.unsent(self._endpoint, unused, self._place)

    def closed(self) -> None:
        """The connection is closed, or was never made. May be called twice."""
        if self._is_open:
            self._is_open = False
            self._governor.closed(self._endpoint)


class _CountedStream(SocketStream):
    """A stream that says when it is closed."""

    def __init__(self, connected: socket.socket, closed: Callable[[], None]) -> None:
        super().__init__(connected)
        self._closed = closed

    def close(self) -> None:
        super().close()
        self._closed()


def _wait_for(clock: Clock, place: Place | None, what: str) -> Place:
    if place is None:
        raise DeclinedError(f"the budget of {what} is spent")
    wait_ns = place.at_ns - clock.now_ns()
    if wait_ns > 0:
        clock.sleep(wait_ns / 1e9)
    return place


def _port_of(url: str) -> int:
    parts = urllib.parse.urlsplit(url)
    return parts.port or _PORTS[parts.scheme]
