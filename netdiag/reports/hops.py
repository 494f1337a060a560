"""The walks that matter, as tables: each router with its name, whose it is, where it stands, and how it answered."""

from collections.abc import Iterator, Mapping

import msgspec

from netdiag.evidence.display import sanitize_text
from netdiag.facts import Facts, Walk
from netdiag.facts.owners import HopName
from netdiag.facts.path import Hop
from netdiag.reports.asn import AsData
from netdiag.reports.words import endpoint, icmp_words

MOST_ROUTERS = 4
"""Of one hop: a table is no place for all members of a large group."""

PLACE = {
    "gateway": "the gateway",
    "private": "private",
    "shared": "carrier-grade NAT",
    "public": "",
    "vendor": "the vendor's",
    "target": "the target",
}


class HopRow(msgspec.Struct, frozen=True, kw_only=True):
    """One router, or hops where nobody answered (then ``router`` says so, and all else is empty)."""

    hop: str
    router: str
    name: str = ""
    owner: str = ""
    place: str = ""
    answered: str = ""
    rtt: str = ""


class HopTable(msgspec.Struct, frozen=True, kw_only=True):
    """One walk. ``arrived``: it ended at the target's open port."""

    title: str
    arrived: bool
    rows: tuple[HopRow, ...]
    refs: tuple[str, ...]


def hop_tables(facts: Facts, as_data: AsData | None = None) -> tuple[HopTable, ...]:
    """The walks to the service that did not arrive; where all did, the first. Without ``as_data`` nobody's owner is
    known."""
    walks = [one.value for one in (facts.path.target4, facts.path.target6) if one.value is not None]
    names = {one.address: one for one in facts.path.hop_names.value or ()}
    ill = [walk for walk in walks if walk.end != "open"]
    return tuple(_table(walk, names, as_data) for walk in ill or walks[:1])


HOP_COLUMNS = ("Hop", "Router", "Name and owner", "Where", "Answered", "RTT")


def hop_cells(table: HopTable) -> list[tuple[str, ...]]:
    """The rows of ``table`` under HOP_COLUMNS."""
    whose = (", ".join(word for word in (row.name, row.owner) if word) for row in table.rows)
    return [
        (row.hop, row.router, who, row.place, row.answered, row.rtt) for row, who in zip(table.rows, whose, strict=True)
    ]


def credit(as_data: AsData) -> str:
    """Whose data name the owners, and of when."""
    return sanitize_text(
        f"Who announces an address: {as_data.head.source}, as of {as_data.head.as_of}. The verdict does not rest on it."
    )


def _table(walk: Walk, names: Mapping[str, HopName], as_data: AsData | None) -> HopTable:
    over = f"TCP to {endpoint(walk.address, walk.port)}"
    return HopTable(
        title=sanitize_text(f"Hop by hop, {over}"),
        arrived=walk.end == "open",
        rows=tuple(_safe(row) for row in _rows(walk, names, as_data)),
        refs=tuple(sanitize_text(one) for one in walk.witnesses),
    )


def _rows(walk: Walk, names: Mapping[str, HopName], as_data: AsData | None) -> Iterator[HopRow]:
    silent: list[int] = []
    for hop in walk.hops:
        routers = _who(hop, walk)
        if not routers:
            silent.append(hop.ttl)
            continue
        yield from _silence(silent)
        silent = []
        for router in routers[:MOST_ROUTERS]:
            name = names.get(router)
            yield HopRow(
                hop=str(hop.ttl) if router == routers[0] else "",
                router=router,
                name="" if name is None else name.name + ("" if name.confirmed else " (not confirmed)"),
                owner=(as_data.owner_of(router) or "") if as_data is not None else "",
                place=_place(hop, walk),
                answered=f"{hop.answered}/{hop.asked}" if router == routers[0] else "",
                rtt=f"{hop.rtt_ms:.1f} ms" if hop.rtt_ms is not None and router == routers[0] else "",
            )
        if len(routers) > MOST_ROUTERS:
            yield HopRow(hop="", router=f"and {len(routers) - MOST_ROUTERS} more")
    yield from _silence(silent)


def _who(hop: Hop, walk: Walk) -> tuple[str, ...]:
    """Who answered at this hop: routers, and at the end of the walk whoever ended it."""
    if hop.ttl != walk.end_ttl or hop.repliers:
        return hop.repliers
    if walk.end in {"open", "refused"}:
        return (walk.address,)
    return (walk.end_icmp.sender,) if walk.end_icmp is not None else ()


def _place(hop: Hop, walk: Walk) -> str:
    if hop.ttl == walk.end_ttl and walk.end in {"open", "refused"}:
        return "the target" if walk.end == "open" else "the target, refused"
    place = hop.place or (walk.end_place if hop.ttl == walk.end_ttl else None)
    words = "" if place is None else PLACE[place]
    if hop.ttl == walk.end_ttl and walk.end_icmp is not None:
        return f"{words}: {icmp_words(walk.end_icmp)}".removeprefix(": ")
    return words


def _silence(ttls: list[int]) -> Iterator[HopRow]:
    if ttls:
        yield HopRow(hop=str(ttls[0]) if len(ttls) == 1 else f"{ttls[0]}-{ttls[-1]}", router="no answer")


def _safe(row: HopRow) -> HopRow:
    return HopRow(**{name: sanitize_text(getattr(row, name)) for name in HopRow.__struct_fields__})
