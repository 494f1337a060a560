"""TTL-limited UDP datagrams and ICMP echoes: one socket for each flow, so that all TTLs share one 5-tuple.

Two traps. A pending ICMP error makes the next ``sendmsg`` fail *without sending*: read the queue and send again. And a
router that quotes only the 8 bytes that RFC 792 demands cuts off what tells our packets apart: such an answer counts
only where it can be about one of them alone.
"""

import contextlib
import errno
import random
import socket
import struct
from typing import Literal

from netdiag.evidence.record import Failure, FailureCode
from netdiag.evidence.transport import HopReply, Label, Quote
from netdiag.probes.base import HopProbe
from netdiag.probes.clock import Clock
from netdiag.probes.kernel import answers, errqueue, features
from netdiag.probes.kernel.answers import Sent
from netdiag.probes.kernel.numbers import IPV6_AUTOFLOWLABEL, PMTU_PROBE, V6, Options, endpoint, options_for
from netdiag.probes.kernel.packet import UDP_HEADER, echo_request, sequence_of_reply, udp_payload
from netdiag.probes.kernel.tcp import failure_of

_SEND_TRIES = 5  # one pending error for each probe that was answered while we were sending
_ROOM = 2048  # only the beginning of an answer is read, however large it is


class DatagramFlow:
    """One socket and everything that is out on it."""

    def __init__(self, clock: Clock, probe: HopProbe, sock: socket.socket, *, raw: bool) -> None:
        self._clock = clock
        self._options: Options = options_for(probe.address)
        self._icmp = probe.protocol == "icmp"
        self._address = probe.address
        self._raw = raw
        self.socket = sock
        self._out: dict[int, Sent] = {}
        self._token = 0
        self._answered: set[str] = set()  # who has sent an error
        self._was_silent = False
        self._own_mtu: int | None = None  # set by the error of a packet that is too big for the own link
        self._identifier = probe.source_port or random.randrange(1, 0x10000)
        sock.setblocking(False)
        errqueue.enable(sock, self._options)
        if self._options is V6:
            with contextlib.suppress(OSError):
                sock.setsockopt(self._options.level, IPV6_AUTOFLOWLABEL, 0)
        if probe.source_port and not raw:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if (probe.source_port and not raw) or probe.stamp.source:
            sock.bind((probe.stamp.source or "", 0 if raw else probe.source_port))
        sock.connect(endpoint(probe.address, 0 if self._icmp else probe.port))
        if not raw:
            self._identifier = sock.getsockname()[1]

    @property
    def _mode(self) -> Literal["unprivileged", "raw"]:
        return "raw" if self._raw else "unprivileged"

    def outstanding(self) -> list[Sent]:
        return list(self._out.values())

    def send(self, probe: HopProbe) -> list[HopReply]:
        """Send ``probe``. Returns answers that came up meanwhile, and ``not_sent`` when the kernel refused to."""
        self._token += 1
        replies: list[HopReply] = []
        ttl = [(self._options.level, self._options.ttl_message, struct.pack("i", probe.ttl))]
        number = 0
        own_mtu: int | None = None
        for _ in range(_SEND_TRIES):
            sent = answers.sent_now(self._clock, probe, self._identifier, self._mode)
            try:
                if probe.size:  # whole, whatever path MTU the kernel remembers (ip(7), IP_PMTUDISC_PROBE)
                    self.socket.setsockopt(self._options.level, self._options.pmtu_discovery, PMTU_PROBE)
                self.socket.sendmsg([self._packet(self._token, probe.size)], ttl)
            except OSError as error:
                number = error.errno or 0
                replies += self.read()
                own_mtu, self._own_mtu = self._own_mtu, None
                if own_mtu is not None:
                    break
                continue
            self._out[self._token] = sent
            return replies
        sent = answers.sent_now(self._clock, probe, self._identifier, self._mode)
        failure = sending_failed(number)
        ended = self._clock.now_ns()
        return [*replies, answers.reply(sent, ended, "not_sent", failure=failure, next_mtu=own_mtu or None)]

    def _packet(self, token: int, size: int) -> bytes:
        if not self._icmp:
            return udp_payload(self._options, token, size)
        return echo_request(self._options, self._identifier, token, size)

    def read(self) -> list[HopReply]:
        """Every answer that has arrived."""
        # Reading the pending error clears it, so that the selector does not report it for ever.
        self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return self._errors() + self._arrivals()

    def _errors(self) -> list[HopReply]:
        replies: list[HopReply] = []
        now = self._clock.now_ns()
        for error in errqueue.drain(self.socket, self._options):
            if error.icmp is None:
                self._own_mtu = error.info if error.errno == errno.EMSGSIZE else self._own_mtu
                continue
            token = self._token_of(error.quoted, error.icmp.sender)
            self._answered.add(error.icmp.sender)
            if token not in self._out:
                continue
            too_big = errqueue.is_too_big(error.icmp)
            if too_big and not self._out[token].probe.size:  # about a packet that small it says nothing
                continue
            sent = self._out.pop(token)
            quote, labels = self._quote(error, len(self._packet(token, sent.probe.size)))
            replies.append(
                answers.reply(
                    sent,
                    now,
                    "icmp",
                    replier=error.icmp.sender,
                    icmp=error.icmp,
                    rtt_us=answers.rtt_us(sent, now, error.received_ns),
                    replier_ttl=error.replier_ttl,
                    quote=quote,
                    next_mtu=(error.info or None) if too_big else None,
                    labels=labels,
                )
            )
        return replies

    def _quote(self, error: errqueue.QueuedError, length: int) -> tuple[Quote, tuple[Label, ...]]:
        """How much of a packet with ``length`` bytes after its headers was quoted, and the labels behind it."""
        header = 0 if self._icmp else UDP_HEADER
        quoted, labels = errqueue.extended(error, self._options, cut_off=header)
        return Quote(length=header + min(len(quoted), length)), labels

    def _token_of(self, quoted: bytes, sender: str) -> int:
        """Which packet an error of ``sender`` quotes; 0 (never sent) when it is none of ours, or cannot be known: it
        may be a late one about a packet that was given up, or the second one about a packet that is answered."""
        token = self._token_quoted(quoted)
        if token is None:
            sure = len(self._out) == 1 and not self._was_silent and sender not in self._answered
            return next(iter(self._out)) if sure else 0
        return token

    def _token_quoted(self, quoted: bytes) -> int | None:
        """Which packet an error quotes: None when it was cut off, 0 (never sent) when it is none of ours."""
        if not self._icmp:
            return int.from_bytes(quoted[:2]) if len(quoted) >= 2 else None
        if len(quoted) < 8:
            return None
        _, _, _, identifier, sequence = struct.unpack_from("!BBHHH", quoted)
        # A raw socket sees the errors of every process's echoes.
        return int(sequence) if identifier == self._identifier else 0

    def _arrivals(self) -> list[HopReply]:
        replies: list[HopReply] = []
        while True:
            try:
                data, ancillary, _, _ = self.socket.recvmsg(_ROOM, _ROOM)
            except OSError:
                return replies
            now = self._clock.now_ns()
            sent = self._echoed(data) if self._icmp else self._farthest()
            if sent is None:
                continue
            replies.append(
                answers.reply(
                    sent,
                    now,
                    "echo_reply" if self._icmp else "data",
                    replier=self._address,
                    rtt_us=answers.rtt_us(sent, now, errqueue.kernel_time_ns(ancillary)),
                    replier_ttl=errqueue.arriving_ttl(ancillary, self._options),
                )
            )

    def _echoed(self, data: bytes) -> Sent | None:
        token = sequence_of_reply(self._options, data, self._identifier, raw=self._raw)
        return None if token is None else self._out.pop(token, None)

    def _farthest(self) -> Sent | None:
        """UDP data does not say which datagram it answers. The largest TTL never makes the target look too near."""
        if not self._out:
            return None
        return self._out.pop(max(self._out, key=lambda token: self._out[token].probe.ttl))

    def silent(self, sent: Sent) -> list[HopReply]:
        """Nobody answered ``sent`` until now."""
        self._was_silent = True
        tokens = [token for token, out in self._out.items() if out is sent]
        for token in tokens:
            del self._out[token]
        return [answers.reply(sent, self._clock.now_ns(), "none")] if tokens else []

    def close(self) -> None:
        self.socket.close()


def sending_failed(number: int) -> Failure:
    """A datagram that the kernel did not take. EPERM: a local rule dropped it (fault-signatures 2.3). EMSGSIZE: it is
    larger than the own link carries (ip(7))."""
    failure = failure_of(number, None)
    code = FailureCode.TOO_BIG if number == errno.EMSGSIZE else failure.code
    return Failure(op="send", code=code, native=failure.native, errno=failure.errno, text=failure.text)


def open_flow(clock: Clock, probe: HopProbe) -> DatagramFlow | None:
    """The flow that ``probe`` begins. None when this process may have no ICMP socket.

    ``OSError`` when the kernel has no way to the address.
    """
    options = options_for(probe.address)
    if probe.protocol == "udp":
        return _flow_on(socket.socket(options.family, socket.SOCK_DGRAM), clock, probe, raw=False)
    for raw in (False, True):
        found = features.icmp_socket(options, raw=raw)
        if found is not None:
            # icmplib closes its socket when it is collected; ours has to outlive it.
            sock = found.sock.dup()
            found.close()
            return _flow_on(sock, clock, probe, raw=raw)
    return None


def _flow_on(sock: socket.socket, clock: Clock, probe: HopProbe, *, raw: bool) -> DatagramFlow:
    try:
        return DatagramFlow(clock, probe, sock, raw=raw)
    except OSError:
        sock.close()
        raise
