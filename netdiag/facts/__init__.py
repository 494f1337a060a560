"""Bundle -> Facts: what is so, not why. Pure: no network, no clock, the same facts on any machine for ever."""

from netdiag.facts.agent import AgentFacts, AgentRun
from netdiag.facts.base import Basis, Fact, Share, Witness, seen
from netdiag.facts.controls import ControlFacts, ControlState
from netdiag.facts.derivation.book import VendorProfile
from netdiag.facts.derivation.whole import derive
from netdiag.facts.machine import Egress, LocalRefusal, MachineFacts, Proxy
from netdiag.facts.names import AuthorityState, NameFacts, ResolverState
from netdiag.facts.path import Hop, PathFacts, Walk
from netdiag.facts.target import AddressState, ConnectState, Elsewhere, HttpState, TargetFacts, TlsState
from netdiag.facts.whole import Facts

__all__ = [
    "AddressState",
    "AgentFacts",
    "AgentRun",
    "AuthorityState",
    "Basis",
    "ConnectState",
    "ControlFacts",
    "ControlState",
    "Egress",
    "Elsewhere",
    "Fact",
    "Facts",
    "Hop",
    "HttpState",
    "LocalRefusal",
    "MachineFacts",
    "NameFacts",
    "PathFacts",
    "Proxy",
    "ResolverState",
    "Share",
    "TargetFacts",
    "TlsState",
    "VendorProfile",
    "Walk",
    "Witness",
    "derive",
    "seen",
]
