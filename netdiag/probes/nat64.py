"""Is there NAT64 on this line? RFC 7050: a DNS64 gives ``ipv4only.arpa`` an AAAA, and that shows the prefix."""

import ipaddress
from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.evidence.machine import Nat64
from netdiag.evidence.names import Lookup
from netdiag.evidence.observation import Observation
from netdiag.probes.base import Probe, Question, World
from netdiag.probes.library.asking import ask

_NAME = "ipv4only.arpa"
# The name's only IPv4 addresses (RFC 7050 section 2.2).
_KNOWN = frozenset({bytes([192, 0, 0, 170]), bytes([192, 0, 0, 171])})
# Where each length of prefix puts the four octets; octet 8 is skipped (RFC 6052 section 2.2).
_PLACES = {
    96: (12, 13, 14, 15),
    64: (9, 10, 11, 12),
    56: (7, 9, 10, 11),
    48: (6, 7, 9, 10),
    40: (5, 6, 7, 9),
    32: (4, 5, 6, 7),
}


def _run(step: Step, world: World) -> Iterator[Observation]:
    question = Question(name=_NAME, rrtype="AAAA", server=step.subject, server_class="configured", port=step.port or 53)
    lookup: Lookup | None = None
    for lookup in ask(step, world, question):
        yield lookup
    assert lookup is not None
    stamp = world.stamp(step, caused_by=lookup.id)
    found = (prefix_in(record.data) for record in lookup.answers if record.rrtype == "AAAA")
    yield Nat64(
        id=stamp.id,
        step=stamp.step,
        caused_by=stamp.caused_by,
        began_ns=lookup.began_ns,
        ended_ns=lookup.ended_ns,
        prefix=next((prefix for prefix in found if prefix is not None), None),
        failure=lookup.failure,
    )


def prefix_in(address: str) -> str | None:
    """The prefix with which ``address`` embeds one of the name's IPv4 addresses; None when it embeds neither."""
    try:
        packed = ipaddress.IPv6Address(address).packed
    except ValueError:
        return None
    for length, places in _PLACES.items():
        if bytes(packed[place] for place in places) in _KNOWN:
            return str(ipaddress.ip_network((packed, length), strict=False))
    return None


PROBE = Probe(name="nat64", version=1, run=_run)
