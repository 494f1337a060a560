"""What was seen of the path."""

from collections.abc import Iterator, Sequence

from netdiag.facts import Facts, Walk
from netdiag.reports.losses import along_the_path
from netdiag.reports.observed.sight import Sight, sight
from netdiag.reports.words import icmp_words, listing

_HOP = {
    "gateway": "the gateway",
    "private": "a private address",
    "shared": "a carrier-grade NAT address",
    "public": "",
    "vendor": "the vendor's",
    "target": "the target",
}


def of_path(facts: Facts) -> Iterator[Sight]:
    path = facts.path
    first = [walk for walk in (path.target4.value, path.target6.value) if walk is not None]
    groups: dict[tuple[str, str], list[Walk]] = {}
    for walk in (*first, *(path.others.value or ()), *(path.controls.value or ())):
        groups.setdefault((walk.role, walk_end(walk)), []).append(walk)
    for (_, end), walks in groups.items():
        yield Sight(
            says=f"{walks_words(walks)}: {end}.",
            witnesses=tuple(witness for walk in walks for witness in walk.witnesses),
        )
    if path.first_hop_only.value is True:
        yield sight("No walk saw a router beyond the first.", path.first_hop_only)
    if path.proxy_in_path.value is True:
        yield sight("Something nearer than the target answers for its port.", path.proxy_in_path)
    for says, witnesses in along_the_path(facts.losses):
        yield Sight(says=says, witnesses=witnesses)


def walks_words(walks: Sequence[Walk]) -> str:
    """``To 192.0.2.1 over TCP (port 443)``; several walks that ended alike share the words."""
    ways: dict[tuple[str, ...], list[str]] = {}
    for address, host in {walk.address: walk.host for walk in walks}.items():
        over = tuple(dict.fromkeys(_over(walk) for walk in walks if walk.address == address))
        ways.setdefault(over, []).append(
            f"{address} ({host})" if walks[0].role == "control" and host != address else address
        )
    return "To " + "; to ".join(f"{listing(to)} over {listing(over)}" for over, to in ways.items())


def _over(walk: Walk) -> str:
    raw = "raw " if walk.mode == "raw" else ""
    return f"{raw}TCP (port {walk.port})" if walk.protocol == "tcp" else f"{raw}{walk.protocol.upper()}"


def walk_end(walk: Walk) -> str:
    at = "" if walk.end_ttl is None else f" at hop {walk.end_ttl}"
    if walk.end == "open":
        return f"arrived{at}"
    if walk.end == "refused":
        return f"arrived{at} and was refused"
    if walk.end == "icmp" and walk.end_icmp is not None:
        return f"ended{at} with {icmp_words(walk.end_icmp)} from {walk.end_icmp.sender}"
    if walk.end == "loop":
        return f"goes round in a circle{at}"
    if walk.end == "local":
        return "this machine did not send"
    if walk.last_seen == 0:
        nearest = min((hop.ttl for hop in walk.hops), default=1)  # beyond what another walk has shown
        return "no router answered" if nearest == 1 else f"nothing came from hop {nearest} on"
    where = walk.last_seen_address or ""
    place = _HOP[walk.last_seen_place] if walk.last_seen_place else ""
    seen = ", ".join(word for word in (where, place) if word)
    words = f"routers answered up to hop {walk.last_seen}" + (f" ({seen})" if seen else "")
    return words + (f", nothing came from hop {walk.first_missing} on" if walk.first_missing is not None else "")
