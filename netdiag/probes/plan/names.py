"""Which name servers are asked for what."""

import hashlib
from collections.abc import Iterator

from netdiag.evidence.addresses import family_of, is_public
from netdiag.evidence.bundle import Step, Target
from netdiag.evidence.names import Lookup
from netdiag.probes.plan.seen import Inputs, Seen, make_step

RESOLVERS_ASKED = 3
"""glibc asks at most three (MAXNS, resolv.h): what comes later in resolv.conf is never used."""


def ask_names(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """The target's name at every configured resolver, beside a control name; then outside, where that is allowed."""
    target = inputs.target
    configured = seen.resolvers()[:RESOLVERS_ASKED]
    for server in configured:
        if not target.is_literal:
            yield dns_step(server, "configured", target.host, "target")
    for server in configured if named_controls(inputs) else ():
        # The first resolver finds all controls; the others show with one name that they answer at all.
        wanted = named_controls(inputs) if server == configured[0] else named_controls(inputs)[:1]
        yield from (dns_step(server, "configured", name, "control") for name in wanted)
    if configured and not (target.is_literal and target.private):
        yield make_step("nat64", "resolver", subject=configured[0])
    if target.is_literal or target.private or not outside_may_know(inputs, seen):
        return
    for server in reachable_resolvers(inputs, seen):
        yield dns_step(server, "public", target.host, "target")
    yield make_step("delegation", "resolver", subject=target.host)
    answering = {one.server for _, one in seen.of(Lookup) if one.rcode is not None}
    for server in configured[:2]:
        if server in answering:  # who says nothing invents nothing
            yield dns_step(server, "configured", random_name(target), "random")


def ask_outside_for_controls(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """The controls' names at one outside resolver, when no configured one knows them."""
    if inputs.target.private:
        return
    asked = seen.steps("dns", "resolver", use="control")
    own_ended = seen.ended(asked) or (seen.ended(seen.steps("machine")) and not seen.resolvers())
    if own_ended and not any(lookup.answers for step, lookup in seen.of(Lookup) if step.params.get("use") == "control"):
        for server in reachable_resolvers(inputs, seen)[:1]:
            yield from (dns_step(server, "public", name, "control") for name in named_controls(inputs))


def ask_names_again(inputs: Inputs, seen: Seen) -> Iterator[Step]:
    """The configured resolvers that gave no address for the target, once more at the end: persistence."""
    for step in seen.steps("dns", "resolver", use="target"):
        if step.params["class"] == "configured" and step.round == 1:
            lookups = [one for made_by, one in seen.of(Lookup) if made_by.id == step.id]
            if not any(one.answers for one in lookups):
                yield dns_step(step.subject, "configured", inputs.target.host, "target", again=True)


def dns_step(server: str, server_class: str, name: str, use: str, *, again: bool = False) -> Step:
    """One name at one server."""
    params = {"class": server_class, "name": name, "use": use}
    return make_step("dns", "resolver", subject=server, again=again, params=params)


def named_controls(inputs: Inputs) -> list[str]:
    """Hosts of the controls that must be resolved first."""
    return list(dict.fromkeys(control.host for control in inputs.controls if not control.addresses))


def random_name(target: Target) -> str:
    """A name that nobody has, under the target's top-level domain: who answers it with an address, invents.

    Derived from the target, so that the plan stays a pure function; 64 bits make a real name of that sort
    practically impossible.
    """
    digest = hashlib.sha256(f"netdiag {target.host}".encode()).hexdigest()[:16]
    return f"nx-{digest}.{target.host.rsplit('.', 1)[-1]}"


def outside_may_know(inputs: Inputs, seen: Seen) -> bool:
    """Outside resolvers are asked once an own one has given an address, and all that are given are public; or once no
    own one has anything to say any more (design.md, Private names stay private)."""
    own = [one for step, one in seen.of(Lookup) if step.params.get("use") == "target"]
    addresses = [record.data for one in own for record in one.answers if record.rrtype in {"A", "AAAA"}]
    if not addresses:
        asked = seen.steps("dns", "resolver", use="target", **{"class": "configured"})
        return seen.ended(asked) or (seen.ended(seen.steps("machine")) and not seen.resolvers())
    return inputs.consented or all(is_public(address) for address in addresses)


def reachable_resolvers(inputs: Inputs, seen: Seen) -> list[str]:
    """The public resolvers of one family: IPv4, unless only IPv6 has a default route."""
    family = 6 if seen.routed_families() == {6} else 4
    return [server for server in inputs.public_resolvers if family_of(server) == family]
