"""One TTL-limited SYN on a socket of its own: the kernel holds one 4-tuple only once and ends it on the first error.

The kernel repeats a SYN after a second. The repetition is muted at once (``tcp.mute``), so that one probe is one SYN.
"""

import contextlib
import errno
import socket

from netdiag.evidence.transport import HopReply
from netdiag.probes.base import HopProbe
from netdiag.probes.clock import Clock
from netdiag.probes.kernel import answers, errqueue, tcpinfo
from netdiag.probes.kernel.answers import Sent
from netdiag.probes.kernel.numbers import IPV6_AUTOFLOWLABEL, TCP_SYNCNT, V6, Options, endpoint, options_for
from netdiag.probes.kernel.tcp import CONNECTED, failure_of, mute, reset, unmute

_SYN_SENT = 2  # net/tcp_states.h
_REPETITION_US = 990_000  # TCP_TIMEOUT_INIT is 1 s; an error that comes later may be about a muted repetition


class SynProbe:
    """A SYN on its way. ``read`` when the socket has an event; ``outstanding`` until it has answered."""

    def __init__(self, clock: Clock, probe: HopProbe) -> None:
        self._clock = clock
        self._options: Options = options_for(probe.address)
        self.socket = socket.socket(self._options.family, socket.SOCK_STREAM)
        self._sent = answers.sent_now(clock, probe, None)
        self._waiting = True
        self._is_quiet = False

    def start(self) -> list[HopReply]:
        """Send. A reply comes back at once when the kernel refused to."""
        probe = self._sent.probe
        try:
            self._prepare(probe)
            target = endpoint(probe.address, probe.port)
        except OSError as error:
            return self._not_sent(error.errno or 0)
        self._sent = answers.sent_now(self._clock, probe, None)
        number = self.socket.connect_ex(target)
        if number not in {0, errno.EINPROGRESS}:
            # Loopback can answer inside the call.
            return (
                self._finish("rst", replier=probe.address) if number == errno.ECONNREFUSED else self._not_sent(number)
            )
        self._sent = self._sent._replace(source_port=self.socket.getsockname()[1])
        self._is_quiet = mute(self.socket, self._options)
        return []

    def _prepare(self, probe: HopProbe) -> None:
        options = self._options
        self.socket.setblocking(False)
        errqueue.enable(self.socket, options)
        if options is V6:
            # An automatic flow label differs for each socket even on one port, and routers may hash it.
            with contextlib.suppress(OSError):
                self.socket.setsockopt(options.level, IPV6_AUTOFLOWLABEL, 0)
        self.socket.setsockopt(options.level, options.ttl, probe.ttl)
        self.socket.setsockopt(socket.IPPROTO_TCP, TCP_SYNCNT, 2)  # given up after 7 s
        if probe.source_port:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if probe.source_port or probe.stamp.source:
            self.socket.bind((probe.stamp.source or "", probe.source_port))

    def outstanding(self) -> list[Sent]:
        return [self._sent] if self._waiting else []

    def read(self) -> list[HopReply]:
        """What the event on the socket means; empty when it is no answer."""
        now = self._clock.now_ns()
        error = errqueue.first_decisive(errqueue.drain(self.socket, self._options))
        if error is not None and error.icmp is not None:
            took = answers.rtt_us(self._sent, now, error.received_ns)
            if took >= _REPETITION_US and not self._is_quiet:
                return []
            quoted, labels = errqueue.extended(error, self._options)
            return self._finish(
                "icmp",
                replier=error.icmp.sender,
                icmp=error.icmp,
                rtt_us=took,
                replier_ttl=error.replier_ttl,
                quote=errqueue.quote_of_tcp(quoted),
                labels=labels,
            )
        number = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        info = tcpinfo.read(self.socket)
        address = self._sent.probe.address
        took = answers.rtt_us(self._sent, now, None)
        if info is not None and info.state in CONNECTED:
            # The kernel's own measure of the SYN's round trip, when it has one.
            return self._finish("syn_ack", replier=address, rtt_us=min(took, info.rtt_us) if info.rtt_us else took)
        if number in {errno.ECONNREFUSED, errno.ECONNRESET}:
            return self._finish("rst", replier=address, rtt_us=took)
        return []

    def may_answer(self) -> bool:
        """Does the socket still listen? Not after the kernel gave it up, nor after a muted repetition ended it."""
        info = tcpinfo.read(self.socket)
        return info is not None and info.state == _SYN_SENT

    def silent(self) -> list[HopReply]:
        """Nobody answered until now."""
        return self._finish("none")

    def _not_sent(self, number: int) -> list[HopReply]:
        return self._finish("not_sent", failure=failure_of(number, None))

    def _finish(self, answer: answers.Answer, **fields: object) -> list[HopReply]:
        self._waiting = False
        self.close()
        return [answers.reply(self._sent, self._clock.now_ns(), answer, **fields)]  # type: ignore[arg-type]

    def close(self) -> None:
        """Close; when the SYN was answered, with a reset that reaches the answerer. The repetition of a silent one may
        be due this very moment, and stays mute."""
        if self.socket.fileno() >= 0:
            if not self.may_answer():
                unmute(self.socket, self._options)
            reset(self.socket)
