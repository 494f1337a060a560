"""Reads of the customer's own machine, as far as every platform gives them. Linux adds more (``machine_linux.py``)."""

import ipaddress
import platform
import socket
import ssl
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import psutil

from netdiag.evidence import machine as records
from netdiag.evidence.record import Failure, NotRun
from netdiag.probes.base import Machine, Stamp
from netdiag.probes.clock import Clock
from netdiag.probes.kernel.numbers import endpoint
from netdiag.probes.library import settings
from netdiag.probes.library.lookup import ask_system, failure_of_lookup
from netdiag.probes.library.sockets import failure_of

Link = Literal["loopback", "ethernet", "wireless", "tunnel", "other"]


def machine_for_this_platform(clock: Clock, features: Mapping[str, bool | None] | None = None) -> Machine:
    """The machine that this process runs on.

    ``features``: what was found by trying, for the Platform record: error_queue, raw_sockets, ping_sockets, min_ttl.
    """
    if platform.system() == "Linux":
        from netdiag.probes.library.machine_linux import LinuxMachine  # noqa: PLC0415

        return LinuxMachine(clock, features or {})
    return PortableMachine(clock, features or {})


class PortableMachine:
    """What psutil and the standard library tell on any platform; the rest is ``NotRun(why="unsupported")``."""

    hosts_path = Path("/etc/hosts")

    def __init__(self, clock: Clock, features: Mapping[str, bool | None]) -> None:
        self._clock = clock
        self._features = features

    def platform(self, stamp: Stamp) -> records.Platform:
        """System, release and versions; no host name."""
        return records.Platform(
            **self._moment(stamp),
            system=platform.system(),
            release=platform.release(),
            python=platform.python_version(),
            openssl=ssl.OPENSSL_VERSION,
            error_queue=self._features.get("error_queue"),
            raw_sockets=self._features.get("raw_sockets"),
            ping_sockets=self._features.get("ping_sockets"),
            min_ttl=self._features.get("min_ttl"),
        )

    def interfaces(self, stamps: Callable[[], Stamp]) -> Sequence[records.Interface | NotRun]:
        """Every interface with addresses and counters; link-layer addresses are not read."""
        try:
            addresses = psutil.net_if_addrs()
            counters = psutil.net_io_counters(pernic=True, nowrap=False)
            states = psutil.net_if_stats()
        except (OSError, psutil.Error) as error:  # a sandbox without netlink or /proc/net (Android, some containers)
            return [self._not_run(stamps(), "the network interfaces", "no_privilege", type(error).__name__)]
        found: list[records.Interface | NotRun] = []
        for name, state in sorted(states.items()):
            flags = set(state.flags.split(",")) if state.flags else set()
            count = counters.get(name)
            found.append(
                records.Interface(
                    **self._moment(stamps()),
                    name=name,
                    link=self.link(name, flags),
                    is_up="up" in flags if flags else state.isup,
                    has_carrier="running" in flags if flags else None,
                    mtu=state.mtu,
                    addresses=_addresses(addresses.get(name, ())),
                    tx_packets=count.packets_sent if count else None,
                    rx_packets=count.packets_recv if count else None,
                    tx_errors=count.errout if count else None,
                    rx_errors=count.errin if count else None,
                    tx_dropped=count.dropout if count else None,
                    rx_dropped=count.dropin if count else None,
                )
            )
        return found

    def link(self, _name: str, flags: set[str]) -> Link:
        """What kind of link it is, by its flags."""
        return "loopback" if "loopback" in flags else "tunnel" if "pointopoint" in flags else "other"

    def default_routes(self, stamps: Callable[[], Stamp]) -> Sequence[records.DefaultRoute | NotRun]:
        return [self._unsupported(stamps(), "the routing table")]

    def route(self, stamp: Stamp, destination: str) -> records.RouteLookup | NotRun:
        """The source address alone: a UDP connect asks the routing table and sends nothing."""
        family = socket.AF_INET6 if ":" in destination else socket.AF_INET
        source: str | None = None
        failure: Failure | None = None
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as sock:
                sock.connect(endpoint(destination, 9))
                source = sock.getsockname()[0]
        except OSError as error:
            failure = failure_of("look", error)
        return records.RouteLookup(**self._moment(stamp), destination=destination, source=source, failure=failure)

    def neighbour(self, stamp: Stamp, _address: str) -> records.Neighbour | NotRun:
        return self._unsupported(stamp, "the neighbour table")

    def resolvers(self, stamp: Stamp) -> records.ResolverConfig | NotRun:
        """As dnspython finds them: resolv.conf, or the Windows registry."""
        import dns.exception  # noqa: PLC0415
        import dns.resolver  # noqa: PLC0415

        try:
            found = dns.resolver.Resolver()
        except dns.exception.DNSException as error:
            return self._not_run(stamp, "the configured resolvers", "unsupported", str(error))
        servers = tuple(str(one) for one in found.nameservers)
        search = tuple(one.to_text(omit_final_dot=True) for one in found.search)
        return records.ResolverConfig(**self._moment(stamp), source="the system", servers=servers, search=search)

    def hosts_entry(self, stamp: Stamp, name: str) -> records.HostsEntry | NotRun:
        """What the hosts file says of ``name``; a file that is not there says nothing."""
        try:
            text = self.hosts_path.read_text(errors="replace")
        except FileNotFoundError:
            text = ""
        except OSError as error:
            return self._not_run(stamp, "the hosts file", "no_privilege", str(error.strerror))
        return records.HostsEntry(**self._moment(stamp), name=name, addresses=settings.parse_hosts(text, name))

    def proxies(self, stamps: Callable[[], Stamp], host: str) -> Sequence[records.ProxySetting]:
        """For http and for https: the proxy of the environment (both cases) or of the system."""
        found = urllib.request.getproxies()
        from_environment = bool(urllib.request.getproxies_environment())
        origin = "environment" if from_environment or sys.platform.startswith("linux") else "system"
        return [
            records.ProxySetting(
                **self._moment(stamps()),
                scheme=proxy.scheme,
                source=f"{origin}: {proxy.source}",
                host=proxy.host,
                port=proxy.port,
                bypassed=proxy.host is not None and settings.is_bypassed(host, found),
            )
            for proxy in settings.proxies_of(found)
        ]

    def clock(self, stamp: Stamp) -> records.Clock:
        """The wall clock, read now."""
        return records.Clock(**self._moment(stamp), unix_seconds=int(time.time()), synchronised=self.is_synchronised())

    def is_synchronised(self) -> bool | None:
        """Does the kernel say that something keeps its clock right? None: it does not say."""
        return None

    def counters(self, stamp: Stamp) -> records.KernelCounters | NotRun:
        return self._unsupported(stamp, "kernel counters")

    def system_lookup(self, stamp: Stamp, name: str, *, limit_ms: int) -> records.SystemLookup:
        """``getaddrinfo``, killed at the limit."""
        began_ns = self._clock.now_ns()
        answer = ask_system(self._clock, name, limit_ms=limit_ms)
        return records.SystemLookup(
            **{**self._moment(stamp), "began_ns": began_ns},
            name=name,
            addresses=answer.addresses if answer is not None else (),
            gai_error=answer.gai_error if answer is not None else None,
            failure=failure_of_lookup(answer),
        )

    def _moment(self, stamp: Stamp) -> dict[str, Any]:
        """The fields that every record has; a read takes no time worth telling."""
        now = self._clock.now_ns()
        return {
            "id": stamp.id,
            "step": stamp.step,
            "attempt": stamp.attempt,
            "caused_by": stamp.caused_by,
            "began_ns": now,
            "ended_ns": now,
        }

    def _unsupported(self, stamp: Stamp, what: str) -> NotRun:
        return self._not_run(stamp, what, "unsupported", f"not read on {platform.system()}")

    def _not_run(self, stamp: Stamp, what: str, why: Literal["unsupported", "no_privilege"], detail: str) -> NotRun:
        return NotRun(**self._moment(stamp), why=why, what=what, detail=detail)


def _addresses(found: Sequence[Any]) -> tuple[records.InterfaceAddress, ...]:
    """IP addresses with prefix lengths, without zones; psutil's other kind is the link-layer address."""
    return tuple(
        records.InterfaceAddress(address=one.address.partition("%")[0], prefix_length=_prefix_length(one.netmask))
        for one in found
        if one.family in {socket.AF_INET, socket.AF_INET6} and one.netmask
    )


def _prefix_length(netmask: str) -> int:
    return int(ipaddress.ip_address(netmask)).bit_count()
