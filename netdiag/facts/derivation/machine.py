"""Records of the own machine and first hop -> MachineFacts."""

from collections.abc import Mapping
from typing import Literal

from netdiag.evidence.machine import DefaultRoute, HostsEntry, Interface, Nat64, ProxySetting, RouteLookup
from netdiag.facts.base import Fact, seen
from netdiag.facts.derivation.beyond import beyond_gateway
from netdiag.facts.derivation.book import Book
from netdiag.facts.derivation.clock import clock_offset
from netdiag.facts.derivation.first_hop import gateway_answers, lan_loss, neighbour_alive
from netdiag.facts.derivation.names import Named, is_synthesised
from netdiag.facts.derivation.near import Near
from netdiag.facts.derivation.placing import Scene
from netdiag.facts.derivation.proxies import derive_proxy
from netdiag.facts.derivation.refusal import local_refusal, target_leaves
from netdiag.facts.machine import Egress, MachineFacts
from netdiag.facts.target import AddressState


def derive_machine(
    states: tuple[AddressState, ...], egress: Mapping[int, Fact[Egress]], named: Named, scene: Scene
) -> MachineFacts:
    """All facts of the machine. ``states``: of the target's addresses."""
    book, near = scene.book, scene.near
    beyond = beyond_gateway(named.facts.resolvers.value or (), egress, scene)
    gateway = gateway_answers(scene)
    refusal = local_refusal(states, egress, named, scene)
    held = [entry.record for entry in book.of(Interface)]
    of_own = book.witnesses(held)
    lan = tuple(near.lan)
    return MachineFacts(
        link_up=_link_up(beyond, scene),
        default_route4=_default_route(4, book),
        default_route6=_default_route(6, book),
        global_ipv6=_global6(near, book),
        own_addresses=seen(tuple(near.own), of_own) if near.own else Fact(),
        lan_prefixes=seen(lan, of_own) if lan else Fact(),
        gateways=seen(tuple(near.gateways), book.witnesses(near.gateways.values())) if near.gateways else Fact(),
        gateway_neighbour_alive=neighbour_alive(gateway, beyond, scene),
        gateway_answers=gateway,
        beyond_gateway_answers=beyond,
        target_by_tunnel=_by_tunnel(scene),
        local_refusal=refusal,
        target_leaves=target_leaves(states, refusal, scene),
        egress4=egress[4],
        egress6=egress[6],
        lan_loss=lan_loss(scene),
        clock_offset_s=clock_offset(book),
        hosts_override=_hosts(named, book),
        hosts_override_wrong=_hosts_wrong(named, book),
        proxy=derive_proxy(book),
        proxy_settings_read=_settings_read(book),
        nat64_prefix=_nat64(book),
    )


def _link_up(beyond: Fact[bool], scene: Scene) -> Fact[bool]:
    """False only when every interface but the loopback is down, or there is none and no default route either; never
    while something beyond the gateway answers."""
    others = [interface for interface in scene.near.interfaces if interface.link != "loopback"]
    up = [interface for interface in others if interface.is_up and interface.has_carrier is not False]
    if up:
        return seen(True, scene.book.witnesses(up), looked_at=len(others))
    routeless = scene.near.has_default(4) is False and scene.near.has_default(6) is False
    if beyond.value is True or not scene.near.interfaces or not (others or routeless):
        return Fact()
    if any(route.exists for route in scene.near.routes):
        return Fact()  # a default route needs a link: its interface's record is missing
    return seen(False, scene.book.witnesses(others or scene.near.interfaces))


def _default_route(version: Literal[4, 6], book: Book) -> Fact[bool]:
    told = [r for r, _ in book.of(DefaultRoute) if r.family == version and (r.exists or r.failure is None)]
    good = [record for record in told if record.exists]
    return seen(bool(good), book.witnesses(good or told)) if told else Fact()


def _global6(near: Near, book: Book) -> Fact[bool]:
    value, interface = near.global6()
    if value is None:
        return Fact()
    return seen(value, book.witnesses([interface] if interface is not None else near.interfaces))


def _by_tunnel(scene: Scene) -> Fact[bool]:
    links = {interface.name: interface for interface in scene.near.interfaces}
    routes = [r for r, step in scene.book.of(RouteLookup) if step.role == "target" and r.device in links]
    tunnelled = [route for route in routes if links[route.device or ""].link == "tunnel"]
    return seen(bool(tunnelled), scene.book.witnesses(tunnelled or routes)) if routes else Fact()


def _hosts(named: Named, book: Book) -> Fact[tuple[str, ...]]:
    if named.hosts is None or book.bundle.target.is_literal:
        return Fact()
    return seen(named.hosts, book.witnesses(entry.record for entry in book.of(HostsEntry)))


def _hosts_wrong(named: Named, book: Book) -> Fact[bool]:
    dns = named.configured | named.public | named.authority
    if not named.hosts or not dns or book.bundle.target.is_literal:
        return Fact()
    right = [a for a in named.hosts if a in dns or is_synthesised(a, named.nat64, dns)]
    return seen(not right, book.witnesses(entry.record for entry in book.of(HostsEntry)))


def _settings_read(book: Book) -> Fact[bool]:
    """Of the target's scheme."""
    scheme = book.bundle.target.scheme
    settings = [r for r, _ in book.of(ProxySetting) if r.failure is None and r.scheme == scheme]
    return seen(True, book.witnesses(settings)) if settings else Fact()


def _nat64(book: Book) -> Fact[str]:
    found = [record for record, _ in book.of(Nat64) if record.prefix]
    return seen(found[0].prefix or "", book.witnesses(found)) if found else Fact()
