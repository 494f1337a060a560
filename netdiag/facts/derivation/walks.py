"""Hop replies -> walks, before anybody is placed: who answered at which TTL, where it ended, where silence begins."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from netdiag.evidence.record import Icmp
from netdiag.evidence.transport import HopReply
from netdiag.facts.derivation.book import Book, is_direct
from netdiag.facts.derivation.near import Near, is_time_exceeded
from netdiag.facts.path import Hop
from netdiag.facts.places import family, plain

End = Literal["open", "refused", "icmp", "loop", "silent", "local"]
Role = Literal["target", "control"]
Protocol = Literal["tcp", "udp", "icmp"]
Mode = Literal["unprivileged", "raw"]
Whom = tuple[Role, str, str, int, Protocol, Mode]
"""Role, host, address, port, protocol, and whose packets: what makes replies one walk."""

_ROLES: dict[str, Role] = {"target": "target", "control": "control"}

_LOOP_PASSES = 3
"""The same two routers one after the other at three places: fewer can be ECMP or a router that forwards TTL 0
(Augustin et al., Avoiding traceroute anomalies with Paris traceroute, IMC 2006; fault-signatures T07)."""


class RawWalk(NamedTuple):
    """A walk as it was seen. ``routers``: per TTL those who answered that it was exceeded."""

    role: Role
    host: str
    address: str
    family: Literal[4, 6]
    port: int
    protocol: Protocol
    mode: Mode
    hops: tuple[Hop, ...]
    end: End
    end_ttl: int | None
    end_icmp: Icmp | None
    last_seen: int
    first_missing: int | None
    same_flow: bool
    reached: int | None
    records: tuple[HopReply, ...]

    def routers(self, ttl: int) -> tuple[str, ...]:
        """Who answered at ``ttl``."""
        return next((hop.repliers for hop in self.hops if hop.ttl == ttl), ())


def raw_walks(book: Book, near: Near) -> list[RawWalk]:
    """One walk per role, address, port, protocol and mode, in the order of the plan's records. The mode is that of the
    step: privilege alone makes the echoes of any walk raw ones.

    A host that limits its ICMP may be silent to a walk and answer the datagrams of other flows later: where those got
    to the address itself belongs to the walk over the same protocol.
    """
    groups: dict[Whom, list[HopReply]] = {}
    for record, step in book.of(HopReply):
        role = _ROLES.get(step.role)
        arrived = step.probe == "flows" and record.protocol == "udp" and _is_of(record.address, record)
        if (step.probe == "walk" or arrived) and is_direct(step) and role is not None:
            mode: Mode = "raw" if step.params.get("mode") == "raw" else "unprivileged"
            key = (role, step.subject, plain(record.address), record.port, record.protocol, mode)
            groups.setdefault(key, []).append(record)
    walks = (_walk(whom, records, book, near) for whom, records in groups.items())
    return [walk for walk in walks if walk is not None]


def _walk(whom: Whom, records: Sequence[HopReply], book: Book, near: Near) -> RawWalk | None:
    role, host, address, port, protocol, mode = whom
    told = [record for record in records if record.answer != "none" or book.waited(record)]
    if not told:
        return None
    ends = _ends(told, near)
    hops = _hops(told, near)
    by_ttl = {hop.ttl: hop for hop in hops}
    end: End = "silent"
    end_ttl: int | None = None
    end_record: HopReply | None = None
    if ends:
        end_ttl, end, end_record = ends[0]
    seen_ttls = [hop.ttl for hop in hops if hop.repliers and (end_ttl is None or hop.ttl < end_ttl)]
    last_seen = max(seen_ttls, default=0)
    if end_record is None and _loops(hops):
        end, end_ttl = "loop", _first_looping(hops)
    elif end_record is None and last_seen == 0 and any(record.answer == "not_sent" for record in told):
        end = "local"
    missing = None
    if end == "silent":
        missing = next((ttl for ttl in sorted(by_ttl) if ttl > last_seen and by_ttl[ttl].answered == 0), None)
    border = missing if missing is not None else end_ttl
    return RawWalk(
        role=role,
        host=host,
        address=address,
        family=family(address),
        port=port,
        protocol=protocol,
        mode=mode,
        hops=hops,
        end=end,
        end_ttl=end_ttl,
        end_icmp=end_record.icmp if end_record is not None and end == "icmp" else None,
        last_seen=last_seen,
        first_missing=missing,
        same_flow=_one_flow(told, last_seen, border),
        reached=_reached(told, address),
        records=tuple(told),
    )


def _ends(told: Sequence[HopReply], near: Near) -> list[tuple[int, End, HopReply]]:
    """What ended the walk, from the smallest TTL on. Once the service itself accepted, ICMP errors on the way were
    passing trouble; at the same TTL its answer comes before them, too."""
    found = [(record.ttl, end, record) for record in told if (end := _end_of(record, near)) is not None]
    if any(end == "open" for _, end, _ in found):
        found = [item for item in found if item[1] in ("open", "refused")]
    order = ("open", "refused", "icmp", "local")
    return sorted(found, key=lambda item: (item[0], order.index(item[1])))


def _end_of(record: HopReply, near: Near) -> End | None:
    if record.answer in ("syn_ack", "echo_reply", "data"):
        return "open"
    if record.answer == "rst":
        return "refused"
    if record.answer == "icmp" and record.icmp is not None and not is_time_exceeded(record.icmp):
        return "local" if near.is_own(record.icmp.sender) else "icmp"
    return None


def _hops(told: Sequence[HopReply], near: Near) -> tuple[Hop, ...]:
    """One hop per TTL that was asked. Probes that never left, and silence not waited for, were not asked."""
    by_ttl: dict[int, list[HopReply]] = {}
    for record in told:
        if record.answer != "not_sent":
            by_ttl.setdefault(record.ttl, []).append(record)
    hops = []
    for ttl in sorted(by_ttl):
        records = by_ttl[ttl]
        routers = [
            plain(record.icmp.sender)
            for record in records
            if record.icmp is not None and is_time_exceeded(record.icmp) and not near.is_own(record.icmp.sender)
        ]
        times = [record.rtt_us for record in records if record.rtt_us is not None]
        hops.append(
            Hop(
                ttl=ttl,
                repliers=tuple(dict.fromkeys(routers)),
                asked=len(records),
                answered=sum(record.answer != "none" for record in records),
                rtt_ms=min(times) / 1000 if times else None,
            )
        )
    return tuple(hops)


def _pairs(hops: Sequence[Hop]) -> dict[tuple[str, str], list[int]]:
    """At which TTLs one router follows another, each hop by its first replier."""
    found: dict[tuple[str, str], list[int]] = {}
    for one, next_ in pairwise(hops):
        if one.repliers and next_.repliers and next_.ttl == one.ttl + 1 and one.repliers[0] != next_.repliers[0]:
            found.setdefault((one.repliers[0], next_.repliers[0]), []).append(one.ttl)
    return found


def _loops(hops: Sequence[Hop]) -> bool:
    return any(len(ttls) >= _LOOP_PASSES for ttls in _pairs(hops).values())


def _first_looping(hops: Sequence[Hop]) -> int:
    return min(ttls[0] for ttls in _pairs(hops).values() if len(ttls) >= _LOOP_PASSES)


def _one_flow(told: Sequence[HopReply], last_seen: int, border: int | None) -> bool:
    """One 5-tuple was answered at ``last_seen`` and met ``border``."""
    if border is None:
        return False
    before = {record.flow for record in told if record.ttl == last_seen and record.answer != "none"}
    at = {record.flow for record in told if record.ttl == border}
    return bool(at) if last_seen == 0 else bool(before & at)


def _reached(told: Sequence[HopReply], address: str) -> int | None:
    """The smallest TTL at which the address itself answered. Not by a reset: a filter on the way sends it in the
    address' name, and nearer than the address is (fault-signatures T06)."""
    return min(
        (record.ttl for record in told if record.answer != "rst" and _is_of(address, record)),
        default=None,
    )


def _is_of(address: str, record: HopReply) -> bool:
    """The address itself answered, and not as a router on the way."""
    expired = record.icmp is not None and is_time_exceeded(record.icmp)
    return record.replier is not None and plain(record.replier) == plain(address) and not expired
