"""A trace in words, as a table of 80 columns, and for programs (``netdiag/trace/1``)."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from netdiag.evidence.bundle import Bundle
from netdiag.evidence.display import sanitize_text
from netdiag.evidence.record import NotRun
from netdiag.evidence.transport import HopReply
from netdiag.facts import Facts, Walk
from netdiag.facts.derivation.near import is_time_exceeded
from netdiag.facts.members import Members
from netdiag.facts.places import HopPlace
from netdiag.reports.encoding import dump, stamp
from netdiag.reports.words import count, endpoint, fill, icmp_words, listing, span

SCHEMA = "netdiag/trace/1"

_LINE = "{:>3}  {:<39}  {:<8} {:>9} {:>9}"
"""Hop, router (an IPv6 address has up to 39 letters), place, round trip, answered of asked: 75 columns."""

_CIRCLE = 5
"""Hops of a circle that are shown beyond its beginning: three rounds of two routers."""

_ENDS = {"open": "accepts connections", "refused": "refuses connections (a reset)"}


class Row(NamedTuple):
    """One TTL: who answered there, over whatever protocol, and how often of how many times asked."""

    ttl: int
    routers: tuple[str, ...]
    place: HopPlace | None
    rtt_ms: float | None
    answered: int
    asked: int
    labels: tuple[int, ...]
    by_other: str | None
    """The protocol that was answered, where the trace's own was not."""


def trace_text(bundle: Bundle, facts: Facts) -> str:
    """The whole report."""
    lines = [*fill(_head(bundle)), "", *table(bundle, facts), ""]
    for sentence in conclusions(bundle, facts):
        lines += fill(sentence)
    return sanitize_text("\n".join(lines), keep_newlines=True) + "\n"


def trace_json(bundle: Bundle, facts: Facts) -> str:
    """One object, ``netdiag/trace/1``."""
    walk = walk_of(bundle, facts)
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "host": bundle.target.host,
        "address": _step_address(bundle),
        "port": bundle.target.port,
        "protocol": _protocol(bundle),
        "mode": mode(bundle),
        "began_at": stamp(bundle.began_at),
        "took_ms": bundle.duration_ns // 1_000_000,
        "interrupted": bundle.interrupted,
        "packets": len(_sent(bundle)),
        "end": None
        if walk is None
        else {
            "how": walk.end,
            "hop": walk.end_ttl,
            "icmp": None if walk.end_icmp is None else icmp_words(walk.end_icmp),
            "sender": None if walk.end_icmp is None else walk.end_icmp.sender,
            "last_seen": walk.last_seen,
            "last_seen_address": walk.last_seen_address,
            "first_missing": walk.first_missing,
        },
        "hops": [
            {
                "hop": row.ttl,
                "routers": list(row.routers),
                "place": row.place,
                "rtt_ms": row.rtt_ms,
                "answered": row.answered,
                "asked": row.asked,
                "mpls_labels": list(row.labels),
            }
            for row in rows(bundle, facts)
        ],
        "flows": [_members(one) for one in facts.path.members.value or ()],
        "says": conclusions(bundle, facts),
    }
    return dump(document)


def table(bundle: Bundle, facts: Facts) -> list[str]:
    """The hops, one line each and one more for each further router."""
    lines = [_LINE.format("hop", "router", "where", "RTT", "answered").rstrip()]
    for row in rows(bundle, facts):
        rtt = "" if row.rtt_ms is None else f"{row.rtt_ms:.1f} ms"
        first, *others = row.routers or ("-",)
        where = row.place or ""
        lines.append(_LINE.format(row.ttl, first, where, rtt, f"{row.answered}/{row.asked}").rstrip())
        lines += [_LINE.format("", other, "", "", "").rstrip() for other in others]
        if row.labels:
            lines.append(f"     MPLS label {', '.join(map(str, row.labels))}")
        if row.by_other is not None:
            lines.append(f"     (answers {row.by_other.upper()} only)")
    return lines


def rows(bundle: Bundle, facts: Facts) -> list[Row]:
    """Every TTL up to the end of the walk, or up to the last that anything answered, and the first missing."""
    walk, replies = walk_of(bundle, facts), _replies(bundle)
    if walk is None:
        return []
    places = {hop.ttl: hop.place for other in _walks(facts) for hop in other.hops if hop.place is not None}
    places |= {node.ttl: node.place for one in facts.path.members.value or () for node in one.nodes if node.place}
    places |= {hop.ttl: hop.place for hop in walk.hops if hop.place is not None}
    answered = [one.ttl for one in replies if _is_on_the_way(one, walk)]
    last = walk.end_ttl or max([walk.first_missing or 0, *answered])
    circle = _circle(walk, facts)
    if circle is not None:
        last = (circle.end_ttl or 0) + _CIRCLE
    return [_row(ttl, walk, replies, places) for ttl in range(1, last + 1)]


def _row(ttl: int, walk: Walk, replies: Sequence[HopReply], places: Mapping[int, HopPlace]) -> Row:
    here = [one for one in replies if one.ttl == ttl and one.answer != "not_sent"]
    own = [one for one in here if one.protocol == walk.protocol]
    met = [one for one in own if one.answer != "none"]
    other = [one for one in here if _is_on_the_way(one, walk)] if not met else []
    told = met or other
    times = [one.rtt_us for one in told if one.rtt_us is not None]
    return Row(
        ttl=ttl,
        routers=tuple(dict.fromkeys(one.replier for one in told if one.replier is not None)),
        place="target" if ttl == walk.end_ttl and walk.end in _ENDS else places.get(ttl),
        rtt_ms=round(statistics.median(times) / 1000, 3) if times else None,
        answered=len(met),
        asked=len(own),
        labels=tuple(dict.fromkeys(label.label for one in told for label in one.labels)),
        by_other=other[0].protocol if other else None,
    )


def _is_on_the_way(one: HopReply, walk: Walk) -> bool:
    """It was answered there: by a router whose TTL it was, or at its own end; not refused further on."""
    if one.icmp is None:
        return one.replier is not None
    return is_time_exceeded(one.icmp) or one.replier == walk.address


def conclusions(bundle: Bundle, facts: Facts) -> list[str]:
    """What the trace shows, in whole sentences, and what it does not."""
    walk = walk_of(bundle, facts)
    said = [_missing(one) for one in bundle.observations if isinstance(one, NotRun) and one.why != "declined"]
    if walk is not None and walk.end == "silent" and any(one.dead_member for one in facts.path.members.value or ()):
        said.append(
            f"Nothing came from hop {walk.first_missing} on; but the packets to different hops left from different "
            "source ports, and not all of these pass:"
        )
    elif walk is not None:
        said += _end(walk, _circle(walk, facts))
        said += _silent_hops(rows(bundle, facts)) if _circle(walk, facts) is None else []
    elif not said:
        said.append("Nothing was found before the trace ended.")
    said += [sentence for one in facts.path.members.value or () for sentence in _several(one)]
    if bundle.interrupted is not None:
        why = "Ctrl-C" if bundle.interrupted == "signal" else "its time was up"
        said.append(f"The trace was cut short ({why}): what is missing may only not have been asked.")
    return [sanitize_text(sentence) for sentence in said]


def _end(walk: Walk, circle: Walk | None) -> list[str]:
    port = f" on port {walk.port}" if walk.protocol == "tcp" else ""
    match walk.end:
        case "open" if walk.protocol == "tcp":
            return [f"{walk.address} {_ENDS['open']}{port}: it is {count(walk.end_ttl or 0, 'hop')} away."]
        case "open":
            return [f"{walk.address} answers {walk.protocol.upper()}: it is {count(walk.end_ttl or 0, 'hop')} away."]
        case "refused":
            whose = "the port is closed, or something on the way answers in its name"
            return [f"{walk.address} {_ENDS['refused']}{port}, from hop {walk.end_ttl}: {whose}."]
        case "icmp" if walk.end_icmp is not None:
            if walk.end_icmp.sender == walk.address and walk.protocol == "tcp":
                said = f"{walk.address} refuses connections{port}, from hop {walk.end_ttl}: {icmp_words(walk.end_icmp)}"
                return [f"{said}. A rule there says so, or something on the way in its name."]
            if walk.end_icmp.sender == walk.address:
                said = f"{walk.address} itself answers at hop {walk.end_ttl}: {icmp_words(walk.end_icmp)}"
                return [f"{said}, so the way to it is whole."]
            return [f"{walk.end_icmp.sender} at hop {walk.end_ttl} refuses the packets: {icmp_words(walk.end_icmp)}."]
        case "loop":
            return [f"Packets go round in a circle from hop {walk.end_ttl} on, until their TTL ends."]
        case "local":
            return ["This machine refuses to send the packets."]
        case _:
            return _silence(walk, port, circle)


def _silence(walk: Walk, port: str, circle: Walk | None) -> list[str]:
    if walk.first_missing is None:
        return ["The walk ended before anything was known to be missing."]
    last = f"hop {walk.last_seen} ({walk.last_seen_address})" if walk.last_seen else "this machine"
    where = f"between {last} and hop {walk.first_missing}"
    if circle is not None:
        by = circle.protocol.upper()
        return [
            f"{by} packets to {walk.address} go round in a circle from hop {circle.end_ttl} on, until their TTL ends."
        ]
    said = [
        f"Nothing came from hop {walk.first_missing} on: packets{port}, or the answers to them, are lost {where}.",
        "One end cannot tell which of the two, nor a drop at the last router from one in the next machine.",
    ]
    if walk.beyond_cleared is not None:
        said.append(f"Other packets to the same address are answered from as far as hop {walk.beyond_cleared}.")
    return said


def _silent_hops(found: Sequence[Row]) -> list[str]:
    """Silence that later hops disprove is no fault, and people take it for one."""
    far = max((row.ttl for row in found if row.answered), default=0)
    mute = [row.ttl for row in found if row.ttl < far and not row.routers]
    if not mute:
        return []
    hops = f"{'Hop' if len(mute) == 1 else 'Hops'} {listing(map(str, mute))}"
    return [f"{hops} sent no answer while later ones did: a router may keep silent, which is no fault."]


def _several(one: Members) -> list[str]:
    """What several flows showed."""
    if one.far == 0:
        return []
    forks = [node for node in one.nodes if len(node.routers) > 1]
    whole = f"{len(one.flows)} {one.protocol.upper()} flows"
    said = []
    if forks:
        where = listing(str(node.ttl) for node in forks)
        said.append(f"{whole} take different routers at hop {where}: equal paths, which is no fault.")
    if one.dead_member is True:
        last = listing(one.last_seen_addresses) or "this machine"
        ports = listing((str(flow.source_port) for flow in one.never()), most=5)
        said.append(
            f"{len(one.never())} of {whole} never get beyond {last} (hop {one.last_seen}), those from source ports "
            f"{ports}, and the others always do: one of several equal paths between hop {one.last_seen} and hop "
            f"{one.first_missing} loses everything. Chance losses look like this less than once in a hundred times."
        )
    elif any(flow.passes is None and flow.tries for flow in one.flows):
        said.append(f"Of {whole} some were answered now and then: packets are lost, or a router limits its answers.")
    return said


def _missing(one: NotRun) -> str:
    if one.why == "no_privilege":
        return f"Not measured for want of privilege: {one.detail or one.what}."
    return f"Not measured: {one.detail or one.what} ({one.why.replace('_', ' ')})."


def _head(bundle: Bundle) -> str:
    address, host = _step_address(bundle), bundle.target.host
    protocol = _protocol(bundle)
    where = endpoint(address, bundle.target.port) if protocol == "tcp" else address
    name = "" if host == address else f"{host}, "
    packets = count(len(_sent(bundle)), "packet")
    return (
        f"netdiag trace to {name}{where} over {protocol.upper()}, {mode(bundle)}, {packets} in "
        f"{span(bundle.duration_ns / 1e9)}"
    )


def mode(bundle: Bundle) -> str:
    """Whose packets these were."""
    return "raw" if any(one.mode == "raw" and one.protocol != "icmp" for one in _replies(bundle)) else "unprivileged"


def walk_of(bundle: Bundle, facts: Facts) -> Walk | None:
    """The walk that was asked for; None while there is none."""
    protocol = _protocol(bundle)
    return next((walk for walk in _walks(facts) if walk.protocol == protocol), None)


def _circle(walk: Walk, facts: Facts) -> Walk | None:
    """The walk that goes in circles: this one, or, where it ends in silence, the one of another protocol. Looping
    routers are asked so much more often than others that their limits hide the loop from the later one."""
    looping = [one for one in _walks(facts) if one.end == "loop" and one.address == walk.address]
    return walk if walk.end == "loop" else next(iter(looping), None) if walk.end == "silent" else None


def _walks(facts: Facts) -> list[Walk]:
    mine = [fact.value for fact in (facts.path.target4, facts.path.target6) if fact.value is not None]
    return [*mine, *(facts.path.others.value or ())]


def _replies(bundle: Bundle) -> list[HopReply]:
    """What was waited for: of what was given up beyond the end nothing is known."""
    replies = [one for one in bundle.observations if isinstance(one, HopReply)]
    return [one for one in replies if one.answer != "none" or one.ended_ns - one.began_ns >= 1_000_000_000]


def _sent(bundle: Bundle) -> list[HopReply]:
    """What the kernel did not refuse to send."""
    return [one for one in _replies(bundle) if one.answer != "not_sent"]


def _protocol(bundle: Bundle) -> str:
    return next((step.params["protocol"] for step in bundle.plan if step.probe == "walk"), "tcp")


def _step_address(bundle: Bundle) -> str:
    return next((step.address for step in bundle.plan if step.address), bundle.target.host)


def _members(one: Members) -> dict[str, Any]:
    return {
        "protocol": one.protocol,
        "far": one.far,
        "dead_member": one.dead_member,
        "chance": one.chance,
        "last_seen": one.last_seen,
        "last_seen_addresses": list(one.last_seen_addresses),
        "first_missing": one.first_missing,
        "flows": [
            {"source_port": f.source_port, "tries": f.tries, "answered": f.answered, "last_seen": f.last_seen}
            for f in one.flows
        ],
        "nodes": [{"hop": node.ttl, "routers": list(node.routers)} for node in one.nodes],
        "links": [{"hop": x.ttl, "from": x.before, "to": x.after, "flows": x.flows} for x in one.links],
    }
