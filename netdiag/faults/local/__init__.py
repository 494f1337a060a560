"""Faults of the customer's side: machine, gateway, own resolver, proxy and settings."""

from netdiag.faults.base import Fault
from netdiag.faults.local import (
    clock_wrong,
    firewall_machine,
    firewall_router,
    gateway_dead,
    hosts_override,
    ipv6_dead,
    lan_loss,
    link_down,
    link_mtu,
    portal_captive,
    proxy_dead,
    proxy_refusing,
    resolver_dead,
    resolver_lying,
    resolver_refusing,
    route_missing,
    route_rejected,
    tls_interception,
)

FAULTS: tuple[Fault, ...] = (
    link_down.FAULT,
    route_missing.FAULT,
    route_rejected.FAULT,
    gateway_dead.FAULT,
    resolver_dead.FAULT,
    resolver_refusing.FAULT,
    resolver_lying.FAULT,
    hosts_override.FAULT,
    portal_captive.FAULT,
    firewall_machine.FAULT,
    firewall_router.FAULT,
    tls_interception.FAULT,
    clock_wrong.FAULT,
    lan_loss.FAULT,
    proxy_dead.FAULT,
    proxy_refusing.FAULT,
    ipv6_dead.FAULT,
    link_mtu.FAULT,
)
