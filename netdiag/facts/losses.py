"""Facts of loss: how much, from where on, for whom; and of routers that only limit their ICMP.

Everything here counts packets whose answer did not come. One end cannot tell whether the packet was lost on the way
there or its answer on the way back (fault-signatures section 8, 5), and no fact claims to.
"""

from typing import Literal

from netdiag.facts.base import Fact, Share, Value, Witness
from netdiag.facts.path import HopPlace


class HopLoss(Value, frozen=True, kw_only=True):
    """What one router lost of the paced packets that were to expire there. ``limited``: it only limits its answers,
    since those beyond it lose less. ``rtt_ms`` the median of its round trips, ``slow_ms`` the time that nineteen of
    twenty do not exceed."""

    ttl: int
    address: str
    place: HopPlace | None
    share: Share
    limited: bool = False
    rtt_ms: float | None = None
    slow_ms: float | None = None


class Onset(Value, frozen=True, kw_only=True):
    """Where loss begins: beyond ``last_clean`` (0: this machine) and not beyond ``first_lossy`` (None: the target
    itself), each with its address and place where it has them. ``before`` and ``beyond``: what was lost up to the one
    and from the other on, by all who answer there together; ``before`` is None for this machine. ``by_tcp`` False: TCP
    to the target never came through, so that something else than loss may keep it away."""

    last_clean: int
    last_clean_address: str | None = None
    last_clean_place: HopPlace | None = None
    first_lossy: int | None = None
    first_lossy_address: str | None = None
    first_lossy_place: HopPlace | None = None
    before: Share | None = None
    beyond: Share
    by_tcp: bool = True


class PathLoss(Value, frozen=True, kw_only=True):
    """The paced packets to one address of the target. ``hops``: those that answered at all. ``end``: what the address
    itself lost; None where it answers no such packets. ``tcp``: what TCP to it lost (SYNs and data together), which no
    limit of ICMP answers touches. ``flow`` and ``other_flows``: datagrams that the end lost on the 5-tuple of
    the hops, and on others."""

    address: str
    hops: tuple[HopLoss, ...]
    end: Share | None = None
    tcp: Share | None = None
    flow: Share | None = None
    other_flows: Share | None = None
    witnesses: tuple[Witness, ...] = ()


class LossFacts(Value, frozen=True, kw_only=True):
    """Known only where packets were sampled, which is where something was lost at all (plan/losses.py)."""

    path: Fact[PathLoss] = Fact()
    onset: Fact[Onset] = Fact()
    """Known only when loss is there, its interval of hops is plain, and both the end and TCP to it lose as well."""
    control: Fact[Share] = Fact()
    """SYNs to a healthy control that were not answered, sent in the same seconds."""
    beyond_gateway: Fact[Share] = Fact()
    """All paced packets that had to pass the first hop, to routers that do not limit their answers, the target and the
    control, together."""
    shared: Fact[bool] = Fact()
    """True: the control loses packets, too, at a share that fits the target's. False: it loses significantly less."""
    one_flow: Fact[Literal["lossy", "clean"]] = Fact()
    """The flow that the hops were asked on loses significantly more (``lossy``) or less (``clean``) at the end than
    others: one member of several equal paths loses. Unknown where they do not differ, or were not compared."""
    limited_hops: Fact[tuple[int, ...]] = Fact()
    """TTLs at which routers only limit their ICMP answers: no fault."""
    gateway_ms: Fact[tuple[float, float]] = Fact()
    """Round trips to the gateway: the median, and what nineteen of twenty do not exceed. Far apart: a bad LAN
    (fault-signatures L28)."""
