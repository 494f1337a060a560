"""Facts of equal-cost paths: several flows through one stretch, which of them pass, and where the others end."""

from typing import Literal

from netdiag.facts.base import Value, Witness
from netdiag.facts.places import HopPlace


class FlowSeen(Value, frozen=True, kw_only=True):
    """One 5-tuple. ``tries`` at the farthest TTL at which any flow was answered, and how many of them were answered
    there; of a flow that never was, its tries at nearer TTLs count, too, where it was silent and others were answered.
    ``last_seen``: the largest TTL at which this one was answered (0: none)."""

    source_port: int | None
    tries: int
    answered: int
    last_seen: int
    last_seen_address: str | None = None

    @property
    def passes(self) -> bool | None:
        """It was answered each time, or never; None: now and then, or it was not asked."""
        if not self.tries or 0 < self.answered < self.tries:
            return None
        return self.answered == self.tries


class Node(Value, frozen=True, kw_only=True):
    """The routers that answered at one TTL, whatever the flow; ``place`` is that of the first."""

    ttl: int
    routers: tuple[str, ...]
    place: HopPlace | None = None


class Link(Value, frozen=True, kw_only=True):
    """One flow was answered by ``before`` at ``ttl`` and by ``after`` at the next; ``flows``: how many were."""

    ttl: int
    before: str
    after: str
    flows: int


class Members(Value, frozen=True, kw_only=True):
    """Flows of one protocol to one address. ``far``: the farthest TTL at which any of them was answered.

    ``dead_member``: some flows never get to ``far`` and the others always do, so cleanly that lost packets would look
    like it with a probability of no more than ``chance`` (< 0.01), whatever the rate at which they are lost. False:
    every flow gets as far as ``far``, if some of them only now and then; what lies beyond is not compared. None: too
    few flows, none passes, packets are lost at random besides, or the routers at ``far`` may be silent by choice.
    ``last_seen`` and ``first_missing`` are the interval in which the dead flows end: routers that answered them last,
    and the TTL after it at which they were silent while others were answered.
    """

    host: str
    address: str
    family: Literal[4, 6]
    port: int
    protocol: Literal["tcp", "udp", "icmp"]
    flows: tuple[FlowSeen, ...]
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    far: int
    dead_member: bool | None = None
    chance: float | None = None
    last_seen: int | None = None
    last_seen_addresses: tuple[str, ...] = ()
    last_seen_place: HopPlace | None = None
    first_missing: int | None = None
    first_missing_place: HopPlace | None = None
    witnesses: tuple[Witness, ...] = ()

    def passing(self) -> tuple[FlowSeen, ...]:
        """Flows that always pass."""
        return tuple(flow for flow in self.flows if flow.passes is True)

    def never(self) -> tuple[FlowSeen, ...]:
        """Flows that never do."""
        return tuple(flow for flow in self.flows if flow.passes is False)
