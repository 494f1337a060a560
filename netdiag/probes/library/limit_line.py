"""Connections that a rate section opens, keeps and asks on: plain sockets, the standard library's HTTP, no retries.

requests would open a new connection, without a word, where the server has closed one; here that must be seen.
"""

import contextlib
import errno
import http.client
import os
import select
import socket
import ssl
import threading
from typing import Literal, NamedTuple, Self

import msgspec

from netdiag.evidence.headers import clean_header
from netdiag.evidence.limits import LIKENESS, LimitAttempt, Outcome
from netdiag.evidence.record import Failure, FailureCode, Icmp
from netdiag.evidence.retry_after import retry_after_s
from netdiag.evidence.web import Header
from netdiag.probes.base import LimitWish, Request, Stamp
from netdiag.probes.clock import Clock
from netdiag.probes.kernel import tcp, tcpinfo
from netdiag.probes.library import trust
from netdiag.probes.library.sockets import failure_of
from netdiag.probes.library.text import printable
from netdiag.probes.library.web import Goal, Identity

CONNECT_MS, ANSWER_S = 1500, 5.0
"""Silence: to one SYN, which is never repeated here, so that each connection is one; and to a request."""

SETTLE_S = 0.05
"""How long beyond a round trip a connection without a request is watched for an end that comes at once: what refuses
after accepting (HAProxy's tcp-request connection reject) does so when our ACK arrives. No longer, since one connection
is closed before the next of a burst is made."""

FIN_S = 0.5
"""How long a FIN may come after the close_notify that announces it: servers send both in one go."""

_ESTABLISHED = 1  # TCP_ESTABLISHED (net/tcp_states.h)
_MOST_READ = 64 * 1024
_KEPT = ("ratelimit", "x-ratelimit", "x-rate-limit", "retry-after", "x-retry-in", "x-envoy-ratelimited", "cf-ray")
_KEPT_TOO = frozenset({"x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid", "server", "date"})
_CHALLENGES = {"cf-mitigated": {"challenge"}, "x-amzn-waf-action": {"captcha", "challenge"}}


class _Answer(NamedTuple):
    """How one attempt went."""

    outcome: Outcome
    status: int | None = None
    headers: tuple[Header, ...] = ()
    wait_s: int | None = None
    closes: bool = True
    failure: Failure | None = None


class _Kept(NamedTuple):
    """An open connection, and when the last attempt on it ended."""

    end: socket.socket
    since_ns: int


class LiveLimitLine:
    """``base.LimitLine`` on this machine's network. Safe for threads, as long as each has its own connection."""

    def __init__(
        self, clock: Clock, identity: Identity, address: str, port: int, url: str, *, source: str | None = None
    ) -> None:
        self._clock = clock
        self._source = source
        self._address = address
        self._port = port
        self._request = Request(url=url, address=address)
        self._goal = Goal(self._request)
        self._headers = identity.headers(self._request)
        # Of its own: the one of other requests keeps transcripts.
        self._context = trust.context("system", ("http/1.1", "http/1.0")) if self._goal.is_tls else None
        self._lock = threading.Lock()
        self._open: dict[int, _Kept] = {}
        self._under_way = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Close all connections."""
        with self._lock:
            kept, self._open = list(self._open.values()), {}
        for one in kept:
            one.end.close()

    def is_open(self, connection: int) -> bool:
        """Is it there to be asked on?"""
        with self._lock:
            self._drop_what_is_over()
            return connection in self._open

    def attempt(self, stamp: Stamp, wanted: LimitWish, *, in_flight: int) -> LimitAttempt:
        """One connection, or one request on one. Raises ``OutOfTimeError`` at the run's deadline."""
        began_ns = self._clock.now_ns()
        with self._lock:
            self._drop_what_is_over()
            kept = self._open.pop(wanted.connection, None)
            held = len(self._open) + self._under_way + 1
            self._under_way += 1
        try:
            return self._made(stamp, wanted, kept, began_ns, in_flight=in_flight, held=held)
        finally:
            with self._lock:
                self._under_way -= 1

    def _drop_what_is_over(self) -> None:
        """Close what the peer closed while it was idle: that is no refusal, and no open connection."""
        for number, one in [*self._open.items()]:
            if _is_over(one.end):
                one.end.close()
                del self._open[number]

    def _made(
        self, stamp: Stamp, wanted: LimitWish, kept: _Kept | None, began_ns: int, *, in_flight: int, held: int
    ) -> LimitAttempt:
        end = None if kept is None else kept.end
        syns: int | None = None
        failed: Failure | None = None
        if end is None:
            record, stream = tcp.connect(
                self._clock,
                msgspec.structs.replace(stamp, source=stamp.source or self._source),
                tcp.Wish(self._address, self._port, CONNECT_MS, syn_retries=0),
            )
            syns, failed = record.syns_sent, record.failure
            end = None if stream is None else stream.socket
        connected_ns = self._clock.now_ns()
        source_port = None if end is None else end.getsockname()[1]
        if end is None:
            answer = _Answer(_of_connect(failed), failure=failed)
        elif wanted.request:
            with socket.socket(fileno=os.dup(end.fileno())) as copy:  # http.client closes what broke
                answer, end = self._ask(end, wanted.method)
                if answer.outcome == "closed" and _stands(copy):
                    answer = _Answer("icmp", failure=Failure(op="receive", code=FailureCode.UNREACHABLE))
        else:
            answer = _watched(end, (connected_ns - began_ns) / 1e9 + SETTLE_S)
        keep = end is not None and not answer.closes and (wanted.request or wanted.hold)
        ended_ns = self._clock.now_ns()
        if keep and end is not None:
            with self._lock:
                self._open[wanted.connection] = _Kept(end, ended_ns)
        elif end is not None:
            end.close()
        return LimitAttempt(
            id=stamp.id,
            step=stamp.step,
            attempt=stamp.attempt,
            caused_by=stamp.caused_by,
            began_ns=began_ns,
            ended_ns=ended_ns,
            failure=answer.failure,
            address=self._address,
            port=self._port,
            phase=wanted.phase,
            asks="request" if wanted.request else "connection",
            connection=wanted.connection,
            fresh=kept is None,
            idle_ms=None if kept is None else max(0, (began_ns - kept.since_ns) // 1_000_000),
            method=wanted.method if wanted.request else None,
            source_port=source_port,
            outcome=answer.outcome,
            status=answer.status,
            retry_after_s=answer.wait_s,
            headers=answer.headers,
            closes=wanted.request and answer.closes,
            in_flight=in_flight,
            held=held,
            syns_sent=syns,
        )

    def _ask(self, end: socket.socket, method: Literal["HEAD", "GET"]) -> tuple[_Answer, socket.socket | None]:
        """Send one request on ``end``, and read its answer; and the socket that it went over in the end."""
        end.settimeout(min(ANSWER_S, max(0.001, self._clock.time_left_ms() / 1000)))
        try:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None and not isinstance(end, ssl.SSLSocket):
                end = self._context.wrap_socket(end, server_hostname=self._goal.host, suppress_ragged_eofs=False)
            return self._exchange(end, method), end
        except ssl.SSLCertVerificationError as error:
            failure = Failure(op="handshake", code=FailureCode.CERT_REJECTED, text=printable(str(error).encode(), 200))
            return _Answer("failed", failure=failure), end
        except (http.client.RemoteDisconnected, ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            failure = Failure(op="receive", code=FailureCode.CLOSED, text=printable(str(error).encode(), 200))
            return _Answer("closed", failure=failure), end
        except (http.client.HTTPException, ssl.SSLError) as error:
            failure = Failure(op="receive", code=FailureCode.PROTOCOL, text=printable(str(error).encode(), 200))
            return _Answer("failed", failure=failure), end
        except OSError as error:
            failure = failure_of("receive", error)
            return _Answer(_of_data(failure), failure=failure), end

    def _exchange(self, end: socket.socket, method: str) -> _Answer:
        connection = http.client.HTTPConnection(self._goal.host, self._goal.port)
        connection.sock = end
        usual = self._goal.port == (443 if self._goal.is_tls else 80)
        host = self._goal.authority.rpartition(":")[0] if usual else self._goal.authority
        path = "/" + self._request.url.split("://", 1)[1].partition("/")[2]
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": host, **self._headers, "Accept": "*/*", "Connection": "keep-alive"}.items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        with contextlib.suppress(ssl.SSLEOFError):  # the usual end of a page without a length
            response.read(_MOST_READ)
        closes = response.will_close or not response.isclosed()
        said = {name.lower(): value for name, value in response.getheaders()}
        return _Answer(
            _of_status(response.status, said),
            status=response.status,
            headers=_kept(said),
            wait_s=retry_after_s(said.get("retry-after", ""), said.get("date")),
            closes=closes,
        )


def _is_over(end: socket.socket) -> bool:
    """Whether the peer has ended the connection, or begun to: between two requests it has nothing else to say (RFC 9112
    section 9.3; some send 408 first). An ICMP error that waits to be read is left to the request that it concerns."""
    info = tcpinfo.read(end)
    if info is not None and info.state != _ESTABLISHED:
        return True
    poll = select.poll()
    poll.register(end, select.POLLIN)
    events = sum(event for _, event in poll.poll(0))
    if not events & (select.POLLIN | select.POLLHUP) or (info is not None and events & select.POLLERR):
        return False
    return _has_spoken(end) if isinstance(end, ssl.SSLSocket) else True


def _has_spoken(end: ssl.SSLSocket) -> bool:
    """Whether what can be read is more than tickets for a later session: close_notify, an end, data."""
    end.setblocking(False)
    try:
        end.recv(1)
    except ssl.SSLWantReadError:
        return False
    except OSError:
        return True
    return True


def _stands(end: socket.socket) -> bool:
    """Whether the kernel knows of no end of the connection, though its reader was told of one. OpenSSL tells an ICMP
    error (a ban that begins meanwhile, by a firewall's reject) as an end without a word; an end by the peer leaves
    TCP_CLOSE_WAIT or TCP_CLOSE, at once or when the FIN that follows its close_notify is here."""
    info = tcpinfo.read(end)
    if info is None or info.state != _ESTABLISHED:
        return False
    poll = select.poll()
    poll.register(end, select.POLLIN | select.POLLRDHUP)
    events = sum(event for _, event in poll.poll(FIN_S * 1000))
    return not events & (select.POLLIN | select.POLLRDHUP | select.POLLHUP)


def _of_status(status: int, said: dict[str, str]) -> Outcome:
    if any(said.get(name, "").strip().lower() in values for name, values in _CHALLENGES.items()):
        return "challenge"
    return "refused_http" if status >= 400 else "answered"


def _kept(said: dict[str, str]) -> tuple[Header, ...]:
    wanted = [name for name in sorted(said) if name.startswith(_KEPT) or name in _KEPT_TOO.union(LIKENESS)]
    cleaned = (clean_header(Header(name=name, value=printable(said[name].encode(), 300))) for name in wanted)
    return tuple(one for one in cleaned if one is not None)


def _of_connect(failure: Failure | None) -> Outcome:
    if failure is None:
        return "failed"
    if isinstance(failure.native, Icmp):
        return "icmp"
    by_code: dict[FailureCode, Outcome] = {
        FailureCode.REFUSED: "refused",
        FailureCode.TIMED_OUT: "silent",
        FailureCode.RESET: "reset",
    }
    return by_code.get(failure.code, "failed")


def _of_data(failure: Failure) -> Outcome:
    by_code: dict[FailureCode, Outcome] = {
        FailureCode.RESET: "reset",
        FailureCode.TIMED_OUT: "silent",
        FailureCode.REFUSED: "icmp",  # an established connection: a soft error that ICMP left (fault-signatures 7.2)
        FailureCode.UNREACHABLE: "icmp",
    }
    return by_code.get(failure.code, "failed")


def _watched(end: socket.socket, settle_s: float) -> _Answer:
    """A connection without a request: does it end within ``settle_s``?"""
    poll = select.poll()
    poll.register(end, select.POLLIN)
    if not poll.poll(settle_s * 1000):
        return _Answer("answered", closes=False)
    try:
        data = end.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK)
    except OSError as error:
        code = FailureCode.RESET if error.errno in {errno.ECONNRESET, errno.EPIPE} else FailureCode.UNCLASSIFIED
        return _Answer("reset", failure=Failure(op="receive", code=code, errno=error.errno))
    if data:  # it speaks first: whatever it says, it serves
        return _Answer("answered", closes=False)
    return _Answer("closed", failure=Failure(op="receive", code=FailureCode.CLOSED))
