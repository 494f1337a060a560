"""All facts of one run together."""

from netdiag.facts.agent import AgentFacts
from netdiag.facts.base import Fact, Value
from netdiag.facts.controls import ControlFacts
from netdiag.facts.flow import FlowFacts
from netdiag.facts.limits import LimitFacts
from netdiag.facts.losses import LossFacts
from netdiag.facts.machine import MachineFacts
from netdiag.facts.names import NameFacts
from netdiag.facts.path import PathFacts
from netdiag.facts.recovery import Recovery
from netdiag.facts.sizes import SizeFacts
from netdiag.facts.speed import SpeedFacts
from netdiag.facts.target import TargetFacts
from netdiag.facts.ways import WayFacts


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
    flow: FlowFacts = FlowFacts()
    sizes: SizeFacts = SizeFacts()
    losses: LossFacts = LossFacts()
    speed: SpeedFacts = SpeedFacts()
    limits: LimitFacts = LimitFacts()
    agent: AgentFacts = AgentFacts()
    ways: WayFacts = WayFacts()
    recovery: Fact[Recovery] = Fact()
