"""Reverse lookups -> the names of routers, and which of these are the vendor's."""

from collections.abc import Sequence

from netdiag.evidence.names import Lookup
from netdiag.facts.base import Fact, seen
from netdiag.facts.derivation.book import Book
from netdiag.facts.owners import HopName
from netdiag.facts.places import owner_of, plain

PROBE = "reverse"
"""The probe whose questions are about routers, and say nothing of the target's name."""


def hop_names(book: Book) -> Fact[tuple[HopName, ...]]:
    """The name of every router that has one."""
    by_router: dict[str, list[Lookup]] = {}
    for lookup, step in book.of(Lookup):
        if step.probe == PROBE and step.address is not None:
            by_router.setdefault(plain(step.address), []).append(lookup)
    if not by_router:
        return Fact()
    named = tuple(
        found for router, lookups in by_router.items() if (found := _named(router, lookups, book)) is not None
    )
    every = [lookup for lookups in by_router.values() for lookup in lookups]
    return seen(named, book.witnesses(every), agree=len(named), looked_at=len(by_router))


def _named(router: str, lookups: Sequence[Lookup], book: Book) -> HopName | None:
    name = next((a.data for one in lookups for a in one.answers if one.rrtype == "PTR" and a.rrtype == "PTR"), None)
    if name is None:
        return None
    back = [one for one in lookups if one.rrtype != "PTR" and one.rcode is not None]
    addresses = {plain(a.data) for one in back for a in one.answers if a.rrtype in ("A", "AAAA")}
    return HopName(
        address=router,
        name=name.rstrip(".").lower(),
        confirmed=router in addresses if back else None,
        witnesses=book.witnesses(lookups),
    )


def routers_named_after(host: str, names: Fact[tuple[HopName, ...]]) -> frozenset[str]:
    """Routers with a confirmed name under the domain that somebody registered for ``host``. The owner of the addresses
    gave them the name and the owner of the domain agrees: neither alone can make another's router look like his."""
    owner = owner_of(host)
    if owner is None:
        return frozenset()
    return frozenset(one.address for one in names.value or () if one.confirmed and owner_of(one.name) == owner)
