"""What was seen, in plain sentences and without a verdict: for the customer's screen, summary.txt and the ticket."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, TypeVar

import msgspec

from netdiag.evidence.display import sanitize_text
from netdiag.facts import (
    AddressState,
    ConnectState,
    ControlState,
    Fact,
    Facts,
    HttpState,
    ResolverState,
    Share,
    TlsState,
    Walk,
    Witness,
)
from netdiag.facts.machine import LocalRefusal, Proxy
from netdiag.reports.words import alert_words, count, endpoint, icmp_words, listing, lost, span, verify_words

T = TypeVar("T")


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence, and the observations behind it."""

    says: str
    witnesses: tuple[Witness, ...] = ()


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of one part of the way."""

    title: str
    sights: tuple[Sight, ...]


def observed(facts: Facts) -> tuple[Section, ...]:
    """Everything worth a sentence, from the customer's machine outwards. Empty sections are left out."""
    parts = (
        ("This machine", _machine(facts)),
        (f"The name {facts.host}", _names(facts)),
        ("Other hosts, for comparison", _controls(facts)),
        (f"The target {facts.host}, port {facts.port}", _target(facts)),
        ("The path", _path(facts)),
    )
    sections = []
    for title, sights in parts:
        clean = tuple(Sight(says=sanitize_text(one.says), witnesses=one.witnesses) for one in sights)
        if clean:
            sections.append(Section(title=sanitize_text(title), sights=clean))
    return tuple(sections)


def in_brief(facts: Facts) -> tuple[str, ...]:
    """The same in at most seven sentences: what a ticket needs when its attachments are lost."""
    lines = [*_brief_names(facts), *_brief_addresses(facts), *_brief_rest(facts)]
    return tuple(sanitize_text(line) for line in lines[:7])


# --- this machine ------------------------------------------------------------------------------------------------


def _machine(facts: Facts) -> Iterator[Sight]:
    own = facts.machine
    if own.link_up.value is False:
        yield _sight("No network link of this machine is up.", own.link_up)
    yield from _routes(facts)
    yield from _gateway(facts)
    if own.beyond_gateway_answers.value is False:
        yield _sight("Nothing beyond the gateway answered.", own.beyond_gateway_answers)
    if own.target_by_tunnel.value is True:
        yield _sight("Packets to the target go through a tunnel (VPN) of this machine.", own.target_by_tunnel)
    if own.local_refusal.value is not None:
        yield _sight(_refusal(own.local_refusal.value), own.local_refusal)
    elif own.target_leaves.value is True and facts.target.works.value is not True:
        yield _sight("Packets to the target's port leave this machine.", own.target_leaves)
    for family, egress in ((4, own.egress4), (6, own.egress6)):
        if egress.value is not None and egress.value.target != egress.value.control:
            yield _sight(
                f"A packet that may travel one hop only (IPv{family}): towards the target"
                f" {_EGRESS[egress.value.target]}, towards another host {_EGRESS[egress.value.control]}.",
                egress,
            )
        if egress.value is not None and egress.value.udp_denied is True:
            yield _sight(f"The kernel refused to send UDP to the target (IPv{family}).", egress)
    if own.lan_loss.value is not None and own.lan_loss.value.lost:
        yield _sight(lost(own.lan_loss.value, "probe", "to the gateway"), own.lan_loss)
    yield from _settings(facts)


_EGRESS = {
    "gateway": "it reached the first router",
    "silent": "nothing came back",
    "refused_locally": "this machine refused to send it",
    "reset": "it was reset",
    "accepted": "it was answered",
    None: "it was not tried",
}


def _routes(facts: Facts) -> Iterator[Sight]:
    four, six = facts.machine.default_route4, facts.machine.default_route6
    has = [f"IPv{number}" for number, one in ((4, four), (6, six)) if one.value is True]
    lacks = [f"IPv{number}" for number, one in ((4, four), (6, six)) if one.value is False]
    witnesses = four.witnesses + six.witnesses
    if has:
        none = f", and none for {lacks[0]}" if lacks else ""
        yield Sight(says=f"There is a default route for {' and '.join(has)}{none}.", witnesses=witnesses)
    elif lacks:
        yield Sight(says=f"There is no default route for {' or '.join(lacks)}.", witnesses=witnesses)


def _gateway(facts: Facts) -> Iterator[Sight]:
    own = facts.machine
    known = own.gateways.value or ()
    name = f"The {'gateways' if len(known) > 1 else 'gateway'} {listing(known)}".rstrip()
    many = len(known) > 1
    beyond = own.beyond_gateway_answers
    further = ", and so do hosts beyond" if beyond.value is True else ""
    if own.gateway_neighbour_alive.value is False:
        yield _sight(f"{name} cannot be found on the local network (no hardware address).", own.gateway_neighbour_alive)
    elif own.gateway_answers.value is True:
        witnesses = own.gateway_answers.witnesses + (beyond.witnesses if further else ())
        yield Sight(says=f"{name} {'answer' if many else 'answers'}{further}.", witnesses=witnesses)
        return
    elif own.gateway_answers.value is False:
        yield _sight(f"{name} answered nothing {'themselves' if many else 'itself'}.", own.gateway_answers)
    if further:
        yield _sight("Hosts beyond the gateway answer.", beyond)


def _refusal(refusal: LocalRefusal) -> str:
    number = "" if refusal.errno is None else f" (errno {refusal.errno})"
    return {
        "no_route": f"This machine has no route to the target: its kernel did not send anything{number}.",
        "reject_route": f"A route of this machine forbids sending to the target{number}.",
        "policy": f"This machine's kernel does not permit sending to the target{number}.",
        "own_icmp": f"The connection to the target was answered by an ICMP error of this machine itself{number}.",
        "own_reset": f"The connection to the target was refused at once, before a packet left this machine{number}.",
    }[refusal.how]


def _settings(facts: Facts) -> Iterator[Sight]:
    own = facts.machine
    offset = own.clock_offset_s.value
    if offset is not None and abs(offset) >= 60:
        word = "ahead of" if offset > 0 else "behind"
        yield _sight(f"This machine's clock is {span(abs(offset))} {word} those of other hosts.", own.clock_offset_s)
    elif offset is not None:
        yield _sight("The clock agrees with those of other hosts.", own.clock_offset_s)
    if own.hosts_override.value:
        other = "; DNS gives other addresses" if own.hosts_override_wrong.value is True else ""
        yield _sight(
            f"The hosts file of this machine gives {listing(own.hosts_override.value)} for {facts.host}{other}.",
            own.hosts_override,
        )
    if own.proxy.value is not None:
        yield _sight(_proxy(own.proxy.value), own.proxy)
    if own.nat64_prefix.value is not None:
        yield _sight(f"This line reaches IPv4 hosts by NAT64 ({own.nat64_prefix.value}).", own.nat64_prefix)


def _proxy(proxy: Proxy) -> str:
    parts = []
    if proxy.connects is not None:
        parts.append("it accepts connections" if proxy.connects else "no connection to it works")
    for who, worked, refusal in (
        ("other hosts", proxy.control_ok, proxy.control_refusal),
        ("the target", proxy.target_ok, proxy.refusal),
    ):
        if worked is not None:
            code = f" (the proxy says {refusal})" if refusal is not None and not worked else ""
            parts.append(f"{who} {'answer' if worked and who != 'the target' else 'answers' if worked else _NOT[who]}")
            parts[-1] += f" through it{code}"
    return f"The proxy {proxy.where} is set for the target" + (f": {', '.join(parts)}." if parts else ".")


_NOT = {"other hosts": "do not answer", "the target": "does not answer"}


# --- names -------------------------------------------------------------------------------------------------------

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


def _names(facts: Facts) -> Iterator[Sight]:
    names = facts.names
    if names.needed.value is False:
        return
    if names.system_resolves.value is False:
        yield _sight("Programs on this machine cannot resolve the name.", names.system_resolves)
    yield from _servers(facts)
    if names.delegated.value is False:
        yield _sight("The zone above it says that the name's zone does not exist.", names.delegated)
    if names.parents_answer.value is False:
        yield _sight("No root or top-level name server answered this machine.", names.parents_answer)
    if names.answer_is_private.value is True:
        yield _sight("A configured resolver gives a private address for this public name.", names.answer_is_private)
    if names.configured_lies.value:
        yield _sight(
            f"Only the configured resolvers give {listing(names.configured_lies.value)};"
            " others give different addresses.",
            names.configured_lies,
        )
    if names.canary_answered.value is True:
        yield _sight(
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
        says=_resolver_says(resolver),
        say=_resolver_says(resolver, many=True),
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


def _resolver_says(resolver: ResolverState, *, many: bool = False) -> str:
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


# --- control hosts -----------------------------------------------------------------------------------------------


def _controls(facts: Facts) -> Iterator[Sight]:
    controls = facts.controls
    states = controls.states.value or ()
    good = [state for state in states if state.healthy]
    if good:
        hosts = tuple(dict.fromkeys(state.host for state in good))
        all_of = f"{len(good)} of {len(states)}" if len(good) < len(states) else f"All {len(good)}"
        all_of = {"All 1": "The one", "All 2": "Both"}.get(all_of, all_of)
        connections = "connection" if len(states) == 1 else "connections"
        yield Sight(
            says=f"{all_of} {connections} to {count(len(hosts), 'other host')} worked: {listing(hosts, most=4)}.",
            witnesses=tuple(witness for state in good for witness in state.witnesses),
        )
    alike: dict[str, list[ControlState]] = {}
    for state in states:
        if not state.healthy:
            alike.setdefault(_control_layers(state), []).append(state)
    for how, group in alike.items():
        yield Sight(
            says=f"{listing(map(_control_name, group), most=4)}: {how}.",
            witnesses=tuple(witness for state in group for witness in state.witnesses),
        )
    if controls.portal.value is not None:
        where = "replaced" if controls.portal.value == "page" else f"redirected to {controls.portal.value}"
        yield _sight(f"Connectivity-check pages came back {where}.", controls.portal)
    if controls.intercepting_issuer.value is not None:
        yield _sight(
            f"Unrelated hosts present certificates of one issuer that browsers do not know:"
            f" {controls.intercepting_issuer.value}.",
            controls.intercepting_issuer,
        )
    if controls.port_443_fails.value is True:
        yield _sight("No other host could be reached on port 443, while other ports work.", controls.port_443_fails)
    if controls.loss.value is not None and controls.loss.value.lost:
        yield _sight(lost(controls.loss.value, "packet", "to other hosts"), controls.loss)


def _control_name(state: ControlState) -> str:
    place = endpoint(state.address, state.port)
    return place if state.host == state.address else f"{state.host} ({place})"


def _control_layers(state: ControlState) -> str:
    said = [_connect(state.connect, timed=False)]
    if state.tls is not None:
        said.append(_tls(state.tls))
    if state.page == "redirected":
        said.append("the check page was redirected")
    elif state.page == "other":
        said.append("the check page was another than it should be")
    elif state.http_status is not None:
        said.append(f"HTTP {state.http_status}")
    return "; ".join(said)


# --- the target --------------------------------------------------------------------------------------------------


def _target(facts: Facts) -> Iterator[Sight]:
    for how, states in _alike(facts.target.addresses.value or ()):
        yield Sight(
            says=f"{listing(state.address for state in states)}: {how}",
            witnesses=tuple(witness for state in states for witness in state.witnesses),
        )
    loss = facts.target.loss
    if loss.value is not None and loss.value.lost:
        yield _sight(lost(loss.value, "packet", "to the target"), loss)
    resent = facts.target.retransmits
    if resent.value is not None and resent.value.lost:
        yield _sight(
            f"{resent.value.lost:,} of {count(resent.value.sent, 'data segment')} to the target had to be sent again.",
            resent,
        )


def _alike(states: Iterable[AddressState]) -> Iterable[tuple[str, list[AddressState]]]:
    """Addresses that behave alike but for the time it took, with how they behave."""
    groups: dict[str, list[AddressState]] = {}
    for state in states:
        groups.setdefault(_how(state, timed=False), []).append(state)
    return [(_how(group[0]), group) for group in groups.values()]


def _how(state: AddressState, *, timed: bool = True) -> str:
    said = [_connect(state.connect, timed=timed)] if state.connect is not None else ["not measured"]
    if state.tls is not None:
        said.append(_tls(state.tls))
    if state.http is not None:
        said.append(_http(state.http))
    line = f"{'; '.join(said)}."
    if state.genuine is False:
        line += " It is not an address of the vendor."
    if state.echo is not None and state.echo.sent:
        line += f" {_echo(state.echo)}"
    if state.answers_otherwise is True and (state.connect is None or state.connect.how != "open"):
        line += " The address does answer on another port or protocol."
    return line


def _echo(share: Share) -> str:
    if share.lost == share.sent:
        return f"None of {count(share.sent, 'ping')} was answered." if share.sent > 1 else "A ping was not answered."
    return f"{share.sent - share.lost} of {count(share.sent, 'ping')} answered."


_SENDER = {
    "self": "this machine itself",
    "gateway": "the gateway",
    "private": "a private address",
    "shared": "a carrier-grade NAT address",
    "path": "a router on the way",
    "vendor": "a router of the vendor",
    "target": "the target itself",
}


def _connect(state: ConnectState, *, timed: bool = True) -> str:
    """``timed`` False: without how long it was tried, so that hosts which differ in nothing else are told together."""
    if state.how == "open":
        words = "connected"
        if state.worked < state.attempts:
            words += f" in {state.worked} of {state.attempts} attempts"
        if state.syn_lost:
            words += f" ({count(state.syn_lost, 'first packet')} sent again)"
        return words
    words = {
        "refused": "connection refused (TCP reset)",
        "silent": "no answer to the connection attempt",
        "local": "this machine did not send" + ("" if state.errno is None else f" (errno {state.errno})"),
        "reset": "connection broken off (TCP reset)",
        "icmp": "connection rejected by an ICMP error",
    }[state.how]
    if state.icmp is not None:
        words = f"connection rejected: {icmp_words(state.icmp)} from {state.icmp.sender}"
        if state.sender_place is not None:
            words += f", {_SENDER[state.sender_place]}"
    if state.attempts > 1:
        within = f" in {span(round(state.span_ms / 1000))}" if timed and state.span_ms >= 1000 else ""
        if state.how == "silent":
            return f"no answer to {state.attempts} connection attempts{within}"
        words += f", {state.attempts} attempts{within}"
    return words


def _tls(state: TlsState) -> str:
    if state.how == "untrusted":
        words = "the certificate was not accepted"
        if state.verify_code:
            words += f": {verify_words(state.verify_code)}"
        if state.issuer:
            words += f", issued by {state.issuer}"
        return words
    if state.how == "alert" and state.alert is not None:
        return f"TLS ended by the other side with {alert_words(state.alert)}"
    if state.how == "silent":
        return "no answer to TLS" + (" (the hello did arrive)" if state.acked is True else "")
    return {
        "ok": "encryption (TLS) good",
        "alert": "TLS ended by the other side with an alert",
        "reset": "TLS reset",
        "closed": "closed during TLS",
        "not_tls": "the answer was not TLS",
        "failed": "TLS failed",
    }[state.how]


def _http(state: HttpState) -> str:
    if state.how == "silent":
        return "no answer to HTTP" + (" (the request did arrive)" if state.acked is True else "")
    if state.how != "answered":
        return {"reset": "HTTP reset", "closed": "closed without an answer to HTTP", "failed": "HTTP failed"}[state.how]
    words = f"HTTP {state.status}"
    if state.location_host:
        words += f" redirecting to {state.location_host}"
    if state.retry_after_s is not None:
        words += f", to try again after {span(state.retry_after_s)}"
    if state.challenge:
        words += ", a challenge page"
    if state.product:
        words += f" (page of {state.product})"
    if state.other_agent_status is not None:
        other = "too" if state.other_agent_status == state.status else f"HTTP {state.other_agent_status}"
        words += f" (with another User-Agent, {other})"
    return words


# --- the path ----------------------------------------------------------------------------------------------------

_HOP = {
    "gateway": "the gateway",
    "private": "a private address",
    "shared": "a carrier-grade NAT address",
    "public": "",
    "vendor": "the vendor's",
    "target": "the target",
}


def _path(facts: Facts) -> Iterator[Sight]:
    path = facts.path
    first = [walk for walk in (path.target4.value, path.target6.value) if walk is not None]
    groups: dict[tuple[str, str], list[Walk]] = {}
    for walk in (*first, *(path.others.value or ()), *(path.controls.value or ())):
        groups.setdefault((walk.role, _walk_end(walk)), []).append(walk)
    for (_, end), walks in groups.items():
        yield Sight(
            says=f"{_walks(walks)}: {end}.", witnesses=tuple(witness for walk in walks for witness in walk.witnesses)
        )
    if path.first_hop_only.value is True:
        yield _sight("No walk saw a router beyond the first.", path.first_hop_only)
    if path.proxy_in_path.value is True:
        yield _sight("Something nearer than the target answers for its port.", path.proxy_in_path)
    if path.hop_loss_persists.value is not None and path.hop_loss_persists.value.lost:
        yield _sight(
            lost(path.hop_loss_persists.value, "probe", "from some router on to the end"), path.hop_loss_persists
        )


def _walks(walks: Sequence[Walk]) -> str:
    """``To 192.0.2.1 over TCP (port 443)``; several walks that ended alike share the words."""
    ways: dict[tuple[str, ...], list[str]] = {}
    for address, host in {walk.address: walk.host for walk in walks}.items():
        over = tuple(dict.fromkeys(_over(walk) for walk in walks if walk.address == address))
        ways.setdefault(over, []).append(
            f"{address} ({host})" if walks[0].role == "control" and host != address else address
        )
    return "To " + "; to ".join(f"{listing(to)} over {listing(over)}" for over, to in ways.items())


def _over(walk: Walk) -> str:
    return f"TCP (port {walk.port})" if walk.protocol == "tcp" else walk.protocol.upper()


def _walk_end(walk: Walk) -> str:
    at = "" if walk.end_ttl is None else f" at hop {walk.end_ttl}"
    if walk.end == "open":
        return f"arrived{at}"
    if walk.end == "refused":
        return f"arrived{at} and was refused"
    if walk.end == "icmp" and walk.end_icmp is not None:
        return f"ended{at} with {icmp_words(walk.end_icmp)} from {walk.end_icmp.sender}"
    if walk.end == "loop":
        return f"goes round in a circle{at}"
    if walk.end == "local":
        return "this machine did not send"
    if walk.last_seen == 0:
        return "no router answered"
    where = walk.last_seen_address or ""
    place = _HOP[walk.last_seen_place] if walk.last_seen_place else ""
    seen = ", ".join(word for word in (where, place) if word)
    words = f"routers answered up to hop {walk.last_seen}" + (f" ({seen})" if seen else "")
    return words + (f", nothing came from hop {walk.first_missing} on" if walk.first_missing is not None else "")


# --- in brief ----------------------------------------------------------------------------------------------------


def _brief_names(facts: Facts) -> Iterator[str]:
    names = facts.names
    if names.needed.value is False:
        return
    if names.configured_resolve.value is False or names.system_resolves.value is False:
        said = [
            f"{one.server} {_resolver_says(one)}"
            for one in names.resolvers.value or ()
            if one.server_class == "configured"
        ]
        yield f"{facts.host} is not resolved" + (f": {'; '.join(said[:2])}." if said else ".")


def _brief_addresses(facts: Facts) -> Iterator[str]:
    """Two ways of behaving at most, those that do not work first."""
    states = sorted(facts.target.addresses.value or (), key=lambda state: state.works is True)
    groups = list(_alike(states))
    for how, alike in groups[:2]:
        yield f"{listing(state.address for state in alike)}, port {facts.port}: {how}"
    if len(groups) > 2:
        works = sum(state.works is True for state in states)
        fail = sum(state.works is False for state in states)
        yield f"Of {len(states)} addresses of the target {works} worked and {fail} failed."


def _brief_rest(facts: Facts) -> Iterator[str]:
    if facts.machine.local_refusal.value is not None:
        yield _refusal(facts.machine.local_refusal.value)
    for walk in (facts.path.target4.value, facts.path.target6.value):
        if walk is not None and walk.end not in {"open", "local"}:
            yield f"{_walks([walk])}: {_walk_end(walk)}."
    states = facts.controls.states.value
    if states:
        good = sum(state.healthy for state in states)
        yield f"{good} of {count(len(states), 'connection')} to other hosts worked."
    if facts.machine.proxy.value is not None:
        yield _proxy(facts.machine.proxy.value)


def _sight(says: str, fact: Fact[T]) -> Sight:
    return Sight(says=says, witnesses=fact.witnesses)
