"""The two networks that every scenario runs on: a home line and an office with a second private hop.

They share no address, no vendor name and no length, so that no verdict can lean on one of them. All addresses look
like ordinary global ones and exist only inside the lab.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterator
from typing import Final

from tests.netns.topology import Link, Network, Node, Vendor

# Special-purpose space that no provider routes (RFC 6890, RFC 3849, RFC 4193).
BLACKHOLES = (
    "10.0.0.0/8",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "100::/64",
    "2001:db8::/32",
    "fc00::/7",
)

PUBLIC_RESOLVERS = (
    "1.1.1.1/32",
    "1.0.0.1/32",
    "8.8.8.8/32",
    "8.8.4.4/32",
    "9.9.9.9/32",
    "149.112.112.112/32",
    "2606:4700:4700::1111/128",
    "2606:4700:4700::1001/128",
    "2001:4860:4860::8888/128",
    "2001:4860:4860::8844/128",
    "2620:fe::fe/128",
    "2620:fe::9/128",
)


# The cable of a measuring machine takes a moment: without it an answer comes back within the very system call that
# sends the question, while the kernel holds the socket, and it then ignores ICMP errors (LOCKDROPPEDICMPS).
_NEAR_MS: Final = 0.3


def _point_to_point(prefix4: str, prefix6: str) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Address pairs for router links: /30 out of ``prefix4``, /126 out of ``prefix6``."""
    nets6 = ipaddress.IPv6Network(prefix6).subnets(new_prefix=126)
    for net4, net6 in zip(ipaddress.IPv4Network(prefix4).subnets(new_prefix=30), nets6, strict=False):
        yield (
            (f"{net4[1]}/30", f"{net6[1]}/126"),
            (f"{net4[2]}/30", f"{net6[2]}/126"),
        )


def _p2p(a: str, b: str, pool: Iterator[tuple[tuple[str, str], tuple[str, str]]], cost: int = 1) -> Link:
    ends = next(pool)
    return Link(a=a, b=b, a_addresses=ends[0], b_addresses=ends[1], cost=cost)


def _core(isp: str, transit: str, vendor: str, agent: str) -> tuple[Node, ...]:
    """The nodes that both networks have beyond the customer's site; arguments are the owners' domains."""
    return (
        Node(name="isp1", domain=isp, router=True),
        Node(name="isp2", domain=isp, router=True),
        Node(name="isp-resolver", domain=isp),
        Node(name="transit-a", domain=transit, router=True),
        Node(name="transit-b", domain=transit, router=True),
        Node(name="exchange", domain=transit, router=True),
        Node(name="border", domain=vendor, router=True),
        Node(name="vendor-firewall", domain=vendor, router=True),
        Node(name="vendor", domain=vendor),
        Node(name="internet", domain="example.net"),
        Node(name="public-resolvers", domain="example.net", extra=PUBLIC_RESOLVERS),
        Node(name="agent-isp", domain=agent, router=True),
        Node(name="agent", domain=agent),
    )


def home() -> Network:
    """A dual-stack home line: router with NAT, eight hops to the vendor, no delay."""
    isp = _point_to_point("84.46.0.0/24", "2a02:8108:ff::/112")
    transit = _point_to_point("62.115.140.0/24", "2001:2034:1::/112")
    edge = _point_to_point("185.112.40.0/27", "2a0f:5707:ab00::/112")
    nodes = (
        Node(name="customer", domain="home", site=True),
        Node(name="gateway", domain="nordline.net", router=True, site=True, nat_towards="isp1"),
        *_core("nordline.net", "carrier-seven.net", "kestrel-pay.com", "hafenhost.de"),
        Node(
            name="vendor-dns",
            domain="kestrel-pay.com",
            extra=("193.108.91.53/32", "194.0.25.53/32", "2a0f:5707:ab53::53/128", "2001:678:20::53/128"),
        ),
    )
    links = (
        Link(
            a="gateway",
            b="customer",
            a_addresses=("192.168.178.1/24", "2a02:8108:4ac0:1a00::1/64"),
            b_addresses=("192.168.178.23/24", "2a02:8108:4ac0:1a00::23/64"),
            private4=True,
            bridged=True,
            delay_ms=_NEAR_MS,
            jitter_ms=0.2,
        ),
        Link(
            a="isp1",
            b="gateway",
            a_addresses=("84.46.12.1/24", "2a02:8108:1200::1/64"),
            b_addresses=("84.46.12.77/24", "2a02:8108:1200::77/64"),
        ),
        _p2p("isp1", "isp2", isp),
        Link(
            a="isp1",
            b="isp-resolver",
            a_addresses=("84.46.53.1/24", "2a02:8108:5300::1/64"),
            b_addresses=("84.46.53.53/24", "2a02:8108:5300::53/64"),
        ),
        _p2p("isp2", "transit-a", transit),
        _p2p("isp2", "transit-b", transit),
        _p2p("isp2", "exchange", transit),
        _p2p("transit-a", "border", transit),
        _p2p("transit-b", "border", transit),
        _p2p("transit-a", "exchange", transit),
        _p2p("transit-b", "exchange", transit),
        _p2p("border", "vendor-firewall", edge),
        _p2p("border", "vendor-dns", edge),
        Link(
            a="vendor-firewall",
            b="vendor",
            a_addresses=("185.112.41.9/29", "2a0f:5707:ab10:1::1/64"),
            b_addresses=("185.112.41.10/29", "185.112.41.11/29", "2a0f:5707:ab10:1::10/64", "2a0f:5707:ab10:1::11/64"),
        ),
        _p2p("exchange", "internet", transit),
        _p2p("exchange", "public-resolvers", transit),
        _p2p("exchange", "agent-isp", transit),
        Link(
            a="agent-isp",
            b="agent",
            a_addresses=("176.9.44.1/26", "2a01:4f8:161:1::1/64"),
            b_addresses=("176.9.44.20/26", "2a01:4f8:161:1::20/64"),
            delay_ms=_NEAR_MS,
            jitter_ms=0.2,
        ),
    )
    return Network(
        name="home",
        nodes=nodes,
        links=links,
        vendor=Vendor(
            name="api.kestrel-pay.com",
            zone="kestrel-pay.com",
            path="/",
            address4="185.112.41.10",
            second4="185.112.41.11",
            address6="2a0f:5707:ab10:1::10",
            second6="2a0f:5707:ab10:1::11",
            prefix4="185.112.40.0/22",
            prefix6="2a0f:5707:ab00::/40",
            ns={
                "ns1.kestrel-pay.com": ("193.108.91.53", "2a0f:5707:ab53::53"),
                "ns2.kestrel-pay.com": ("194.0.25.53", "2001:678:20::53"),
            },
        ),
        customer_ipv6=True,
        customer_resolvers=("84.46.53.53",),
        agent_resolvers=("8.8.8.8", "1.1.1.1"),
        lan_resolver_forwards=True,
        customer_public4="84.46.12.77",
        aliases={"lan-resolver": "gateway", "office-firewall": "gateway"},
        blackholes=BLACKHOLES,
    )


def office() -> Network:
    """An IPv4-only office: own resolver on the LAN, a firewall as second private hop, eleven hops, 17 ms one way."""
    isp = _point_to_point("213.47.8.0/24", "2a04:4540:8::/112")
    transit = _point_to_point("80.91.246.0/24", "2001:2035:9::/112")
    edge = _point_to_point("91.229.20.0/27", "2a10:3c80:1::/112")
    relayed = _p2p("isp1", "isp-core", isp)
    nodes = (
        Node(name="customer", domain="office", site=True),
        Node(name="lan-resolver", domain="office", site=True),
        Node(name="gateway", domain="office", router=True, site=True),
        Node(name="office-firewall", domain="alpenfibre.at", router=True, site=True, nat_towards="isp1"),
        Node(name="isp-core", domain="alpenfibre.at", router=True),
        Node(name="transit-c", domain="westbackbone.net", router=True),
        *_core("alpenfibre.at", "westbackbone.net", "nordwerk-logistik.eu", "polderhost.nl"),
        Node(
            name="vendor-dns",
            domain="nordwerk-logistik.eu",
            extra=("91.229.53.2/32", "195.20.224.99/32", "2a10:3c80:53::2/128", "2001:8d8:fe::99/128"),
        ),
    )
    links = (
        Link(
            a="gateway",
            b="customer",
            a_addresses=("10.20.30.1/24", "2a04:4540:77:30::1/64"),
            b_addresses=("10.20.30.57/24", "2a04:4540:77:30::57/64"),
            private4=True,
            bridged=True,
            delay_ms=_NEAR_MS,
            jitter_ms=0.2,
        ),
        Link(
            a="gateway",
            b="lan-resolver",
            a_addresses=("10.20.30.1/24", "2a04:4540:77:30::1/64"),
            b_addresses=("10.20.30.53/24", "2a04:4540:77:30::53/64"),
            private4=True,
            bridged=True,
        ),
        Link(
            a="office-firewall",
            b="gateway",
            a_addresses=("10.20.0.1/30", "2a04:4540:77:1::1/64"),
            b_addresses=("10.20.0.2/30", "2a04:4540:77:1::2/64"),
            private4=True,
        ),
        Link(
            a="isp1",
            b="office-firewall",
            a_addresses=("213.47.100.133/30", "2a04:4540:100::1/64"),
            b_addresses=("213.47.100.134/30", "2a04:4540:100::2/64"),
        ),
        Link(
            a="isp1",
            b="isp-core",
            a_addresses=relayed.a_addresses,
            b_addresses=relayed.b_addresses,
            delay_ms=17.0,
            jitter_ms=1.5,
        ),
        _p2p("isp-core", "isp2", isp),
        Link(
            a="isp1",
            b="isp-resolver",
            a_addresses=("213.47.53.1/24", "2a04:4540:53::1/64"),
            b_addresses=("213.47.53.11/24", "2a04:4540:53::11/64"),
        ),
        _p2p("isp2", "transit-c", transit),
        _p2p("isp2", "exchange", transit),
        _p2p("transit-c", "transit-a", transit),
        _p2p("transit-c", "transit-b", transit),
        _p2p("transit-a", "border", transit),
        _p2p("transit-b", "border", transit),
        # Dearer, so that the way from isp2 to the vendor goes through transit-c and not through the exchange.
        _p2p("transit-a", "exchange", transit, cost=2),
        _p2p("transit-b", "exchange", transit, cost=2),
        _p2p("border", "vendor-firewall", edge),
        _p2p("border", "vendor-dns", edge),
        Link(
            a="vendor-firewall",
            b="vendor",
            a_addresses=("91.229.22.65/28", "2a10:3c80:22::1/64"),
            b_addresses=("91.229.22.70/28", "91.229.22.71/28", "2a10:3c80:22::70/64", "2a10:3c80:22::71/64"),
        ),
        _p2p("exchange", "internet", transit),
        _p2p("exchange", "public-resolvers", transit),
        _p2p("exchange", "agent-isp", transit),
        Link(
            a="agent-isp",
            b="agent",
            a_addresses=("185.66.140.1/27", "2a05:d014:2::1/64"),
            b_addresses=("185.66.140.9/27", "2a05:d014:2::9/64"),
            delay_ms=_NEAR_MS,
            jitter_ms=0.2,
        ),
    )
    return Network(
        name="office",
        nodes=nodes,
        links=links,
        vendor=Vendor(
            name="track.nordwerk-logistik.eu",
            zone="nordwerk-logistik.eu",
            path="/v2/status",
            address4="91.229.22.70",
            second4="91.229.22.71",
            address6="2a10:3c80:22::70",
            second6="2a10:3c80:22::71",
            prefix4="91.229.20.0/22",
            prefix6="2a10:3c80::/32",
            ns={
                "ns-a.nordwerk-logistik.eu": ("91.229.53.2", "2a10:3c80:53::2"),
                "ns-b.nordwerk-logistik.eu": ("195.20.224.99", "2001:8d8:fe::99"),
            },
        ),
        customer_ipv6=False,
        customer_resolvers=("10.20.30.53",),
        agent_resolvers=("9.9.9.9", "8.8.4.4"),
        lan_resolver_forwards=False,
        customer_public4="213.47.100.134",
        blackholes=BLACKHOLES,
    )


def distant() -> Network:
    """The home line with 20 ms of delay each way in the provider's network: for measuring how fast paths are walked.
    Eight hops, as at home; no scenario is recorded here."""
    network = home()
    links = (
        dataclasses.replace(link, delay_ms=20.0) if (link.a, link.b) == ("isp1", "isp2") else link
        for link in network.links
    )
    return dataclasses.replace(network, name="distant", links=tuple(links))


NETWORKS = {"home": home, "office": office, "distant": distant}
