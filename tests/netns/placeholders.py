"""``{vendor4}`` and its kind: what scenario files may say instead of the addresses of one network.

Only lower-case names without blanks are placeholders, so nftables' own braces (``{ 80, 443 }``) pass untouched.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from tests.netns.topology import Network, interface, node_addresses, routing_tables

_PATTERN = re.compile(r"\{([a-z][a-z0-9_:>-]*)\}")


class PlaceholderError(Exception):
    """A placeholder that this network does not know."""


def values(network: Network) -> dict[str, str]:
    """The plain placeholders of one network (README.md lists them)."""
    vendor = network.vendor
    found: dict[str, str] = {
        "network": network.name,
        "vendor_name": vendor.name,
        "vendor_zone": vendor.zone,
        "vendor_path": vendor.path,
        "vendor_url": f"https://{vendor.name}{vendor.path}",
        "vendor_port": "443",
        "vendor4": vendor.address4,
        "vendor6": vendor.address6,
        "vendor_second4": vendor.second4,
        "vendor_second6": vendor.second6,
        "vendor_prefix4": vendor.prefix4,
        "vendor_prefix6": vendor.prefix6,
        "customer_public4": network.customer_public4,
    }
    link = network.link("vendor-firewall", "vendor")
    for address in link.addresses("vendor"):
        found[f"vendor_net{address.version}"] = str(address.network)
    for role in [node.name for node in network.nodes] + list(network.aliases):
        for address in node_addresses(network, network.node(role).name):
            found.setdefault(f"{role.replace('-', '_')}{address.version}", str(address.ip))
    # A router's first link is towards the customer's side; on the LAN it is the gateway's LAN address.
    for address in network.links_of("customer")[0].addresses("gateway"):
        found[f"gateway{address.version}"] = str(address.ip)
        found[f"lan_net{address.version}"] = str(address.network)
    return found


def _towards_customer(network: Network, role: str) -> str:
    """The neighbour of a router on the customer's side (the one that its route to the customer's line uses)."""
    line = ipaddress.ip_address(network.customer_public4)
    for route in routing_tables(network)[role]:
        if line in route.prefix and route.prefix.prefixlen:
            return next(
                link.other(role) for link in network.links_of(role) if interface(network, role, link) == route.via[0][1]
            )
    raise KeyError(role)


def _neighbour(network: Network, expression: str) -> str:
    """``via4:A>B`` is B's IPv4 address on its link with A, ``dev:A>B`` the interface that A has there.

    ``A>towards-customer`` names the neighbour of A on the way back to the customer's line.
    """
    kind, _, pair = expression.partition(":")
    one, _, other = pair.partition(">")
    if other == "towards-customer":
        other = _towards_customer(network, one)
    link = network.link(one, other)
    if kind == "dev":
        return interface(network, network.node(one).name, link)
    version = {"via4": 4, "via6": 6}[kind]
    return next(str(a.ip) for a in link.addresses(network.node(other).name) if a.version == version)


def fill(text: str, network: Network, known: Mapping[str, str]) -> str:
    """Replace every placeholder. Raises PlaceholderError naming the one that is unknown."""

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        try:
            return known[name] if name in known else _neighbour(network, name)
        except (KeyError, StopIteration) as error:
            raise PlaceholderError(
                f"unknown placeholder {match[0]} in {text!r} for network {network.name!r}"
            ) from error

    return _PATTERN.sub(replace, text)
