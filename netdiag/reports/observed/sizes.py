"""What was seen of packet sizes: which come through, and from where on they do not."""

from collections.abc import Iterator

from netdiag.facts import Facts
from netdiag.facts.sizes import SizeWalk, Stall
from netdiag.reports.observed.sight import Sight

_SMALL = {"works": "with small packets it works", "fails": "with small packets it fails, too"}
_WHOM = {"everyone": "other hosts have the same trouble", "target": "large packets of other hosts come through"}


def of_sizes(facts: Facts) -> Iterator[Sight]:
    """Stalled connections first, then how far large packets come to each address that was asked about."""
    for stall in facts.sizes.stalls.value or ():
        yield Sight(says=_stall(stall), witnesses=stall.witnesses)
    for walk in facts.sizes.walks.value or ():
        if walk.role == "target" or walk.first_missing is not None:
            yield Sight(says=_walk(walk), witnesses=walk.witnesses)


def _stall(stall: Stall) -> str:
    said = [f"{stall.layer.upper()} stalls"]
    if stall.small is not None:
        said.append(_SMALL[stall.small])
    if stall.for_whom is not None:
        said.append(_WHOM[stall.for_whom])
    return f"{stall.address}: {'; '.join(said)}."


def _walk(walk: SizeWalk) -> str:
    told = "".join(
        f" {one.router} at hop {one.ttl} said that a packet is too big for its next link"
        + (f" (at most {one.next_mtu} bytes)." if one.next_mtu else ".")
        for one in walk.told
    )
    if walk.first_missing is not None:
        last = "this machine" if not walk.large_last_seen else _hop(walk.large_last_seen, walk.last_address)
        lost = walk.smallest_lost or walk.size
        passed = f", of {walk.largest_passed} bytes they pass" if walk.largest_passed is not None else ""
        return (
            f"Packets of {lost} bytes to {walk.address} vanish between {last} and"
            f" {_hop(walk.first_missing, walk.missing_address)}, where small ones are answered{passed}.{told}"
        )
    if walk.whole:
        return f"Packets of {walk.size} bytes come through to {walk.address}.{told}"
    return f"Packets of {walk.size} bytes to {walk.address} were answered up to hop {walk.large_last_seen}.{told}"


def _hop(ttl: int, address: str | None) -> str:
    return f"hop {ttl}" + (f" ({address})" if address is not None else "")
