"""The tagged union of everything a bundle can hold. A new member needs a new bundle format number."""

from netdiag.evidence.limits import LimitAttempt
from netdiag.evidence.machine import (
    Clock,
    DefaultRoute,
    HostsEntry,
    Interface,
    KernelCounters,
    LocalSend,
    Nat64,
    Neighbour,
    Platform,
    ProxySetting,
    ResolverConfig,
    RouteLookup,
    SystemLookup,
)
from netdiag.evidence.names import Lookup
from netdiag.evidence.record import NotRun
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import ArrivingTtl, Connect, Echo, HopReply, InFlow, Transfer
from netdiag.evidence.web import Exchange

Observation = (
    NotRun
    | Platform
    | Interface
    | DefaultRoute
    | RouteLookup
    | Neighbour
    | ResolverConfig
    | HostsEntry
    | SystemLookup
    | ProxySetting
    | Clock
    | KernelCounters
    | Nat64
    | LocalSend
    | Lookup
    | Connect
    | Echo
    | HopReply
    | InFlow
    | ArrivingTtl
    | Transfer
    | Handshake
    | Exchange
    | LimitAttempt
)
