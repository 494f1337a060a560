"""Facts from inside connections: where data stop, where a reset comes from, and who answers where nobody is."""

from typing import Literal

from netdiag.facts.base import Fact, Value, Witness
from netdiag.facts.path import HopPlace

Outcome = Literal["data", "reset", "closed", "acked", "none", "icmp"]
"""What a name met: bytes of answer, a reset, an end of stream, only the acknowledgement of the peer's TCP, nothing at
all (not even that), an ICMP error."""

Floor = Literal["higher", "equal", "lower"]


class FlowState(Value, frozen=True, kw_only=True):
    """What the first data of connections met at one address.

    ``vendor`` and ``neutral``: the outcome for the vendor's name, and for a name that nobody minds.

    Where the vendor's data ended: ``passed`` is the largest TTL that expired at a router (0: none), ``stopped_at`` the
    smallest TTL beyond it at which they were answered by a reset or an end of stream, or vanished although a neutral
    name expired there, and a router told of it. What ended them stands at ``passed``, behind its router's look at the
    TTL, or between there and the router at ``stopped_at``, or at that one's entrance: never at one hop
    (fault-signatures 8.3). ``stopped_at`` None: only data with the full TTL met it.

    ``distance``: the TTL with which a SYN arrived.
    ``on_the_way``: True, the end came at a TTL at which a walk had met a router, so short of the host; False, data got
    as far as the last router, so that it or the host is left; None, neither was shown.

    ``arrived_with``: the TTL of the reset or the end of stream beside that of the host's own packets (``host_ttl``).
    Equal proves nothing: a box may copy it. Nor does another: a balancer before the host has its own.
    """

    address: str
    family: Literal[4, 6]
    payload: Literal["client_hello", "request"]
    vendor: Outcome | None = None
    neutral: Outcome | None = None
    neutral_name: str | None = None
    distance: int | None = None
    passed: int = 0
    passed_address: str | None = None
    passed_place: HopPlace | None = None
    stopped_at: int | None = None
    stopped_address: str | None = None
    stopped_place: HopPlace | None = None
    on_the_way: bool | None = None
    arrived_with: Floor | None = None
    host_ttl: int | None = None
    witnesses: tuple[Witness, ...] = ()


class Refusal(Value, frozen=True, kw_only=True):
    """With which TTL the resets of the service port arrive (``ttl``), beside the answers of ``other_port`` of the same
    address (``other_ttl``).

    ``hops``: how far away the sender of the resets stands, if it began with 64, 128 or 255, whichever is next
    (fault-signatures P4). Equal TTLs prove nothing: a box may copy them. Nor do others: a balancer may forward one of
    the ports.
    """

    address: str
    ttl: int
    other_port: int
    other_ttl: int
    hops: int
    witnesses: tuple[Witness, ...] = ()

    @property
    def nearer_by(self) -> int:
        """How many hops less the resets have behind them than the other answers; negative: more."""
        return self.ttl - self.other_ttl


class FlowFacts(Value, frozen=True, kw_only=True):
    """``states``: the target's addresses whose connections were looked into."""

    states: Fact[tuple[FlowState, ...]] = Fact()
    refusals: Fact[tuple[Refusal, ...]] = Fact()
    """The target's addresses whose resets' TTL was measured (``--deep``)."""
    accepts_for_nobody: Fact[tuple[str, ...]] = Fact()
    """Addresses where nobody is (RFC 5737, RFC 3849) at which a TCP connection was accepted: somebody in between
    accepts for others. Empty: none was."""
