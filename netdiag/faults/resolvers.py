"""What the six faults of resolvers share: which configured resolver is in what trouble, and whose it would be.

The target alone never convicts a resolver: only one that fails for control names, too, is in trouble. A forwarder (a
stub on this machine, a home router) hands on what it gets from a server that is not seen here, so its failures are
undecided between the customer and the provider (design.md, Sides).
"""

from typing import Literal

from netdiag.facts import Facts, ResolverState
from netdiag.facts.places import classify, is_special
from netdiag.faults.base import CONTROL_RUN, Finding, Lean, opposes, silent
from netdiag.faults.reading import customers_own, in_lan, names_work, outside_answers

Trouble = Literal["fine", "dead", "refusing", "unknown"]
Owner = Literal["customer", "provider", "either"]
Broken = tuple[ResolverState, Owner]

GIVEN = ("names.configured_resolve", "names.system_resolves")
NAME_MISMATCH = (62, 64)  # OpenSSL: the certificate is for another name, or another address
FACTS = ("names.resolvers", "names.configured_resolve", "names.system_resolves")
OUTSIDE = ("machine.beyond_gateway_answers", "controls.all_failed", "names.parents_answer")


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
    gateway has IPv6 addresses that the route table does not name, so an IPv6 server of the LAN may be the gateway, and
    so may any while no gateway is known."""
    gateways = [one for one in facts.machine.gateways.value or () if ":" not in one]
    return resolver.place == "own" or ":" in resolver.server or not gateways or resolver.server in gateways


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


def closed(resolver: ResolverState) -> bool:
    """The server itself refuses questions, over whatever transport it was asked: nothing listens there. A refusal that
    somebody else sends, or an accepted connection, says nothing of the kind."""
    itself = resolver.server in resolver.refused_by or (resolver.place == "own" and bool(resolver.refused_by))
    return itself and not resolver.accepts and "unreachable" in (resolver.control, resolver.target)


def blame(facts: Facts, resolver: ResolverState) -> Owner:
    """Whose trouble it is. A port that is closed is the server's own; silence and a SERVFAIL may come from behind it,
    and a refusal by somebody else is of whoever stands there."""
    own = owner(facts, resolver)
    if own != "customer" or closed(resolver):
        return own
    if "unreachable" in (resolver.control, resolver.target):
        mine = set(facts.machine.own_addresses.value or ())  # it does not even answer address resolution in the LAN
        return "customer" if resolver.refused_by and mine >= set(resolver.refused_by) else "either"
    handed_on = forwards(facts, resolver) or resolver.control == "servfail"
    return "either" if handed_on else "customer"


def nothing_outside(facts: Facts) -> Finding | None:
    """Why no resolver can be convicted: no host beyond the gateway is known to answer, so that whatever asks there is
    left without a reply, and names are not what fails first. Routers on the way are no hosts."""
    if dns_passes(facts) or facts.target.works_somewhere.value or facts.target.works.value:
        return None
    if facts.machine.beyond_gateway_answers.value is False or facts.controls.all_failed.value is True:
        return silent("No host beyond the gateway answers either, so resolvers have nobody to ask.", *OUTSIDE)
    if outside_answers(facts):
        return None
    return silent("Whether anything beyond the gateway answers was not measured.", *OUTSIDE)


def liars(facts: Facts) -> tuple[Broken, ...] | Finding:
    """The configured resolvers that give addresses which are not the vendor's, or deny a name which independent
    servers have, and whose they are."""
    excuse, lies = names_work(facts), facts.names.configured_lies.value
    if excuse is not None and not (excuse.facts[0] in GIVEN and uncompared(facts)):
        return excuse
    if any(state.works is True for state in facts.target.addresses.value or () if state.address in (lies or ())):
        return opposes("The target works at the address that the configured resolvers give.", "target.addresses")
    if facts.machine.hosts_override.value:
        return silent("The hosts file decides the target's address, before any resolver.", "machine.hosts_override")
    if lies:
        inside = all(in_lan(facts, lie) for lie in lies)
        found = [one for one in configured(facts) if set(one.addresses) & set(lies)]
    elif suspect_addresses(facts):
        inside, found = False, [one for one in configured(facts) if set(one.addresses) & set(suspect_addresses(facts))]
    elif facts.names.configured_resolve.value is False and facts.names.independent_resolve.value is True:
        inside, found = False, [one for one in configured(facts) if denies(one)]
    elif facts.names.configured_resolve.value is False and facts.names.independent_resolve.value is False:
        return opposes("Independent servers do not give an address either.", "names.independent_resolve")
    else:
        return Finding(
            lean=Lean.SILENT,
            because="The answers of the configured resolvers could not be compared with independent ones.",
            facts=("names.configured_lies",),
            settle_next=None if facts.agent.runs.known else CONTROL_RUN,
        )
    if not found:
        return silent("No configured resolver is seen to give a false answer.", "names.resolvers")
    return tuple((one, liar_is(facts, one, inside=inside)) for one in found)


def uncompared(facts: Facts) -> bool:
    """The target fails at the addresses that configured resolvers give, and nobody else is known to give them: that
    they resolve the name says nothing of whether they lie."""
    states = facts.target.addresses.value or ()
    failing = [state for state in states if state.works is False]
    untold = facts.names.configured_resolve.value is True and not facts.names.true_addresses.known
    return untold and bool(failing) and not any(state.genuine is True or state.works is True for state in states)


def suspect_addresses(facts: Facts) -> tuple[str, ...]:
    """Addresses of configured resolvers that nothing independent could be held against, and that do not look like the
    vendor's: special space for a public name, or another name's certificate, or no TLS."""
    if facts.names.true_addresses.known or facts.private_target:
        return ()
    given = {address for one in configured(facts) for address in one.addresses}
    strange = {address for address in given if facts.names.answer_is_private.value and is_special(address)}
    strange |= {
        state.address
        for state in facts.target.addresses.value or ()
        if state.genuine is not True and state.works is False and state.tls is not None
        and (state.tls.how == "not_tls" or state.tls.verify_code in NAME_MISMATCH)
    } & given  # fmt: skip
    working = {state.address for state in facts.target.addresses.value or () if state.works is True}
    return tuple(sorted(strange - working))


def compared(facts: Facts) -> bool:
    """Something independent says what is true: the customer's own measurement, or a run of the agent that works."""
    known = facts.names.true_addresses.known or facts.names.independent_resolve.value is True
    return known or (bool(facts.names.configured_lies.value) and facts.names.known_elsewhere.value is True)


def denies(resolver: ResolverState) -> bool:
    """It answers other names, and says of the target's that it does not exist or has no address."""
    return resolver.control == "answers" and resolver.target in {"nxdomain", "nodata"}


def liar_is(facts: Facts, resolver: ResolverState, *, inside: bool) -> Owner:
    """Whose lie it is. A forwarder hands on its upstream's; an address of the LAN is known in the LAN alone."""
    own = owner(facts, resolver)
    if facts.names.intercepted.value is True or facts.names.canary_answered.value is True:
        return "either"  # whoever answers in the place of other servers may have answered in this one's, too
    if inside:
        return "customer" if own == "customer" else "either"
    return "either" if own == "customer" and forwards(facts, resolver) else own


def lie_words(facts: Facts, found: tuple[Broken, ...]) -> str:
    """What they say, beside what is true."""
    lies, true = facts.names.configured_lies.value or suspect_addresses(facts), facts.names.true_addresses.value or ()
    says = f"gives {', '.join(lies)} for {facts.host}" if lies else f"says that {facts.host} does not exist"
    hints = sorted({code for one, _ in found for code in one.extended_errors})
    extended = f" (extended error {', '.join(map(str, hints))})" if hints else ""
    if not compared(facts):
        forged = facts.names.intercepted.value is True or facts.names.canary_answered.value is True
        why = (
            "somebody on this line answers for other servers, too" if forged else "no independent server could be asked"
        )
        return f"The resolver {servers(found)} {says}{extended}, which does not look like the vendor's; {why}."
    others = f"give {', '.join(true)}" if true else "give others"
    return (
        f"The resolver {servers(found)} {says}{extended}, while the vendor's own name servers or independent resolvers "
        f"{others}."
    )


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
