"""Bundle -> Facts: what is so, not why. Pure: no network, no clock, the same facts on any machine for ever."""

from netdiag.facts.agent import AgentFacts
from netdiag.facts.base import Basis, Fact, Share, Value, Witness, seen
from netdiag.facts.controls import ControlFacts, ControlState
from netdiag.facts.machine import Egress, LocalRefusal, MachineFacts, Proxy
from netdiag.facts.names import AuthorityState, NameFacts, ResolverState
from netdiag.facts.path import Hop, PathFacts, Walk
from netdiag.facts.target import AddressState, ConnectState, HttpState, TargetFacts, TlsState

__all__ = [
    "AddressState",
    "AuthorityState",
    "Basis",
    "ConnectState",
    "ControlFacts",
    "ControlState",
    "Egress",
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
    "Walk",
    "Witness",
    "seen",
]


class Facts(Value, frozen=True, kw_only=True):
    """Everything that faults may reason about. Named, typed fields; a fault names them as ``names.needed``."""

    host: str = ""
    port: int = 443
    private_target: bool = False
    interrupted: bool = False
    profile_given: bool = False
    machine: MachineFacts = MachineFacts()
    names: NameFacts = NameFacts()
    controls: ControlFacts = ControlFacts()
    target: TargetFacts = TargetFacts()
    path: PathFacts = PathFacts()
    agent: AgentFacts = AgentFacts()
