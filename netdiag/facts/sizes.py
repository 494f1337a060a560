"""Facts of packet sizes: what gets through, up to where, and for whom."""

from typing import Literal

from netdiag.facts.base import Fact, Value, Witness
from netdiag.facts.target import SenderPlace


class Told(Value, frozen=True, kw_only=True):
    """A router said that a packet was too big for its next link: path MTU discovery as it should be (RFC 1191, RFC
    8201). ``ttl``: the smallest TTL of a packet that it said so about."""

    ttl: int
    router: str
    place: SenderPlace
    next_mtu: int | None


class SizeWalk(Value, frozen=True, kw_only=True):
    """How far large packets come on one path, beside small ones. All sizes are bytes of the IP packet.

    ``asked`` is what the own link carries; ``size`` what was followed to the end: the same, or what the last router in
    ``told`` named. ``small_last_seen`` and ``large_last_seen``: the largest TTLs at which each was answered (0: none).
    ``first_missing``: the first TTL behind at which small packets were answered and large ones were silent, there or at
    the path's end at least twice: large packets vanish in [large_last_seen, first_missing]. None: nothing vanishes as
    far as small ones are answered. ``largest_passed`` and ``smallest_lost`` there. ``whole``: large packets were
    answered by the address itself.
    """

    role: Literal["target", "control"]
    host: str
    address: str
    family: Literal[4, 6]
    asked: int
    size: int
    told: tuple[Told, ...] = ()
    small_last_seen: int
    large_last_seen: int
    last_address: str | None = None
    last_place: SenderPlace | None = None
    first_missing: int | None = None
    missing_address: str | None = None
    missing_place: SenderPlace | None = None
    largest_passed: int | None = None
    smallest_lost: int | None = None
    whole: bool = False
    witnesses: tuple[Witness, ...] = ()


class Stall(Value, frozen=True, kw_only=True):
    """An address that accepts connections and then keeps silent, and what packets of other sizes meet there.

    ``layer``: what was silent, TLS or HTTP; ``acked``: what was sent had reached the peer's TCP. ``small``: with a
    small MSS, which limits both directions (fault-signatures P8), the same ``works`` or ``fails``; None: not tried, or
    it says nothing. ``walk``: how far large packets come. ``direction``: ``forward``, they vanish on the way there;
    ``back``, they all arrive, what was sent is acknowledged, and only small answers come back. ``for_whom``:
    ``everyone`` when a control ails in the same way, ``target`` when large packets of controls pass. None: not known,
    or signs that contradict each other.
    """

    address: str
    family: Literal[4, 6]
    layer: Literal["tls", "http"]
    acked: bool | None = None
    small: Literal["works", "fails"] | None = None
    walk: SizeWalk | None = None
    direction: Literal["forward", "back"] | None = None
    for_whom: Literal["everyone", "target"] | None = None
    witnesses: tuple[Witness, ...] = ()


class SizeFacts(Value, frozen=True, kw_only=True):
    """What size-limited walks and connections with small segments met."""

    walks: Fact[tuple[SizeWalk, ...]] = Fact()
    stalls: Fact[tuple[Stall, ...]] = Fact()
    """Known when any address was looked at in one of the two ways after it had stalled."""
