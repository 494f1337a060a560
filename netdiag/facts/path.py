"""Facts of the path: what each walk saw, where the packet was last seen, and what is shared with healthy controls."""

from typing import Literal

from netdiag.evidence.record import Icmp
from netdiag.facts.base import Fact, Value, Witness
from netdiag.facts.members import Members
from netdiag.facts.owners import HopName
from netdiag.facts.places import HopPlace as HopPlace  # noqa: PLC0414 - it is a word of this layer
from netdiag.facts.rewrites import Rewrite


class Hop(Value, frozen=True, kw_only=True):
    """One TTL of a walk. ``repliers`` in order of first reply; empty: silent. ``asked``/``answered`` count probes."""

    ttl: int
    repliers: tuple[str, ...] = ()
    place: HopPlace | None = None
    asked: int
    answered: int
    rtt_ms: float | None = None


class Walk(Value, frozen=True, kw_only=True):
    """One walk over one protocol to one address. ``mode`` raw: with packets that netdiag made and read itself.

    ``end``: ``open`` (SYN-ACK, echo reply), ``refused`` (RST), ``icmp`` (an ICMP error that is not time exceeded),
    ``loop``, ``silent`` (nothing beyond ``last_seen``), ``local`` (the kernel refused to send). ``end_ttl`` is the
    smallest TTL that met the end. ``last_seen``: the largest TTL at which a router answered (0: none).
    ``first_missing``: the TTL after it at which nothing came, when ``end`` is ``silent``: the drop lies in
    [last_seen, first_missing]; with ``first_missing`` None the walk was cut short, and nothing is known to be
    dropped. ``loop``: the same two routers follow each other three times; ``end_ttl`` is where they first do.
    ``same_flow``: the interval was shown on one 5-tuple. ``shared_until``: the largest TTL up to which this walk saw
    the same routers as a walk to a healthy control of the same family. ``beyond_cleared``: an answer from beyond
    ``last_seen`` on the same address (another protocol) clears the path up to there; the largest such TTL.
    ``nearer_by``: by how many hops the end (``open`` or ``refused``) came from nearer than other answers of the same
    address place it: another protocol's walk, else the TTL left in its echo replies (which tells the way back). None:
    nothing to compare with.
    """

    role: Literal["target", "control"]
    host: str
    address: str
    family: Literal[4, 6]
    port: int
    protocol: Literal["tcp", "udp", "icmp"]
    mode: Literal["unprivileged", "raw"] = "unprivileged"
    hops: tuple[Hop, ...]
    end: Literal["open", "refused", "icmp", "loop", "silent", "local"]
    end_ttl: int | None = None
    end_icmp: Icmp | None = None
    end_place: HopPlace | None = None
    last_seen: int
    last_seen_address: str | None = None
    last_seen_place: HopPlace | None = None
    first_missing: int | None = None
    same_flow: bool = False
    shared_until: int | None = None
    beyond_cleared: int | None = None
    nearer_by: int | None = None
    witnesses: tuple[Witness, ...] = ()


class PathFacts(Value, frozen=True, kw_only=True):
    """``target4``/``target6`` are the TCP walks to the service port of the first address of the family (the failing
    one where there is one), the unprivileged one where there is one; ``others`` every other walk."""

    target4: Fact[Walk] = Fact()
    target6: Fact[Walk] = Fact()
    controls: Fact[tuple[Walk, ...]] = Fact()
    others: Fact[tuple[Walk, ...]] = Fact()
    first_hop_only: Fact[bool] = Fact()
    """No walk, to target or control, saw anything beyond the first hop."""
    proxy_in_path: Fact[bool] = Fact()
    """The service port answered, or refused, at a TTL where it cannot be: TTL 1 (unless the target is on the own link),
    or more than 2 hops nearer than another protocol. False: its distance was compared and agrees within one hop, or
    it was asked at TTL 1 and nothing accepted there while no walk to it ended in an answer. Else unknown."""
    large_from: Fact[tuple[str, ...]] = Fact()
    """The target's addresses whose connections brought packets as large as the own link carries: large packets come
    through from there."""
    rewrites: Fact[tuple[Rewrite, ...]] = Fact()
    """What was changed of the packets to the target on the way, and between which routers. Empty: nothing of what the
    routers quoted."""
    hop_names: Fact[tuple[HopName, ...]] = Fact()
    """The reverse names of routers, of those that were asked for and have one."""
    members: Fact[tuple[Members, ...]] = Fact()
    """Several flows to one address, by protocol: equal-cost paths, and whether a member of them is dead."""
