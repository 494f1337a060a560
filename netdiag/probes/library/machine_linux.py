"""Reads of a Linux machine: rtnetlink, /proc, sysfs, the resolver of systemd."""

import contextlib
import ctypes
import fcntl
import socket
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from netdiag.evidence import machine as records
from netdiag.evidence.record import NotRun
from netdiag.probes.base import Stamp
from netdiag.probes.library import netlink, settings
from netdiag.probes.library.machine import Link, PortableMachine
from netdiag.probes.library.sockets import failure_of

_SIOCGIFHWADDR = 0x8927  # linux/sockios.h; netdevice(7)
# ARPHRD_* (linux/if_arp.h): what the link speaks.
_LINKS: dict[int, Link] = {
    772: "loopback",
    1: "ethernet",
    512: "tunnel",  # PPP
    768: "tunnel",  # IP in IP
    769: "tunnel",  # IPv6 in IPv6
    776: "tunnel",  # 6in4
    778: "tunnel",  # GRE
    823: "tunnel",  # GRE over IPv6
    65534: "tunnel",  # no link layer: tun, WireGuard
    801: "wireless",
    803: "wireless",
}
_STUBS = frozenset({"127.0.0.53", "127.0.0.54"})  # systemd-resolved(8)
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_TIMEX_ROOM = 512  # struct timex is 208 bytes on 64-bit machines


class LinuxMachine(PortableMachine):
    """What the kernel and the files of this Linux say."""

    resolv_conf = Path("/etc/resolv.conf")
    resolved_conf = Path("/run/systemd/resolve/resolv.conf")
    proc_net = Path("/proc/self/net")

    def link(self, name: str, flags: set[str]) -> Link:
        """By the kernel's hardware type; wireless by sysfs, where an Ethernet-like link has a radio."""
        if any(Path("/sys/class/net", name, sign).exists() for sign in ("phy80211", "wireless")):
            return "wireless"
        request = struct.pack("16s24x", name.encode()[:15])
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                answer = fcntl.ioctl(sock, _SIOCGIFHWADDR, request)
        except OSError:
            return super().link(name, flags)
        return _LINKS.get(struct.unpack_from("=H", answer, 16)[0], "other")

    def default_routes(self, stamps: Callable[[], Stamp]) -> Sequence[records.DefaultRoute | NotRun]:
        """The default routes of the main table, for each family at least one record."""
        found: list[records.DefaultRoute | NotRun] = []
        versions: tuple[Literal[4, 6], ...] = (4, 6)
        for version in versions:
            try:
                routes = netlink.default_routes(version)
            except OSError as error:
                found.append(self._not_run(stamps(), f"the IPv{version} routing table", "unsupported", str(error)))
                continue
            found += [
                records.DefaultRoute(
                    **self._moment(stamps()),
                    family=version,
                    exists=True,
                    gateway=route.gateway,
                    device=route.device,
                    metric=route.metric,
                )
                for route in routes
            ]
            if not routes:
                found.append(records.DefaultRoute(**self._moment(stamps()), family=version, exists=False))
        return found

    def route(self, stamp: Stamp, destination: str) -> records.RouteLookup | NotRun:
        """``ip route get``; the errno of a route that refuses is the failure's."""
        try:
            found = netlink.route_to(destination)
        except netlink.NoNetlinkError:
            return super().route(stamp, destination)
        except OSError as error:
            failure = failure_of("look", error)
            return records.RouteLookup(**self._moment(stamp), destination=destination, failure=failure)
        return records.RouteLookup(
            **self._moment(stamp),
            destination=destination,
            gateway=found.gateway,
            device=found.device,
            source=found.source,
            mtu=found.mtu,
        )

    def neighbour(self, stamp: Stamp, address: str) -> records.Neighbour | NotRun:
        """The state of ``address``; the device is that of its route when the table has no entry."""
        try:
            state, device = netlink.neighbour(address)
        except OSError as error:
            return self._not_run(stamp, "the neighbour table", "unsupported", str(error))
        if device is None:
            with contextlib.suppress(OSError):
                device = netlink.route_to(address).device
        return records.Neighbour(**self._moment(stamp), address=address, device=device or "", state=state)

    def resolvers(self, stamp: Stamp) -> records.ResolverConfig | NotRun:
        """resolv.conf(5). Behind the stub of systemd-resolved come the servers that it asks itself."""
        source = str(self.resolv_conf)
        try:
            own = settings.parse_resolv_conf(self.resolv_conf.read_text(errors="replace"))
        except FileNotFoundError:
            # resolv.conf(5): without the file the server is the local machine's.
            own = settings.Resolvers(("127.0.0.1",), (), ())
            source = f"{source} (not there)"
        except OSError as error:
            return self._not_run(stamp, "the configured resolvers", "no_privilege", str(error))
        servers = own.servers
        if _STUBS & set(servers) and self.resolved_conf.is_file():
            upstream = settings.parse_resolv_conf(self.resolved_conf.read_text(errors="replace"))
            servers = tuple(dict.fromkeys(servers + upstream.servers))
            source = f"{source}, {self.resolved_conf}"
        return records.ResolverConfig(
            **self._moment(stamp), source=source, servers=servers, search=own.search, options=own.options
        )

    def is_synchronised(self) -> bool | None:
        """adjtimex(2) with no modes set only reads, and needs no privilege."""
        try:
            state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_ROOM))
        except (OSError, AttributeError):
            return None
        return None if state < 0 else int(state) != _TIME_ERROR

    def counters(self, stamp: Stamp) -> records.KernelCounters | NotRun:
        """/proc/net/snmp and /proc/net/netstat (RFC 4022, RFC 4293 and Linux's own)."""
        try:
            table = {**_table(self.proc_net / "snmp"), **_table(self.proc_net / "netstat")}
        except OSError as error:
            return self._not_run(stamp, "kernel counters", "unsupported", str(error))
        return records.KernelCounters(
            **self._moment(stamp),
            tcp_out_segments=table.get("Tcp.OutSegs"),
            tcp_retransmitted=table.get("Tcp.RetransSegs"),
            tcp_attempt_fails=table.get("Tcp.AttemptFails"),
            ip_out_discards=table.get("Ip.OutDiscards"),
            ip_out_no_routes=table.get("Ip.OutNoRoutes"),
            ip_reverse_path_filter=table.get("TcpExt.IPReversePathFilter"),
        )


def _table(path: Path) -> dict[str, int]:
    """Pairs of lines, ``Tcp: name name`` and ``Tcp: 1 2``. A counter that is negative is no counter (Tcp.MaxConn)."""
    lines = path.read_text().splitlines()
    found: dict[str, int] = {}
    for names, values in zip(lines[::2], lines[1::2], strict=False):
        group, *keys = names.replace(":", "").split()
        numbers = values.split()[1:]
        found |= {f"{group}.{key}": int(number) for key, number in zip(keys, numbers, strict=False) if int(number) >= 0}
    return found
