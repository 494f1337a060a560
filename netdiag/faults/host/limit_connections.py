"""The vendor limits new connections of one address in a time.

What is broken
    Nothing: more new connections came from this address within a time than a firewall or a load balancer lets through
    (nftables meters, hashlimit, ufw limit, stick tables of HAProxy).

How it shows
    In a rate section (collect --rate-limit, netdiag limits): many requests on one connection pass, and then, of
    connections that are opened and closed one after the other, one is dropped, reset, refused or closed at once.

What looks like it
    A single lost packet, where the refusal is silence: others that began later pass, and then no limit is told. A limit
    on connections at the same time (host.limit.concurrency), where more than the refused one were open. A limit of the
    customer's own router, or of a NAT of the provider's.

What would settle it
    The limiter's own counters; `netdiag limits URL --i-operate-this`, which finds the same rate again and again.

What to tell the customer
    That connections come faster than the service allows, and that keeping one open for several requests avoids it.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes
from netdiag.faults.host._limits import FACTS, met, told


def assess(facts: Facts) -> Finding:
    if met(facts, "connection_rate") is None:
        return opposes("What was refused was no new connection.", *FACTS, witnesses=facts.limits.refusal.witnesses)
    return told(facts, "connection_rate", "new connections in a time", lean=Lean.SUPPORTS, vendors=False)


FAULT = Fault(
    code="host.limit.connections",
    title="The vendor limits new connections in a time",
    needs=("limits.refusal", "limits.kinds"),
    assess=assess,
    reply=(
        "Your measurement found how many new connections in a time are let through to our service. A program that "
        "keeps one connection open and sends its requests over it stays far below that. We are checking whether the "
        "limit fits your use."
    ),
)
