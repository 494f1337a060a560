"""Records of the customer's own machine: links, addresses, routes, neighbours, resolvers, overrides, clock."""

from typing import Annotated, Literal

import msgspec

from netdiag.evidence.record import Observed, Port, Struct, UInt

Family = Literal[4, 6]


class InterfaceAddress(Struct, frozen=True, kw_only=True):
    """One address of an interface with its prefix length."""

    address: str
    prefix_length: Annotated[int, msgspec.Meta(ge=0, le=128)]


class Interface(Observed, frozen=True, kw_only=True, tag="interface"):
    """One network interface: its state and its counters at ``began_ns``.

    ``is_up`` is IFF_UP, ``has_carrier`` IFF_RUNNING (``None`` where the platform does not say). Counters are packets
    since boot and are shared by all processes; ``None`` when the platform does not count them.
    """

    name: str
    link: Literal["loopback", "ethernet", "wireless", "tunnel", "other"]
    is_up: bool
    has_carrier: bool | None = None
    mtu: UInt | None = None
    addresses: tuple[InterfaceAddress, ...] = ()
    tx_packets: UInt | None = None
    rx_packets: UInt | None = None
    tx_errors: UInt | None = None
    rx_errors: UInt | None = None
    tx_dropped: UInt | None = None
    rx_dropped: UInt | None = None


class DefaultRoute(Observed, frozen=True, kw_only=True, tag="default_route"):
    """Looked for a default route of one family. ``gateway`` is None on a link without one (point to point);
    ``exists`` False says that the table was read and has none."""

    family: Family
    exists: bool
    gateway: str | None = None
    device: str | None = None
    metric: UInt | None = None


class RouteLookup(Observed, frozen=True, kw_only=True, tag="route_lookup"):
    """What the kernel would do with a packet to ``destination`` (``ip route get``). ``failure`` has the errno that
    ``unreachable``, ``prohibit`` and ``blackhole`` routes give, or ENETUNREACH for none."""

    destination: str
    gateway: str | None = None
    device: str | None = None
    source: str | None = None
    mtu: UInt | None = None


class Neighbour(Observed, frozen=True, kw_only=True, tag="neighbour"):
    """State of an entry of the ARP or NDP table (kernel NUD_* names). ``absent`` when the table has no entry."""

    address: str
    device: str
    state: Literal["reachable", "stale", "delay", "probe", "incomplete", "failed", "permanent", "noarp", "absent"]


class ResolverConfig(Observed, frozen=True, kw_only=True, tag="resolver_config"):
    """The name servers that the machine is configured with, in order. Search domains are pseudonymised."""

    source: str
    servers: tuple[str, ...]
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


class HostsEntry(Observed, frozen=True, kw_only=True, tag="hosts_entry"):
    """What the hosts file says of ``name`` (lines of other names are never recorded). No addresses: no entry."""

    name: str
    addresses: tuple[str, ...] = ()


class SystemLookup(Observed, frozen=True, kw_only=True, tag="system_lookup"):
    """What ``getaddrinfo`` answered, as applications on this machine see it. ``gai_error`` is the EAI_* number,
    stored positive (glibc's are negative)."""

    name: str
    addresses: tuple[str, ...] = ()
    gai_error: UInt | None = None


class ProxySetting(Observed, frozen=True, kw_only=True, tag="proxy_setting"):
    """A proxy that the environment or the system names for ``scheme``; credentials are removed.

    ``bypassed`` says that the exception list (``no_proxy``) takes the target's host out. ``host`` None: none is set.
    """

    scheme: Literal["http", "https", "socks", "pac"]
    source: str
    host: str | None = None
    port: UInt | None = None
    bypassed: bool = False


class Clock(Observed, frozen=True, kw_only=True, tag="clock"):
    """The machine's wall clock (seconds since the epoch) at ``began_ns``. Offsets come from Date headers."""

    unix_seconds: Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]
    synchronised: bool | None = None


class Platform(Observed, frozen=True, kw_only=True, tag="platform"):
    """What the probes ran on, and which privileges and kernel features were found by trying them."""

    system: str
    release: str
    python: str
    openssl: str
    error_queue: bool | None = None
    raw_sockets: bool | None = None
    ping_sockets: bool | None = None
    min_ttl: bool | None = None


class Nat64(Observed, frozen=True, kw_only=True, tag="nat64"):
    """Looked for NAT64 by ``ipv4only.arpa`` AAAA (RFC 7050). ``prefix`` None: asked, and there is none."""

    prefix: str | None = None


class LocalSend(Observed, frozen=True, kw_only=True, tag="local_send"):
    """A UDP datagram handed to the kernel for ``address:port``: EPERM proves a local OUTPUT rule (fault-signatures
    2.3); success proves only that none dropped UDP. ``ttl`` is 1, so that it dies at the gateway."""

    address: str
    port: UInt
    source_port: Port | None = None
    ttl: UInt


class KernelCounters(Observed, frozen=True, kw_only=True, tag="kernel_counters"):
    """Machine-wide counters of /proc/net/snmp and netstat at ``began_ns``; shared by all processes."""

    tcp_out_segments: UInt | None = None
    tcp_retransmitted: UInt | None = None
    tcp_attempt_fails: UInt | None = None
    ip_out_discards: UInt | None = None
    ip_out_no_routes: UInt | None = None
    ip_reverse_path_filter: UInt | None = None
