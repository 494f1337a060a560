"""Reading of a server's answer on the way down: where it refers to, and to which alias it points. Pure."""

from typing import NamedTuple

from netdiag.evidence.names import Lookup
from netdiag.probes.library.hostnames import is_within


class Referral(NamedTuple):
    """A zone cut: the zone below, its servers' names in order, and the addresses that came along for them."""

    zone: str
    names: tuple[str, ...]
    glue: dict[str, tuple[str, ...]]


def referral_in(lookup: Lookup, name: str, zone: str) -> Referral | None:
    """The cut that ``lookup`` (asked of a server of ``zone``) refers to on the way to ``name``.

    None for an answer, an error, and for a referral that leads nowhere (sideways or upwards: a lame server). Glue
    counts for servers inside ``zone`` only, since others are not this server's to tell (RFC 5452 section 6).
    """
    if lookup.rcode != 0 or lookup.answers:
        return None
    cuts = [record for record in lookup.authority if record.rrtype == "NS" and _leads_on(record.name, name, zone)]
    if not cuts:
        return None
    below = cuts[0].name
    names = tuple(dict.fromkeys(record.data.lower().rstrip(".") for record in cuts if record.name == below))
    glue: dict[str, tuple[str, ...]] = {}
    for record in lookup.glue:
        if record.rrtype in {"A", "AAAA"} and record.name in names and is_within(record.name, zone):
            glue[record.name] = (*glue.get(record.name, ()), record.data)
    return Referral(below, names, glue)


def _leads_on(cut: str, name: str, zone: str) -> bool:
    return is_within(name, cut) and is_within(cut, zone) and cut.strip(".").lower() != zone.strip(".").lower()


def alias_in(lookup: Lookup, name: str, zone: str) -> str | None:
    """Where the CNAME chain that starts at ``name`` leaves ``zone``, and its end has no address in the answer."""
    aliases = {record.name: record.data.lower() for record in lookup.answers if record.rrtype == "CNAME"}
    end = name.lower()
    for _ in range(len(aliases)):
        end = aliases.get(end, end)
    return end if end != name.lower() and not is_within(end, zone) else None
