"""What was seen of this machine and its gateway."""

from collections.abc import Iterator

from netdiag.facts import Facts
from netdiag.facts.machine import LocalRefusal, Proxy
from netdiag.reports.observed.sight import Sight, sight
from netdiag.reports.words import listing, lost, span


def of_machine(facts: Facts) -> Iterator[Sight]:
    own = facts.machine
    if own.link_up.value is False:
        yield sight("No network link of this machine is up.", own.link_up)
    yield from _routes(facts)
    yield from _gateway(facts)
    if own.beyond_gateway_answers.value is False:
        yield sight("Nothing beyond the gateway answered.", own.beyond_gateway_answers)
    if own.target_by_tunnel.value is True:
        yield sight("Packets to the target go through a tunnel (VPN) of this machine.", own.target_by_tunnel)
    if own.local_refusal.value is not None:
        yield sight(refusal_words(own.local_refusal.value), own.local_refusal)
    elif own.target_leaves.value is True and facts.target.works.value is not True:
        yield sight("Packets to the target's port leave this machine.", own.target_leaves)
    for family, egress in ((4, own.egress4), (6, own.egress6)):
        if egress.value is not None and egress.value.target != egress.value.control:
            yield sight(
                f"A packet that may travel one hop only (IPv{family}): towards the target"
                f" {_EGRESS[egress.value.target]}, towards another host {_EGRESS[egress.value.control]}.",
                egress,
            )
        if egress.value is not None and egress.value.udp_denied is True:
            yield sight(f"The kernel refused to send UDP to the target (IPv{family}).", egress)
    if own.lan_loss.value is not None and own.lan_loss.value.lost:
        yield sight(lost(own.lan_loss.value, "probe", "to the gateway"), own.lan_loss)
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
        yield sight(f"{name} cannot be found on the local network (no hardware address).", own.gateway_neighbour_alive)
    elif own.gateway_answers.value is True:
        witnesses = own.gateway_answers.witnesses + (beyond.witnesses if further else ())
        yield Sight(says=f"{name} {'answer' if many else 'answers'}{further}.", witnesses=witnesses)
        return
    elif own.gateway_answers.value is False:
        yield sight(f"{name} answered nothing {'themselves' if many else 'itself'}.", own.gateway_answers)
    if further:
        yield sight("Hosts beyond the gateway answer.", beyond)


def refusal_words(refusal: LocalRefusal) -> str:
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
        yield sight(f"This machine's clock is {span(abs(offset))} {word} those of other hosts.", own.clock_offset_s)
    elif offset is not None:
        yield sight("The clock agrees with those of other hosts.", own.clock_offset_s)
    if own.hosts_override.value:
        other = "; DNS gives other addresses" if own.hosts_override_wrong.value is True else ""
        yield sight(
            f"The hosts file of this machine gives {listing(own.hosts_override.value)} for {facts.host}{other}.",
            own.hosts_override,
        )
    if own.proxy.value is not None:
        yield sight(proxy_words(own.proxy.value), own.proxy)
    if own.nat64_prefix.value is not None:
        yield sight(f"This line reaches IPv4 hosts by NAT64 ({own.nat64_prefix.value}).", own.nat64_prefix)


def proxy_words(proxy: Proxy) -> str:
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
