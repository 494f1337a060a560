"""The vendor limits how many connections or requests one address may have at the same time.

What is broken
    Nothing: this address, or all who share it, had more connections open, or requests under way, at the same time than
    the service allows (connlimit, ct count, limit_conn of nginx, conn_cur of HAProxy, inFlightReq of Traefik).

How it shows
    In a rate section (collect --rate-limit, netdiag limits): connections that are closed again pass, and of connections
    that are held one too many is refused; when the others are let go, one passes again.

What looks like it
    A limit on new connections in a time (host.limit.connections), until one passes again after the others were let go.
    A limit of the customer's own router, or of a NAT of the provider's.

What would settle it
    The limiter's own counters; `netdiag limits URL --i-operate-this`, which lets go of what it held and tries again.

What to tell the customer
    That too many connections were open at the same time, and that fewer at once avoid it.
"""

from netdiag.facts import Facts
from netdiag.faults.base import Fault, Finding, Lean, opposes
from netdiag.faults.host._limits import FACTS, met, told


def assess(facts: Facts) -> Finding:
    if met(facts, "concurrency") is None:
        return opposes("Nothing was refused while others were held.", *FACTS, witnesses=facts.limits.refusal.witnesses)
    return told(facts, "concurrency", "connections at the same time", lean=Lean.SUPPORTS, vendors=False)


FAULT = Fault(
    code="host.limit.concurrency",
    title="The vendor limits connections at the same time",
    needs=("limits.refusal", "limits.kinds"),
    assess=assess,
    reply=(
        "Your measurement found how many connections at the same time are let through to our service. A program that "
        "opens fewer at once, and closes those that it no longer needs, stays below that. We are checking whether the "
        "limit fits your use."
    ),
)
