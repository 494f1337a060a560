"""Builds a described network out of namespaces: one network and one mount namespace per node.

Runs inside the lab's own supervisor (``supervisor.py``), which is single-threaded: it steps into a namespace, does
something, and steps back.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.netns import kernel
from tests.netns.topology import Link, Network, Node, interface, routing_tables

RUN = Path("/run/lab")  # on a tmpfs that only this lab sees
MOZILLA = RUN / "mozilla.pem"
_NETNS = Path("/run/netns")  # where `ip netns` looks


class LabError(Exception):
    """The lab could not be built or a change not applied; the text says what was tried and what came back."""


class Namespaces:
    """The namespaces of one lab, by node name. Holds descriptors, so that they live as long as the supervisor."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.net: dict[str, int] = {}
        self.mnt: dict[str, int] = {}
        self._base_net = os.open("/proc/self/ns/net", os.O_RDONLY)
        self._base_mnt = os.open("/proc/self/ns/mnt", os.O_RDONLY)

    @contextlib.contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """Be in the network namespace of a node for a moment."""
        kernel.setns(self.net[name], kernel.CLONE_NEWNET)
        try:
            yield
        finally:
            kernel.setns(self._base_net, kernel.CLONE_NEWNET)

    def enter(self, name: str) -> None:
        """Go into a node for good; for a freshly forked child."""
        kernel.setns(self.net[name], kernel.CLONE_NEWNET)
        if name in self.mnt:
            kernel.setns(self.mnt[name], kernel.CLONE_NEWNS)

    def create(self, *, ipv6_off: frozenset[str] = frozenset()) -> None:
        """Make every namespace, cable, address and route. Raises LabError."""
        _NETNS.mkdir(parents=True, exist_ok=True)
        for node in self.network.nodes:
            kernel.unshare(kernel.CLONE_NEWNET)
            self.net[node.name] = os.open("/proc/self/ns/net", os.O_RDONLY)
            (_NETNS / node.name).touch()
            kernel.mount("/proc/self/ns/net", str(_NETNS / node.name), flags=kernel.MS_BIND)
            _sysctls(_node_sysctls(node, ipv6=node.name not in ipv6_off))
        # Only now: a mount namespace is a copy, and shall have every name of /run/netns in it.
        for node in self.network.nodes:
            kernel.setns(self.net[node.name], kernel.CLONE_NEWNET)
            self._mount_namespace(node.name)
        kernel.setns(self._base_net, kernel.CLONE_NEWNET)
        ip_batch(
            None,
            [line for at, link in enumerate(self.network.links) for line in _cable(self.network, link, 100 + 4 * at)],
        )
        tables = routing_tables(self.network)
        for node in self.network.nodes:
            versions = (4,) if node.name in ipv6_off else (4, 6)
            lines = [_route(str(r.prefix), r.via) for r in tables[node.name] if r.prefix.version in versions]
            self._configure(node, lines, versions)

    def write_etc(self, name: str, file: str, text: str) -> None:
        """Give a node its own ``/etc/<file>``, like ``ip netns exec`` does from ``/etc/netns``."""
        own = RUN / "etc" / name / file
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_text(text)
        target = Path("/etc") / file
        real = target.resolve()
        if not real.exists() and real.is_relative_to("/run"):  # systemd-resolved's link into /run, which is ours here
            real.parent.mkdir(parents=True, exist_ok=True)
            real.touch()
        if not real.exists():
            raise LabError(f"{target} does not exist on this machine, so it cannot be covered by the lab's own")
        kernel.setns(self.mnt[name], kernel.CLONE_NEWNS)
        try:
            kernel.mount(str(own), str(real), flags=kernel.MS_BIND)
        finally:
            kernel.setns(self._base_mnt, kernel.CLONE_NEWNS)

    def _mount_namespace(self, name: str) -> None:
        kernel.unshare(kernel.CLONE_NEWNS)
        with contextlib.suppress(OSError):  # rootless kernels may refuse; only /sys/class/net is poorer then
            kernel.mount("sysfs", "/sys", "sysfs")
        self.mnt[name] = os.open("/proc/self/ns/mnt", os.O_RDONLY)
        kernel.setns(self._base_mnt, kernel.CLONE_NEWNS)

    def _configure(self, node: Node, routes: Sequence[str], versions: Sequence[int]) -> None:
        network = self.network
        lines = ["link set lo up"]
        lines += [f"address add {text} dev lo" for text in node.extra]
        links = network.links_of(node.name)
        if any(link.bridged and link.a == node.name for link in links):
            lines.append("link add br-lan type bridge")
        done: set[str] = set()
        for link in links:
            name = interface(network, node.name, link)
            if name == "br-lan":
                self._plain_bridge(node.name)
                port = _port(network, link)
                lines += [f"link set {port} master br-lan", f"link set {port} up"]
            for address in link.addresses(node.name):
                line = f"address add {address} dev {name}"
                if line not in done and address.version in versions:
                    lines.append(line)
                    done.add(line)
            lines.append(f"link set {name} up")
        ip_batch(node.name, [*lines, *routes])
        if node.nat_towards is not None:
            nft(
                node.name,
                "table ip nat { chain postrouting { "
                "type nat hook postrouting priority 100; oifname wan masquerade; }; }",
            )
        if node.name == "internet":
            _any_address(node.name)
        if node.name in ("isp2", "agent-isp"):
            ip_batch(node.name, [f"route add blackhole {prefix}" for prefix in network.blackholes])

    def _plain_bridge(self, name: str) -> None:
        """Keep a router's rules off what it only bridges; where br_netfilter is loaded they would apply."""
        values = {f"net/bridge/bridge-nf-call-{tool}": "0" for tool in ("iptables", "ip6tables", "arptables")}
        with self.inside(name):
            if Path("/proc/sys/net/bridge").exists():
                _sysctls(values)


def _index(position: int) -> int:
    """First of the four interface indexes that belong to the cable at this position of ``Network.links``."""
    return 100 + 4 * position


def relay_ends(network: Network, link: Link) -> tuple[str, str]:
    """The relay's interfaces for a delayed cable, in the base namespace."""
    index = _index(network.links.index(link))
    return f"relay{index + 1}", f"relay{index + 3}"


def cable_end(network: Network, link: Link, node: str) -> str:
    """The interface at which a cable ends, which on a LAN bridge is its port."""
    return _port(network, link) if link.bridged and node == link.a else interface(network, node, link)


def _cable(network: Network, link: Link, index: int) -> list[str]:
    """The ``ip`` lines that lay one cable; a delayed one goes through the relay's own two ends in the base namespace.

    Every interface gets an index of its own (from ``index`` on): where the two ends of a cable have the same one, the
    kernel tells a bridge of a new carrier up to a second late (linkwatch_urgent_event in net/core/link_watch.c).
    """
    a, b = cable_end(network, link, link.a), cable_end(network, link, link.b)
    if not link.delay_ms:
        return [f"link add {a} index {index} netns {link.a} type veth peer name {b} index {index + 1} netns {link.b}"]
    return [
        f"link add {a} index {index} netns {link.a} type veth peer name relay{index + 1} index {index + 1}",
        f"link add {b} index {index + 2} netns {link.b} type veth peer name relay{index + 3} index {index + 3}",
        f"link set relay{index + 1} up",
        f"link set relay{index + 3} up",
    ]


def _port(network: Network, link: Link) -> str:
    return "lan-" + link.b[:11]


def _route(prefix: str, via: Sequence[tuple[object, str]]) -> str:
    if len(via) == 1:
        return f"route replace {prefix} via {via[0][0]} dev {via[0][1]}"
    return f"route replace {prefix} " + " ".join(f"nexthop via {hop} dev {device}" for hop, device in via)


def _any_address(name: str) -> None:
    """AnyIP: whatever arrives on the cable is for this node, whatever leaves follows the ordinary table.

    The route has to stand in the table "local", because the kernel asks that one whether a source address is its own.
    """
    for family, everything, loopback in (("-4", "0.0.0.0/0", "127.0.0.0/8"), ("-6", "::/0", "::1/128")):
        lines = [
            "rule add pref 1 iif eth0 lookup local",
            f"rule add pref 2 to {loopback} lookup local",
            "rule add pref 3 lookup main",
            f"route add local {everything} dev lo table local",
            "rule del pref 0",
        ]
        ip_batch(name, lines, family=family)


def _node_sysctls(node: Node, *, ipv6: bool) -> dict[str, str]:
    """Kernel settings of one node. No duplicate address detection: it would cost a second at start."""
    values: dict[str, str] = {}
    for scope in ("all", "default"):
        values |= {
            f"net/ipv4/conf/{scope}/rp_filter": "0",
            f"net/ipv4/conf/{scope}/send_redirects": "0",
            f"net/ipv4/conf/{scope}/accept_redirects": "0",
            f"net/ipv6/conf/{scope}/accept_dad": "0",
            f"net/ipv6/conf/{scope}/accept_ra": "0",
            f"net/ipv6/conf/{scope}/disable_ipv6": "0" if ipv6 else "1",
        }
        if node.router:
            values[f"net/ipv6/conf/{scope}/forwarding"] = "1"
    if node.router:
        values["net/ipv4/ip_forward"] = "1"
    if node.name == "internet":  # its servers answer from addresses that no interface has
        values["net/ipv6/ip_nonlocal_bind"] = "1"
    # Equal-cost paths by flow (addresses and ports), as carriers do.
    values |= {"net/ipv4/fib_multipath_hash_policy": "1", "net/ipv6/fib_multipath_hash_policy": "1"}
    return values


def _sysctls(values: Mapping[str, str]) -> None:
    """Write settings of the *current* network namespace. Raises LabError."""
    for name, value in values.items():
        try:
            Path("/proc/sys", name).write_text(value)
        except OSError as error:
            raise LabError(f"sysctl {name} = {value}: {error.strerror}") from error


def sysctl(namespaces: Namespaces, name: str, values: Mapping[str, str]) -> None:
    """Write settings of one node, names with dots or slashes. Raises LabError."""
    with namespaces.inside(name):
        _sysctls({key.replace(".", "/") if "/" not in key else key: value for key, value in values.items()})


def ip_batch(name: str | None, lines: Sequence[str], family: str | None = None) -> None:
    """Run ``ip -batch`` in a node (None: the base namespace). Raises LabError with ip's own words."""
    command = ["ip", *([family] if family else []), *(["-n", name] if name else []), "-batch", "-"]
    _feed(command, "\n".join(lines) + "\n")


def nft(name: str, text: str) -> None:
    """Feed rules to ``nft -f`` in a node. Raises LabError with nft's own words."""
    _feed(["ip", "netns", "exec", name, "nft", "-f", "-"], text)


def _feed(command: Sequence[str], text: str) -> None:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"{' '.join(command)} failed: {done.stderr.strip() or done.stdout.strip()}\n--- given:\n{text}")
