"""Pure description of a network: nodes, links, addresses, and the routes that follow from them.

Nothing here touches the kernel; ``networks.py`` holds the two networks, ``namespaces.py`` builds them.
"""

from __future__ import annotations

import dataclasses
import heapq
import ipaddress
from collections.abc import Iterable, Mapping
from typing import Final

Interface4or6 = ipaddress.IPv4Interface | ipaddress.IPv6Interface
Network4or6 = ipaddress.IPv4Network | ipaddress.IPv6Network
Address4or6 = ipaddress.IPv4Address | ipaddress.IPv6Address

# What a router calls its interface towards a neighbour (IFNAMSIZ leaves 15 characters).
SHORT_NAMES: Final[Mapping[str, str]] = {
    "customer": "lan-cust",
    "lan-resolver": "lan-dns",
    "gateway": "gw",
    "office-firewall": "fw",
    "isp-core": "core",
    "isp-resolver": "ispdns",
    "transit-a": "ta",
    "transit-b": "tb",
    "vendor-firewall": "vfw",
    "vendor-dns": "vdns",
    "exchange": "ix",
    "internet": "inet",
    "public-resolvers": "pubdns",
    "agent-isp": "agisp",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Node:
    """One machine. ``extra`` are service addresses on its loopback, routed to it from everywhere."""

    name: str
    domain: str
    router: bool = False
    site: bool = False  # inside the customer's site: knows the private prefixes
    nat_towards: str | None = None  # the neighbour behind which private sources are masqueraded
    extra: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Link:
    """A cable between two nodes. ``delay_ms`` above 0 puts a packet relay into it (one way, with ``jitter_ms``)."""

    a: str
    b: str
    a_addresses: tuple[str, ...]
    b_addresses: tuple[str, ...]
    private4: bool = False  # IPv4 prefix is known inside the site only
    bridged: bool = False  # b hangs on a's LAN bridge
    cost: int = 1  # routing metric
    delay_ms: float = 0.0
    jitter_ms: float = 0.0

    def addresses(self, node: str) -> tuple[Interface4or6, ...]:
        """The addresses of one end."""
        texts = self.a_addresses if node == self.a else self.b_addresses
        return tuple(ipaddress.ip_interface(text) for text in texts)

    def other(self, node: str) -> str:
        """The far end."""
        return self.b if node == self.a else self.a


@dataclasses.dataclass(frozen=True, kw_only=True)
class Vendor:
    """The vendor as this network knows it."""

    name: str  # the host name of the service
    zone: str
    path: str
    address4: str
    second4: str
    address6: str
    second6: str
    prefix4: str
    prefix6: str
    ns: Mapping[str, tuple[str, ...]]  # name server name -> its addresses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Network:
    """A whole network. ``aliases`` lets one node play two roles (a home router is also the LAN's resolver)."""

    name: str
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    vendor: Vendor
    customer_ipv6: bool
    customer_resolvers: tuple[str, ...]
    agent_resolvers: tuple[str, ...]
    lan_resolver_forwards: bool
    customer_public4: str
    aliases: Mapping[str, str] = dataclasses.field(default_factory=dict)
    blackholes: tuple[str, ...] = ()

    def node(self, role: str) -> Node:
        """The node that plays a role. Raises KeyError with the roles that exist."""
        name = self.aliases.get(role, role)
        for node in self.nodes:
            if node.name == name:
                return node
        roles = sorted([node.name for node in self.nodes] + list(self.aliases))
        raise KeyError(f"no role {role!r} in network {self.name!r}; there are: {', '.join(roles)}")

    def links_of(self, name: str) -> list[Link]:
        """Every link with an end at this node."""
        return [link for link in self.links if name in (link.a, link.b)]

    def link(self, one: str, other: str) -> Link:
        """The link between two roles. Raises KeyError when they are no neighbours."""
        first, second = self.node(one).name, self.node(other).name
        for link in self.links:
            if {link.a, link.b} == {first, second}:
                return link
        raise KeyError(f"{one} and {other} are no neighbours in network {self.name!r}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Route:
    """One route: a prefix and its next hops (more than one means equal-cost paths)."""

    prefix: Network4or6
    via: tuple[tuple[Address4or6, str], ...]  # (next hop, interface)


def interface(network: Network, node: str, link: Link) -> str:
    """Name of the interface of ``node`` on ``link``: ``eth0`` on end machines, the neighbour's name on routers."""
    if link.bridged and node == link.a:
        return "br-lan"
    me = network.node(node)
    if not me.router:
        return "eth0"
    if me.nat_towards == link.other(node):
        return "wan"
    neighbour = link.other(node)
    return SHORT_NAMES.get(neighbour, neighbour)[:15]


def node_addresses(network: Network, name: str) -> list[Interface4or6]:
    """Every address of a node: service addresses first, so that ``[0]`` is the one that others use."""
    node = network.node(name)
    found = [ipaddress.ip_interface(text) for text in node.extra]
    for link in network.links_of(node.name):
        found += [address for address in link.addresses(node.name) if address not in found]
    return found


Distances = Mapping[str, Mapping[str, int]]  # target -> node -> cost


def _distances(network: Network, target: str) -> dict[str, int]:
    """Cost from every node to ``target`` (Dijkstra); end machines do not forward."""
    distance: dict[str, int] = {}
    queue = [(0, target)]
    while queue:
        cost, here = heapq.heappop(queue)
        if here in distance:
            continue
        distance[here] = cost
        if here == target or network.node(here).router:
            for link in network.links_of(here):
                heapq.heappush(queue, (cost + link.cost, link.other(here)))
    return distance


def _prefixes(network: Network) -> dict[Network4or6, tuple[frozenset[str], bool]]:
    """prefix -> (nodes on it, whether only the customer's site knows it)."""
    found: dict[Network4or6, tuple[frozenset[str], bool]] = {}
    for link in network.links:
        for address in (*link.addresses(link.a), *link.addresses(link.b)):
            private = link.private4 and address.version == 4
            known = found.get(address.network, (frozenset(), private))
            found[address.network] = (known[0] | {link.a, link.b}, private)
    for node in network.nodes:
        for text in node.extra:
            found[ipaddress.ip_interface(text).network] = (frozenset({node.name}), False)
    return found


def _next_hops(
    network: Network, node: str, owners: Iterable[str], version: int, distances: Distances
) -> tuple[tuple[Address4or6, str], ...]:
    """The neighbours of ``node`` that are nearest to any owner, as (address, interface)."""
    candidates = [
        (link.cost + distances[owner][there], there)
        for owner in owners
        for link in network.links_of(node)
        if (there := link.other(node)) in distances[owner] and (there == owner or network.node(there).router)
    ]
    best = min((cost for cost, _ in candidates), default=0)
    hops: list[tuple[Address4or6, str]] = []
    for there in sorted({there for cost, there in candidates if cost == best}):
        link = network.link(node, there)
        name = interface(network, node, link)
        hops += [(address.ip, name) for address in link.addresses(there) if address.version == version][:1]
    return tuple(hops)


def _routes(network: Network, node: Node, distances: Distances) -> list[Route]:
    connected = {a.network for link in network.links_of(node.name) for a in link.addresses(node.name)}
    wanted: list[tuple[Network4or6, Iterable[str]]] = []
    # "internet" is everybody's default; its own way back is its one cable.
    owners = ["exchange"] if node.name == "internet" else ["internet"]
    wanted += [(ipaddress.ip_network(default), owners) for default in ("0.0.0.0/0", "::/0")]
    if node.router:
        for prefix, (nodes, private) in _prefixes(network).items():
            if prefix not in connected and node.name not in nodes and (node.site or not private):
                wanted.append((prefix, nodes))
    found = []
    for prefix, holders in wanted:
        via = _next_hops(network, node.name, holders, prefix.version, distances)
        if via:
            found.append(Route(prefix=prefix, via=via))
    return found


def routing_tables(network: Network) -> dict[str, list[Route]]:
    """Static routes of every node: every prefix on routers, a default on end machines; all shortest paths."""
    distances = {node.name: _distances(network, node.name) for node in network.nodes}
    return {node.name: _routes(network, node, distances) for node in network.nodes}


def reverse_names(network: Network) -> dict[str, str]:
    """address -> the name that the reverse DNS gives for it (private addresses have none)."""
    found: dict[str, str] = {}
    for node in network.nodes:
        for link in network.links_of(node.name):
            for address in link.addresses(node.name):
                if not (link.private4 and address.version == 4):
                    label = SHORT_NAMES.get(link.other(node.name), link.other(node.name))
                    found[str(address.ip)] = f"{label}.{node.name}.{node.domain}"
    vendor = network.vendor
    for text in (vendor.address4, vendor.second4, vendor.address6, vendor.second6):
        found[text] = vendor.name
    for name, addresses in vendor.ns.items():
        found.update(dict.fromkeys(addresses, name))
    return found
