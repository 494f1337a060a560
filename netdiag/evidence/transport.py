"""Records of the path and of TCP: connects, echoes, hops."""

from typing import Literal

from netdiag.evidence.record import Byte, Icmp, Observed, Port, Struct, UInt


class TcpInfo(Struct, frozen=True, kw_only=True):
    """Fields of the kernel's TCP_INFO (tcp(7), ``struct tcp_info``); ``None`` where this kernel's is shorter.

    Times are microseconds unless the name says ms, as in the kernel. Counters that every kernel has default to 0, which
    is left out of the bundle: where there is a record at all, they were read.
    """

    state: Byte
    retransmits: Byte = 0
    backoff: Byte = 0
    options: Byte
    unacked: UInt = 0
    lost: UInt = 0
    total_retrans: UInt = 0
    rtt_us: UInt
    rttvar_us: UInt
    min_rtt_us: UInt | None = None
    snd_mss: UInt
    rcv_mss: UInt
    pmtu: UInt
    last_data_recv_ms: UInt
    segs_out: UInt | None = None
    segs_in: UInt | None = None
    data_segs_out: UInt | None = None
    data_segs_in: UInt | None = None
    bytes_acked: UInt | None = None
    bytes_received: UInt | None = None
    bytes_retrans: UInt | None = None


class Connect(Observed, frozen=True, kw_only=True, tag="connect"):
    """One TCP connection attempt on one socket. ``failure`` None: the handshake completed.

    ``syns_sent`` counts the SYN and its retransmissions. ``proxy_of`` is set when this is the connection to a proxy
    and names what is asked through it. ``after_burst`` marks what ran after an intrusive step.
    """

    address: str
    port: Port
    source_address: str | None = None
    source_port: Port | None = None
    device: str | None = None
    limit_ms: UInt
    syns_sent: UInt | None = None
    min_ttl: Byte | None = None
    mss_clamp: UInt | None = None
    tcp: TcpInfo | None = None
    after_burst: bool = False


class Echo(Observed, frozen=True, kw_only=True, tag="echo"):
    """One ICMP echo request. ``rtt_us`` and ``reply_ttl`` are None when no reply came before ``ended_ns``; an ICMP
    error about it is in ``failure``."""

    address: str
    sequence: UInt
    mode: Literal["raw", "ping_socket", "ping_command"]
    rtt_us: UInt | None = None
    reply_ttl: Byte | None = None


class Quote(Struct, frozen=True, kw_only=True):
    """What an ICMP error quoted of our packet: how it looked when it arrived there."""

    ttl: Byte | None = None
    tos: Byte | None = None
    source_port: Port | None = None
    mss: UInt | None = None


class HopReply(Observed, frozen=True, kw_only=True, tag="hop_reply"):
    """One TTL-limited packet to ``address``:``port``, and what came back before ``ended_ns``.

    ``answer``: ``none`` (silence), ``icmp`` (an ICMP error: see ``icmp``), ``syn_ack``, ``rst``, ``echo_reply``,
    ``data`` (a UDP answer), ``not_sent`` (the kernel refused to send; ``failure`` has the errno). ``replier`` is the
    sender of the answer: the router for ICMP, the target itself for the others. ``flow`` numbers the 5-tuple inside
    the step: the same flow means the same source port. ``replier_ttl`` is the TTL with which the answer arrived,
    where the kernel tells.
    """

    address: str
    port: Port
    protocol: Literal["tcp", "udp", "icmp"] = "tcp"
    mode: Literal["unprivileged", "raw"] = "unprivileged"
    flow: UInt
    source_port: Port | None = None
    ttl: Byte
    answer: Literal["none", "icmp", "syn_ack", "rst", "echo_reply", "data", "not_sent"]
    replier: str | None = None
    icmp: Icmp | None = None
    rtt_us: UInt | None = None
    replier_ttl: Byte | None = None
    quote: Quote | None = None
