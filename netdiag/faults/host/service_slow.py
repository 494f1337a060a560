"""The service answers, slowly.

What is broken
    The program behind the port, or what it waits for itself (a database, another service): it takes seconds to
    begin its answer. Or it hands the answer out slowly, by a limit of rate or for want of power.

How it shows
    TCP and TLS take as long as the path does; the request is acknowledged at once, nothing is sent again, and the
    first byte comes seconds later, each time. Or the body comes slowly, in bursts that the path carries far faster,
    with no packet lost and no round trip grown: in between the sender does not send.

What looks like it
    Loss, or a queue on the way (transit.path.congested): then acknowledgements are late, too, packets are missing,
    or round trips grow. A device on the way that ends the connection itself (a proxy, an interception) and waits in
    the host's place. A limit of rate with a queue, by the vendor's own rule. A path that loses large packets, before a
    server that probes for the size that passes: over TLS the handshake is late then, not the answer.

What would settle it
    The vendor's log with the time that the request took there, or the same wait from another line.

What to tell the customer
    That the request reached the service at once, and how long the service took to answer.
"""

from netdiag.facts import Facts
from netdiag.facts.speed import Download
from netdiag.faults.base import Fault, Finding, Lean, opposes, silent
from netdiag.faults.speed import FACTS, OTHER_LINE, controls_words, download, not_slow, pace, waited

USED = (*FACTS, "path.proxy_in_path", "controls.intercepting_issuer")

_SMALL = 1200
"""Bytes of a body that comes in one packet on every path."""


def assess(facts: Facts) -> Finding:
    finding = not_slow(facts)
    if finding is not None:
        return finding
    waiting = facts.speed.waiting_for.value
    if waiting == "server":
        return _late(facts)
    if waiting == "body":
        return _paced(facts)
    if waiting == "name":
        return opposes("What takes long is the look-up of the name.", *FACTS, witnesses=facts.speed.slow.witnesses)
    return silent(f"What takes long is {waited(facts)}.", *FACTS)


def _late(facts: Facts) -> Finding:
    mine, again = download(facts), facts.target.retransmits.value
    acked = f"acknowledges the request after {mine.request_ms:.0f} ms and " if mine.request_ms is not None else ""
    return _slow(
        facts,
        f"{mine.address} {acked}takes {(mine.server_ms or 0) / 1000:.1f} s to begin its answer, twice",
        sure=mine.request_ms is not None and (again is None or again.lost == 0) and not _may_be_size(mine),
    )


def _may_be_size(mine: Download) -> bool:
    """Where large packets vanish, a server that probes for the path's size (RFC 4821) answers after some time-outs,
    each time. Over TLS its certificates would have been late, and not the answer."""
    return mine.tls_ms is None and mine.received > _SMALL


def _paced(facts: Facts) -> Finding:
    mine, limit = download(facts), facts.speed.limited_by.value
    if limit == "end":
        return silent("Round trips grew to a router of the vendor's; whose the full link is, is open.", *FACTS)
    if limit is None:
        return silent(f"{pace(facts)}; what held them up is not known.", *FACTS)
    if limit != "sender":
        return opposes(f"It is not {mine.address} that holds the answer up.", *FACTS, witnesses=mine.witnesses)
    says = f"{pace(facts)}, in fast bursts, with nothing lost: {mine.address} paused in between"
    return _slow(facts, says, sure=True)


def _slow(facts: Facts, says: str, *, sure: bool) -> Finding:
    speed = facts.speed
    doubted = facts.path.proxy_in_path.value is True or facts.controls.intercepting_issuer.value is not None
    return Finding(
        lean=Lean.SUPPORTS,
        because=f"{facts.host} works, and is slow: {says}{controls_words(facts)}.",
        facts=USED,
        witnesses=download(facts).witnesses + speed.slow.witnesses + speed.controls_fast.witnesses,
        at_most_likely=True,
        at_most_possible=doubted or not sure or speed.controls_fast.value is not True,
        of="slowness",
        settle_next=f"The service's own log: how long it took for the request at that time. Or: {OTHER_LINE}",
    )


FAULT = Fault(
    code="host.service.slow",
    title="The service answers slowly",
    needs=("speed.slow",),
    rivals=(
        "local.lan.congested",
        "transit.access.congested",
        "transit.path.congested",
        "transit.path.throttled",
    ),
    assess=assess,
    reply=(
        "Your measurement shows that your line and the way to us are quick, and that our service itself takes long to "
        "answer. Please leave everything as it is: we are looking into what our service waits for."
    ),
)
