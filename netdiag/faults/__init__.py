"""The fault catalogue: every fault by name, local first. Codes are permanent and only ever added."""

from netdiag.faults import host, local, transit
from netdiag.faults.base import Fault

CATALOGUE_VERSION = 3
"""Goes up when a fault is added or judges the same facts differently."""

CATALOGUE: tuple[Fault, ...] = (*local.FAULTS, *transit.FAULTS, *host.FAULTS)
