"""Faults between the customer and the vendor: the provider, its resolver, and the path."""

from netdiag.faults.base import Fault
from netdiag.faults.transit import (
    access_outage,
    path_black_hole,
    path_loop,
    path_loss,
    path_mtu,
    path_prohibited,
    path_unreachable,
    resolver_dead,
    resolver_lying,
    resolver_refusing,
    tamper_reset_by_name,
)

FAULTS: tuple[Fault, ...] = (
    access_outage.FAULT,
    resolver_dead.FAULT,
    resolver_refusing.FAULT,
    resolver_lying.FAULT,
    path_black_hole.FAULT,
    path_loop.FAULT,
    path_unreachable.FAULT,
    path_prohibited.FAULT,
    path_loss.FAULT,
    tamper_reset_by_name.FAULT,
    path_mtu.FAULT,
)
