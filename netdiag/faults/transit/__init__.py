"""Faults between the customer and the vendor: the provider, its resolver, and the path."""

from netdiag.faults.base import Fault
from netdiag.faults.transit import (
    access_congested,
    access_outage,
    path_black_hole,
    path_congested,
    path_loop,
    path_loss,
    path_member_dead,
    path_mtu,
    path_prohibited,
    path_throttled,
    path_unreachable,
    proxy_transparent,
    resolver_dead,
    resolver_lying,
    resolver_refusing,
    tamper_drop_by_name,
    tamper_reset,
    tamper_reset_by_name,
)

FAULTS: tuple[Fault, ...] = (
    access_outage.FAULT,
    access_congested.FAULT,
    resolver_dead.FAULT,
    resolver_refusing.FAULT,
    resolver_lying.FAULT,
    path_black_hole.FAULT,
    path_loop.FAULT,
    path_unreachable.FAULT,
    proxy_transparent.FAULT,
    path_prohibited.FAULT,
    path_loss.FAULT,
    path_member_dead.FAULT,
    path_congested.FAULT,
    path_throttled.FAULT,
    tamper_reset_by_name.FAULT,
    tamper_drop_by_name.FAULT,
    tamper_reset.FAULT,
    path_mtu.FAULT,
)
