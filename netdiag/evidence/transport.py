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
    """One ICMP echo request. ``identifier``: the ICMP header's, where netdiag chose it. ``rtt_us`` and ``reply_ttl``
    are None when no reply came before ``ended_ns``; an ICMP error about it is in ``failure``."""

    address: str
    sequence: UInt
    mode: Literal["raw", "ping_socket", "ping_command"]
    identifier: Port | None = None
    rtt_us: UInt | None = None
    reply_ttl: Byte | None = None


class Quote(Struct, frozen=True, kw_only=True):
    """What an ICMP error quoted of our packet: how it looked when it arrived there.

    The IP header's fields (``ttl``, ``tos``, addresses) are known in ``raw`` mode only. ``length``: bytes of our packet
    that were quoted, from the transport header on. ``checksum_kept``: the transport checksum is the one that we sent.
    """

    ttl: Byte | None = None
    tos: Byte | None = None
    source_address: str | None = None
    source_port: Port | None = None
    destination_address: str | None = None
    destination_port: Port | None = None
    mss: UInt | None = None
    checksum_kept: bool | None = None
    length: UInt | None = None


class Label(Struct, frozen=True, kw_only=True):
    """One entry of the MPLS label stack that a router reported in its ICMP error (RFC 4950)."""

    label: UInt
    traffic_class: Byte = 0
    ttl: Byte = 0


class HopReply(Observed, frozen=True, kw_only=True, tag="hop_reply"):
    """One TTL-limited packet to ``address``:``port``, and what came back before ``ended_ns``.

    ``answer``: ``none`` (silence), ``icmp`` (an ICMP error: see ``icmp``), ``syn_ack``, ``rst``, ``echo_reply``,
    ``data`` (a UDP answer), ``not_sent`` (the kernel refused to send; ``failure`` has the errno). ``replier`` is the
    sender of the answer: the router for ICMP, the target itself for the others. ``flow`` numbers the 5-tuple inside
    the step: the same flow means the same source port. ``replier_ttl`` is the TTL with which the answer arrived,
    where the kernel tells. ``size``: bytes of the IP packet, when it was made that large on purpose, with "don't
    fragment" set; ``next_mtu`` is what a router that it was too big for said (RFC 1191, RFC 8201). ``mode`` raw: the
    packet was made and its answers read by netdiag itself, with privilege; else by the kernel's sockets.
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
    size: UInt | None = None
    next_mtu: UInt | None = None
    labels: tuple[Label, ...] = ()


class InFlow(Observed, frozen=True, kw_only=True, tag="in_flow"):
    """One stage of one established connection (``caused_by`` its Connect) that carries data with a limited TTL.

    The same bytes are on the way throughout: they are sent once, and the kernel repeats what was not acknowledged, with
    the TTL of the stage. ``attempt`` numbers the stage. ``payload`` and ``name``: a TLS ClientHello with that server
    name, or an HTTP request with that Host; ``neutral``: not the vendor's name. ``ttl`` None: the kernel's own.
    ``min_ttl``: packets that arrive with less are not seen (IP_MINTTL, ip(7)).

    ``answer``: ``expired`` (an ICMP time exceeded about it: SO_ERROR EHOSTUNREACH, without its sender), ``reset``,
    ``closed`` (an end of stream), ``data`` (``server_hello`` says whether it began a TLS handshake), ``acked`` (the
    peer's TCP acknowledged it, and nothing more came), ``none``, ``icmp`` (another soft error: ``failure`` has the
    errno). ``rtt_us``: from the last sending that it can answer.
    """

    address: str
    port: Port
    source_port: Port | None = None
    payload: Literal["client_hello", "request"]
    name: str | None = None
    neutral: bool = False
    ttl: Byte | None = None
    min_ttl: Byte | None = None
    limit_ms: UInt
    answer: Literal["expired", "reset", "closed", "data", "acked", "none", "icmp"]
    server_hello: bool | None = None
    rtt_us: UInt | None = None
    tcp: TcpInfo | None = None


class ArrivingTtl(Observed, frozen=True, kw_only=True, tag="arriving_ttl"):
    """With which TTL the answers of ``address``:``port`` arrive here: between ``low`` and ``high``, both included.

    ``of``: acknowledgements inside an established connection, SYN-ACKs, or resets of a closed port. ``how``:
    ``min_ttl`` (narrowed down with IP_MINTTL), ``hop_limit`` (the kernel told), ``raw`` (read off the packet).
    ``connections``: how many it took. None: it could not be narrowed down at all.
    """

    address: str
    port: Port
    of: Literal["ack", "syn_ack", "rst"]
    how: Literal["min_ttl", "hop_limit", "raw"]
    low: Byte | None = None
    high: Byte | None = None
    connections: UInt = 1


class Progress(Struct, frozen=True, kw_only=True):
    """How far a transfer was ``at_us`` after its request was sent: bytes received on the connection since then (headers
    and TLS included; the body's alone where the kernel does not count); and of this end's kernel its estimate of the
    round trip time to the sender, which grows with each pause of the sender, too, and how many packets came out of
    order so far (each marks one that was lost, or overtaken, before it)."""

    at_us: UInt
    received: UInt
    rtt_us: UInt | None = None
    out_of_order: UInt | None = None


class Bursts(Struct, frozen=True, kw_only=True):
    """How the bytes of a transfer came, looked at every 10 ms: in how many pieces, between which nothing came for 50 ms
    or more; and the medians of their sizes and of the times that they took."""

    count: UInt
    median_bytes: UInt
    median_us: UInt


class Transfer(Observed, frozen=True, kw_only=True, tag="transfer"):
    """One download of ``url`` (without its query) from ``address``, cut off after ``limit_bytes`` or ``limit_ms``.

    ``connected_us`` and ``secured_us`` are microseconds from ``began_ns``; the other times from the sending of the
    request, when TCP and TLS were ready: ``acked_us`` when the peer's TCP had acknowledged all of it, ``first_byte_us``
    when the first byte of the answer came, ``finished_us`` when no more was read. ``received`` counts body bytes;
    ``complete``: the body ended by itself. ``progress`` has at most 50 entries, evenly spread, from the first byte on.
    """

    address: str
    port: Port
    source_port: Port | None = None
    url: str
    limit_bytes: UInt
    limit_ms: UInt
    status: UInt | None = None
    connected_us: UInt | None = None
    secured_us: UInt | None = None
    acked_us: UInt | None = None
    first_byte_us: UInt | None = None
    finished_us: UInt | None = None
    received: UInt = 0
    complete: bool | None = None
    progress: tuple[Progress, ...] = ()
    bursts: Bursts | None = None
    tcp: TcpInfo | None = None
