"""One flow of packets that netdiag makes and reads itself (packet(7), raw(7)): all TTLs share one 5-tuple, TCP too.

A socket of the kernel's holds the source port and never talks. So the kernel answers a SYN-ACK, which it knows nothing
of, with a reset: that closes what the SYN half opened at the host, as we would have to ourselves.
"""

import contextlib
import ctypes
import ipaddress
import random
import socket
import struct
import threading
from collections.abc import Sequence

from netdiag.evidence.transport import HopReply
from netdiag.probes.base import HopProbe
from netdiag.probes.clock import Clock
from netdiag.probes.kernel import answers, errqueue
from netdiag.probes.kernel.answers import Sent
from netdiag.probes.kernel.datagram_probe import sending_failed
from netdiag.probes.kernel.numbers import PMTU_PROBE, SO_TIMESTAMPNS, V4, V6, Options, endpoint, options_for
from netdiag.probes.kernel.raw_craft import craft
from netdiag.probes.kernel.raw_packets import Arrival, Flow, quote_of, read

_ROOM = 2048
_TO_US = 0  # PACKET_HOST, linux/if_packet.h
_ETHER_TYPE = {4: 0x0800, 6: 0x86DD}  # linux/if_ether.h
_SO_ATTACH_FILTER = 26  # asm-generic/socket.h

# struct sock_filter (linux/filter.h): code, jt, jf, k. Codes of bpf_common.h.
_LOAD_BYTE, _LOAD_WORD, _IF_EQUAL, _RETURN = 0x30, 0x20, 0x15, 0x06
_PROTOCOL_AT, _SOURCE_AT = {4: 9, 6: 6}, {4: 12, 6: 8}  # RFC 791, RFC 8200


class RawFlow:
    """One 5-tuple and everything that is out on it. The same face as ``DatagramFlow``."""

    def __init__(self, clock: Clock, probe: HopProbe, sockets: "_Sockets") -> None:
        self._clock = clock
        self._options: Options = options_for(probe.address)
        self._sockets = sockets
        self.socket = sockets.listening
        source, port = sockets.holding.getsockname()[:2]
        self._flow = Flow(
            options=self._options,
            protocol=probe.protocol,
            source=str(ipaddress.ip_address(source)),
            port=(probe.source_port or random.randrange(1, 0x10000)) if probe.protocol == "icmp" else port,
            target=str(ipaddress.ip_address(probe.address)),
            target_port=probe.port,
            sequence=random.randrange(1 << 32),
            clock=random.randrange(1 << 31),
        )
        self._target = endpoint(probe.address, 0)
        self._token = 0
        self._out: dict[int, tuple[Sent, bytes]] = {}

    def outstanding(self) -> list[Sent]:
        return [sent for sent, _ in self._out.values()]

    def send(self, probe: HopProbe) -> list[HopReply]:
        """Send ``probe``. Returns ``not_sent`` when the kernel refused to."""
        self._token += 1
        packet = craft(self._flow, probe.ttl, self._token, probe.size)
        sent = answers.sent_now(self._clock, probe, self._flow.port, "raw")
        try:
            self._sockets.sending.sendto(packet, self._target)
        except OSError as error:
            failure = sending_failed(error.errno or 0)
            return [answers.reply(sent, self._clock.now_ns(), "not_sent", failure=failure)]
        self._out[self._token] = (sent, packet)
        return []

    def read(self) -> list[HopReply]:
        """Every answer that has arrived."""
        replies: list[HopReply] = []
        while True:
            try:
                data, ancillary, _, origin = self.socket.recvmsg(_ROOM, _ROOM)
            except OSError:
                return replies
            arrival = read(self._flow, data) if origin[2] == _TO_US else None
            found = None if arrival is None else self._take(arrival)
            if arrival is not None and found is not None:
                replies.append(self._reply(arrival, *found, errqueue.kernel_time_ns(ancillary)))

    def _take(self, arrival: Arrival) -> tuple[Sent, bytes] | None:
        """What ``arrival`` answers. A host that does not say is taken to answer the largest TTL, which never makes it
        look too near; a router that does not say, or says what is not out, is not heard."""
        token = arrival.token
        if arrival.answer != "icmp" and token not in self._out:
            token = max(self._out, key=lambda one: self._out[one][0].probe.ttl, default=None)
        if token is None or token not in self._out:
            return None
        # Of a small packet "too big" says nothing.
        if arrival.icmp is not None and errqueue.is_too_big(arrival.icmp) and not self._out[token][0].probe.size:
            return None
        return self._out.pop(token)

    def _reply(self, arrival: Arrival, sent: Sent, packet: bytes, kernel_ns: int | None) -> HopReply:
        now = self._clock.now_ns()
        return answers.reply(
            sent,
            now,
            arrival.answer,
            replier=arrival.replier,
            icmp=arrival.icmp,
            rtt_us=answers.rtt_us(sent, now, kernel_ns),
            replier_ttl=arrival.ttl,
            quote=None if arrival.quoted is None else quote_of(self._flow, arrival.quoted, packet),
            next_mtu=arrival.next_mtu,
            labels=arrival.labels,
        )

    def silent(self, sent: Sent) -> list[HopReply]:
        """Nobody answered ``sent`` until now."""
        tokens = [token for token, (out, _) in self._out.items() if out is sent]
        for token in tokens:
            del self._out[token]
        return [answers.reply(sent, self._clock.now_ns(), "none")] if tokens else []

    def close(self) -> None:
        self._sockets.close()


class _Sockets:
    """``sending`` takes whole IP packets, ``listening`` hears what comes for us, ``holding`` has the source port."""

    def __init__(self, probe: HopProbe) -> None:
        options = options_for(probe.address)
        with contextlib.ExitStack() as opened:
            self.sending = opened.enter_context(socket.socket(options.family, socket.SOCK_RAW, socket.IPPROTO_RAW))
            # Whatever path MTU the kernel remembers, a packet leaves whole.
            self.sending.setsockopt(options.level, options.pmtu_discovery, PMTU_PROBE)
            ether_type = socket.htons(_ETHER_TYPE[options.version])
            self.listening = opened.enter_context(socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, ether_type))
            self.listening.setblocking(False)
            _hear_only(self.listening, probe.address)
            kind = socket.SOCK_STREAM if probe.protocol == "tcp" else socket.SOCK_DGRAM
            self.holding = opened.enter_context(socket.socket(options.family, kind))
            self.holding.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            port = 0 if probe.protocol == "icmp" else probe.source_port
            self.holding.bind((probe.stamp.source or _own_address(options, probe.address), port))
            opened.pop_all()

    def close(self) -> None:
        """Nobody need wait for ``listening``: to let a packet socket go takes the kernel 10 ms and more, since every
        processor has to be done with it first (packet_release: synchronize_net)."""
        self.sending.close()
        self.holding.close()
        threading.Thread(target=self.listening.close).start()


def _own_address(options: Options, address: str) -> str:
    """From which address this machine talks to ``address``. ``OSError`` when there is no way."""
    with socket.socket(options.family, socket.SOCK_DGRAM) as sock:
        sock.connect(endpoint(address, 9))  # discard, RFC 863; connecting a datagram socket sends nothing
        return str(sock.getsockname()[0])


def _hear_only(sock: socket.socket, address: str) -> None:
    """Hear ICMP, and what ``address`` sends, on every interface: the kernel keeps all else away from us."""
    version = ipaddress.ip_address(address).version
    wanted = _filter(version, ipaddress.ip_address(address).packed)
    room = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in wanted))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(wanted), ctypes.addressof(room)))
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)


def _filter(version: int, source: bytes) -> Sequence[tuple[int, int, int, int]]:
    words = struct.unpack(f"!{len(source) // 4}I", source)
    icmp = (V4 if version == 4 else V6).icmp_protocol
    after = 2 * len(words)
    program = [(_LOAD_BYTE, 0, 0, _PROTOCOL_AT[version]), (_IF_EQUAL, after, 0, icmp)]
    for n, word in enumerate(words):
        left = after - 2 * n - 1
        program += [(_LOAD_WORD, 0, 0, _SOURCE_AT[version] + 4 * n), (_IF_EQUAL, 0, left, word)]
    return [*program, (_RETURN, 0, 0, _ROOM), (_RETURN, 0, 0, 0)]


def open_raw_flow(clock: Clock, probe: HopProbe) -> RawFlow | None:
    """The flow that ``probe`` begins. None when this process may make no packets itself.

    ``OSError`` when the kernel has no way to the address.
    """
    if not hasattr(socket, "AF_PACKET"):
        return None
    try:
        sockets = _Sockets(probe)
    except PermissionError:
        return None
    return RawFlow(clock, probe, sockets)
