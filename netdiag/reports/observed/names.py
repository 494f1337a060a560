"""What was seen of the target's name, server by server."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from netdiag.facts import Facts, ResolverState, Witness
from netdiag.reports.observed.sight import Sight, sight
from netdiag.reports.words import listing

_OUTCOME = {
    "nxdomain": ("says", "say", "that the name does not exist (NXDOMAIN)"),
    "nodata": ("knows", "know", "the name, and no address of it"),
    "servfail": ("fails", "fail", "to find out (SERVFAIL)"),
    "refused": ("declines", "decline", "to answer (REFUSED)"),
    "other_rcode": ("answers", "answer", "with an error"),
    "silent": ("gives", "give", "no answer"),
    "unreachable": ("cannot", "cannot", "be reached"),
    "lame": ("does", "do", "not serve the zone"),
}
"""Verb for one, verb for many, and the rest."""

_RESOLVER_PLACE = {"own": "this machine", "lan": "on the local network", "private": "a private address", "outside": ""}


class _Server(NamedTuple):
    """One name server for a sentence that several share: what it is, and what it says, for one and for many."""

    kind: "_Kind"
    name: str
    says: str
    say: str
    witnesses: tuple[Witness, ...]


def of_names(facts: Facts) -> Iterator[Sight]:
    names = facts.names
    if names.needed.value is False:
        return
    if names.system_resolves.value is False:
        yield sight("Programs on this machine cannot resolve the name.", names.system_resolves)
    yield from _servers(facts)
    if names.delegated.value is False:
        yield sight("The zone above it says that the name's zone does not exist.", names.delegated)
    if names.parents_answer.value is False:
        yield sight("No root or top-level name server answered this machine.", names.parents_answer)
    if names.answer_is_private.value is True:
        yield sight("A configured resolver gives a private address for this public name.", names.answer_is_private)
    if names.configured_lies.value:
        yield sight(
            f"Only the configured resolvers give {listing(names.configured_lies.value)};"
            " others give different addresses.",
            names.configured_lies,
        )
    if names.canary_answered.value is True:
        yield sight(
            "A DNS question to an address where no server can be was answered: something on the way answers DNS.",
            names.canary_answered,
        )


def _servers(facts: Facts) -> Iterator[Sight]:
    """One sentence for all name servers that say the same."""
    groups: dict[str, list[_Server]] = {}
    for one in (*map(_of_resolver, facts.names.resolvers.value or ()), *_authorities(facts)):
        groups.setdefault(one.says, []).append(one)
    total = Counter(one.kind for group in groups.values() for one in group)
    for group in groups.values():
        named = {kind: [one.name for one in group if one.kind == kind] for kind in _KINDS}
        who = listing(_together(kind, names, total[kind]) for kind, names in named.items() if names)
        if not named["configured"]:
            who = who.replace("public ones", "public resolvers")
        says = group[0].says if len(group) == 1 else group[0].say
        yield Sight(
            says=f"{who[:1].upper()}{who[1:]} {says}.",
            witnesses=tuple(witness for one in group for witness in one.witnesses),
        )


_Kind = Literal["configured", "public", "own"]
_KINDS: dict[_Kind, tuple[str, str]] = {
    "configured": ("the configured resolver", "the configured resolvers"),
    "public": ("the public resolver", "the public resolvers"),
    "own": ("the zone's own server", "the zone's own servers"),
}


def _together(kind: _Kind, names: Sequence[str], total: int) -> str:
    """Several of a kind by name; by their number where all ``total`` of them say the same."""
    one, many = _KINDS[kind]
    if len(names) == 1:
        return f"{one} {names[0]}"
    if len(names) == total and kind != "configured":
        return f"{total} public ones" if kind == "public" else f"the zone's {total} own servers"
    return f"{many} {listing(names, most=4)}"


def _of_resolver(resolver: ResolverState) -> _Server:
    place = _RESOLVER_PLACE[resolver.place]
    return _Server(
        kind="configured" if resolver.server_class == "configured" else "public",
        name=resolver.server + (f" ({place})" if place else ""),
        says=resolver_says(resolver),
        say=resolver_says(resolver, many=True),
        witnesses=resolver.witnesses,
    )


def _authorities(facts: Facts) -> Iterator[_Server]:
    for server in facts.names.authorities.value or ():
        yield _Server(
            kind="own",
            name=f"{server.server_name} ({server.server})" if server.server_name else server.server,
            says=_said(server.outcome, server.addresses),
            say=_said(server.outcome, server.addresses, many=True),
            witnesses=server.witnesses,
        )


def resolver_says(resolver: ResolverState, *, many: bool = False) -> str:
    it = "they" if many else "it"
    said = []
    if resolver.target is not None:
        said.append(_said(resolver.target, resolver.addresses, many=many))
    if resolver.control is not None and resolver.control != resolver.target:
        said.append(f"for another name {it} {_said(resolver.control, (), many=many)}")
    if resolver.random_answers is True:
        said.append(f"{it} {'give' if many else 'gives'} an address even for a name that cannot exist")
    if resolver.tcp_only:
        said.append(f"{it} {'answer' if many else 'answers'} over TCP only")
    if resolver.extended_errors:
        said.append(f"extended error {listing(str(code) for code in resolver.extended_errors)}")
    return "; ".join(said) or f"{'were' if many else 'was'} not asked for the name"


def _said(outcome: str, addresses: tuple[str, ...], *, many: bool = False) -> str:
    if outcome == "answers":
        return f"{'give' if many else 'gives'} {listing(sorted(addresses)) or 'an address'}"
    one, more, rest = _OUTCOME[outcome]
    return f"{more if many else one} {rest}"
