"""What the six faults of resolvers share: which configured resolver is in what trouble, and whose it would be.

The target alone never convicts a resolver: only one that fails for control names, too, is in trouble. A forwarder (a
stub on this machine, a home router) hands on what it gets from a server that is not seen here, so its failures are
undecided between the customer and the provider (design.md, Sides).
"""

from typing import Literal

from netdiag.facts import Facts, ResolverState
from netdiag.facts.places import classify
from netdiag.faults.base import Finding, opposes, silent
from netdiag.faults.reading import customers_own, in_lan, names_work

Trouble = Literal["fine", "dead", "refusing", "unknown"]
Owner = Literal["customer", "provider", "either"]
Broken = tuple[ResolverState, Owner]

FACTS = ("names.resolvers", "names.configured_resolve", "names.system_resolves")


def configured(facts: Facts) -> tuple[ResolverState, ...]:
    """The resolvers that the machine is set to use."""
    return tuple(one for one in facts.names.resolvers.value or () if one.server_class == "configured")


def trouble(resolver: ResolverState) -> Trouble:
    """Judged by a control name, so that the target's own zone cannot be the cause. A closed port needs no name."""
    if resolver.control == "answers":
        return "fine"
    if resolver.control in {"silent", "unreachable"} or (resolver.control is None and resolver.target == "unreachable"):
        return "dead"
    return "refusing" if resolver.control in {"refused", "servfail"} else "unknown"


def forwards(facts: Facts, resolver: ResolverState) -> bool:
    """It may hand questions on to a server that is not seen: a stub on this machine, or the gateway's forwarder. A
    gateway has IPv6 addresses that the route table does not name, so an IPv6 server of the LAN may be the gateway."""
    gateways = facts.machine.gateways.value
    return resolver.place == "own" or ":" in resolver.server or gateways is None or resolver.server in gateways


def owner(facts: Facts, resolver: ResolverState) -> Owner:
    """Whose server it is, leaving aside what stands behind a forwarder."""
    if resolver.place in {"own", "lan"}:
        return "customer"
    if resolver.place == "outside" or classify(resolver.server) == "shared":
        return "provider"
    return "customer" if customers_own(facts, resolver.server) else "either"


def broken(facts: Facts, kind: Literal["dead", "refusing"]) -> tuple[Broken, ...] | Finding:
    """The configured resolvers that are in this trouble and whose trouble it is, or why none can be what fails."""
    excuse = names_work(facts)
    if excuse is not None:
        return excuse
    resolvers = configured(facts)
    if not resolvers:
        return silent("No configured resolver was asked.", "names.resolvers")
    for one in resolvers:
        if trouble(one) == "fine":
            return opposes(
                f"The configured resolver {one.server} answers for other names.", *FACTS, witnesses=one.witnesses
            )
    if all(trouble(one) == "unknown" for one in resolvers):
        return silent("Whether the configured resolvers answer for other names is not known.", "names.resolvers")
    return tuple((one, blame(facts, one)) for one in resolvers if trouble(one) == kind)


def blame(facts: Facts, resolver: ResolverState) -> Owner:
    """Whose trouble it is. A port that refuses is the server's own; silence and a SERVFAIL may come from behind it."""
    own = owner(facts, resolver)
    shut = "unreachable" in (resolver.control, resolver.target)
    if own != "customer" or shut:
        return own
    handed_on = forwards(facts, resolver) or resolver.control == "servfail"
    return "either" if handed_on else "customer"


def liars(facts: Facts) -> tuple[Broken, ...] | Finding:
    """The configured resolvers that give addresses which are not the vendor's, and whose they are."""
    excuse, lies = names_work(facts), facts.names.configured_lies
    if excuse is not None:
        return excuse
    if not lies.known:
        return silent("The answers of the configured resolvers could not be compared.", "names.configured_lies")
    if not lies.value:
        return opposes("The configured resolvers give no false address.", "names.configured_lies")
    if any(state.works is True for state in facts.target.addresses.value or () if state.address in lies.value):
        return opposes("The target works at the address that the configured resolvers give.", "target.addresses")
    if facts.machine.hosts_override.value:
        return silent("The hosts file decides the target's address, before any resolver.", "machine.hosts_override")
    inside = all(in_lan(facts, lie) for lie in lies.value)
    found: list[Broken] = []
    for one in configured(facts):
        if set(one.addresses) & set(lies.value):
            own = owner(facts, one)
            if inside:  # an address of the customer's own LAN: nobody outside would know it
                own = "customer" if own == "customer" else "either"
            elif own == "customer" and forwards(facts, one):
                own = "either"
            found.append((one, own))
    return tuple(found) or silent("Which configured resolver gave the false address is not known.", "names.resolvers")


def true_address_fails(facts: Facts) -> bool:
    """Addresses of the target that are not false fail, too, and none works: the name is not the only fault."""
    lies = facts.names.configured_lies.value or ()
    true = [one for one in facts.target.addresses.value or () if one.genuine is not False and one.address not in lies]
    return any(one.works is False for one in true) and not any(one.works is True for one in true)


def servers(found: tuple[Broken, ...]) -> str:
    """``192.0.2.53 and 192.0.2.54``."""
    return " and ".join(resolver.server for resolver, _ in found)


def dns_passes(facts: Facts) -> bool:
    """Somebody outside answered DNS for this machine, so port 53 is open."""
    public = (one for one in facts.names.resolvers.value or () if one.server_class == "public")
    return facts.names.parents_answer.value is True or any(one.control == "answers" for one in public)
