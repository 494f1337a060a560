"""The names of the routers that answered, by a resolver that this run has already measured."""

from collections.abc import Iterator

from netdiag.evidence.addresses import classify, parse
from netdiag.evidence.bundle import Step
from netdiag.evidence.machine import Interface
from netdiag.evidence.names import Lookup
from netdiag.evidence.transport import HopReply
from netdiag.probes.plan.losses import is_anything_lost
from netdiag.probes.plan.seen import Inputs, Seen, make_step
from netdiag.probes.plan.target import ailing_addresses

MOST_ROUTERS = 12
"""Two walks of a usual length."""

_OWN_BITS = {4: 24, 6: 48}
"""What lies in one such block with an address of this machine may be the customer's own line, whose reverse name may
hold his account: /48 is the most that a site is given (RFC 6177)."""

_NOERROR = 0


def ask_whose_hops(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """Each public router beyond the first hop, once, when all walks have ended and something ails (or ``--deep``)."""
    if not seen.ended(seen.steps("walk", "target")):
        return
    if not (inputs.options.deep or ailing_addresses(inputs, seen) or is_anything_lost(inputs, seen)):
        return
    resolver = _good_resolver(seen)
    if resolver is None:
        return
    for address in _routers(seen)[:MOST_ROUTERS]:
        yield make_step("reverse", "resolver", subject=resolver, address=address)


def _good_resolver(seen: Seen) -> str | None:
    """The first configured one that answered without an error: for a target with a name, or for a control."""
    good = {one.server for _, one in seen.of(Lookup) if one.server_class == "configured" and one.rcode == _NOERROR}
    return next((server for server in seen.resolvers() if server in good), None)


def _routers(seen: Seen) -> list[str]:
    """Public routers in the order in which they answered, none of them on the customer's own line."""
    own = [parse(held.address) for _, one in seen.of(Interface) for held in one.addresses]
    blocks = {(one.version, int(one) >> (one.max_prefixlen - _OWN_BITS[one.version])) for one in own}
    found: dict[str, None] = {}
    for step, reply in seen.of(HopReply, "target"):
        router = reply.replier
        if reply.answer != "icmp" or router is None or reply.ttl == 1 or router == step.address:
            continue
        if classify(router) != "public":
            continue
        address = parse(router)
        if (address.version, int(address) >> (address.max_prefixlen - _OWN_BITS[address.version])) not in blocks:
            found[str(address)] = None
    return list(found)
