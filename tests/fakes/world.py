"""A scripted World: a simulated path instead of a network, a clock that jumps instead of one that runs.

``FakeWorld(Path(routers=[...], host=Host(...)))`` answers TTL-limited packets, connects and echoes as the path says,
and counts what reached the host. Handshakes, exchanges, queries and the machine's own records are handed in as
functions, where a test needs them.
"""

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, NoReturn

import msgspec

from netdiag.evidence.bundle import Step
from netdiag.evidence.machine import LocalSend
from netdiag.evidence.names import Lookup
from netdiag.evidence.record import Failure, FailureCode, Icmp, Native, NotRun, ObsId
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import ArrivingTtl, Connect, Echo, HopReply, InFlow, Transfer
from netdiag.evidence.web import Exchange
from netdiag.probes.base import (
    HopProbe,
    LimitLine,
    Machine,
    OutOfTimeError,
    Payload,
    Question,
    Request,
    Stage,
    Stamp,
    Stream,
)

Protocol = Literal["tcp", "udp", "icmp"]
ALL: frozenset[Protocol] = frozenset({"tcp", "udp", "icmp"})
NOBODY: frozenset[Protocol] = frozenset()

TTL_EXCEEDED = (11, 0)
PORT_UNREACHABLE = (3, 3)
PROHIBITED = (3, 13)
TOO_BIG = (3, 4)


@dataclass(frozen=True)
class Router:
    """One router. ``answers`` lists the protocols for which it sends time exceeded; ``passes`` those that it forwards.

    ``rejects`` (ICMP type, code) is sent for what it does not pass; None drops silently. ``others`` are further
    addresses that it answers with in turn. ``mtu``: the most that it can pass on, and whether it ``tells`` who sends
    more. ``limit``: so many errors it sends at once, and then one a second.
    """

    address: str
    answers: frozenset[Protocol] = ALL
    passes: frozenset[Protocol] = ALL
    rejects: tuple[int, int] | None = None
    others: tuple[str, ...] = ()
    rtt_us: int = 2000
    mtu: int | None = None
    tells: bool = True
    limit: int | None = None


@dataclass(frozen=True)
class Host:
    """The far end, and what it does with a SYN to the service port, a datagram, an echo request."""

    address: str = "203.0.113.7"
    tcp: Literal["syn_ack", "rst", "none"] = "syn_ack"
    udp: Literal["port_unreachable", "none"] = "port_unreachable"
    echoes: bool = True
    rtt_us: int = 9000


@dataclass
class Path:
    """Routers in order, then the host. ``loops_from``: from that router's TTL on, packets circle among the routers from
    there to the last one. ``loses`` says of the nth packet overall whether it is lost. ``delays``: by how many
    microseconds more its answer comes. ``link_mtu``: the most that the own link carries."""

    routers: Sequence[Router]
    host: Host = field(default_factory=Host)
    loops_from: int | None = None
    loses: Callable[[int], bool] = lambda _: False
    delays: Callable[[int], int] = lambda _: 0
    link_mtu: int = 1500

    @property
    def distance(self) -> int:
        """The smallest TTL that reaches the host."""
        return len(self.routers) + 1

    def router_at(self, ttl: int) -> Router | None:
        """The router in which ``ttl`` expires; None: it gets to the host."""
        if ttl <= len(self.routers):
            return self.routers[ttl - 1]
        if self.loops_from is None:
            return None
        ring = self.routers[self.loops_from - 1 :]
        return ring[(ttl - self.loops_from) % len(ring)]


class Met(NamedTuple):
    """What one packet met: ``reached`` says whether it got to the host."""

    answer: Literal["none", "icmp", "syn_ack", "rst", "echo_reply", "not_sent"]
    replier: str | None = None
    icmp: tuple[int, int] | None = None
    rtt_us: int | None = None
    reached: bool = False
    next_mtu: int | None = None


SILENCE = Met("none")
TOO_BIG_FOR_THE_LINK = Failure(
    op="send", code=FailureCode.TOO_BIG, native=Native(kind="errno", number=90), errno=90, text="Message too long"
)


class FakeStream:
    """A connection that goes nowhere."""

    def __init__(self) -> None:
        self.is_closed = False

    def __enter__(self) -> "FakeStream":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self.is_closed = True


class FakeWorld:
    """The simulated World. ``missing`` lists protocols for which it has no privilege; ``by_port`` gives TTL-limited
    packets the path of their source port (equal-cost members); ``raw``: it may make packets itself."""

    machine: Machine

    def __init__(
        self,
        path: Path | None = None,
        *,
        paths: Mapping[str, Path] | None = None,
        by_port: Callable[[int], Path] | None = None,
        missing: frozenset[Protocol] = frozenset(),
        raw: bool = True,
        budget_s: float = 60.0,
        handshake: Callable[[Stamp, Stream], Handshake] | None = None,
        tunnel: Callable[[Stamp, Request], tuple[Exchange, Stream | None]] | None = None,
        exchange: Callable[[Stamp, Request], Exchange] | None = None,
        query: Callable[[Stamp, Question], Lookup] | None = None,
        in_flow: Callable[[Stamp, Payload, Stage], InFlow] | None = None,
        arriving_ttl: Callable[[Stamp, Payload], ArrivingTtl] | None = None,
        transfer: Callable[[Stamp, Request], Transfer] | None = None,
        machine: Machine | None = None,
    ) -> None:
        self._paths = dict(paths or {})
        if path is not None:
            self._paths[path.host.address] = path
        self._by_port = by_port
        self._missing = missing
        self._raw = raw
        self._flow_ports: dict[tuple[str, int, bool], int] = {}
        self._told_at: dict[str, list[int]] = {}
        self._deadline_ns = int(budget_s * 1e9)
        self._now_ns = 0
        self._ids = itertools.count(1)
        self._ports = itertools.count(40_000)
        self._packets = itertools.count()
        self._handshake = handshake
        self._tunnel = tunnel
        self._exchange = exchange
        self._query = query
        self._in_flow = in_flow
        self._arriving_ttl = arriving_ttl
        self._transfer = transfer
        if machine is not None:
            self.machine = machine
        self.sent: list[HopProbe] = []
        self.reached: list[HopProbe] = []
        self.slept: list[float] = []
        self.connects: list[Connect] = []

    def stamp(self, step: Step, *, attempt: int = 1, caused_by: ObsId | None = None) -> Stamp:
        cause = step.caused_by if caused_by is None else caused_by
        id_ = ObsId(f"o{next(self._ids)}")
        return Stamp(id=id_, step=step.id, role=step.role, attempt=attempt, caused_by=cause)

    def now_ns(self) -> int:
        return self._now_ns

    def time_left_ms(self) -> int:
        return max(0, (self._deadline_ns - self._now_ns) // 1_000_000)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._pass(int(seconds * 1e9))

    def _pass(self, nanoseconds: int) -> None:
        self._now_ns += nanoseconds
        if self._now_ns >= self._deadline_ns:
            raise OutOfTimeError

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
        began = self._now_ns
        met = self._meet(address, "tcp", 64 if ttl is None else ttl)
        self._pass(limit_ms * 1_000_000 if met.rtt_us is None else met.rtt_us * 1000)
        connect = Connect(
            id=stamp.id,
            step=stamp.step,
            attempt=stamp.attempt,
            caused_by=stamp.caused_by,
            began_ns=began,
            ended_ns=self._now_ns,
            failure=_connect_failure(met),
            address=address,
            port=port,
            source_port=next(self._ports),
            limit_ms=limit_ms,
            syns_sent=1 + syn_retries if met.answer == "none" else 1,
            min_ttl=min_ttl,
            mss_clamp=mss_clamp,
        )
        self.connects.append(connect)
        return connect, FakeStream() if connect.failure is None else None

    def handshake(
        self, stamp: Stamp, stream: Stream, server_name: str | None, *, limit_ms: int, offer_h2: bool = True
    ) -> Handshake:
        return (self._handshake or _unscripted)(stamp, stream)

    def tunnel(self, stamp: Stamp, request: Request) -> tuple[Exchange, Stream | None]:
        return (self._tunnel or _unscripted)(stamp, request)

    def exchange(self, stamp: Stamp, request: Request, *, tunnel: Stream | None = None) -> Exchange:
        return (self._exchange or _unscripted)(stamp, request)

    def in_flow(
        self, stamps: Callable[[], Stamp], stream: Stream, payload: Payload, stages: Iterable[Stage]
    ) -> Iterator[InFlow]:
        for stage in stages:
            record = (self._in_flow or _unscripted)(stamps(), payload, stage)
            yield record
            if record.answer in {"reset", "closed", "data"}:
                return

    def arriving_ttl(self, stamp: Stamp, stream: Stream, payload: Payload, *, limit_ms: int) -> ArrivingTtl:
        return (self._arriving_ttl or _unscripted)(stamp, payload)

    def transfer(self, stamp: Stamp, request: Request, *, limit_bytes: int) -> Transfer:
        return (self._transfer or _unscripted)(stamp, request)

    def limit_line(self, address: str, port: int, url: str) -> LimitLine:
        return _unscripted(address, port, url)

    def query(self, stamp: Stamp, question: Question) -> Lookup:
        return (self._query or _unscripted)(stamp, question)

    def echo(self, stamp: Stamp, address: str, *, sequence: int, limit_ms: int) -> Echo | NotRun:
        began = self._now_ns
        if "icmp" in self._missing:
            return self._no_privilege(stamp, "ICMP echo")
        met = self._meet(address, "icmp", 64)
        self._pass(limit_ms * 1_000_000 if met.rtt_us is None else met.rtt_us * 1000)
        return Echo(
            id=stamp.id,
            step=stamp.step,
            caused_by=stamp.caused_by,
            began_ns=began,
            ended_ns=self._now_ns,
            address=address,
            sequence=sequence,
            mode="ping_socket",
            rtt_us=met.rtt_us,
        )

    def hops(
        self,
        probes: Sequence[HopProbe],
        *,
        limit_ms: int,
        more: Callable[[HopReply | NotRun], Sequence[HopProbe]] | None = None,
        enough: Callable[[], bool] = lambda: False,
    ) -> Iterator[HopReply | NotRun]:
        coming: list[tuple[int, int, HopReply | NotRun]] = []
        order = itertools.count()
        told: set[str] = set()
        self._flow_ports.clear()  # other sockets

        def send(batch: Sequence[HopProbe]) -> None:
            for probe in batch:
                result = self._hop(probe, limit_ms)
                if isinstance(result, HopReply):
                    heapq.heappush(coming, (result.ended_ns, next(order), result))
                elif probe.protocol not in told:
                    told.add(probe.protocol)
                    heapq.heappush(coming, (self._now_ns, next(order), result))

        send(probes)
        while coming:
            at, _, result = heapq.heappop(coming)
            self._pass(at - self._now_ns)
            if more is not None:
                send(more(result))
            yield result
            if enough():
                break
        for _, _, result in sorted(coming, key=lambda item: item[1]):
            if isinstance(result, HopReply):
                yield msgspec.structs.replace(
                    result, ended_ns=self._now_ns, answer="none", replier=None, icmp=None, rtt_us=None
                )

    def _hop(self, probe: HopProbe, limit_ms: int) -> HopReply | NotRun:
        if probe.raw and not self._raw:
            return self._no_privilege(probe.stamp, "raw packets")
        if probe.protocol in self._missing and not probe.raw:
            return self._no_privilege(probe.stamp, "ICMP sockets")
        self.sent.append(probe)
        flow = (probe.protocol, probe.flow, probe.raw)
        port = self._flow_ports.setdefault(flow, probe.source_port or next(self._ports))
        met = self._meet(probe.address, probe.protocol, probe.ttl, probe.size, port)
        if met.reached:
            self.reached.append(probe)
        if met.rtt_us is not None and met.rtt_us >= limit_ms * 1000:  # too late to count
            met = SILENCE
        icmp = None
        if met.icmp is not None and met.replier is not None:
            icmp = icmp_of(*met.icmp, met.replier)
        took_ns = limit_ms * 1_000_000 if met.answer == "none" else (met.rtt_us or 0) * 1000
        began = self._now_ns + probe.after_ms * 1_000_000
        return HopReply(
            id=probe.stamp.id,
            step=probe.stamp.step,
            attempt=probe.stamp.attempt,
            caused_by=probe.stamp.caused_by,
            began_ns=began,
            ended_ns=began + took_ns,
            address=probe.address,
            port=probe.port,
            protocol=probe.protocol,
            mode="raw" if probe.raw else "unprivileged",
            flow=probe.flow,
            source_port=port,
            ttl=probe.ttl,
            answer=met.answer,
            replier=met.replier,
            icmp=icmp,
            rtt_us=met.rtt_us,
            failure=TOO_BIG_FOR_THE_LINK if met.answer == "not_sent" else None,
            size=probe.size or None,
            next_mtu=met.next_mtu,
        )

    def local_send(self, stamp: Stamp, address: str, port: int, *, ttl: int) -> LocalSend:
        return LocalSend(
            id=stamp.id,
            step=stamp.step,
            caused_by=stamp.caused_by,
            began_ns=self._now_ns,
            ended_ns=self._now_ns,
            address=address,
            port=port,
            ttl=ttl,
        )

    def _meet(self, address: str, protocol: Protocol, ttl: int, size: int = 0, port: int | None = None) -> Met:
        path = self._paths.get(address)
        if port is not None and self._by_port is not None:
            path = self._by_port(port)
        packet = next(self._packets)
        if path is not None and size > path.link_mtu:
            return Met("not_sent", next_mtu=path.link_mtu)
        if path is None or path.loses(packet):
            return SILENCE
        met = meet(path, protocol, ttl, packet, size)
        if met.icmp == TTL_EXCEEDED and not self._may_tell(path.router_at(ttl)):
            return SILENCE
        return met if met.rtt_us is None else met._replace(rtt_us=met.rtt_us + path.delays(packet))

    def _may_tell(self, router: Router | None) -> bool:
        """Has it an ICMP error left to send?"""
        assert router is not None
        told = self._told_at.setdefault(router.address, [])
        if router.limit is not None:
            told[:] = [at for at in told if at > self._now_ns - router.limit * 1_000_000_000]
            if len(told) >= router.limit:
                return False
        told.append(self._now_ns)
        return True

    def _no_privilege(self, stamp: Stamp, what: str) -> NotRun:
        now = self._now_ns
        return NotRun(id=stamp.id, step=stamp.step, began_ns=now, ended_ns=now, why="no_privilege", what=what)


def icmp_of(kind: int, code: int, sender: str) -> Icmp:
    """The ICMP error ``kind``/``code``; of an IPv6 sender the ICMPv6 error that means the same (RFC 4443)."""
    if ":" not in sender:
        return Icmp(type=kind, code=code, sender=sender)
    kind, code = {TTL_EXCEEDED: (3, 0), PORT_UNREACHABLE: (1, 4), PROHIBITED: (1, 1), TOO_BIG: (2, 0)}[kind, code]
    return Icmp(type=kind, code=code, sender=sender, version=6)


def meet(path: Path, protocol: Protocol, ttl: int, packet: int = 0, size: int = 0) -> Met:
    """What a packet of ``protocol`` with ``ttl`` meets on ``path``; ``size`` 0: it is small enough for any link."""
    for step in range(1, ttl + 1):
        router = path.router_at(step)
        if router is None:
            return _at_host(path.host, protocol)
        if step == ttl:
            if protocol not in router.answers:
                return SILENCE
            names = (router.address, *router.others)
            return Met("icmp", names[packet % len(names)], TTL_EXCEEDED, router.rtt_us)
        if protocol not in router.passes:
            return SILENCE if router.rejects is None else Met("icmp", router.address, router.rejects, router.rtt_us)
        if router.mtu is not None and size > router.mtu:
            told = Met("icmp", router.address, TOO_BIG, router.rtt_us, next_mtu=router.mtu)
            return told if router.tells else SILENCE
    raise AssertionError("a packet with no TTL was sent")


def _at_host(host: Host, protocol: Protocol) -> Met:
    if protocol == "tcp":
        return SILENCE._replace(reached=True) if host.tcp == "none" else _answered(host, host.tcp)
    if protocol == "icmp" and host.echoes:
        return _answered(host, "echo_reply")
    if protocol == "udp" and host.udp == "port_unreachable":
        return Met("icmp", host.address, PORT_UNREACHABLE, host.rtt_us, reached=True)
    return SILENCE._replace(reached=True)


def _answered(host: Host, answer: Literal["syn_ack", "rst", "echo_reply"]) -> Met:
    return Met(answer, host.address, rtt_us=host.rtt_us, reached=True)


def _connect_failure(met: Met) -> Failure | None:
    if met.answer == "syn_ack":
        return None
    if met.answer == "rst":
        number = Native(kind="errno", number=111)
        return Failure(op="connect", code=FailureCode.REFUSED, native=number, errno=111)
    if met.icmp is not None and met.replier is not None:
        icmp = Icmp(type=met.icmp[0], code=met.icmp[1], sender=met.replier)
        return Failure(op="connect", code=FailureCode.UNREACHABLE, native=icmp, errno=113)
    return Failure(op="connect", code=FailureCode.TIMED_OUT)


def _unscripted(*_: object) -> NoReturn:
    raise AssertionError("the test did not script this call")
