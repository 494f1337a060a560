"""What answers where nobody is: a transparent proxy, an intercepted DNS."""

from collections.abc import Iterator

from netdiag.evidence.bundle import Step
from netdiag.evidence.names import Lookup
from netdiag.evidence.tls import Handshake
from netdiag.evidence.transport import Connect, HopReply
from netdiag.evidence.web import Exchange
from netdiag.probes.plan.in_flow import NEUTRAL_NAME
from netdiag.probes.plan.seen import Inputs, Seen, make_step, stays_here

NOBODY = {4: "192.0.2.1", 6: "2001:db8::1"}
"""Documentation space, which nobody may use or route (RFC 5737, RFC 3849). That a router says so is normal."""

NO_NAME_SERVER = "192.0.2.53"

_DNS = 53


def ask_where_nobody_is(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """Where something ails, or was answered nearer than it can be, or with ``--deep``: a connection to the service's
    port, over each family that is routed, and a question for a name that is nobody's. Nothing leaves the network of a
    private target."""
    if stays_here(inputs.target) or inputs.target.private:
        return
    if not (inputs.options.deep or _ails(seen) or _is_answered_at_once(seen)):
        return
    for family in sorted(seen.routed_families()):
        params = {"ask": "connection"}
        yield make_step("canary", "machine", address=NOBODY[family], port=inputs.target.port, params=params)
        if family == 4:
            params = {"ask": "name", "name": NEUTRAL_NAME}
            yield make_step("canary", "machine", address=NO_NAME_SERVER, port=_DNS, params=params)


def _ails(seen: Seen) -> bool:
    """Anything failed at the target, or a configured name server kept silent about it."""
    failed = any(
        one.failure is not None for kind in (Connect, Handshake, Exchange) for _, one in seen.of(kind, "target")
    )
    return failed or any(
        lookup.failure is not None
        for step, lookup in seen.of(Lookup)
        if lookup.server_class == "configured" and step.params.get("use") == "target"
    )


def _is_answered_at_once(seen: Seen) -> bool:
    return any(one.answer == "syn_ack" and one.ttl == 1 for _, one in seen.of(HopReply, "target"))
