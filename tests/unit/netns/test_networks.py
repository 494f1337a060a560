"""The two networks: complete, disjoint, and routed as they say."""

from __future__ import annotations

import ipaddress

import pytest

from tests.netns.daemons import names
from tests.netns.networks import BLACKHOLES, NETWORKS
from tests.netns.topology import Network, node_addresses, reverse_names, routing_tables

ROLES = (
    "customer",
    "gateway",
    "office-firewall",
    "lan-resolver",
    "isp1",
    "isp2",
    "isp-resolver",
    "transit-a",
    "transit-b",
    "exchange",
    "border",
    "vendor-firewall",
    "vendor",
    "vendor-dns",
    "internet",
    "public-resolvers",
    "agent-isp",
    "agent",
)


def _way(network: Network, source: str, target: str) -> list[str]:
    """Node names on the way from one machine to an address, the first of equal paths."""
    tables = routing_tables(network)
    owners = {str(a.ip): node.name for node in network.nodes for a in node_addresses(network, node.name)}
    address = ipaddress.ip_address(target)
    here, way = source, [source]
    while owners[target] != here:
        assert len(way) < 20, f"loop: {way}"
        beside = [
            link.other(here)
            for link in network.links_of(here)
            if target in {str(a.ip) for a in link.addresses(link.other(here))}
        ]
        if beside:
            here = beside[0]
        else:
            best = max(
                (r for r in tables[here] if r.prefix.version == address.version and address in r.prefix),
                key=lambda r: r.prefix.prefixlen,
            )
            here = owners[str(best.via[0][0])]
        way.append(here)
    return way


@pytest.mark.parametrize("name", NETWORKS)
def test_every_role_exists(name: str) -> None:
    network = NETWORKS[name]()
    for role in ROLES:
        network.node(role)


def test_networks_share_no_address_and_no_length() -> None:
    home, office = (NETWORKS[name]() for name in ("home", "office"))
    shared = {str(a.ip) for n in home.nodes for a in node_addresses(home, n.name)} & {
        str(a.ip) for n in office.nodes for a in node_addresses(office, n.name)
    }
    public = {a.split("/")[0] for node in home.nodes if node.name == "public-resolvers" for a in node.extra}
    assert shared == public
    assert home.vendor.zone != office.vendor.zone
    ways = [len(_way(n, "customer", n.vendor.address4)) for n in (home, office)]
    assert ways[0] < ways[1]


@pytest.mark.parametrize("name", NETWORKS)
def test_ways_are_the_described_ones(name: str) -> None:
    network = NETWORKS[name]()
    way = _way(network, "customer", network.vendor.address4)
    assert [node for node in way if node in ("isp1", "isp2", "border", "vendor-firewall", "vendor")] == [
        "isp1",
        "isp2",
        "border",
        "vendor-firewall",
        "vendor",
    ]
    assert "exchange" not in way
    back = _way(network, "vendor", network.customer_public4)
    assert "exchange" not in back
    agent = _way(network, "agent", network.vendor.address4)
    assert not {"isp1", "isp2"} & set(agent)
    outward = _way(network, "customer", "1.1.1.1")
    assert {"isp1", "isp2", "exchange"} <= set(outward)


@pytest.mark.parametrize("name", NETWORKS)
def test_carriers_pair_is_equal(name: str) -> None:
    network = NETWORKS[name]()
    vendor = ipaddress.ip_address(network.vendor.address4)
    splits = [
        route
        for routes in routing_tables(network).values()
        for route in routes
        if vendor in route.prefix and route.prefix.prefixlen and {device for _, device in route.via} == {"ta", "tb"}
    ]
    assert splits


@pytest.mark.parametrize("name", NETWORKS)
def test_only_private_lans_use_special_space(name: str) -> None:
    network = NETWORKS[name]()
    special = [ipaddress.ip_network(prefix) for prefix in BLACKHOLES]
    private = {
        str(a.ip) for link in network.links if link.private4 for end in (link.a, link.b) for a in link.addresses(end)
    }
    for node in network.nodes:
        for address in node_addresses(network, node.name):
            if str(address.ip) not in private:
                assert not any(address.ip in prefix for prefix in special), f"{node.name}: {address}"


def test_reverse_names_cover_routers_and_spare_the_lan() -> None:
    network = NETWORKS["office"]()
    found = reverse_names(network)
    assert found[network.vendor.address4] == network.vendor.name
    assert "10.20.0.1" not in found


def test_names_resolve_stably_and_apart() -> None:
    sites = [f"www.site{number}.com" for number in range(20)]
    fours = [next(a for a in names.addresses(site) if ":" not in a) for site in sites]
    assert fours == [next(a for a in names.addresses(site) if ":" not in a) for site in sites]
    assert len({".".join(address.split(".")[:2]) for address in fours}) >= 19
    assert names.addresses("dns.google")[0] == "8.8.8.8"
    assert names.addresses("ipv4only.arpa") == ("192.0.0.170", "192.0.0.171")


def test_names_that_do_not_exist() -> None:
    assert names.exists("www.example.com")
    assert not names.exists("nx-4711.example.com")
    assert not names.exists("something.invalid")
