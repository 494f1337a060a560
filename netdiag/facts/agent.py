"""Facts of the agent's control run: the same target, measured from another line."""

from typing import Literal

from netdiag.facts.base import Fact, Value, Witness
from netdiag.facts.losses import Onset


class AgentRun(Value, frozen=True, kw_only=True):
    """One control bundle. ``name`` is ``control1``…; ``same_addresses``: it measured an address that failed for the
    customer. ``caps``: the reasons for which it can carry certainty only up to ``likely`` (empty: none).

    ``usable`` False: another target, or nothing measured: it says nothing. ``fails_same``: those addresses failed for
    the agent at the same layer in the same way. ``works``: they worked for the agent ("not down for everyone").
    Each is None when only some did, or none was measured by both. ``other_pop``: another site of the anycast service
    answered the agent. A run whose own controls all failed, or whose machine refused to send, is not usable either.
    """

    name: str
    usable: bool
    minutes_apart: int
    same_addresses: tuple[str, ...] = ()
    works: bool | None = None
    fails_same: bool | None = None
    same_sender: bool | None = None
    """The ICMP errors that refused those addresses came from the very same routers."""
    same_certificate: bool | None = None
    """Where no public list of authorities vouches for the customer's certificates: False: the agent is shown one by
    another issuer, at the same address, which such a list does vouch for. True: it is shown the very same key."""
    names_fail_same: bool | None = None
    """The target's name failed for the agent too, in the same way at authorities or resolvers."""
    loss: Onset | None = None
    """Where the path from the agent's line to the target begins to lose packets, if it does."""
    caps: tuple[Literal["inside_vendor", "private_path", "other_target", "too_far_apart", "other_pop"], ...] = ()
    witnesses: tuple[Witness, ...] = ()


class AgentFacts(Value, frozen=True, kw_only=True):
    """Summed up over all usable control bundles."""

    runs: Fact[tuple[AgentRun, ...]] = Fact()
    works_elsewhere: Fact[bool] = Fact()
    """The very addresses that fail for the customer work from another line, uncapped: not down for everyone, and no
    more than that."""
    fails_elsewhere: Fact[bool] = Fact()
    """They fail in the same way from another line, uncapped."""
